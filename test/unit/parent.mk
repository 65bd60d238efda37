# The daemon's parent and what all roles share.
UNIT_wire = engine/wire
UNIT_stats = engine/stats
UNIT_conf = engine/conf engine/conf_words engine/conf_value engine/conf_list \
	engine/conf_recipient engine/conf_save engine/conf_port engine/ranges \
	engine/addr engine/log
UNIT_spread = engine/spread engine/wire
UNIT_run = test/unit/run_roles engine/run engine/run_look engine/run_uplink engine/uplink engine/neighbour engine/spread engine/optouts engine/watch engine/health engine/proc engine/child engine/nft engine/sports \
	engine/sandbox engine/sandbox_rules engine/landlock engine/wire \
	engine/stats engine/role engine/log engine/conf_save engine/ranges \
	engine/addr
UNIT_sports = engine/sports
UNIT_rules = engine/sandbox_rules
UNIT_control = engine/control
UNIT_parent = engine/loss engine/parent engine/status engine/control engine/run engine/run_look engine/run_uplink engine/uplink engine/neighbour engine/spread engine/watch engine/health \
	engine/proc engine/nft engine/sports engine/sandbox \
	engine/sandbox_rules engine/landlock engine/wire engine/stats \
	engine/role engine/log engine/conf_save engine/ranges engine/addr \
	engine/sweep
UNIT_watch = engine/watch engine/health engine/stats engine/log
UNIT_health = engine/health engine/stats engine/log
