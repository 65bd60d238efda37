#!/bin/bash
# No verdict hangs on a single reading of ours: openssl s_client and nmap are
# asked about the same servers, and capabilities, version and certificate are
# compared field by field.

. "$(dirname "$0")/lib.sh"
enter_lab "$@"

configure 'per_host = 16' 'per_network = 64'
swept=0
sweep || swept=$?
is "exit status of mailsweepd -1" "$swept" 0
expect "mailsweep dump" bash -c '"$0" dump -f "$1" --silent >"$2"' \
    "$BIN/mailsweep" "$conf" "$LAB_DIR/work/dump.jsonl"
expect "openssl and nmap ask the same servers" \
    bash -c 'test/lab/oracle >"$1"' sh "$LAB_DIR/work/oracle"
expect "they say what mailsweep says" test/lab/compare \
    --started "$LAB_DIR/started" --oracle "$LAB_DIR/work/oracle" \
    "$LAB_DIR/work/dump.jsonl"

# The comparison must be able to fail: with a certificate's hash changed, a
# capability gone or another version it says so.
spoilt()
{
	sed "$2" "$LAB_DIR/work/dump.jsonl" >"$LAB_DIR/work/spoilt.jsonl"
	cmp -s "$LAB_DIR/work/dump.jsonl" "$LAB_DIR/work/spoilt.jsonl" &&
	    { bad "$1: nothing was changed"; return; }
	expect "$1 is noticed" bash -c '! "$@"' sh test/lab/compare \
	    --started "$LAB_DIR/started" --oracle "$LAB_DIR/work/oracle" \
	    "$LAB_DIR/work/spoilt.jsonl"
}

spoilt "another certificate" 's/"cert_sha256": *"../"cert_sha256":"zz/'
spoilt "another version" 's/TLSv1\.3/TLSv1.2/'
spoilt "another capability" 's/"PIPELINING"/"PIPELINED"/'
finish
