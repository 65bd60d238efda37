/* builder.c: an environment of LMDB 0.9 made whole, each page written once. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/builder.h"
#include "storage/builder_pages.h"

/* The layout of LMDB's mdb.c: pages, nodes, and what leads to them. */
enum {
	NODE_HEAD = 8, /* u16 low, high, flags, key length */
	NODE_MAX = ((PAGE - PAGE_HEAD) / 2 & -2) - 2, /* else apart */
	NUMBER_LEN = 8,
	NODE_BIG = 1, /* its data is the number of a page */
	NODE_DB = 2, /* its data is a database */
	DB_INTEGER_KEY = 8, /* of the free pages */
	METAS = 2, /* and the transactions that they are of, from here on */
	FREED_BY = 1, /* ... and one before them */
	DATA_VERSION = 1
};
#define META_MAGIC 0xbeefc0deu
#define NO_PAGE    UINT64_MAX

enum { LEVELS_MAX = 10 };

/* A database as it lies in the file. */
struct db {
	uint32_t pad; /* of the free pages: the size of a page */
	uint16_t flags, depth;
	uint64_t branches, leaves, overflows, entries, root;
};

struct meta {
	uint32_t magic, version;
	uint64_t address, map_size;
	struct db dbs[2]; /* free pages, names */
	uint64_t last_page, transaction;
};

_Static_assert(sizeof(struct db) == 48, "as LMDB has it");
_Static_assert(sizeof(struct meta) == 136, "as LMDB has it");

/* One that is being filled. Nodes grow from its end. */
struct page {
	uint16_t n, lower, upper;
	uint16_t key_len; /* of its first key, which its parent needs */
	uint8_t key[BUILDER_KEY_MAX];
	uint8_t bytes[PAGE];
};

struct builder_table {
	const char *name;
	struct page *levels[LEVELS_MAX]; /* leaves are level 0 */
	uint64_t closed[LEVELS_MAX];
	struct db db;
	struct extent extent;
	uint8_t last[BUILDER_KEY_MAX];
	size_t last_len;
};

struct builder {
	struct pages pages;
	struct builder_table *tables[BUILDER_TABLES_MAX];
	unsigned ntables;
};

/* ---- nodes into pages ---------------------------------------------------- */

static void
page_clear(struct page *p)
{
	p->n = p->key_len = 0;
	p->lower = PAGE_HEAD;
	p->upper = PAGE;
	memset(p->bytes, 0, sizeof p->bytes);
}

static struct page *
page_of(struct builder_table *t, unsigned level)
{
	if (level == LEVELS_MAX) {
		errno = EFBIG;
		return NULL;
	}
	if (t->levels[level] == NULL) {
		t->levels[level] = malloc(sizeof *t->levels[level]);
		if (t->levels[level] != NULL)
			page_clear(t->levels[level]);
	}
	return t->levels[level];
}

static uint16_t
even(size_t len)
{
	return (uint16_t)(len + len % 2);
}

static bool
has_room(const struct page *p, size_t node)
{
	return (size_t)(p->upper - p->lower) >= even(node) + sizeof p->upper;
}

struct node {
	const void *key, *bytes;
	size_t key_len, len;
	uint32_t low; /* length of the data, or the number of a page */
	uint16_t flags; /* ... and its upper bits */
};

static void
add_node(struct page *p, const struct node *n)
{
	const uint16_t head[] = { (uint16_t)n->low, (uint16_t)(n->low >> 16),
		n->flags, (uint16_t)n->key_len };
	uint8_t *at;

	p->upper = (uint16_t)(p->upper - even(NODE_HEAD + n->key_len + n->len));
	memcpy(p->bytes + p->lower, &p->upper, sizeof p->upper);
	p->lower = (uint16_t)(p->lower + sizeof p->upper);
	p->n++;
	at = p->bytes + p->upper;
	memcpy(at, head, sizeof head);
	memcpy(at + NODE_HEAD, n->key, n->key_len);
	if (n->len > 0)
		memcpy(at + NODE_HEAD + n->key_len, n->bytes, n->len);
}

