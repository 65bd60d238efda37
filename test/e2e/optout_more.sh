#!/bin/bash
# Opt-outs in the middle of conversations over both families, adopted and by
# connect(2): no packet later than one second after the command returned.

LAB_SERVERS=none
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"
work=$LAB_DIR/work
four=198.18.64.0/22 six=fd00:198:18::4000/118
cp test/lab/exclude.conf "$LAB_DIR"
cp /etc/ssl/certs/ca-certificates.crt "$LAB_DIR/ca.pem"

until_there()
{
	local what=$1 end=$((SECONDS + 20))

	shift
	until "$@" 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || { bad "$what"; finish; }
		sleep 0.05
	done
}

state()
{
	tool status --json 2>/dev/null | python3 -c 'import json, sys
print(json.load(sys.stdin).get(sys.argv[1], 0))' "$1" 2>/dev/null || echo 0
}

open()
{
	[ "$(state conversations_open)" -ge "$1" ]
}

# opted_out HOW OPTION...: one sweep that is stopped after it
opted_out()
{
	local how=$1 dump daemon out

	shift
	rm -rf "$LAB_DIR/store" "$work/times" "$work/out.pcap"
	test/lab/configure "$conf" "targets = { \"$four\", \"$six\" }" 'ports = { "110/pop3" }' \
	    'rate = 1000' 'greeting = 20s' 'conversation = 25s' 'reply = 20s' \
	    'retries = 0' 'min_rate = 1' 'reply_lines_max = 65535' \
	    'per_network = 4095' 'canary = off' 'hello_after_silence = off' \
	    'probes = 2' "$@"
	$LAB_TARGET tcpdump -i net0 -n -U -s 96 -B 65536 -Z root \
	    -w "$work/out.pcap" "net $four or net $six" 2>"$work/tcpdump" &
	dump=$!
	until_there "tcpdump listens" grep -q 'listening on' "$work/tcpdump"
	"$BIN/mailsweepd" -1 -f "$conf" >>"$log" 2>&1 </dev/null &
	daemon=$!
	until_there "$how: conversations" open 400
	expect "$how: optout add" tool optout add 198.18.65.0/24 \
	    fd00:198:18::4000/119
	out=$(date +%s%N)
	printf '%s %s\n' 198.18.65.0/24 "$out" fd00:198:18::4000/119 "$out" \
	    >"$work/times"
	at_least "$how: conversations of others" "$(state conversations_open)" \
	    100
	sleep 3
	kill -TERM "$daemon"
	kill -TERM "$daemon"
	wait "$daemon" || :
	kill -INT "$dump"
	wait "$dump" || :
	said "$how: the capture lost nothing" '^0 packets dropped by kernel' \
	    "$work/tcpdump"
	verdicts_of python3 test/e2e/optout.py --conversations \
	    "$work/out.pcap" "$work/times"
}

$LAB_TARGET python3 test/e2e/talkers.py 110 "$work/talkers" &
until_there "the talkers listen" [ -e "$work/talkers" ]
opted_out adopted
opted_out connected 'follow = connect'
finish
