#!/bin/bash
# The names of addresses that have a finding, asked of a real Unbound in the
# target's namespace: some lead back, some do not, some are none, one is never
# answered. Then without a resolver, with one that is dead, and with a process
# that breaks the rules. Needs the build with test hooks.

export LAB_SERVERS=dovecot-plain,postfix-plain,exim-plain,dovecot-selfsigned
LAB_SERVERS+=,postfix-selfsigned,exim-expired,exim-future,dovecot6-plain
LAB_SERVERS+=,dovecot-good,exim-otherca
. "$(dirname "$0")/lib.sh"
enter_lab "$@"
HOOKS=build/release-hooks
queries=$LAB_DIR/logs/unbound.log
RATE=10

# ---- the resolver --------------------------------------------------------------

reverse()
{
	python3 -c 'import ipaddress, sys
print(ipaddress.ip_address(sys.argv[1]).reverse_pointer)' "$1"
}

# ptr ADDRESS NAME: as its own zone file would have it
ptr()
{
	echo "local-data: \"$(reverse "$1"). PTR $2.\""
}

# Static from the root down: what is not here is not asked of anybody.
cat >"$LAB_DIR/etc/unbound.conf" <<END
server:
	interface: $LAB_GW4
	access-control: $LAB_SRC4/32 allow
	chroot: ""
	username: ""
	directory: "$LAB_DIR/run"
	pidfile: "$LAB_DIR/run/unbound.pid"
	use-syslog: no
	logfile: "$queries"
	log-queries: yes
	module-config: "iterator"
	local-zone: "." static
	local-zone: "d.f.ip6.arpa." static
	$(ptr 198.18.10.10 MX.Plain.Example)
	local-data: "mx.plain.example. A 198.18.99.99"
	local-data: "mx.plain.example. A 198.18.10.10"
	$(ptr 198.18.37.2 www.bank.example)
	local-data: "www.bank.example. A 198.51.100.1"
	$(ptr 198.18.64.7 gone.example.net)
	$(ptr 198.18.177.33 c.several.example)
	$(ptr 198.18.177.33 a.several.example)
	$(ptr 198.18.177.33 b.several.example)
	local-data: "a.several.example. A 198.18.177.34"
	local-data: "b.several.example. A 198.18.177.33"
	local-data: "c.several.example. A 198.18.177.33"
	local-zone: "$(reverse 198.18.178.9)." deny
	$(ptr 198.19.180.18 'a\\032name\\059.example')
	$(ptr 198.19.170.17 other.lab.test)
	local-data: "other.lab.test. A 198.19.170.17"
	$(ptr fd00:198:18::99 six.plain.example)
	local-data: "six.plain.example. AAAA fd00:198:18::99"
	$(ptr 198.18.101.20 never.asked.example)
remote-control:
	control-enable: no
END

# In the target's mount namespace as well: there the packages are unpacked.
nsenter -t "$LAB_TARGET_PID" -n -m -- /usr/sbin/unbound -d \
    -c "$LAB_DIR/etc/unbound.conf" >"$LAB_DIR/logs/unbound.err" 2>&1 &
unbound=$!
end=$((SECONDS + 10))
until $LAB_TARGET ss -Hlun 'sport = :53' | grep -q . ||
    [ "$SECONDS" -ge "$end" ]; do
	read -r -t 0.1 <>/dev/zero || :
done
expect "Unbound listens" kill -0 "$unbound"
[ -d "/proc/$unbound" ] || cat "$LAB_DIR/logs/unbound.err"

# ---- a sweep -------------------------------------------------------------------

# swept OPTION...: a sweep into a store of its own, and from ports of its own:
# what the one before has left in TIME_WAIT over there is not met again.
ports=10000
swept()
{
	rm -rf "$LAB_DIR/store" "$LAB_DIR/work/account.json"
	configure "source_ports = $ports-$((ports + 2047))" "$@"
	ports=$((ports + 2048))
	status=0
	sweep || status=$?
	is "$what: exit status of mailsweepd -1" "$status" 0
	is "$what: the account balances" "$(counted balanced)" True
	expect "$what: every verdict" judge
}

# names: ADDRESS NAME CONFIRMED of each row in the dump that has a name
names()
{
	python3 -c 'import json, sys
for line in open(sys.argv[1]):
    row = json.loads(line)
    if "ptr" in row:
        print(row["ip"], row["ptr"], row["ptr_confirmed"])
    elif row.get("ptr_confirmed"):
        print(row["ip"], "confirmed without a name")' \
	    "$LAB_DIR/work/dump.jsonl" | sort -u | paste -sd ,
}

wanted_names='198.18.10.10 mx.plain.example True'
wanted_names+=',198.18.177.33 b.several.example True'
wanted_names+=',198.18.37.2 www.bank.example False'
wanted_names+=',198.18.64.7 gone.example.net False'
wanted_names+=',198.19.170.17 other.lab.test True'
wanted_names+=',fd00:198:18::99 six.plain.example True'

what="with a resolver"
swept "resolver = \"$LAB_GW4\"" "resolve_rate = $RATE"
is "$what: the names" "$(names)" "$wanted_names"

