# What is kept: records, the data directory, the account.
STORE_READ = storage/store storage/store_scan storage/store_silent storage/texts storage/runs storage/store_list storage/optouts storage/rowsum storage/trailer storage/view storage/phantom storage/info storage/account storage/record \
	engine/stats engine/ranges engine/addr
STORE_SEALED = storage/store_sealed storage/builder storage/builder_pages storage/store_catalog storage/purge storage/unfinished engine/log \
	storage/seal_tables $(STORE_TABLES)
STORE_LIVE = storage/store_write storage/live_texts storage/store_purge storage/book storage/pending
STORE_GEO = storage/geo storage/geo_csv storage/geo_table storage/text \
	storage/buf
STORE_TABLES = storage/statistics storage/statistics_save storage/statistics_part storage/as_names \
	storage/cut storage/feed storage/row storage/holes storage/cert_fields storage/cert_der \
	storage/tls_names storage/text storage/buf storage/fixes storage/exposure
STORE_START = storage/begin engine/sweep engine/conf_port engine/log
STORE_ALL = $(STORE_READ) $(STORE_SEALED) $(STORE_LIVE) $(STORE_GEO) \
	$(STORE_START) $(STORE_TABLES) storage/batch storage/order storage/outcome storage/merge \
	storage/second storage/seal storage/change storage/cert_match engine/hostname test/unit/store_help
UNIT_store = $(STORE_READ) $(STORE_SEALED) test/unit/store_help
UNIT_record = storage/record
UNIT_account = storage/account storage/record engine/stats
UNIT_checkpoint = storage/checkpoint
UNIT_live = $(STORE_READ) $(STORE_SEALED) $(STORE_LIVE) test/unit/store_help
UNIT_pending = $(UNIT_live)
UNIT_purge = $(UNIT_live)
UNIT_geo = $(STORE_GEO) $(STORE_READ)
UNIT_batch = $(STORE_ALL)
UNIT_second = $(STORE_ALL) test/unit/second_help
UNIT_merge = $(UNIT_second)
UNIT_names = $(STORE_ALL)
UNIT_naming = $(STORE_READ) $(STORE_SEALED) $(STORE_LIVE) storage/naming \
	engine/wire engine/log test/unit/store_help
UNIT_begin = $(STORE_ALL)
UNIT_seal = $(STORE_ALL) test/unit/nights_help
UNIT_unfinished = $(UNIT_seal)
UNIT_seal_tables = $(UNIT_seal) test/unit/tables_help
UNIT_writer_time = $(UNIT_writer)
UNIT_steady = storage/steady
UNIT_writer = $(STORE_ALL) storage/steady storage/due engine/canary engine/cookie storage/writer storage/writer_take test/unit/writer_lab \
	storage/checkpoint storage/datadir storage/naming engine/optouts engine/wire
UNIT_check = $(STORE_READ) $(STORE_SEALED) $(STORE_LIVE) storage/check storage/check_files \
	test/unit/store_help
UNIT_cert_match = storage/cert_match
UNIT_format = storage/record
UNIT_shards = $(STORE_READ) $(STORE_SEALED) $(STORE_LIVE) storage/shards storage/shards_merge \
	storage/digest_set storage/check storage/check_files test/unit/store_help \
	test/unit/tables_help
UNIT_order = storage/order engine/addr
UNIT_power = $(STORE_ALL) storage/check storage/check_files test/unit/store_help
UNIT_builder = storage/builder storage/builder_pages storage/trailer
UNIT_texts = $(STORE_READ) $(STORE_SEALED) $(STORE_LIVE) storage/check storage/check_files test/unit/store_help
UNIT_live_random = $(UNIT_texts)
