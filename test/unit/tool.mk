# The tool: feeds, statistics, commands.
TOOL_TEXT = storage/text storage/buf
TOOL_ROW  = storage/row storage/record engine/addr $(TOOL_TEXT)
TOOL_FEED = storage/feed storage/feed_columns storage/feed_values \
	storage/feed_own storage/csv storage/tls_names storage/cert_fields storage/cert_der \
	storage/holes $(TOOL_ROW)
TOOL_STORE = storage/store storage/store_scan storage/store_silent storage/texts storage/runs storage/store_list storage/optouts storage/rowsum storage/trailer storage/view storage/phantom storage/info storage/account engine/stats \
	engine/ranges
TOOL_SAMPLE = $(TOOL_STORE) storage/store_sealed storage/builder storage/builder_pages storage/store_catalog \
	storage/store_write storage/live_texts storage/store_purge storage/book storage/pending storage/checkpoint \
	test/unit/store_help test/unit/tool_help
TOOL_MAKE = storage/feed_make storage/shares storage/cert_cache storage/feed_match storage/feed_files \
	storage/feed_notice storage/feed_zip storage/advice storage/exposure $(TOOL_FEED)
TOOL_CONF = engine/conf engine/conf_list engine/conf_port \
	engine/conf_recipient engine/conf_value engine/conf_words \
	engine/conf_save engine/log
UNIT_commands = engine/loss storage/cmd_dump storage/cmd_show storage/history storage/series storage/cmd_fixes storage/fixes storage/exposure storage/geo_age storage/announced storage/cmd_announced $(STORE_GEO) storage/cmd_sweeps \
	storage/cmd_stats storage/count storage/cmd_optout storage/prefix storage/purge storage/seal_tables storage/unfinished storage/datadir storage/ask storage/cmd_status storage/cmd_feed storage/cmd_check \
	storage/check storage/check_files storage/cmd_merge storage/shards \
	storage/shards_merge storage/digest_set storage/cmd_diff storage/reach storage/change \
	storage/tool \
	storage/filter storage/json_out storage/show storage/show_chain \
	storage/advice storage/progress storage/statistics storage/statistics_save storage/statistics_part storage/as_names storage/cut \
	storage/stats_print storage/stats_rows storage/stats_data \
	$(TOOL_REPORT) test/unit/run_help $(TOOL_MAKE) $(TOOL_SAMPLE) $(TOOL_CONF)
UNIT_dump = $(UNIT_commands)
UNIT_show = $(UNIT_commands)
UNIT_status = $(UNIT_commands)
UNIT_stat_tables = $(UNIT_commands)
UNIT_announced = $(UNIT_commands)
UNIT_geo_age = $(UNIT_commands)
UNIT_fixes = $(UNIT_commands)
UNIT_text = storage/csv $(TOOL_TEXT)
UNIT_cert_fields = storage/cert_cache storage/cert_fields storage/cert_der $(TOOL_TEXT)
UNIT_holes = storage/holes storage/advice $(TOOL_ROW)
UNIT_feed = storage/feed_match $(TOOL_FEED) $(TOOL_SAMPLE)
UNIT_feed_lands = test/unit/feed_help $(TOOL_MAKE) $(TOOL_SAMPLE)
UNIT_feed_make = test/unit/feed_help storage/statistics storage/statistics_save storage/statistics_part storage/as_names storage/cut $(TOOL_MAKE) $(TOOL_SAMPLE)
UNIT_shares = storage/shares
UNIT_progress = storage/progress $(TOOL_TEXT)
UNIT_history = $(UNIT_commands)
UNIT_change = $(UNIT_commands)
UNIT_reach = $(UNIT_commands)
UNIT_nights = $(UNIT_commands) $(UNIT_seal) test/unit/feed_help
UNIT_count = $(UNIT_commands)
UNIT_prefix = $(STORE_READ) storage/prefix
UNIT_mask = storage/mask storage/buf
UNIT_mask_sums = storage/mask_sums storage/buf
UNIT_html = storage/html $(TOOL_TEXT)
TOOL_REPORT = storage/cmd_report storage/report_assets storage/report_facts \
	storage/report_map storage/report_changes storage/report_page storage/report_places \
	storage/report_read storage/report_sums storage/report_table \
	storage/report_time storage/report_tls storage/tables storage/html \
	storage/mask storage/mask_sums
UNIT_report = $(UNIT_commands)
