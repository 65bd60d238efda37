#!/bin/bash
# What is heard: the simulated internet at full speed, beside zmap and masscan.
#
#	sudo test/bench/bench_rx.sh [PART...]
#
# Parts: slash8 loss everybody slow estimate hitlist memory; all of them
# otherwise. RX_NET is what is swept (10.0.0.0/8).

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [ -z "${LAB_TARGET:-}" ]; then
	scripts/lab-root build/scanners scanners
	exec test/internet/run port=110 -- test/bench/bench_rx.sh "$@"
fi
# shellcheck source=test/bench/lib.sh
. test/bench/lib.sh
# shellcheck source=test/internet/lib.sh
. test/internet/lib.sh

RX_NET=${RX_NET:-10.0.0.0/8} RX_ALL=${RX_ALL:-10.0.0.0/12}
RX_SLOW=${RX_SLOW:-10.0.0.0/14} RX_BESIDE=${RX_BESIDE:-10.0.0.0/12}
RX_ESTIMATE=${RX_ESTIMATE:-10.0.0.0/14} RX_MEMORY=${RX_MEMORY:-10.0.0.0/8}
RX_WAITING=${RX_WAITING:-2000000}
work=$LAB_DIR/work
conf=$work/bench.conf log=$LAB_DIR/logs/mailsweepd.log
gateway=$($LAB_TARGET cat /proc/net/arp >/dev/null; $LAB_TARGET ip -o link \
    show net0 | grep -o 'link/ether [^ ]*' | cut -d' ' -f2)
mkdir -p "$work"
parts=" ${*:-slash8 loss everybody slow estimate hitlist memory} "

# wanted NET: who is open there, sorted
wanted()
{
	simnet list "$1" | LC_ALL=C sort >"$work/wanted"
}

# counter NAME: of the far side
counter()
{
	simnet counters | awk -v name="$1" '$1 == name { print $2 }'
}

# SYNs as they arrive, twice a second or more often, until the file "swept" is
# there.
watch_syns()
{
	while [ ! -e "$work/swept" ]; do
		echo "$(date +%s%N) $(counter syn)"
		sleep "${sample:-0.5}"
	done >"$work/syns"
}

# SYNs a second between the first and the last tenth of them.
syn_rate()
{
	awk '{ t[NR] = $1; n[NR] = $2 } END {
	    for (i = 1; i <= NR; i++) {
		if (!a && n[i] > n[NR] * 0.1) a = i
		if (n[i] < n[NR] * 0.9) b = i
	    }
	    if (a && b > a)
		printf "%.0f\n", (n[b] - n[a]) * 1e9 / (t[b] - t[a])
	    else print 0 }' "$work/syns"
}

# measured CMD...: $seconds, $syns, $rate and $found, how many were to be
measured()
{
	local begin

	rm -f "$work/swept" "$work/out"
	simnet counters -z >/dev/null
	watch_syns &
	begin=$(date +%s%N)
	("$@") >>"$log" 2>&1 </dev/null ||
	    bench_die "$1 failed: $(tail "$log")"
	seconds=$(calc "($(date +%s%N) - $begin) / 1e9")
	: >"$work/swept"
	wait $!
	syns=$(counter syn)
	rate=$(syn_rate)
	LC_ALL=C sort -u -o "$work/out" "$work/out"
	found=$(LC_ALL=C comm -12 "$work/out" "$work/wanted" | wc -l)
}

# mail NET PROBES [OPTION...]
mail()
{
	local net=$1 probes=$2

	shift 2
	[ "$probes" -eq 1 ] || set -- "$@" "syn_probes = $probes" \
	    'probe_gap = 1s'
	rm -rf "$LAB_DIR/store"
	internet_configure "$conf" "targets = { \"$net\" }" "$@"
	"$BIN/mailsweepd" -1 -f "$conf"
	"$BIN/mailsweep" dump --silent -f "$conf" | cut -d'"' -f4 >"$work/out"
}

# zmap NET PROBES, masscan NET PROBES: each with two seconds of listening
zmap()
{
	scanner zmap -B 100G -T 1 -q -C /dev/null -b /dev/null -i "$LAB_IF" \
	    -S "$LAB_SRC4" -G "$gateway" -p 110 -P "$2" -c 2 -o "$work/out" \
	    "$1"
}

# masscan sees that its time is up when a packet comes, and only then.
masscan()
{
	local knocks

	while sleep 0.5; do
		echo >"/dev/udp/$LAB_GW4/9"
	done 2>/dev/null &
	knocks=$!
	(cd "$work" && scanner masscan "$1" -p110 --rate 10000000 \
	    --adapter "$LAB_IF" --adapter-ip "$LAB_SRC4" \
	    --adapter-port 40000-40255 --router-mac "$gateway" --wait 2 \
	    --retries $(($2 - 1)) -oL "$work/list")
	kill "$knocks"
	awk '$1 == "open" { print $4 }' "$work/list" >"$work/out"
}

# In percent of who is there, and no rounding up to a hundred.
percent()
{
	awk -v k="$found" -v n="$(wc -l <"$work/wanted")" \
	    'BEGIN { printf "%.4f\n", int(k * 1e6 / n) / 1e4 }'
}

# Standard errors between what was found and what was to be expected.
errors()
{
	awk -v k="$found" -v n="$(wc -l <"$work/wanted")" -v p="$1" 'BEGIN {
	    printf "%.2f\n", (k / n - p) / sqrt(p * (1 - p) / n) }'
}

