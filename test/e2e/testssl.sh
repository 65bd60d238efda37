#!/bin/bash
# testssl.sh says of each server's protocols and certificate what our records
# say: one port of each server, every kind of port among them. This is the
# slowest test: ten seconds of a processor for each of some 35 servers.

. "$(dirname "$0")/lib.sh"
enter_lab "$@"

shown=$LAB_DIR/work/shown.json
said=$LAB_DIR/work/said.jsonl

configure 'per_host = 16' 'per_network = 64' 'tls_versions = all'
swept=0
sweep || swept=$?
is "exit status of mailsweepd -1" "$swept" 0
while read -r addr; do
	tool show --json "$addr"
done < <(awk -F '\t' '!/^#/ { print $2 }' "$LAB_DIR/servers.tsv" | sort -u) \
    >"$shown" 2>/dev/null
expect "testssl.sh asks the same servers" \
    bash -c 'test/lab/testssl >"$1"' sh "$said"
cp "$said" "$shown" "$LAB_DIR/logs"
at_least "servers asked" "$(wc -l <"$said")" 30
is "kinds of ports asked" \
    "$(grep -o '"port": [0-9]*' "$said" | sort -u | wc -l)" 7
expect "it says what mailsweep says" test/lab/compare-testssl "$shown" "$said"

# The comparison must be able to fail.
spoilt()
{
	sed "$2" "$said" >"$LAB_DIR/work/spoilt"
	cmp -s "$said" "$LAB_DIR/work/spoilt" &&
	    { bad "$1: nothing was changed"; return; }
	expect "$1 is noticed" bash -c '! "$@"' sh test/lab/compare-testssl \
	    "$shown" "$LAB_DIR/work/spoilt"
}

spoilt "another certificate" '0,/"cert_fingerprintSHA256": "../s//&zz/'
spoilt "another version" 's/"TLSv1\.3"/"TLSv1.2"/'
spoilt "another end" 's/"cert_notAfter": "20/"cert_notAfter": "21/'
spoilt "another issuer" 's/"Laboratory Root/"Laboratory Boot/'
spoilt "another trust" 's/"failed (self signed)\."/"passed."/'
spoilt "no TLS" 's/"no_tls": false/"no_tls": true/'
finish
