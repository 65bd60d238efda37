/* layout.h: the names in the data directory; storage/FORMAT.md explains. */
#ifndef STORAGE_LAYOUT_H
#define STORAGE_LAYOUT_H

/* The key of an opt-out: an address and the bits of its prefix, of 128. */
enum { OPTOUT_KEY_LEN = 17 };

enum {
	STORE_VERSION = 3,
	VERSION_SUMS = 2, /* from which on rows have sums */
	VERSION_TEXTS = 3, /* ... and bodies in live/ lie as they came */
	LAYOUT_DATABASES = 16,
	LAYOUT_PATH_MAX = 4096
};

#define LAYOUT_LIVE    "live"
#define LAYOUT_SEALED  "sealed"
#define LAYOUT_SUFFIX  ".mdb"
#define LAYOUT_CERTS   "certs.mdb"
#define LAYOUT_CATALOG "catalog.mdb"

/* Databases of an environment that holds a sweep. */
#define DB_HEADS    "heads"
#define DB_BODIES   "bodies"
#define DB_TEXTS    "texts" /* live only: bodies as they came */
#define DB_SILENT   "silent"
#define DB_GONE     "gone" /* sealed only */
#define DB_PENDING  "pending" /* live only, as the queue */
#define DB_QUEUE    "queue"
#define DB_WANTED   "wanted" /* live only, as the names */
#define DB_NAMES    "names"
#define DB_PHANTOMS "phantoms"
#define DB_TABLES   "tables" /* sealed only: counted by the seal */
#define DB_META     "meta"

/* ... of certs.mdb and of catalog.mdb. */
#define DB_CERTS   "certs"
#define DB_SWEEPS  "sweeps"
#define DB_OPTOUTS "optouts"

/* Keys of meta. */
#define META_INFO   "info"
#define META_CLOCK  "clock"
#define META_LEDGER "ledger" /* ledger.INCARNATION */

#endif
