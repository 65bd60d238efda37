#!/bin/bash
# The main path, by adoption or by plain connect: every server found, every
# verdict right, both ledgers equal to what the other side counted, and what a
# capture and the servers' own logs say of the handshakes.
#
#	test/e2e/sweep.sh [adopt|connect]

. "$(dirname "$0")/lib.sh"
enter_lab "$@"
how=${1:-adopt}

# Without limits in the way, so that each probed port gets exactly one SYN; one
# that stays silent a second, with a ClientHello behind it.
configure "follow = \"$how\"" 'per_host = 16' 'per_network = 64'

pcap=$LAB_DIR/work/wire.pcap
swept=0
test/lab/capture "$pcap" "$BIN/mailsweepd" -1 -f "$conf" >>"$log" 2>&1 ||
    swept=$?
test/lab/counters >"$LAB_DIR/work/counters"
is "exit status of mailsweepd -1" "$swept" 0

expect "every verdict" judge
expect "every product and version" \
    test/lab/products "$LAB_DIR/servers.tsv" <"$LAB_DIR/work/dump.jsonl"
is "the account balances" "$(counted balanced)" True

# ... and each rests on a line that the server said.
tool dump --transcript >"$LAB_DIR/work/transcripts.jsonl"
verdicts_of test/e2e/evidence.py <"$LAB_DIR/work/transcripts.jsonl"

# A round trip is known of each conversation that came to its end.
tool dump --outcome completed >"$LAB_DIR/work/completed.jsonl"
is "completed rows without a round trip" \
    "$(grep -c '"rtt_us":0,' "$LAB_DIR/work/completed.jsonl")" 0

tool sweeps --json >"$LAB_DIR/work/account.json"
verdicts_of test/e2e/account.py "$LAB_DIR/work/account.json" \
    --against "$LAB_DIR/work/counters" "$how"

# ---- the capture -----------------------------------------------------------

test/e2e/capture.py "$pcap" "$LAB_SRC4" "$LAB_SRC6" >"$LAB_DIR/work/facts"
fact()
{
	awk -v name="$1" '$1 == name { print $2 }' "$LAB_DIR/work/facts"
}

is "frames that are none of ours" "$(fact strange)" 0
answered=$(fact answered)
silent=$(awk -F '\t' '$8 == "silent"' "$LAB_DIR/servers.tsv" | wc -l)
at_least "ports that answered" "$answered" 60
spoke=$((answered - silent))
is "SYNs to a port that does not answer" "$(fact closed_syns_max)" 1
is "answers that got neither ACK nor RST" "$(fact unanswered)" 0
case $how in
adopt)
	is "targets with one SYN" "$(fact answered_syns_1)" $spoke
	is "silent ones with two" "$(fact answered_syns_2)" "$silent"
	is "SYN-ACKs answered by a RST at once" "$(fact rst_at_once)" 0
	;;
connect)
	is "targets with two SYNs" "$(fact answered_syns_2)" $spoke
	is "silent ones with four" "$(fact answered_syns_4)" "$silent"
	is "raw SYN-ACKs that our kernel refused" \
	    "$(fact rst_at_once)" $((answered + silent))
	;;
esac
is "targets with one handshake" "$(fact handshakes_1)" $spoke
is "silent ones with two handshakes" "$(fact handshakes_2)" "$silent"
is "flows in which the server spoke" "$(fact data_flows)" $spoke

# ---- the servers' own logs: a session a port, two a silent one -----------------

verdicts_of test/e2e/sessions.py "$LAB_DIR/logs" "$LAB_DIR/servers.tsv" \
    "$LAB_DIR/started" "$LAB_SRC4" "$LAB_SRC6"

# ---- what is left behind ------------------------------------------------------

if [ "$BIN" = build/sanitize ]; then
	expect "the sanitizers are in it" \
	    grep -aq __asan_init "$BIN/mailsweepd"
fi
is "complaints of a sanitizer" \
    "$(grep -Ec "AddressSanitizer|runtime error:|LeakSanitizer" "$log")" 0

expect "the store is sound" tool check
is "nft rules left on the scanner's side" "$(nft list ruleset | grep -c .)" 0
finish
