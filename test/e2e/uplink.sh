#!/bin/bash
# The way out is not there at the start, does not answer, loses its address for
# a moment or for good, and the machine sleeps: nothing begins that cannot,
# nothing is sent into the void, nothing is lost, no flood behind it.

LAB_SERVERS=dovecot-plain,dovecot-good,postfix-good,exim-good,silent
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"

rate=2000
configure "$(neighbourhoods 22)" "rate = $rate" 'answer_window = 7s'
n=$(sed -n 's/^targets = //p' "$conf" | grep -o '/22' | wc -l)
total=$((n * 1024 * 7))

until_so()
{
	local what=$1 end=$((SECONDS + 20))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { bad "$what"; return 1; }
		read -r -t 0.05 <>/dev/zero || :
	done
	ok "$what"
}

says()
{
	grep -q "$1" "$log"
}

# As at a start of the machine, and as a network manager does it later.
addresses()
{
	ip addr replace "$LAB_SRC4/24" dev "$LAB_IF"
	ip -6 addr replace "$LAB_SRC6/64" dev "$LAB_IF" nodad
	ip route replace 198.18.0.0/15 via "$LAB_GW4"
	ip -6 route replace fd00:198:18::/64 via "$LAB_GW6" dev "$LAB_IF"
}

sent()
{
	[ "$(seen syn_in)" -ge $(($1)) ]
}

# No SYN leaves for a second.
is_paused()
{
	local before

	before=$(cat "/sys/class/net/$LAB_IF/statistics/tx_packets")
	read -r -t 1 <>/dev/zero || :
	[ $(($(cat "/sys/class/net/$LAB_IF/statistics/tx_packets") - before)) \
	    -lt 50 ]
}

processes()
{
	pgrep -f '(^|/)(mailsweepd|nft) '
}

# ---- not there at the start

ip link set "$LAB_IF" down
"$BIN/mailsweepd" -1 -f "$conf" >>"$log" 2>&1 </dev/null &
daemon=$!
until_so "it waits for the interface" says 'begins when that has changed'
is "no sweep has begun" "$(ls "$LAB_DIR/store/live" 2>/dev/null | wc -l)" 0
kill -TERM "$daemon"
status=0
wait "$daemon" || status=$?
is "a stop while it waits" "$status" 0
"$BIN/mailsweepd" -1 -f "$conf" >>"$log" 2>&1 </dev/null &
daemon=$!
read -r -t 2 <>/dev/zero || :
ip link set "$LAB_IF" up
addresses
until_so "it sends when the interface is there" sent rate

# ---- a next hop that is gone, behind a card that has its carrier

$LAB_TARGET nft -f - <<-'END'
	table netdev gone {
		chain in {
			type filter hook ingress device net0 priority -600;
			policy drop;
		}
	}
END
gone=$(date +%s%3N)
until_so "the silent next hop is noticed" says 'does not answer: nothing is sent'
# Else what was sent meanwhile would not all be sent again.
at_least "within six seconds, ms left" $((gone + 6000 - $(date +%s%3N))) 0
expect "nothing is sent into the void" is_paused
$LAB_TARGET nft delete table netdev gone
until_so "it is back" says 'the way out is back'

# ---- an address that is gone for a moment

before=$(grep -c 'way out is back' "$log")
ip addr del "$LAB_SRC4/24" dev "$LAB_IF"
until_so "the address is missed" says 'is not this host.s any more: nothing is'
addresses
until_so "the address is back" \
    eval '[ "$(grep -c "way out is back" "$log")" -gt "$before" ]'

# ---- the machine sleeps: all of it stands still, the network does not

was=$(seen syn_in)
until_so "it sends again" eval 'sent $((was + rate / 2))'
# shellcheck disable=SC2046
kill -STOP $(processes)
read -r -t 4 <>/dev/zero || :
was=$(seen syn_in)
# shellcheck disable=SC2046
kill -CONT $(processes)
read -r -t 1 <>/dev/zero || :
burst=$(($(seen syn_in) - was))
expect "no flood on waking: $burst SYNs in the first second" \
    [ "$burst" -le $((rate * 3 / 2)) ]
swept=0
wait "$daemon" || swept=$?
is "exit status" "$swept" 0
tool sweeps --json >"$LAB_DIR/work/account.json"
is "incarnations" "$(counted incarnations)" 1
is "the account balances" "$(counted balanced)" True
is "targets sent, each once in the account" "$(counted settled.sent)" "$total"
expect "every verdict" judge

# ---- an address that does not come back

rm -rf "$LAB_DIR/store" "$LAB_DIR/work/account.json"
configure "$(neighbourhoods 26)" "rate = 500" 'answer_window = 7s'
was=$(seen syn_in)
"$BIN/mailsweepd" -1 -f "$conf" >>"$log" 2>&1 </dev/null &
daemon=$!
until_so "the next sweep sends" eval 'sent $((was + 200))'
ip addr del "$LAB_SRC4/24" dev "$LAB_IF"
status=0
wait "$daemon" || status=$?
is "the address stays away: exit status" "$status" 1
said "it says why" 'not this host.s any more: the sweep goes on' "$log"
is "processes left" "$(processes | wc -l)" 0
addresses
swept=0
sweep || swept=$?
is "exit status of the next start" "$swept" 0
tool sweeps --json >"$LAB_DIR/work/account.json"
is "the account balances" "$(counted balanced)" True
expect "every verdict" judge
expect "the store is sound" tool check
finish
