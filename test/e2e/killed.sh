#!/bin/bash
# kill -9 of all processes at once leaves no nft rule behind, and the next
# start goes on with the same sweep from its checkpoint.

LAB_SERVERS=dovecot-plain,dovecot-good,postfix-good,exim-good,exim-slow,silent
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"

rate=2000
configure "$(neighbourhoods 22)" "rate = $rate" 'answer_window = 2s'
n=$(sed -n 's/^targets = //p' "$conf" | grep -o '/22' | wc -l)
is "neighbourhoods" "$n" 7
total=$((n * 1024 * 7))

# until WHAT CMD...: asks again until it is so, ten seconds at most
until_so()
{
	local what=$1 end=$((SECONDS + 10))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { bad "$what"; return 1; }
		read -r -t 0.05 <>/dev/zero || :
	done
	ok "$what"
}

no_rules()
{
	[ -z "$(nft list ruleset)" ]
}

some_syns()
{
	[ "$(seen syn_in)" -gt $((rate * 6)) ]
}

# The daemon and all that it started, by their arguments: each role has a name
# of its own to pgrep -x.
processes()
{
	pgrep -f '(^|/)(mailsweepd|nft) '
}

begin=$(date -u +%Y%m%d%H%M%S)
"$BIN/mailsweepd" -1 -f "$conf" >>"$log" 2>&1 </dev/null &
daemon=$!
disown
until_so "a part of the sweep is sent" some_syns
expect "rules are in place while it sends" bash -c '! [ -z "$(nft list ruleset)" ]'
at_least "processes" "$(processes | wc -l)" 7
# shellcheck disable=SC2046
kill -9 $(processes)
until_so "no nft rule is left behind" no_rules
is "processes left" "$(processes | wc -l)" 0
expect "what is left is sound" tool check
before=$(seen syn_in)
kill -0 "$daemon" 2>/dev/null && bad "the daemon lives"

swept=0
sweep || swept=$?
is "exit status of the next start" "$swept" 0
is "nft rules left at the end" "$(nft list ruleset | grep -c .)" 0
tool sweeps --json >"$LAB_DIR/work/account.json"
is "incarnations" "$(counted incarnations)" 2
id=$(counted sweep)
started=$(tr -d 'TZ' <<<"${id%%-*}")
expect "it is the sweep of before: $id" [ $((started - begin)) -le 2 ]
is "the account balances" "$(counted balanced)" True
is "targets sent, each once in the account" "$(counted settled.sent)" "$total"
after=$(($(seen syn_in) - before))
expect "it went on where it was: $before SYNs, then $after of $total" \
    [ "$after" -lt $((total - before + rate * 6)) ]
expect "every verdict" judge
expect "the store is sound" tool check
finish
