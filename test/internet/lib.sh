# Sourced inside a laboratory: puts the simulated internet behind its far end.

SIM_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SIM_BUILD=${SIM_BUILD:-$SIM_HERE/../../build/release/internet}
# shellcheck source=test/lab/isolate.sh
. "$SIM_HERE/../lab/isolate.sh"
export SIM_DIR=$LAB_DIR/bpf SIM_BUILD

# Fast paths only: what a test measures is the scanner, not a filter.
# internet_up [OPTION=VALUE...]
internet_up()
{
	[ -x "$SIM_BUILD/simnet" ] || {
		echo 'internet: not built, type: make internet' >&2
		return 2
	}
	only_interfaces lo "$LAB_IF"
	no_default_route
	# Nobody here has a certificate, but a probe wants to know whom to trust.
	[ -f "$LAB_DIR/ca.pem" ] || openssl req -x509 -newkey ec -nodes \
	    -pkeyopt ec_paramgen_curve:prime256v1 -subj '/CN=nobody' \
	    -keyout /dev/null -out "$LAB_DIR/ca.pem" 2>/dev/null
	mkdir -p "$SIM_DIR"
	mount -t bpf bpf "$SIM_DIR"
	$LAB_TARGET "$SIM_BUILD/simnet" attach "$SIM_DIR" \
	    "$SIM_BUILD/simnet.bpf.o" net0 "$@"
	# What is passed on finds every address at home there (AnyIP).
	$LAB_TARGET ip route add local 10.0.0.0/8 dev lo
	$LAB_TARGET ip -6 route add local fd0a::/16 dev lo
	ip route add 10.0.0.0/8 via "$LAB_GW4"
	ip -6 route add fd0a::/16 via "$LAB_GW6"
	no_default_route
}

# simnet COMMAND [ARGS...]: of this internet
simnet()
{
	local command=$1

	shift
	if [ "${1:-}" = -z ]; then
		shift
		"$SIM_BUILD/simnet" "$command" -z "$SIM_DIR" "$@"
	else
		"$SIM_BUILD/simnet" "$command" "$SIM_DIR" "$@"
	fi
}

# internet_configure FILE [OPTION...]: a sweep of POP3 that is as fast as it
# goes, and where one connection tells all.
internet_configure()
{
	local file=$1

	shift
	test/lab/configure "$file" 'ports = { "110/pop3" }' \
	    'rate = 10000000' 'greeting = 1s' 'greeting_smtp = 1s' \
	    'reply = 2s' 'conversation = 4s' 'answer_window = 2s' \
	    'hello_after_silence = off' 'canary = off' 'probes = 1' \
	    'per_network = 256' 'waiting_max = 2097152' 'map_size = 4G' "$@"
}
