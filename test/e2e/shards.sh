#!/bin/bash
# Sixteen shards of a sweep, merged, say what one sweep of the same internet
# says, byte for byte.

LAB_SERVERS=none
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"
. test/internet/lib.sh
SIM_BUILD=$BIN/internet
work=$LAB_DIR/work
shards=16
expect "the simulated internet comes up" internet_up port=110 seed=9 \
    open=0.2 closed=0.1 greet=0.5 reset=0.2

# one SHARD DIRECTORY: one sweep of it
one()
{
	internet_configure "$conf" 'targets = { "10.9.0.0/19" }' 'seed = 77' \
	    "shard = $1" "store = $2" "control = $2/control" \
	    'answer_window = 1s' 'retries = 0' "${@:3}"
	sweep
}

facts()
{
	"$BIN/mailsweep" dump -d "$1" --facts --silent --transcript | sort
}

expect "the sweep in one" one 0/1 "$work/whole"
swept=0
for ((i = 0; i < shards; i++)); do
	one "$i/$shards" "$work/shard$i" && swept=$((swept + 1))
done
is "shards swept" "$swept" "$shards"
dirs=("$work"/shard[0-9] "$work"/shard1[0-9])

rm -f "$work/refused"
"$BIN/mailsweep" merge -o "$work/part" "${dirs[@]:1}" 2>"$work/refused" &&
    bad "fifteen of sixteen are merged"
said "one that is missing is named" 'shard 0 of 16 is missing' "$work/refused"

expect "they are merged, and the account balances" \
    "$BIN/mailsweep" merge -o "$work/merged" "${dirs[@]}"
expect "what was written is sound" "$BIN/mailsweep" check -d "$work/merged"
facts "$work/whole" >"$work/whole.facts"
facts "$work/merged" >"$work/merged.facts"
at_least "facts" "$(wc -l <"$work/whole.facts")" 1000
expect "and are the same, byte for byte" \
    cmp "$work/whole.facts" "$work/merged.facts"
finish
