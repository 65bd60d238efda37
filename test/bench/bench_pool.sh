#!/bin/bash
# Conversations under load: our processes on CPU 1, simulated servers on CPU 0,
# each side paying for the packets that reach it.
#
#	sudo test/bench/bench_pool.sh [PART...]
#
# PART: cpu open memory silent slow rates full limits adopt. BENCH_KEEP=DIR
# keeps what was watched. `make bench-pool` builds what it needs and runs all.

# shellcheck source=test/bench/lib.sh
. "$(dirname "$0")/lib.sh"
bench_enter "$@"
bench_veth
[ -z "${BENCH_TRACE:-}" ] || set -x

parts=("$@")
[ $# -gt 0 ] || parts=(cpu open memory silent slow rates full limits adopt)
conf=$BENCH_DIR/conf
POOL_RATE=${POOL_RATE:-400}
OPEN_RATE=${OPEN_RATE:-3000}
# There and back again: what drifts meanwhile is in both halves.
OPEN_SIZES=${OPEN_SIZES:-1000 5000 20000 100000 20000 5000 1000}

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

# sweep NAME [SECONDS]: on CPU 1, watched from CPU 0 into $watched. Its account
# balances; or it is broken off after so long, when it has shown enough.
sweep()
{
	local status=0 seconds=${2:-}

	watched=$BENCH_DIR/$1.jsonl
	taskset -c 1 "$BIN/mailsweepd" -1 -f "$conf" >"$BENCH_DIR/$1.log" 2>&1 &
	daemon=$!
	taskset -c 0 python3 test/bench/pool.py watch "$daemon" "$conf" \
	    "$watched" ${seconds:+"$seconds"} &
	wait "$daemon" || status=$?
	wait $! || :
	[ "$status" -eq 0 ] || { [ -n "$seconds" ] && [ -s "$watched" ]; } || {
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

# OpenSSL's handshake in memory, the server's side on CPU 0 as everywhere here.
floor()
{
	taskset -c 1 "$BIN/bench/pool_floor" 0 | awk '{ print $3 }'
}

# Both sides of it on our CPU in turn, nothing on CPU 0: for comparison.
floor_alone()
{
	taskset -c 1 "$BIN/bench/pool_cpu" floor |
	    awk '/pool_handshake/ { print $3 }'
}

# One of the CPU_ROUNDS: both floors, the least client and ours, one right
# after the other, since what a core does changes from minute to minute. Adds
# a line to $BENCH_DIR/rounds: the four, ours, what others had of our core.
cpu_round()
{
	local i=$1 hosts=3000 alone shake clear tls ours

	servers -k no_tls=100
	clear=$(least 500 $hosts "10.1.$((i * 16)).0")
	servers_end
	alone=$(floor_alone)
	shake=$(floor)
	servers
	tls=$(least -t 500 $hosts "10.2.$((i * 16)).0")
	configure "targets = { \"10.3.$((i * 16)).0/20\" }" \
	    'ports = { "110/pop3" }' "probes = 1" "rate = 5000" \
	    "per_network = 256"
	sweep "cpu$i"
	ours=$(steady us 0 1)
	python3 test/bench/pool.py roles "$watched" 0 1 |
	    awk '{ print "probe_cpu_us_" $1, $2, "us" }' >>"$BENCH_DIR/lines"
	servers_end
	shake=$(median "$shake" "$(floor)")
	echo "alone $alone floor $shake clear $clear client $tls" \
	    "ours $ours others $(steady others 0 1) steal $(steady steal 0 1)" |
	    tee -a /dev/stderr >>"$BENCH_DIR/rounds"
}

# Ratios within a round, and of these the median.
part_cpu()
{
	local i name

	for ((i = 0; i < ${CPU_ROUNDS:-3}; i++)); do
		cpu_round "$i"
	done
	awk '{ print "floor_handshake_alone_us", $2, "us"
	    print "floor_handshake_us", $4, "us"
	    print "floor_clear_us", $6, "us"
	    print "least_client_us", $8, "us"
	    print "probe_cpu_us", $10, "us"
	    print "probe_cpu_vs_floor_alone", $10 / ($2 + $6), "ratio"
	    print "probe_cpu_vs_floor", $10 / ($4 + $6), "ratio"
	    print "probe_cpu_vs_client", $10 / $8, "ratio"
	    print "probe_cpu_others", $12, "of a core"
	    print "probe_cpu_steal", $14, "of a core"
	    }' "$BENCH_DIR/rounds" >>"$BENCH_DIR/lines"
	for name in $(awk '!had[$1]++ { print $1 }' "$BENCH_DIR/lines"); do
		# shellcheck disable=SC2046
		figure "$name" \
		    "$(median $(awk -v n="$name" '$1 == n { print $2 }' \
			"$BENCH_DIR/lines"))" \
		    "$(awk -v n="$name" '$1 == n { sub(/^[^ ]* [^ ]* /, "")
			print; exit }' "$BENCH_DIR/lines")"
	done
}

# ---- open: does a probe cost more when many are open? -----------------------

# Conversations in clear (greeting, and then three replies, one of them to STLS,
# which is refused), at the same rate, with replies so late that N are open;
# what one costs, as probes/s of one core; compared by the pace of our CPU.
open_at()
{
	local n=$1 rate=$OPEN_RATE delay seconds

	delay=$((n * 1000 / rate / 3))
	# The greeting is waited for in packet's table; then they fill up.
	begin=$(calc "4 * $delay / 1000 + 2")
	seconds=$(calc "$begin + ${OPEN_SECONDS:-7}")
	servers -j 10 -L "$delay" -k no_tls=100
	# Few in a /24, as in a sweep of the Internet.
	configure 'targets = { "10.0.0.0/8" }' 'ports = { "110/pop3" }' \
	    "shard = \"0/$((16777216 / (rate * (n * 4 / rate / 3 + 15))))\"" \
	    "rate = $rate" "probes = 8" "greeting = 300s" "reply = 300s" \
	    "conversation = 900s" "waiting_max = 262144" 'per_network = 64'
	sweep "open$n" "$seconds"
	servers_end
	echo "$n $(steady us "${begin}s" "${seconds}s")" \
	    "$(steady open "${begin}s" "${seconds}s")" \
	    "$(steady bytes "${begin}s" "${seconds}s")" \
	    "$(steady paced "${begin}s" "${seconds}s")" |
	    tee -a /dev/stderr >>"$BENCH_DIR/open"
	if [ "$n" -ge 100000 ]; then
		figure open_kernel_bytes \
		    "$(python3 test/bench/pool.py kernel "$watched" |
			awk '$1 == "bytes" { print $2 }')" "bytes a socket"
	fi
}

