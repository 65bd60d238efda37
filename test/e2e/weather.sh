#!/bin/bash
# Peers whose segments come late, out of order, twice, or with a window that a
# ClientHello does not fit into: the same sweep adopted and by connect(2), the
# same verdicts, and in the kernel's own counters, here and there, no more
# faults with the one than with the other.

. "$(dirname "$0")/lib.sh"
export LAB_SERVERS=none
enter_lab "$@"

# shellcheck disable=SC2154 # conf is enter_lab's
work=$LAB_DIR/work
cp /etc/ssl/certs/ca-certificates.crt "$LAB_DIR/ca.pem"
mac=$(cat "/sys/class/net/$LAB_IF/address")

# What the servers send goes to the scanner through user space.
weather()
{
	mkfifo "$work/up"
	$LAB_TARGET test/e2e/weather.py "$1" sky0 net0 "$mac" >"$work/up" &
	sky=$!
	read -r -t 10 _ <"$work/up" || { bad "no weather"; finish; }
	rm "$work/up"
	$LAB_TARGET ip route replace "$LAB_SRC4/32" dev sky0 \
	    src "$LAB_GW4"
}

weather_ends()
{
	kill -TERM "$sky"
	wait "$sky" 2>/dev/null
}

servers()
{
	rm -f "$work/sim"
	$LAB_TARGET "$BIN/bench/mailsim" -k no_tls=10 >"$work/sim" 2>&1 &
	sim=$!
	until grep -q ready "$work/sim" 2>/dev/null; do
		kill -0 "$sim" 2>/dev/null || { cat "$work/sim"; finish; }
		sleep 0.05
	done
}

# count NAME: the counters of both sides, to files
count()
{
	nstat -az >"$work/$1.here"
	$LAB_TARGET nstat -az >"$work/$1.there"
}

# The limits of time leave room for what TCP sends again: 1, 2 and 4 s later.
#
# round WHAT FOLLOW: one sweep; its verdicts in $work/WHAT.FOLLOW. Our SYN
# carries no timestamps, so the connections beside them do not, either; and no
# sweep inherits round-trip times from the one before.
sysctl -qw net.ipv4.tcp_timestamps=0 net.ipv4.tcp_no_metrics_save=1
$LAB_TARGET sysctl -qw net.ipv4.tcp_no_metrics_save=1
swept=0
round()
{
	local first=$((20000 + swept++ * 2048)) status=0

	rm -rf "$LAB_DIR/store"
	test/lab/configure "$conf" "follow = \"$2\"" 'canary = off' \
	    'confirm = off' 'retries = 0' 'hello_after_silence = off' \
	    "source_ports = \"$first-$((first + 2047))\"" \
	    'targets = { "198.18.3.0/28" }' 'rate = 100' \
	    'ports = { "110/pop3", "143/imap", "25/smtp", "995/pop3s", "465/smtps" }' \
	    'per_host = 9' 'per_network = 99' 'greeting = 20s' \
	    'greeting_smtp = 20s' \
	    'server_hello = 8s' 'handshake = 10s' 'min_rate = 0'
	count "$1.$2.before"
	sweep || status=$?
	is "$1, $2: exit status" "$status" 0
	count "$1.$2.after"
	tool dump --silent | python3 -c 'import json, sys
for line in sys.stdin:
    r = json.loads(line)
    print(r["ip"], r["port"], r["outcome"], r["starttls"],
          r["findings"])' | sort >"$work/$1.$2"
}

# beside WHAT [COUNTER...]: both ways; the counters have to have grown
beside()
{
	local what=$1 n

	shift
	weather "$what"
	round "$what" adopt
	round "$what" connect
	weather_ends
	n=$(grep -c completed "$work/$what.adopt")
	is "$what: completed" "$n" 80
	expect "$what: the same verdicts" diff "$work/$what.adopt" \
	    "$work/$what.connect"
	verdicts_of test/e2e/counters.py "$what, here" \
	    "$work/$what".{adopt.before,adopt.after,connect.before,connect.after}.here \
	    "$n" "$@"
	verdicts_of test/e2e/counters.py "$what, there" \
	    "$work/$what".{adopt.before,adopt.after,connect.before,connect.after}.there \
	    "$n"
}

servers
beside clear
beside late
beside shuffled TcpExtTCPOFOQueue
beside twice TcpExtTCPDSACKOldSent
beside narrow
beside storm TcpExtTCPOFOQueue
finish
