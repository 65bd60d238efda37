#!/bin/bash
# Every kind of second connection at once, at real servers: the versions of TLS
# agree with what openssl is answered, no server carries out what came in
# clear, the silent one stays silent, and the account still balances.
#
#	test/e2e/second.sh

LAB_SERVERS=dovecot-good,dovecot-tls10,dovecot-tls13,postfix-good,exim-good,silent
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"

configure 'canary = every' 'tls_versions = all' 'injection = on'
swept=0
sweep || swept=$?
test/lab/counters >"$LAB_DIR/work/counters"
is "exit status of mailsweepd -1" "$swept" 0
expect "every verdict" judge
is "the account balances" "$(counted balanced)" True
verdicts_of test/e2e/account.py "$LAB_DIR/work/account.json" \
    --against "$LAB_DIR/work/counters" adopt

rows=$LAB_DIR/work/rows.tsv
tool dump >"$LAB_DIR/work/dump.jsonl"
python3 - "$LAB_DIR/work/dump.jsonl" >"$rows" <<-'END'
	import json, sys
	for row in map(json.loads, open(sys.argv[1])):
	    if row["starttls"] in ("completed", "implicit"):
	        tls = row["tls"]
	        print(row["ip"], row["port"], row["port_protocol"],
	              row["starttls"],
	              ",".join(sorted(tls.get("versions", [tls["version"]]))))
END
hosts=$(tool dump --silent | grep -o '"ip":"[^"]*"' | sort -u | wc -l)
is "a canary for each host that answered" "$(counted events.canaries_sent)" \
    "$hosts"
is "rows that carried a command in" \
    "$(grep -c starttls_injection "$LAB_DIR/work/dump.jsonl")" 0

# One connection for each version below the negotiated one, one for each
# session with STARTTLS, and one for each silent port.
wanted=$(python3 - "$LAB_DIR/work/dump.jsonl" <<-'END'
	import json, sys
	n = 3
	for row in map(json.loads, open(sys.argv[1])):
	    if row["starttls"] in ("completed", "implicit"):
	        n += int(row["tls"]["version"][-1])
	        n += row["starttls"] == "completed"
	print(n)
END
)
# Those over a limit of ours were put off, and came again.
is "second connections, as many as asked for" $(($(counted \
    events.followups_sent) - $(counted events.followups_queued))) "$wanted"

# accepted ADDR PORT PROTOCOL KIND: what openssl is answered, version by version
accepted()
{
	local version flag said start=()

	[ "$4" = implicit ] || start=(-starttls "$3")
	for version in 1.0:tls1 1.1:tls1_1 1.2:tls1_2 1.3:tls1_3; do
		flag=${version#*:}
		said=$(timeout 10 openssl s_client -connect "$1:$2" \
		    "${start[@]}" -"$flag" -cipher ALL:@SECLEVEL=0 \
		    </dev/null 2>/dev/null)
		[[ $said = *$'\nNew, TLSv1'* ]] && echo "TLSv${version%:*}"
	done | paste -sd ,
}

while read -r addr port proto how versions; do
	is "$addr port $port accepts" "$versions" \
	    "$(accepted "$addr" "$port" "$proto" "$how")"
done <"$rows"
at_least "ports with TLS" "$(wc -l <"$rows")" 15
finish