# of_open N FIELD: the mean of what was measured with so many open
of_open()
{
	awk -v n="$1" -v field="$2" '$1 == n { sum += $field; times++ }
	    END { print sum / times }' "$BENCH_DIR/open"
}

part_open()
{
	local n first

	for n in $OPEN_SIZES; do
		open_at "$n"
	done
	first=${OPEN_SIZES%% *}
	for n in $(printf '%s\n' $OPEN_SIZES | sort -nu); do
		figure "open_most_$n" "$(of_open "$n" 3)" conversations
		figure "probes_per_second_$n" \
		    "$(calc "1000000 / $(of_open "$n" 2)")" "1/s of one core"
		figure "probes_per_second_${n}_vs_$first" "$(calc \
		    "$(of_open "$first" 5) / $(of_open "$n" 5)" 3)" ratio
		figure "conversation_bytes_$n" "$(of_open "$n" 4)" bytes
	done
}

# ---- memory: what an open conversation holds inside TLS ----------------------

# On a TLS port all but the handshake is inside: 4,000 open, 10 s each.
part_memory()
{
	local POOL_RATE=400

	servers -j 2 -L 3333
	configure 'targets = { "10.0.0.0/8" }' 'ports = { "995/pop3s" }' \
	    "probes = 1" "rate = $POOL_RATE" 'shard = "0/2796"' \
	    "greeting = 60s"
	sweep memory 16
	servers_end
	figure conversation_tls_open "$(steady open 2s 16s)" conversations
	figure conversation_tls_bytes "$(steady bytes 2s 16s)" bytes
}

