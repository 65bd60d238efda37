#!/bin/bash
# Conversations under load: our processes on CPU 1, simulated servers on CPU 0,
# each side paying for the packets that reach it.
#
#	sudo test/bench/bench_pool.sh [PART...]
#
# PART: cpu open silent slow memory rates. BENCH_KEEP=DIR keeps what was
# watched. `make bench-pool` builds what it needs and runs all.

# shellcheck source=test/bench/lib.sh
. "$(dirname "$0")/lib.sh"
bench_enter "$@"
bench_veth
[ -z "${BENCH_TRACE:-}" ] || set -x

parts=("$@")
[ $# -gt 0 ] || parts=(cpu open silent slow rates)
conf=$BENCH_DIR/conf
OPEN_RATE=${OPEN_RATE:-2000}
OPEN_SIZES=${OPEN_SIZES:-'1000 15
5000 15
20000 25
100000 75'}

# As root of this namespace; its limits are what a process may have of them.
servers_net()
{
	peer bash -euc '. test/lab/isolate.sh
	ip link set lo up
	ip addr add 192.0.2.1/24 dev net0
	ip route add local 10.0.0.0/8 dev lo
	ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev net0
	sysctl -qw net.core.somaxconn=65535 net.ipv4.tcp_max_syn_backlog=65535 \
	    net.ipv4.tcp_max_tw_buckets=16384 net.ipv4.icmp_ratelimit=0
	only_interfaces lo net0
	no_default_route
	ethtool -K net0 tso off gso off gro off >/dev/null 2>&1 || :'
	# The other namespace's devices, which sysfs shows to who is in it.
	mkdir "$BENCH_DIR/sys"
	peer mount -t sysfs sysfs "$BENCH_DIR/sys"
	steer 1 "$BENCH_DIR/sys/class/net/$BENCH_PEER"
	steer 2 "/sys/class/net/$BENCH_IF"
}

# steer MASK DEVICE: these CPUs take its frames up the stack (RPS)
steer()
{
	local queue

	for queue in "$2"/queues/rx-*; do
		echo "$1" >"$queue/rps_cpus"
	done
}

# servers ARGS...: the simulator, on CPU 0
servers()
{
	rm -f "$BENCH_DIR/sim"
	# No function: $! is to be the simulator itself.
	nsenter -t "$BENCH_HOLDER" -n -- taskset -c 0 "$BIN/bench/mailsim" \
	    "$@" >"$BENCH_DIR/sim" 2>&1 &
	servers_pid=$!
	until grep -q ready "$BENCH_DIR/sim" 2>/dev/null; do
		kill -0 "$servers_pid" || bench_die "$(cat "$BENCH_DIR/sim")"
		sleep 0.05
	done
}

# served NAME: what the simulator counted, once it has ended
servers_end()
{
	kill -TERM "$servers_pid"
	wait "$servers_pid" || :
}

served()
{
	awk -v name="$1" '$2 == name { print $3 }' "$BENCH_DIR/sim"
}

# configure OPTION...: $conf
configure()
{
	echo 10.255.255.0/24 >"$BENCH_DIR/exclude"
	rm -rf "$BENCH_DIR/store"
	cat >"$conf" <<-END
	helo = "scanner.bench.test"
	contact = "https://scanner.bench.test/"
	sensor = "bench"
	exclude = { "@$BENCH_DIR/exclude" }
	interface = "$BENCH_IF"
	source = { "$BENCH_SRC4" }
	gateway_mac = "$BENCH_GW_MAC"
	canary = "off"
	confirm = "off"
	retries = 0
	hello_after_silence = "off"
	answer_window = 3s
	seed = 7
	store = "$BENCH_DIR/store"
	map_size = 4G
	END
	printf '%s\n' "$@" >>"$conf"
}

# sweep NAME: on CPU 1, watched from CPU 0 into $watched; its account balances
sweep()
{
	local status=0

	watched=$BENCH_DIR/$1.jsonl
	taskset -c 1 "$BIN/mailsweepd" -1 -f "$conf" >"$BENCH_DIR/$1.log" 2>&1 &
	daemon=$!
	taskset -c 0 python3 test/bench/pool.py watch "$daemon" "$conf" \
	    "$watched" &
	wait "$daemon" || status=$?
	wait $! || :
	[ "$status" -eq 0 ] || {
		tail "$BENCH_DIR/$1.log" >&2
		bench_die "$1: the sweep ended with $status"
	}
	[ -z "${BENCH_KEEP:-}" ] || cp "$watched" "$BENCH_KEEP/"
}

# steady NAME [FROM TO]: a figure of the watched sweep
steady()
{
	python3 test/bench/pool.py steady "$watched" ${2:+"$2" "$3"} |
	    awk -v name="$1" '$1 == name { print $2 }'
}

# ---- cpu: a complete probe beside its floors --------------------------------

least()
{
	taskset -c 1 "$BIN/bench/pool_client" "$@" |
	    awk '{ print $NF }'
}

part_cpu()
{
	local clear=() tls=() shake=() ours=() i hosts=3000

	for i in 1 2 3; do
		servers -k no_tls=100
		clear+=("$(least 500 $hosts 10.1.$((i * 16)).0)")
		servers_end
		servers
		shake+=("$(taskset -c 1 "$BIN/bench/pool_cpu" floor |
		    awk '/pool_handshake/ { print $3 }')")
		tls+=("$(least -t 500 $hosts 10.2.$((i * 16)).0)")
		configure "targets = { \"10.3.$((i * 16)).0/20\" }" \
		    'ports = { "110/pop3" }' "probes = 1" "rate = 5000" \
		    "per_network = 256"
		sweep "cpu$i"
		ours+=("$(steady us)")
		python3 test/bench/pool.py roles "$watched" >"$BENCH_DIR/roles"
		servers_end
	done
	clear=$(median "${clear[@]}") tls=$(median "${tls[@]}")
	shake=$(median "${shake[@]}") ours=$(median "${ours[@]}")
	figure floor_handshake_us "$shake" us
	figure floor_clear_us "$clear" us
	figure least_client_us "$tls" us
	figure probe_cpu_us "$ours" us
	while read -r role us; do
		figure "probe_cpu_us_$role" "$us" us
	done <"$BENCH_DIR/roles"
	figure probe_cpu_vs_floor "$(calc "$ours / ($shake + $clear)" 4)" ratio
	figure probe_cpu_vs_client "$(calc "$ours / $tls" 4)" ratio
}

# ---- open: does a probe cost more when many are open? -----------------------

# Conversations in clear (greeting, and then three replies, one of them to STLS,
# which is refused), at the same rate, with replies so late that N are open;
# what one costs, as probes/s of one core.
open_at()
{
	local n=$1 rate=$2 seconds=$3 probes=$4 delay

	delay=$((n * 1000 / rate / 3))
	servers -j 8 -L "$delay" -k no_tls=100
	# Few in a /24, as in a sweep of the Internet.
	configure 'targets = { "10.0.0.0/8" }' 'ports = { "110/pop3" }' \
	    "shard = \"0/$((16777216 / (rate * seconds)))\"" "rate = $rate" \
	    "probes = $probes" "greeting = 300s" "reply = 300s" \
	    "conversation = 900s" "waiting_max = 262144" 'per_network = 64'
	sweep "open$n"
	servers_end
}

part_open()
{
	local n seconds until

	# OPEN SECONDS; all at OPEN_RATE
	while read -r n seconds; do
		open_at "$n" "$OPEN_RATE" "$seconds" 8
		# While SYNs go out: afterwards fewer and fewer are open.
		until=$(calc "1 - $n / $OPEN_RATE / $seconds")
		figure "open_most_$n" "$(steady open 0.02 "$until")" conversations
		figure "probes_per_second_$n" \
		    "$(calc "1000000 / $(steady us 0.02 "$until")")" \
		    "1/s of one core"
		figure "conversation_bytes_$n" "$(steady bytes 0.02 0.98)" bytes
	done <<<"$OPEN_SIZES"
}

# ---- silent: those who accept and say nothing cost the others nothing -------

# completed_cpu PORT PROTOCOL SHARES...: what each completed one costs of ours
silent_run()
{
	local name=$1 port=$2

	shift 2
	servers -j 4 "$@"
	configure 'targets = { "10.0.0.0/8" }' "ports = { \"$port\" }" \
	    'shard = "0/1024"' "rate = ${SILENT_RATE:-500}" "probes = 1" \
	    "greeting = 10s" "server_hello = 10s" "conversation = 60s"
	sweep "$name"
	servers_end
}

servers_net
for part in "${parts[@]}"; do
	"part_$part"
done
