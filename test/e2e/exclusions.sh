#!/bin/bash
# What is not swept: the default exclusions would leave out the laboratory,
# its own ones keep an address from ever seeing a packet, and without
# exclusions, HELO name or contact nothing starts.

export LAB_SERVERS=none
. "$(dirname "$0")/lib.sh"
enter_lab "$@"
out=$LAB_DIR/work/out

# check [OPTION...]: mailsweepd -n of the laboratory's configuration
check()
{
	test/lab/configure "$conf" "$@"
	"$BIN/mailsweepd" -n -f "$conf" >"$out" 2>&1 </dev/null
}

# number PATTERN: the first number in the line that matches
number()
{
	grep -Ei -m 1 -- "$1" "$out" | grep -Eo '[0-9][0-9,]*' | head -n 1 |
	    tr -d ,
}

indices=$(((131072 + 256) * 7))

expect "-n with the laboratory's exclusions" check
is "addresses" "$(number addresses)" $((131072 + 256))
is "excluded addresses" "$(number excluded)" 256
said "ports" '(^|[^0-9])995([^0-9]|$)' "$out"
said "how long it takes at this rate" 'duration +0m 46s' "$out"
for what in TCP_REPAIR 'nft.*owner' Landlock AF_XDP 'live frames'; do
	said "what this kernel offers: $what" "$what" "$out"
done

expect "-n with the default exclusions" check -exclude
is "excluded by default" "$(number excluded)" $((131072 + 256))
said "the table of products" 'table +/.*/conf/products, [0-9]{3} patterns' "$out"
is "nothing was sent by -n" "$(seen tcp_in)" 0

# ---- what has to be there ------------------------------------------------------

# refused WHAT PATTERN OPTION...: -1 does not start, and says why
refused()
{
	local what=$1 pattern=$2 status=0

	shift 2
	test/lab/configure "$conf" "$@"
	"$BIN/mailsweepd" -1 -f "$conf" >"$out" 2>&1 </dev/null || status=$?
	is "$what: exit status" "$status" 2
	said "$what: it says why" "$pattern" "$out"
}

refused "no HELO name" 'test.conf.*helo' -helo
refused "no contact" 'test.conf.*contact' -contact
: >"$LAB_DIR/work/empty"
refused "no exclusions" 'exclude' "exclude = { \"@$LAB_DIR/work/empty\" }"
refused "a word that is wrong" 'test.conf:[0-9]+: .*"fast".*expected' \
    'rate = fast'
refused "an option that there is not" 'test.conf:[0-9]+: .*speed' 'speed = 1'
table=$LAB_DIR/work/products
refused "no table of products" 'work/products: cannot be read' \
    "products = \"$table\""
printf 'product X\nprotocol smtp\n\ngreeting (220\n' >"$table"
refused "a mistake in the table" \
    'work/products:4: "\(220", expected a regular expression: missing' \
    "products = \"$table\""
status=0
check "products = \"$table\"" || status=$?
is "-n of it: exit status" "$status" 2
said "-n says so, too" 'work/products:4: "\(220", expected' "$out"
is "nothing was sent" "$(seen tcp_in)" 0
is "indices" "$indices" 919296
finish
