# Sourced by the benchmarks on a wire: a place of their own, figures, rivals.
#
# A benchmark is a script that begins
#
#	. "$(dirname "$0")/lib.sh"
#	bench_enter "$@"
#	bench_veth
#
# and goes on alone, as process 1 of new network, mount and PID namespaces:
# whatever ends it ends all that it started, and with it the namespaces go.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/lab/isolate.sh
. test/lab/isolate.sh

BIN=${BIN:-build/release}
SCANNERS=$PWD/build/scanners
BENCH_RUNS=${BENCH_RUNS:-3}
# Scanned here, on the other end of the wire: 10.0.0.0/8 and fd10::/16.
BENCH_IF=scan0 BENCH_PEER=net0
BENCH_SRC4=192.0.2.2 BENCH_GW4=192.0.2.1
BENCH_SRC6=fd00:192::2 BENCH_GW6=fd00:192::1
BENCH_MAC=02:00:00:00:00:02 BENCH_GW_MAC=02:00:00:00:00:01

bench_die()
{
	echo "bench: $*" >&2
	exit 2
}

# bench_enter "$@": into the namespaces. BENCH_SECONDS bounds the whole run.
bench_enter()
{
	if [ "$$" -eq 1 ] && [ -n "${BENCH_OUTER_NET:-}" ]; then
		trap 'exit 143' INT TERM HUP
		[ "$(readlink /proc/self/ns/net)" != "$BENCH_OUTER_NET" ] ||
		    bench_die "still in the caller's network namespace"
		only_interfaces lo
		no_default_route
		mount -t sysfs sysfs /sys
		mount -t tmpfs -o mode=0755 bench /run
		BENCH_DIR=/run/bench
		mkdir "$BENCH_DIR"
		return 0
	fi
	[ "$(id -u)" -eq 0 ] || bench_die "namespaces need root"
	BENCH_OUTER_NET=$(readlink /proc/self/ns/net)
	export BENCH_OUTER_NET BIN
	setpriv --pdeathsig KILL \
	    timeout --kill-after=5 "${BENCH_SECONDS:-1700}" \
	    setpriv --pdeathsig KILL unshare --net --mount --ipc --pid --fork \
	    --kill-child --mount-proc "$0" "$@" &
	bench_child=$!
	trap 'kill -TERM "$bench_child" 2>/dev/null || :' INT TERM HUP
	bench_status=0
	wait "$bench_child" || bench_status=$?
	exit "$bench_status"
}

# bench_veth [QUEUES]: scan0 here, net0 in a namespace of its own, nothing
# else. Each frame that reaches net0 ends there, see peer_drops.
bench_veth()
{
	local queues=${1:-2} off

	mkfifo "$BENCH_DIR/held"
	unshare --net cat "$BENCH_DIR/held" >/dev/null &
	BENCH_HOLDER=$!
	exec 9>"$BENCH_DIR/held"
	while [ "$(readlink "/proc/$BENCH_HOLDER/ns/net")" = \
	    "$(readlink /proc/self/ns/net)" ]; do :; done
	off="net.ipv6.conf.all.disable_ipv6=0 net.ipv4.ip_forward=0"
	# shellcheck disable=SC2086
	sysctl -qw $off
	ip link add "$BENCH_IF" address "$BENCH_MAC" numtxqueues "$queues" \
	    numrxqueues "$queues" type veth peer name "$BENCH_PEER" \
	    address "$BENCH_GW_MAC" numtxqueues "$queues" \
	    numrxqueues "$queues" netns "$BENCH_HOLDER"
	bench_quiet "$BENCH_IF"
	peer bash -euc '. test/lab/isolate.sh; only_interfaces lo net0
	    no_default_route; sysctl -qw net.ipv6.conf.net0.disable_ipv6=1
	    ip link set net0 up'
	ip link set lo up
	ip addr add "$BENCH_SRC4/24" dev "$BENCH_IF"
	ip -6 addr add "$BENCH_SRC6/64" dev "$BENCH_IF" nodad
	ip link set "$BENCH_IF" up
	ip route add 10.0.0.0/8 via "$BENCH_GW4"
	ip -6 route add fd10::/16 via "$BENCH_GW6"
	ip neigh add "$BENCH_GW4" lladdr "$BENCH_GW_MAC" dev "$BENCH_IF"
	ip neigh add "$BENCH_GW6" lladdr "$BENCH_GW_MAC" dev "$BENCH_IF"
	only_interfaces lo "$BENCH_IF"
	no_default_route
}

