#!/bin/bash
# packet is stopped in the middle of a sweep, until its capture overflows: the
# servers that answered meanwhile, and repeat nothing, are found all the same.

LAB_SERVERS=dovecot-good,dovecot-plain,dovecot-selfsigned,postfix-good
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"

configure "$(neighbourhoods 22)" 'rate = 10000' 'per_host = 16' \
    'per_network = 64'
# An answer comes once, or not at all.
$LAB_TARGET sysctl -qw net.ipv4.tcp_synack_retries=0

some_syns()
{
	[ "$(seen syn_in)" -gt 2000 ]
}

"$BIN/mailsweepd" -1 -f "$conf" >>"$log" 2>&1 </dev/null &
daemon=$!
until some_syns; do
	kill -0 "$daemon" || break
	read -r -t 0.02 <>/dev/zero || :
done
stopped=$(pgrep -f 'mailsweepd --role packet')
is "processes to stop" "$(wc -w <<<"$stopped")" 1
at=$(seen syn_in)
# shellcheck disable=SC2086
kill -STOP $stopped
until [ "$(seen syn_in)" -gt $((at + 20000)) ]; do
	kill -0 "$daemon" || break
	read -r -t 0.05 <>/dev/zero || :
done
# shellcheck disable=SC2086
kill -CONT $stopped
swept=0
wait "$daemon" || swept=$?
is "exit status" "$swept" 0
test/lab/counters >"$LAB_DIR/work/counters"

at_least "frames that the capture dropped" "$(counted events.pcap_dropped)" 1000
at_least "sent again" "$(counted events.sent_again)" 20000
at_least "the rate was cut" "$(counted events.backoffs)" 1
said "the log says why" "the capture drops answers: at most [0-9]+ of 10000" \
    "$log"
said "... and what is sent again" "[0-9]+ steps of the index are sent again" \
    "$log"
expect "every verdict" judge
is "the account balances" "$(counted balanced)" True
n=$(sed -n 's/^targets = //p' "$conf" | grep -o '/22' | wc -l)
is "targets, each counted once" "$(counted settled.sent)" $((n * 1024 * 7))
is "SYNs" "$(counted events.syn_packets)" "$(seen syn_in)"
finish
