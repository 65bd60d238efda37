# Sourced inside a laboratory: puts the simulated internet behind its far end.

SIM_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SIM_BUILD=${SIM_BUILD:-$SIM_HERE/../../build/release/internet}
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
