# What is kept: records, the data directory, the account.
STORE_READ = storage/store storage/info storage/account storage/record \
	engine/stats engine/ranges engine/addr
STORE_SEALED = storage/store_sealed storage/store_catalog
UNIT_store = $(STORE_READ) $(STORE_SEALED) test/unit/store_help
