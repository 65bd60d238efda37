#!/bin/bash
# The pool under load, against the simulator (test/bench/mailsim): thousands of
# hosts of every kind at once, each with the outcome that it deserves, both
# sides counting the same; the limits held in a capture; a slow network that
# holds up nobody else.

. "$(dirname "$0")/lib.sh"
export LAB_SERVERS=none
enter_lab "$@"

# The simulator answers on every address of the laboratory's networks.
servers()
{
	rm -f "$LAB_DIR/work/sim"
	# shellcheck disable=SC2086
	$LAB_TARGET "$BIN/bench/mailsim" "$@" >"$LAB_DIR/work/sim" 2>&1 &
	sim=$!
	until grep -q ready "$LAB_DIR/work/sim" 2>/dev/null; do
		kill -0 "$sim" 2>/dev/null || { cat "$LAB_DIR/work/sim"; finish; }
		sleep 0.05
	done
}

servers_end()
{
	kill -TERM "$sim"
	wait "$sim"
}

served()
{
	awk -v name="$1" '$2 == name { print $3 }' "$LAB_DIR/work/sim"
}

# rows FILTER...: how many rows the sweep has of these
rows()
{
	tool dump --silent "$@" | wc -l
}

# In 5 s a tarpit has said "* OK": less would not be seen to be IMAP.
load()
{
	rm -rf "$LAB_DIR/store"
	cp /etc/ssl/certs/ca-certificates.crt "$LAB_DIR/ca.pem"
	test/lab/configure "$conf" 'canary = off' 'confirm = off' \
	    'retries = 0' 'hello_after_silence = off' \
	    'greeting = 12s' 'greeting_smtp = 12s' 'reply = 12s' \
	    'min_rate_window = 5s' \
	    'source_ports = "20000-36383"' "$@"
}

# ---- every kind at once ------------------------------------------------------

servers -j 2 -k no_tls=10 -k late=5 -k silent=20 -k reset=5 -k closes=5 \
    -k tarpit=2 -k endless=2 -2 20
load 'targets = { "198.18.0.0/15" }' 'shard = "0/128"' \
    'ports = { "110/pop3", "143/imap", "25/smtp" }'
expect "a sweep of every kind of host" sweep
servers_end
is "the account balances" "$(counted balanced)" True
is "rows, and connections there" "$(rows)" "$(served connections)"
is "silent, here and there" "$(rows --outcome silent)" "$(served silent)"
is "reset, here and there" "$(rows --outcome reset)" "$(served reset)"
is "tarpits, here and there" "$(rows --outcome tarpit)" "$(served tarpit)"
is "endless, here and there" "$(rows --outcome too_much)" "$(served endless)"
is "without TLS, here and there" "$(rows --starttls not_offered)" \
    "$(served no_tls)"
is "closed after STARTTLS, here and there" "$(rows --starttls closed)" \
    "$(served closes)"
is "handshakes, here and there" "$(rows --starttls completed)" \
    "$(served handshakes)"
is "handshakes that failed there" "$(served handshakes_failed)" 0
is "none got lost" "$(counted events.lost)" 0
at_least "conversations" "$(served connections)" 2500

# ---- the limits, and a slow network -----------------------------------------

# 16 tarpits in one network, with three ports each: they end by sixteens, while
# the others come and go.
servers -t 198.18.7.0 -L 20
load 'targets = { "198.18.7.0/28", "198.18.32.0/24" }' \
    'ports = { "110/pop3", "995/pop3s", "143/imap" }' \
    'per_host = 2' 'per_network = 16' 'limit_pause = 1s' 'rate = 2000'
test/lab/capture "$LAB_DIR/work/wire.pcap" "$BIN/mailsweepd" -1 -f "$conf" \
    >>"$log" 2>&1 </dev/null || bad "a sweep within the limits: $?"
servers_end
rm -f "$LAB_DIR/work/account.json"
is "the account of it balances" "$(counted balanced)" True
verdicts_of test/e2e/limits.py "$LAB_DIR/work/wire.pcap" "$LAB_SRC4" 2 16 \
    198.18.7.0/28
tool dump --prefix 198.18.32.0/24 >"$LAB_DIR/work/others"
is "rows of the others that did not complete" \
    "$(grep -vc '"outcome":"completed"' "$LAB_DIR/work/others")" 0

finish
