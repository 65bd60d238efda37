# Names of addresses: messages, lookups.
UNIT_hostname = engine/hostname
UNIT_dns = engine/dns engine/hostname engine/addr test/unit/dns_help
UNIT_lookups = engine/lookups engine/dns engine/hostname engine/addr \
	engine/log test/unit/dns_help
UNIT_resolve = engine/resolve engine/pacer engine/wire engine/stats \
	engine/role engine/sandbox_rules $(UNIT_lookups)