static void
set_first_key(struct page *p, const void *key, size_t len)
{
	if (p->n > 0)
		return;
	p->key_len = (uint16_t)len;
	memcpy(p->key, key, len);
}

/* The first node of a branch stands for all that is less: it has no key. */
static void
add_child(struct page *p, const void *key, size_t len, uint64_t child)
{
	struct node n = { .key = key,
		.key_len = p->n > 0 ? len : 0,
		.low = (uint32_t)child,
		.flags = (uint16_t)(child >> 32) };

	set_first_key(p, key, len);
	add_node(p, &n);
}

/* The last node of a branch; it goes. */
static uint64_t
pop_child(struct page *p, uint8_t key[BUILDER_KEY_MAX], size_t *len)
{
	uint16_t head[NODE_HEAD / sizeof(uint16_t)];

	memcpy(head, p->bytes + p->upper, sizeof head);
	*len = head[3];
	memcpy(key, p->bytes + p->upper + NODE_HEAD, *len);
	memset(p->bytes + p->upper, 0, even(NODE_HEAD + *len));
	p->upper = (uint16_t)(p->upper + even(NODE_HEAD + *len));
	p->lower = (uint16_t)(p->lower - sizeof p->upper);
	memset(p->bytes + p->lower, 0, sizeof p->upper);
	p->n--;
	return head[0] | (uint64_t)head[1] << 16 | (uint64_t)head[2] << 32;
}

static int close_page(struct builder_table *, unsigned level);

/* LMDB insists on two nodes in a branch: a full one gives its last away. */
static int
push_child(struct builder_table *t, unsigned level, const void *key, size_t len,
    uint64_t child)
{
	struct page *p = page_of(t, level);
	uint8_t moved[BUILDER_KEY_MAX];
	size_t moved_len;
	uint64_t number;

	if (p == NULL)
		return -1;
	if (!has_room(p, NODE_HEAD + len)) {
		number = pop_child(p, moved, &moved_len);
		if (close_page(t, level) != 0)
			return -1;
		add_child(p, moved, moved_len, number);
	}
	add_child(p, key, len, child);
	return 0;
}

/* It goes into the file, and its parent learns of it. */
static int
close_page(struct builder_table *t, unsigned level)
{
	struct page *p = t->levels[level];
	uint64_t number;
	uint8_t *at = extent_page(&t->extent, &number);
	uint8_t key[BUILDER_KEY_MAX];
	size_t len = p->key_len;

	if (at == NULL)
		return -1;
	memcpy(at, p->bytes, PAGE);
	page_head_put(at, number, level > 0 ? PAGE_BRANCH : PAGE_LEAF, p->lower,
	    p->upper);
	t->closed[level]++;
	memcpy(key, p->key, len);
	page_clear(p);
	return push_child(t, level + 1, key, len, number);
}

/* What is too long for a leaf lies in pages of its own, side by side. */
static int
put_overflow(
    struct builder_table *t, const uint8_t *bytes, size_t len, uint64_t *first)
{
	uint64_t pages = (PAGE_HEAD - 1 + len) / PAGE + 1, number;

	if (extent_reserve(&t->extent, pages) != 0)
		return -1;
	for (uint64_t i = 0; i < pages; i++) {
		uint8_t *at = extent_page(&t->extent, i == 0 ? first : &number);
		size_t head = i == 0 ? PAGE_HEAD : 0;
		size_t n = len < PAGE - head ? len : PAGE - head;

		if (at == NULL)
			return -1;
		if (i == 0)
			page_head_put(at, *first, PAGE_OVERFLOW,
			    (uint16_t)pages, (uint16_t)(pages >> 16));
		memcpy(at + head, bytes, n);
		memset(at + head + n, 0, PAGE - head - n);
		bytes += n;
		len -= n;
	}
	t->db.overflows += pages;
	return 0;
}

static bool
is_next(const struct builder_table *t, const void *key, size_t len)
{
	size_t both = len < t->last_len ? len : t->last_len;
	int order = memcmp(key, t->last, both);

	return len > 0 && len <= BUILDER_KEY_MAX &&
	    (order > 0 || (order == 0 && len > t->last_len));
}

