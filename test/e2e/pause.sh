#!/bin/bash
# host_pause: four ports of each host, all of them asked at once, are connected
# to one after the other, and none is given up.

. "$(dirname "$0")/lib.sh"
export LAB_SERVERS=none
enter_lab "$@"

rm -f "$LAB_DIR/work/sim"
# shellcheck disable=SC2086
$LAB_TARGET "$BIN/bench/mailsim" >"$LAB_DIR/work/sim" 2>&1 &
sim=$!
until grep -q ready "$LAB_DIR/work/sim" 2>/dev/null; do
	kill -0 "$sim" 2>/dev/null || { cat "$LAB_DIR/work/sim"; finish; }
	read -r -t 0.05 <>/dev/zero || :
done
cp /etc/ssl/certs/ca-certificates.crt "$LAB_DIR/ca.pem"
test/lab/configure "$conf" 'canary = off' 'confirm = off' 'retries = 0' \
    'hello_after_silence = off' 'targets = { "198.18.7.0/28" }' \
    'ports = { "110/pop3", "995/pop3s", "143/imap", "25/smtp" }' \
    'per_host = 9' 'per_network = 64' 'host_pause = 2s'
test/lab/capture "$LAB_DIR/work/wire.pcap" "$BIN/mailsweepd" -1 -f "$conf" \
    >>"$log" 2>&1 </dev/null || bad "a sweep with pauses: $?"
kill -TERM "$sim"
wait "$sim"
is "the account balances" "$(counted balanced)" True
is "rows" "$(tool dump --silent | wc -l)" 64
is "rows that completed" \
    "$(tool dump | grep -c '"outcome":"completed"')" 64
verdicts_of test/e2e/pause.py "$LAB_DIR/work/wire.pcap" "$LAB_SRC4" 2
finish
