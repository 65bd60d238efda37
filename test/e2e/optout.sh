#!/bin/bash
# Opt-outs in the middle of a sweep at full speed: no packet goes to them later
# than one second after the command returned, in a capture on their side; no
# reader shows what was kept; kill -9 right behind the command changes nothing;
# the account balances.

LAB_SERVERS=none
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"
. test/internet/lib.sh
SIM_BUILD=$BIN/internet
work=$LAB_DIR/work
times=$work/times

cp test/lab/{geo.csv,exclude.conf} "$LAB_DIR"

# until_there WHAT CMD...: ten seconds at most
until_there()
{
	local what=$1 end=$((SECONDS + 10))

	shift
	until "$@" 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || { bad "$what"; finish; }
		sleep 0.05
	done
}

# Kernels behind the first /22, who talk on and on, or say nothing.
expect "the simulated internet comes up" internet_up port=110 open=0.02 \
    greet=0.3 seed=6 pass=10.96.0.0/22
$LAB_TARGET python3 test/e2e/talkers.py 110 "$work/talkers" &
until_there "the talkers listen" [ -e "$work/talkers" ]
internet_configure "$conf" 'targets = { "10.64.0.0/10", "fd0a::/112" }' \
    'greeting = 20s' 'conversation = 25s' 'reply = 20s' 'probes = 2' \
    'retries = 0' 'min_rate = 1' 'reply_lines_max = 65535'

processes()
{
	pgrep -f '(^|/)(mailsweepd|nft) '
}

# state KEY: of the daemon that runs
state()
{
	tool status --json 2>/dev/null | python3 -c 'import json, sys
print(json.load(sys.stdin).get(sys.argv[1], 0))' "$1" 2>/dev/null || echo 0
}

# so_far KEY NUMBER: until the daemon has got that far, thirty seconds at most
so_far()
{
	local end=$((SECONDS + 30))

	until [ "$(state "$1")" -ge "$2" ]; do
		[ "$SECONDS" -lt "$end" ] || { bad "$1: $(state "$1")"; return; }
		sleep 0.02
	done
	ok "$1 when it is said: $(state "$1")"
}

# opt_out WHAT ARGUMENTS...: when it returned, for each prefix of $out
out=()
opt_out()
{
	local what=$1 begin end

	shift
	begin=$(date +%s%N)
	expect "optout add: $what" tool optout add "$@"
	end=$(date +%s%N)
	printf "%s $end\n" "${out[@]}" >>"$times"
	took+=($(((end - begin) / 1000000)))
}

rows_out()
{
	tool dump --silent --sweep "$1" | grep -cE '"10\.96\.[01]\.'
}

known()
{
	[ "$(rows_out live)" -ge 1 ]
}

# silent_about WHAT SWEEP: no reader knows of 10.96.0.0/23
silent_about()
{
	local said

	at_least "$1, dump of the others" \
	    "$(tool dump --silent --sweep "$2" | grep -c '"10\.')" 1
	for command in dump 'dump --silent' 'show 10.96.1.7' \
	    'show 10.96.0.0/23' 'dump --prefix 10.96.0.0/23'; do
		# shellcheck disable=SC2086
		said=$(tool $command --sweep "$2" 2>/dev/null |
		    grep -cE '"10\.96\.[01]\.|^10\.96\.[01]\.')
		is "$1, $command" "$said" 0
	done
	rm -rf "$work/feeds"
	mkdir "$work/feeds"
	tool feed -o "$work/feeds" --sweep "$2" >/dev/null 2>&1 || :
	is "$1, feed" "$(cat "$work"/feeds/* 2>/dev/null |
	    grep -cE '(^|[",])10\.96\.[01]\.')" 0
	is "$1, stats" "$(tool stats --by prefix --json --prefix 10.96.0.0/23 \
	    --sweep "$2" 2>/dev/null | grep -c '10\.96\.[01]\.')" 0
}