# No frames of the kernel's own beside those that are counted.
bench_quiet()
{
	sysctl -qw "net.ipv6.conf.$1.accept_ra=0" \
	    "net.ipv6.conf.$1.router_solicitations=0" \
	    "net.ipv6.conf.$1.accept_dad=0" \
	    "net.ipv6.conf.$1.addr_gen_mode=1"
	ethtool -K "$1" tso off gso off gro off >/dev/null 2>&1 || :
}

# peer CMD...: on the other side of the wire
peer()
{
	nsenter -t "$BENCH_HOLDER" -n -- "$@"
}

# peer_drops: the other side drops at its first hook (nft netdev ingress)
peer_drops()
{
	peer nft -f - <<-END
	table netdev bench {
		chain everything {
			type filter hook ingress device $BENCH_PEER priority 0;
			policy drop;
		}
	}
	END
}

# device_sent, peer_heard: frames as the two devices count them
device_sent()
{
	cat "/sys/class/net/$BENCH_IF/statistics/tx_packets"
}

peer_heard()
{
	peer ip -s -j link show "$BENCH_PEER" | python3 -c \
	    'import json, sys
print(json.load(sys.stdin)[0]["stats64"]["rx"]["packets"])'
}

# cpu_ticks PID: user + system time of a process, its threads included
cpu_ticks()
{
	local text

	text=$(<"/proc/$1/stat")
	# shellcheck disable=SC2086
	set -- ${text##*) }
	echo $((${12} + ${13}))
}

# user_ticks PID: of these, user time
user_ticks()
{
	local text

	text=$(<"/proc/$1/stat")
	# shellcheck disable=SC2086
	set -- ${text##*) }
	echo "${12}"
}

# steady SECONDS CMD...: how it sends when it has got going. Sets $pps, frames
# a second as the device counts them, and $cpu, its user + system seconds for
# a million of them ($cpu_user and $cpu_system apart); then kills it. CMD is one program, its output goes to
# $BENCH_DIR/out. It must not end by itself before.
steady()
{
	local seconds=$1 pid sent ticks user begin end

	shift
	"$@" >"$BENCH_DIR/out" 2>&1 </dev/null &
	pid=$!
	begin=$(device_sent)
	for _ in {1..100}; do
		sleep 0.1
		[ "$(device_sent)" -lt $((begin + 1000)) ] || break
	done
	sleep 0.5
	[ -r "/proc/$pid/stat" ] || {
		tail -n 5 "$BENCH_DIR/out" >&2
		bench_die "it ended by itself: $*"
	}
	user=$(user_ticks "$pid")
	sent=$(device_sent) begin=$EPOCHREALTIME ticks=$(cpu_ticks "$pid")
	sleep "$seconds"
	sent=$(($(device_sent) - sent)) end=$EPOCHREALTIME
	ticks=$(($(cpu_ticks "$pid") - ticks))
	user=$(($(user_ticks "$pid") - user))
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || :
	pps=$(calc "$sent / ($end - $begin)")
	cpu=$(calc "$ticks * 1e6 / $(getconf CLK_TCK) / ($sent + 1)")
	cpu_user=$(calc "$user * 1e6 / $(getconf CLK_TCK) / ($sent + 1)")
	# shellcheck disable=SC2034
	cpu_system=$(calc "$cpu - $cpu_user")
}

# calc EXPRESSION [DIGITS]: its value
calc()
{
	awk "BEGIN { printf \"%.${2:-6}g\n\", $1 }"
}

# median NUMBER...
median()
{
	printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
	    END { m = int((NR + 1) / 2)
	    printf "%.6g\n", NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2 }'
}

# figure NAME VALUE UNIT: one line of the result
figure()
{
	printf 'bench: %s %s %s\n' "$1" "$2" "$3"
}

# bench_scanners: zmap and masscan of Debian, unpacked and never installed.
# Before bench_enter: inside there is no way to fetch anything.
bench_scanners()
{
	[ "$$" -eq 1 ] && [ -n "${BENCH_OUTER_NET:-}" ] && return 0
	scripts/lab-root build/scanners scanners
}

# scanner NAME ARGS...: becomes one of them, with the libraries beside it;
# call it in the background, with steady or in a subshell
scanner()
{
	local name=$1 program

	shift
	program=$(find "$SCANNERS" -path "*bin/$name")
	[ -n "$program" ] ||
	    bench_die "no $name, type: scripts/lab-root build/scanners scanners"
	LD_LIBRARY_PATH=$(find "$SCANNERS/usr/lib" -maxdepth 1 -type d \
	    -name '*-linux-gnu*' | paste -sd :) exec "$program" "$@"
}

# scanner_version NAME: as Debian numbers it
scanner_version()
{
	sed -n "s/^$1_\([^_]*\)_.*/\1/p" "$SCANNERS/.packages" |
	    sed 's/%3a/:/'
}