# asked ADDRESS: how often its name was asked for
asked()
{
	grep -c " $(reverse "$1")\. PTR IN" "$queries"
}

for addr in 198.18.10.10 198.18.37.2 198.18.64.7 198.18.177.33 \
    198.18.204.14 198.19.170.17 198.19.180.18 fd00:198:18::99; do
	is "$addr: queries for its name" "$(asked "$addr")" 1
done
is "198.18.178.9, never answered: queries" "$(asked 198.18.178.9)" 3
is "198.18.101.20, no finding: queries" "$(asked 198.18.101.20)" 0
is "$what: addresses asked for" "$(counted events.names_asked)" 9
is "$what: named" "$(counted events.names_found)" 6
is "$what: confirmed" "$(counted events.names_confirmed)" 4
is "$what: nameless" "$(counted events.names_none)" 2
is "$what: failed" "$(counted events.names_failed)" 1
is "$what: what it sent is what Unbound heard" \
    "$(counted events.names_queries)" "$(grep -c ' IN$' "$queries")"
most=$(sed -n 's/^\[\([0-9]*\)\].* IN$/\1/p' "$queries" | sort | uniq -c |
    awk '$1 > n { n = $1 } END { print n + 0 }')
expect "the rate: at most $most queries in a second" \
    [ "$most" -gt 0 -a "$most" -le $((RATE + 1)) ]

# matches: ADDRESS PORT, and for each name whether the certificate is good
# for it, of each row with a certificate and a PTR name
matches()
{
	python3 -c 'import json, sys
for line in open(sys.argv[1]):
    row = json.loads(line)
    good = row.get("cert_good_for", {})
    if "ptr" in row and "cert_sha256" in row:
        print(row["ip"], row["port"],
              *(f"{name}={good[name]}" for name in sorted(good)))' \
	    "$LAB_DIR/work/dump.jsonl" | sort | paste -sd ,
}

wanted_matches='198.18.177.33 110 ptr=False,198.18.177.33 143 ptr=False'
wanted_matches+=',198.18.177.33 993 ptr=False,198.18.177.33 995 ptr=False'
wanted_matches+=',198.19.170.17 25 ehlo=False greeting=False ptr=True'
wanted_matches+=',198.19.170.17 465 ehlo=False greeting=False ptr=True'
is "$what: names that certificates are good for" \
    "$(matches)" "$wanted_matches"

# ---- who sees the names --------------------------------------------------------

tool show 198.18.10.10 >"$LAB_DIR/work/shown"
said "show: a name that leads back" \
    'PTR name +mx.plain.example \(leads back' "$LAB_DIR/work/shown"
tool show 198.18.37.2 >"$LAB_DIR/work/shown"
said "show: a name that does not" \
    'PTR name +www.bank.example \(does not' "$LAB_DIR/work/shown"
tool show 198.19.170.17:25 >"$LAB_DIR/work/shown"
said "show: a certificate that is for the PTR name" \
    'good for +greeting name no, EHLO name no, PTR name yes' \
    "$LAB_DIR/work/shown"
tool show 198.18.177.33:110 >"$LAB_DIR/work/shown"
said "show: one that is not" 'good for +PTR name no$' "$LAB_DIR/work/shown"
mkdir "$LAB_DIR/work/feeds"
expect "mailsweep feed" tool feed -o "$LAB_DIR/work/feeds"
hostnames()
{
	python3 -c 'import csv, sys
for path in sys.argv[1:]:
    for row in csv.DictReader(open(path)):
        if row["hostname_source"] == "ptr":
            print(row["ip"], row["hostname"])' "$LAB_DIR"/work/feeds/*-all-*.csv |
	    sort -u | paste -sd ,
}
is "feeds: host names with the source ptr" "$(hostnames)" \
    "$(sed 's/ True//g; s/ False//g' <<<"$wanted_names")"

# ---- no resolver, a dead one ---------------------------------------------------

before=$(grep -c ' IN$' "$queries")
what="without a resolver"
swept
is "$what: names" "$(names)" ''
is "$what: queries" "$(($(grep -c ' IN$' "$queries") - before))" 0
is "$what: addresses asked for" "$(counted events.names_asked)" 0

for rule in socket open exec; do
	log=$LAB_DIR/logs/mailsweepd-$rule.log
	what="rules broken, $rule"
	BIN=$HOOKS MAILSWEEP_HOOK=resolve:$rule@2 swept \
	    "resolver = \"$LAB_GW4\"" "resolve_rate = 100"
	said "$what: the log names the call" "resolve.*system call" "$log"
	is "$what: calls that were allowed" "$(grep -c 'was allowed' "$log")" 0
	is "$what: the names" "$(names)" "$wanted_names"
done
log=$LAB_DIR/logs/mailsweepd.log

kill "$unbound"
wait "$unbound"
what="a dead resolver"
swept "resolver = \"$LAB_GW4\""
is "$what: names" "$(names)" ''
is "$what: failed" "$(counted events.names_failed)" 9

what="no time to wait"
swept "resolver = \"$LAB_GW4\"" 'resolve_wait = 1s'
is "$what: names" "$(names)" ''
said "$what: the log says so" 'have no name: resolve_wait has passed' "$log"
finish