static int
put(struct builder_table *t, const struct node *wanted)
{
	struct page *leaf = page_of(t, 0);
	struct node n = *wanted;
	bool big = NODE_HEAD + n.key_len + n.len > NODE_MAX;
	size_t size = NODE_HEAD + n.key_len + (big ? NUMBER_LEN : n.len);
	uint64_t number;

	if (leaf == NULL)
		return -1;
	if (!is_next(t, n.key, n.key_len) || n.len > UINT32_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (!has_room(leaf, size) && close_page(t, 0) != 0)
		return -1;
	n.low = (uint32_t)n.len;
	if (big) {
		if (put_overflow(t, n.bytes, n.len, &number) != 0)
			return -1;
		n.flags |= NODE_BIG;
		n.bytes = &number;
		n.len = sizeof number;
	}
	set_first_key(leaf, n.key, n.key_len);
	add_node(leaf, &n);
	memcpy(t->last, n.key, n.key_len);
	t->last_len = n.key_len;
	t->db.entries++;
	return 0;
}

int
builder_put(struct builder_table *t, const void *key, size_t key_len,
    const void *bytes, size_t len)
{
	struct node n = {
		.key = key, .key_len = key_len, .bytes = bytes, .len = len
	};

	return put(t, &n);
}

static void
table_free(struct builder_table *t)
{
	for (unsigned k = 0; k < LEVELS_MAX; k++)
		free(t->levels[k]);
	free(t->extent.buffer);
}

/* ---- from the last page to the first ------------------------------------- */

static int
table_finish(struct builder_table *t)
{
	uint8_t key[BUILDER_KEY_MAX];
	unsigned level = 0;
	size_t len;

	t->db.root = NO_PAGE;
	if (t->db.entries == 0)
		return 0;
	/* Up to the branch that would have one child alone: that is the root.
	 */
	while (level == 0 || t->levels[level]->n > 1 || t->closed[level] > 0)
		if (close_page(t, level++) != 0)
			return -1;
	t->db.root = pop_child(t->levels[level], key, &len);
	t->db.depth = (uint16_t)level;
	t->db.leaves = t->closed[0];
	while (--level > 0)
		t->db.branches += t->closed[level];
	return t->extent.filled > 0 ? extent_flush(&t->extent) : 0;
}

static int
compare_names(const void *a, const void *b)
{
	const struct builder_table *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int
put_names(struct builder *b, struct builder_table *names, unsigned n)
{
	qsort(b->tables, n, sizeof(struct builder_table *), compare_names);
	for (unsigned i = 0; i < n; i++) {
		struct builder_table *t = b->tables[i];
		struct node node = { .key = t->name,
			.key_len = strlen(t->name),
			.bytes = &t->db,
			.len = sizeof t->db,
			.flags = NODE_DB };

		if (table_finish(t) != 0 || put(names, &node) != 0)
			return -1;
	}
	return table_finish(names);
}

/* Pages behind the last that is used were never written. */
static uint64_t
pages_used(const struct builder *b)
{
	uint64_t last = METAS;

	for (unsigned i = 0; i < b->ntables; i++)
		if (b->tables[i]->extent.next > last)
			last = b->tables[i]->extent.next;
	return last;
}

/* What is left of each extent, and what is behind the end of the file. */
static int
end_gaps(struct builder *b, uint64_t pages)
{
	struct pages *p = &b->pages;

	for (unsigned i = 0; i < b->ntables; i++)
		if (pages_gap(p, b->tables[i]->extent.next,
			b->tables[i]->extent.end) != 0)
			return -1;
	for (size_t i = 0; i < p->ngaps; i++)
		if (p->gaps[i].to > pages)
			p->gaps[i].to = pages;
	return 0;
}

static int
compare_gaps(const void *a, const void *b)
{
	const struct gap *x = a, *y = b;

	return (x->from < y->from) - (x->from > y->from);
}

/* Their number, then theirs, the greatest first. NULL: no memory. */
static uint64_t *
list_gaps(struct pages *p, size_t *n)
{
	uint64_t *list;
	size_t at = 0;

	for (size_t i = 0; i < p->ngaps; i++)
		if (p->gaps[i].from < p->gaps[i].to)
			at += p->gaps[i].to - p->gaps[i].from;
	list = malloc((at + 1) * sizeof *list);
	if (list == NULL)
		return NULL;
	if (p->ngaps > 0)
		qsort(p->gaps, p->ngaps, sizeof *p->gaps, compare_gaps);
	*list = *n = at;
	at = 1;
	for (size_t i = 0; i < p->ngaps; i++)
		for (uint64_t k = p->gaps[i].to; k > p->gaps[i].from;)
			list[at++] = --k;
	return list;
}

/*
 * The database of free pages: one row, behind all others. The pages are known
 * only now, so they are put by hand: a leaf, then what is too long for it.
 */
static int
put_free(struct builder *b, uint64_t *pages, struct db *free_pages)
{
	struct builder_table t = { .extent = { .pages = &b->pages } };
	struct node n = { .key_len = NUMBER_LEN };
	const uint64_t key = FREED_BY;
	size_t count = 0;
	uint64_t *list = list_gaps(&b->pages, &count);
	int rc = -1;

	*free_pages = (struct db){ .root = NO_PAGE };
	b->pages.n = *pages;
	t.extent.next = t.extent.end = *pages;
	t.extent.buffer = malloc(TRAILER_CHUNK);
	n.key = &key;
	n.bytes = list;
	n.len = (count + 1) * sizeof *list;
	if (list != NULL && t.extent.buffer != NULL)
		rc = extent_reserve(&t.extent, n.len / PAGE + 3);
	if (rc == 0 && count > 0)
		rc = put(&t, &n);
	if (rc == 0 && count > 0) {
		rc = table_finish(&t);
		*free_pages = t.db;
		*pages = t.extent.next;
	}
	table_free(&t);
	free(list);
	return rc;
}

static int
put_metas(struct builder *b, const struct db *free_pages,
    const struct db *names, uint64_t pages)
{
	struct meta m = { .magic = META_MAGIC,
		.version = DATA_VERSION,
		.map_size = pages * PAGE,
		.dbs = { *free_pages, *names },
		.last_page = pages - 1 };

	m.dbs[0].pad = PAGE;
	m.dbs[0].flags = DB_INTEGER_KEY;
	for (uint64_t i = 0; i < METAS; i++) {
		uint8_t page[PAGE] = { 0 };

		m.transaction = METAS + i;
		page_head_put(page, i, PAGE_META, 0, 0);
		memcpy(page + PAGE_HEAD, &m, sizeof m);
		if (pages_write(&b->pages, page, sizeof page, i) != 0)
			return -1;
	}
	return 0;
}

int
builder_finish(struct builder *b, struct trailer_sums *sums)
{
	unsigned n = b->ntables;
	struct builder_table *names = builder_table(b, "");
	struct db free_pages;
	uint64_t pages;

	if (names == NULL || put_names(b, names, n) != 0)
		return -1;
	pages = pages_used(b);
	if (end_gaps(b, pages) != 0 || put_free(b, &pages, &free_pages) != 0 ||
	    put_metas(b, &free_pages, &names->db, pages) != 0 ||
	    ftruncate(b->pages.fd, (off_t)(pages * PAGE)) != 0)
		return -1;
	*sums = b->pages.sums;
	return 0;
}

/* ---- to begin with ------------------------------------------------------- */

struct builder *
builder_new(int fd)
{
	struct builder *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->pages.fd = fd;
	b->pages.n = METAS;
	return b;
}

struct builder_table *
builder_table(struct builder *b, const char *name)
{
	struct builder_table *t;

	if (b->ntables == BUILDER_TABLES_MAX) {
		errno = EINVAL;
		return NULL;
	}
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->extent.buffer = malloc(TRAILER_CHUNK);
	if (t->extent.buffer == NULL) {
		free(t);
		return NULL;
	}
	t->extent.pages = &b->pages;
	t->name = name;
	b->tables[b->ntables++] = t;
	return t;
}

void
builder_free(struct builder *b)
{
	if (b == NULL)
		return;
	for (unsigned i = 0; i < b->ntables; i++) {
		table_free(b->tables[i]);
		free(b->tables[i]);
	}
	pages_free(&b->pages);
	free(b);
}