sweep_out()
{
	local swept=0

	"$BIN/mailsweepd" -1 -f "$conf" >>"$log" 2>&1 </dev/null &
	disown
	so_far conversations_open 40
	so_far waiting 1000
	until_there "no row of the /23 comes" known
	at_least "rows of the /23 before" "$(rows_out live)" 1

	out=(10.96.0.0/23)
	opt_out "a /23 whose hosts talk and wait" "${out[@]}" --reason 'by mail'
	is "it was at work" "$(state state)" sweeping
	at_least "SYN/s meanwhile" "$(state syn_per_s)" 20000
	mapfile -t out <"$work/many"
	opt_out "5000 at once, of every length" - <"$work/many"
	out=(10.96.3.0/26 fd0a::/113)
	silent_about "at once" live
	opt_out "one more" "${out[@]}"
	# shellcheck disable=SC2046
	kill -9 $(processes) 2>/dev/null
	sleep 1
	is "processes left" "$(processes | wc -l)" 0
	is "kept" "$(tool optout list | wc -l)" $((5000 + 3))
	sweep || swept=$?
	is "exit status of the next start" "$swept" 0
}

python3 - >"$work/many" <<-'END'
	import ipaddress, random
	draw, made = random.Random(8), set()
	while len(made) < 5000:
	    bits = draw.choice((32, 32, 32, 30, 28, 27, 25))
	    at = int(ipaddress.ip_address("10.97.0.0")) + draw.getrandbits(17)
	    made.add(str(ipaddress.ip_network((at >> 32 - bits << 32 - bits, bits))))
	print("\n".join(sorted(made)))
END
took=()
$LAB_TARGET tcpdump -i net0 -n -U -s 96 -B 262144 -Z root -w "$work/out.pcap" \
    'net 10.96.0.0/14 or net fd0a::/16' 2>"$work/tcpdump" &
dump=$!
until_there "tcpdump listens" grep -q 'listening on' "$work/tcpdump"
sweep_out
sleep 1
kill -INT "$dump"
wait "$dump" || :
said "the capture lost nothing" '^0 packets dropped by kernel' "$work/tcpdump"

verdicts_of python3 test/e2e/optout.py "$work/out.pcap" "$times"
python3 test/e2e/optout.py --latency "$work/out.pcap" "$times" "${took[@]}"

tool sweeps --json >"$work/account.json"
is "incarnations" "$(counted incarnations)" 2
is "the account balances" "$(counted balanced)" True
at_least "rows purged" "$(counted stock.purged)" 1
at_least "steps passed over" "$(counted settled.opted_out)" 10000
at_least "withdrawn by packet" "$(counted events.withdrawn)" 1
at_least "conversations ended" "$(counted events.conversations_withdrawn)" 1
silent_about "sealed" "$(counted sweep)"
expect "the store is sound" tool check

# Whom a sealed sweep knows: hidden at once, gone with a purge.
one=$(tool dump | grep -oE '10\.96\.2\.[0-9]+' | head -n 1)
expect "a host that is known: $one" tool show "$one"
before=$(counted stock.rows)
expect "it opts out without a daemon" tool optout add "$one"
is "show does not know it" "$(tool show "$one" | grep -c "$one")" 0
expect "purge" tool optout purge
rm "$work/account.json"
is "rows left" "$(counted stock.rows)" $((before - 1))
is "the account balances" "$(counted balanced)" True
expect "the store is sound" tool check
is "not in the file" "$(grep -c "$(printf '+OK talk to %s' "$one")" \
    "$LAB_DIR"/store/sealed/*.mdb)" 0
expect "removed" tool optout remove "$one" 10.96.0.0/23
status=0
tool optout remove 10.96.0.0/23 >/dev/null 2>&1 || status=$?
is "removed twice" "$status" 4
status=0
tool optout add 10.96.0.1/23 >"$work/said" 2>&1 || status=$?
is "bits behind the prefix" "$status" 2
said "what was expected" 'no bits behind the prefix: 10.96.0.0/23' "$work/said"
is "none of it was kept" "$(tool optout list | grep -c '10\.96\.0\.')" 0
finish