# report NAME: what was found in how long, and what the other side lost
report()
{
	figure "$1_found_pct" "$(percent)" %
	figure "$1_syn_s" "$rate" /s
	figure "$1_s" "$seconds" s
}

slash8()
{
	simnet set seed=8 open=0.01 lost=0
	wanted "$RX_NET"
	figure rx_slash8_open "$(wc -l <"$work/wanted")" hosts
	for who in mail zmap masscan; do
		measured "$who" "$RX_NET" 1
		report "rx_slash8_$who"
	done
}

# Found with one probe, and with two: (1-p)^2 and 1-(1-(1-p)^2)^2. The others
# beside it on a sixteenth of it: it is the sampling that makes it wider there.
loss()
{
	local p q probes who net

	for p in 0.02 0.05; do
		simnet set seed=9 open=0.01 lost="$p"
		for probes in 1 2; do
			q=$(calc "1 - (1 - (1 - $p) ^ 2) ^ $probes" 10)
			figure "rx_loss${p#0.0}_probes${probes}_expected_pct" \
			    "$(calc "$q * 100")" %
			for who in mail zmap masscan; do
				net=$RX_NET
				[ "$who" = mail ] || net=$RX_BESIDE
				wanted "$net"
				measured "$who" "$net" "$probes"
				figure "rx_loss${p#0.0}_probes${probes}_${who}_pct" \
				    "$(percent)" %
				figure "rx_loss${p#0.0}_probes${probes}_${who}_errors" \
				    "$(errors "$q")" standard-errors
				figure "rx_loss${p#0.0}_probes${probes}_${who}_syns" \
				    "$syns" SYNs
			done
		done
	done
}

# In how many of twenty draws the interval of the estimate holds the truth.
estimate()
{
	local seed held=0 p=0.03

	for seed in {1..20}; do
		simnet set "seed=$seed" open=0.05 "lost=$p"
		wanted "$RX_ESTIMATE"
		measured mail "$RX_ESTIMATE" 2
		held=$((held + $("$BIN/mailsweep" sweeps --json -f "$conf" |
		    python3 -c 'import json, sys
loss = json.loads(sys.stdin.readlines()[-1])["loss"]
print(int(loss["low"] <= float(sys.argv[1]) <= loss["high"]))' "$p")))
	done
	figure rx_estimate_held "$held" of-20
}

everybody()
{
	simnet set seed=10 open=1 lost=0
	wanted "$RX_ALL"
	figure rx_everybody_open "$(wc -l <"$work/wanted")" hosts
	for who in mail zmap masscan; do
		measured "$who" "$RX_ALL" 1
		report "rx_everybody_$who"
	done
}

# A million single addresses, as fast as a prefix of as many.
hitlist()
{
	local sample=0.02

	simnet set seed=12 open=0.01 lost=0
	python3 -c 'import random
draw = random.Random(1)
for a in draw.sample(range(1 << 24), 1000000):
    print(f"10.{a >> 16}.{a >> 8 & 255}.{a & 255}")' >"$work/hitlist"
	simnet filter <"$work/hitlist" | LC_ALL=C sort >"$work/wanted"
	measured mail "@$work/hitlist" 1
	report rx_hitlist
	wanted 10.0.0.0/12
	measured mail 10.0.0.0/12 1
	report rx_prefix
}

# VmHWM of the process that hears, the capture's buffer of 24 MiB included.
watch_packet()
{
	local packet

	until packet=$(pgrep -f -- '--role packet'); do :; done
	while grep -s '^VmHWM' "/proc/$packet/status"; do
		sleep 0.5
	done | tail -n 1 | awk '{ print int($2 * 1.024e-3) }' >"$work/rss"
}

# Until so many wait for their greeting at once, and no longer.
until_waiting()
{
	local daemon waiting

	"$BIN/mailsweepd" -1 -f "$conf" &
	daemon=$!
	while kill -0 "$daemon" 2>/dev/null; do
		waiting=$("$BIN/mailsweep" status --json -f "$conf" 2>/dev/null |
		    python3 -c 'import json, sys
print(json.load(sys.stdin)["waiting"])' 2>/dev/null) || waiting=0
		echo "$waiting" >>"$work/waiting"
		[ "$waiting" -lt "$1" ] || break
		sleep 0.5
	done
	kill "$daemon"
	wait "$daemon"
}

# A table with two million waiting in it at once: they come in less time than
# they are waited for.
memory()
{
	simnet set seed=13 open=0.125 lost=0
	rm -rf "$LAB_DIR/store" "$work/waiting"
	internet_configure "$conf" "targets = { \"$RX_MEMORY\" }" \
	    'waiting_max = 2200000' 'greeting = 90s' 'per_network = 63'
	watch_packet &
	until_waiting "$RX_WAITING" >>"$log" 2>&1
	wait
	figure packet_waiting "$(sort -n "$work/waiting" | tail -n 1)" hosts
	figure packet_rss_mb "$(cat "$work/rss")" MB
}

# The process that hears, one tenth of the time.
slowly()
{
	local packet

	mail "$@" &
	until packet=$(pgrep -f -- '--role packet'); do :; done
	while kill -STOP "$packet" 2>/dev/null; do
		sleep 0.09
		kill -CONT "$packet" 2>/dev/null || break
		sleep 0.01
	done
	wait $!
}

slow()
{
	simnet set seed=11 open=1 lost=0
	wanted "$RX_SLOW"
	measured slowly "$RX_SLOW" 1
	report rx_slow_mail
}

for part in slash8 loss everybody slow estimate hitlist memory; do
	case $parts in *" $part "*) "$part" ;; esac
done
