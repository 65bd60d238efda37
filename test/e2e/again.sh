#!/bin/bash
# A laboratory swept again at once, from the same source ports: servers still
# hold the last sweep's connections, in TIME_WAIT or established, and each is
# found all the same.

LAB_SERVERS=dovecot-good,dovecot-plain,dovecot-selfsigned,postfix-good
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"

first=40000
options=("source_ports = \"$first-$((first + 1023))\"" 'per_host = 16'
    'per_network = 64')

# swept_well WHAT: a sweep whose verdicts, account and packets are right
swept_well()
{
	local swept=0

	rm -f "$LAB_DIR/work/account.json"
	test/lab/counters -z >"$LAB_DIR/work/counters.before"
	sweep || swept=$?
	test/lab/counters >"$LAB_DIR/work/counters"
	is "$1: exit status" "$swept" 0
	expect "$1: every verdict" judge
	is "$1: the account balances" "$(counted balanced)" True
	verdicts_of test/e2e/account.py "$LAB_DIR/work/account.json" \
	    --against "$LAB_DIR/work/counters" adopt
}

# Without the catalog the second does not know which ports the first one had.
configure "${options[@]}"
swept_well "the first sweep"
rm -rf "$LAB_DIR/store"
swept_well "the same again"
echo "challenged: $(counted events.challenged)"

# From here on the slices of source ports go round: the third sweep has the
# second one. One target's first try meets an old connection, the other's
# first three.
is "connections left at one server" \
    "$(test/e2e/stale.py "$LAB_SRC4" $first 1 1 198.18.101.20 110)" 8
is "connections left at another" \
    "$(test/e2e/stale.py "$LAB_SRC4" $first 1 3 198.18.177.33 110)" 24
swept_well "with old connections"
is "challenged" "$(counted events.challenged)" 4
is "the attempt that the other was found by" "$(tool dump |
    sed -n '/"198.18.177.33".*"port": *110/s/.*"attempt": *\([0-9]*\).*/\1/p')" 3
finish