# ---- silent: those who accept and say nothing cost the others nothing -------

# run NAME SECONDS OPTION... -- SHARE...: POOL_RATE targets/s, few in a /24,
# for so long
run()
{
	local name=$1 seconds=$2 options=()

	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	servers -j 8 "$@"
	configure 'targets = { "10.0.0.0/8" }' "probes = 1" "rate = $POOL_RATE" \
	    "shard = \"0/$((16777216 / (POOL_RATE * (seconds + 3))))\"" \
	    "waiting_max = ${POOL_WAITING:-65536}" "${options[@]}"
	sweep "$name" "$seconds"
	servers_end
}

# What each completed one costs of ours, at the same number of them a second,
# by the pace of our CPU at that time: percent more targets a second are silent.
silent_run()
{
	local percent=$3 POOL_RATE=$((POOL_RATE * 100 / (100 - $3)))

	run "silent$3-$1" 9 "ports = { \"$1/$2\" }" 'greeting = 2s' \
	    'server_hello = 2s' -- -k "silent=$percent"
	echo "$1 $percent $(steady paced 3s 9s) $(steady us 3s 9s)" |
	    tee -a /dev/stderr >>"$BENCH_DIR/silent"
}

# silent_ratio PORT PERCENT: of each round, and of these the median
silent_ratio()
{
	# shellcheck disable=SC2046
	figure "silent$2_ratio_$1" "$(calc "$(median $(awk -v port="$1" \
	    -v percent="$2" '$1 != port { next }
	    $2 == 0 { without[++rounds] = $3 }
	    $2 == percent { with[++n] = $3 }
	    END { for (i = 1; i <= n; i++) print without[i] / with[i] }' \
	    "$BENCH_DIR/silent"))" 3)" ratio
}

# A round: with TLS first, without silent hosts and with 30 %; and the same in
# clear, with 90 % as well, in some of them. Every other one goes backwards:
# what drifts meanwhile is on both sides.
part_silent()
{
	local i run runs

	for ((i = 0; i < ${SILENT_ROUNDS:-5}; i++)); do
		runs=("993 imaps 0" "993 imaps 30")
		[ "$i" -ge "${SILENT_CLEAR_ROUNDS:-3}" ] ||
		    runs+=("110 pop3 90" "110 pop3 0" "110 pop3 30")
		[ $((i % 2)) -eq 0 ] || mapfile -t runs < <(
		    printf '%s\n' "${runs[@]}" | tac)
		for run in "${runs[@]}"; do
			# shellcheck disable=SC2086
			silent_run $run
		done
	done
	silent_ratio 110 30
	silent_ratio 110 90
	silent_ratio 993 30
}

# ---- slow: ten thousand tarpits, and endless servers beside them ------------

# What they take of a core is what is left to nobody else: the difference to
# as many a second who all finish, before and after, each at the pace of our CPU
# at that time. And how many of those who would finish still do. 600 more are
# open each second, and a probe takes no more than 13,200 here.
part_slow()
{
	local i before with POOL_RATE=2000

	quick
	for ((i = 0; i < ${SLOW_ROUNDS:-2}; i++)); do
		before=$quick
		run slow 21 'ports = { "110/pop3" }' 'min_rate_window = 85s' \
		    'greeting = 85s' 'reply = 85s' 'conversation = 85s' \
		    'conversation_max = 16M' 'reply_max = 16M' \
		    'reply_lines_max = 65535' \
		    -- -k tarpit=27 -k endless=1 -k no_tls=72
		with="$(of_core 16s 20s) $(steady open 16s 20s)"
		quick
		echo "$before $with $quick" | tee -a /dev/stderr |
		    awk '{ pace = ($2 + $5 + $9) / 3
			print $7, ($4 / $5 - ($1 / $2 + $8 / $9) / 2) * pace,
			$6 / 0.72 / ($3 + $10) * 2 }' >>"$BENCH_DIR/slow"
	done
	slow_figure slow_open 1 conversations
	slow_figure slow_share 2 "of a core"
	slow_figure slow_others_ratio 3 ratio
}

# slow_figure NAME COLUMN UNIT: the median of the rounds
slow_figure()
{
	# shellcheck disable=SC2046
	figure "$1" "$(calc "$(median $(awk -v n="$2" '{ print $n }' \
	    "$BENCH_DIR/slow"))" 6)" "$3"
}

# of_core FROM TO: what we take of our CPU, its pace, and what ends a second
of_core()
{
	echo "$(steady busy "$1" "$2") $(steady pace "$1" "$2")" \
	    "$(steady per_s "$1" "$2")"
}

# $quick: the same when all finish
quick()
{
	run quick 9 'ports = { "110/pop3" }' -- -k no_tls=100
	quick=$(of_core 2s 9s)
}

# ---- rates: a pool that is full, and the SYNs that wait for it ---------------

# Far more answers than the probe may take, which has few descriptors and slow
# servers: the pacer is to come down to its rate without a sawtooth.
part_rates()
{
	local POOL_RATE=2000 POOL_WAITING=16384

	(
		ulimit -n 1200
		run rates 25 'ports = { "110/pop3" }' -- -L 500 -k no_tls=100
	)
	smooth rates rate
}

# smooth NAME FIGURE: the rates of that sweep over time, and figures of them
smooth()
{
	local name value unit

	watched=$BENCH_DIR/$1.jsonl
	python3 test/bench/pool.py rates "$watched"
	python3 test/bench/pool.py smooth "$watched" >"$BENCH_DIR/smooth"
	while read -r name value unit; do
		figure "$2_$name" "$value" "$unit"
	done <"$BENCH_DIR/smooth"
}

# ---- full: a core that is full, of others' work too --------------------------

# More answers than our processes can follow beside a busy loop on their CPU,
# each with a handshake: the same, and few are to wait for a probe.
part_full()
{
	local POOL_RATE=${FULL_RATE:-3000} POOL_WAITING=262144 hog

	taskset -c 1 sh -c 'while :; do :; done' &
	hog=$!
	run full "${FULL_SECONDS:-36}" 'ports = { "993/imaps" }' -- -k silent=0
	kill "$hog"
	wait "$hog" || :
	smooth full full
}

# ---- limits: connections at once, in a capture of a whole run ----------------

# 16 tarpits in one network, with three ports each, beside a /24 that is quick.
part_limits()
{
	servers -t 10.7.0.0 -L 20
	configure 'targets = { "10.7.0.0/28", "10.32.0.0/24" }' \
	    'ports = { "110/pop3", "995/pop3s", "143/imap" }' \
	    'greeting = 12s' 'reply = 12s' 'min_rate_window = 5s' \
	    'per_host = 2' 'per_network = 16' 'limit_pause = 1s' 'rate = 2000'
	LAB_TARGET="nsenter -t $BENCH_HOLDER -n --" test/lab/capture \
	    "$BENCH_DIR/limits.pcap" "$BIN/mailsweepd" -1 -f "$conf" \
	    >"$BENCH_DIR/limits.log" 2>&1 ||
	    bench_die "$(tail "$BENCH_DIR/limits.log")"
	servers_end
	test/e2e/limits.py "$BENCH_DIR/limits.pcap" "$BENCH_SRC4" 2 16 \
	    10.7.0.0/28 | tee "$BENCH_DIR/limits"
	figure limits_held "$(sed -n 's/.* \([0-9]*\) violations.*/\1/p' \
	    "$BENCH_DIR/limits" | awk '{ n += $1 } END { print n }')" violations
	! grep -q FAILED "$BENCH_DIR/limits" ||
	    bench_die "the limits were passed, or never reached"
}

# ---- adopt: dial alone, at 50,000 answers/s ----------------------------------

part_adopt()
{
	"$BIN/bench/adopt" "${ADOPT_RATE:-50000}" "${ADOPT_SECONDS:-10}"
}

servers_net
for part in "${parts[@]}"; do
	"part_$part"
done
