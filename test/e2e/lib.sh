# Sourced by the end-to-end tests: checks that count, sweeps of the laboratory.
#
# A test is an executable test/e2e/NAME.sh that ends with `finish`. It begins:
#
#	. "$(dirname "$0")/lib.sh"
#	enter_lab "$@"

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

passed=0 failed=0
BIN=${BIN:-build/release}

ok()
{
	passed=$((passed + 1))
	echo "ok      $*"
}

bad()
{
	failed=$((failed + 1))
	echo "FAILED  $*"
}

# is WHAT GOT WANTED
is()
{
	if [ "$2" = "$3" ]; then
		ok "$1: $2"
	else
		bad "$1: ${2:-nothing}, not ${3:-nothing}"
	fi
}

# at_least WHAT GOT WANTED
at_least()
{
	if [ "${2:-0}" -ge "$3" ]; then
		ok "$1: $2"
	else
		bad "$1: ${2:-nothing}, not $3 or more"
	fi
}

# expect WHAT CMD...: the command succeeds; else its output is shown
expect()
{
	local what=$1 printed status=0

	shift
	printed=$("$@" 2>&1) || status=$?
	if [ "$status" -eq 0 ]; then
		ok "$what"
	else
		bad "$what (status $status)"
		tail -n 40 <<<"$printed"
	fi
}

# said WHAT PATTERN FILE: a line of the file matches
said()
{
	if grep -Eq -- "$2" "$3"; then
		ok "$1"
	else
		bad "$1: no line matches $2"
		tail -n 20 "$3"
	fi
}

# verdicts_of CMD...: takes over its lines "ok WHAT" and "FAILED WHAT"
verdicts_of()
{
	local verdict what before=$((passed + failed))

	while read -r verdict what; do
		case $verdict in
		ok)	ok "$what" ;;
		*)	bad "$verdict $what" ;;
		esac
	done < <("$@" 2>&1)
	[ $((passed + failed)) -gt "$before" ] || bad "$1 said nothing"
}

finish()
{
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	exit
}

# A test is started outside and runs inside; LAB_SERVERS chooses set-ups.
enter_lab()
{
	[ -n "${LAB_TARGET:-}" ] ||
	    LAB_ROOT=${LAB_ROOT:-$PWD/build/lab-root} \
	    exec test/lab/lab run -- "$0" "$@"
	mkdir -p "$LAB_DIR/work"
	conf=$LAB_DIR/work/test.conf
	log=$LAB_DIR/logs/mailsweepd.log
	: >"$log"
}

# tool COMMAND [OPTION...]: mailsweep on the store of this test
tool()
{
	local command=$1

	shift
	"$BIN/mailsweep" "$command" -f "$conf" "$@"
}

# The servers' neighbourhoods, so that a sweep is short: a /27 around each
# IPv4 server that was started (the forbidden one's as well), and the whole
# list of IPv6 addresses when one of them is there.
neighbourhoods()
{
	python3 - "$LAB_DIR/servers.tsv" "$LAB_DIR/started" "${1:-27}" <<-'END'
	import ipaddress, sys
	started = set(open(sys.argv[2]).read().split()) | {"refusing"}
	nets = set()
	for line in open(sys.argv[1]):
	    if line.startswith("#"):
	        continue
	    name, addr = line.split("\t")[:2]
	    if name not in started:
	        continue
	    nets.add("@test/lab/hitlist6.txt" if ":" in addr else str(
	        ipaddress.ip_network(f"{addr}/{sys.argv[3]}", strict=False)))
	print("targets = { " + ", ".join(f'"{n}"' for n in sorted(nets)) + " }")
	END
}

# configure [OPTION...]: $conf for a short sweep of what was started
# Other source ports for each, so that no sweep meets a connection that a
# server still holds (TIME_WAIT) from the one before in the same laboratory.
configured=0
configure()
{
	local first=$((20000 + configured++ % 18 * 2048))

	test/lab/configure "$conf" "$(neighbourhoods)" \
	    "source_ports = \"$first-$((first + 2047))\"" "$@"
}

# sweep [ARGS...]: one sweep to its end; its exit status
sweep()
{
	"$BIN/mailsweepd" -1 -f "$conf" "$@" >>"$log" 2>&1 </dev/null
}

# The number behind a name in the account of the last sweep.
counted()
{
	[ -f "$LAB_DIR/work/account.json" ] ||
	    tool sweeps --json >"$LAB_DIR/work/account.json"
	python3 test/e2e/account.py "$LAB_DIR/work/account.json" "$1"
}

# What the target's side counted.
seen()
{
	test/lab/counters | awk -v name="$1" '$1 == name { print $2 }'
}

judge()
{
	tool dump --silent >"$LAB_DIR/work/dump.jsonl" || return
	# shellcheck disable=SC2046
	test/lab/verdicts -q "$LAB_DIR/servers.tsv" \
	    $(sort -u "$LAB_DIR/started") <"$LAB_DIR/work/dump.jsonl"
}
