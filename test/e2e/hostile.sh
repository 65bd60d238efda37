#!/bin/bash
# Hundreds of servers that mean to cost us something, at once, and one probe:
# endless lines, certificates, floods inside TLS, a byte a second. Bytes, lines
# and seconds of each conversation, memory and processor of the probe stay
# within bounds, and the good servers beside them are judged in time.

LAB_SERVERS=none
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"

hosts=${HOSTILE_HOSTS:-10}
work=$LAB_DIR/work
certs=$work/certs
conversation_max=262144

test/lab/certs "$certs" && cp "$certs/ca.pem" "$LAB_DIR/ca.pem" || exit 2
cp test/lab/{geo.csv,exclude.conf} "$LAB_DIR"
python3 test/lab/scripted/hostile.py "$work/hostile.tsv" "$certs" "$hosts" ||
    exit 2
for n in {1..20}; do
	printf 'good.%s\t198.18.90.%s\t25\t-\t-\t-\t-\t-\t-\ttls-all-versions\t-\n' \
	    "$n" "$n"
done >"$work/good.tsv"

# serve NAME: in a process of its own, so that none waits for another
serve()
{
	local count

	mkfifo "$work/$1.ready"
	$LAB_TARGET test/lab/scripted/serve "$work/$1.tsv" "$certs" \
	    test/transcript "$work/$1.ready" >"$LAB_DIR/logs/$1.log" 2>&1 &
	read -r -t 60 count <"$work/$1.ready" || exit 2
	at_least "$1 servers" "$count" 20
}

# A KeyUpdate for each line that openssl reads; port 993.
updates=(198.18.91.{1..10})
key_updates()
{
	local addr

	for addr in "${updates[@]}"; do
		yes K | nice -n 19 $LAB_TARGET openssl s_server \
		    -accept "$addr:993" -tls1_3 -cert "$certs/goodrsa.pem" \
		    -key "$certs/goodrsa.key" >/dev/null 2>&1 &
	done
	for _ in {1..600}; do
		[ "$($LAB_TARGET ss -Hltn 'sport = :993 and src 198.18.91.0/24' |
		    wc -l)" -lt ${#updates[@]} ] || return 0
		sleep 0.1
	done
	bad "openssl s_server does not listen"
}

split --number=l/5 --numeric-suffixes=1 --suffix-length=1 \
    --additional-suffix=.tsv "$work/hostile.tsv" "$work/hostile"
serve good
for n in {1..5}; do
	serve "hostile$n"
done
key_updates

nft -f - <<-'END'
	table inet measure {
		set from {
			type ipv4_addr
			size 65535
			flags dynamic
			counter
		}
		chain input {
			type filter hook input priority -310;
			ip saddr 198.18.0.0/15 add @from { ip saddr }
		}
	}
END
test/lab/configure "$conf" "targets = { $(
	{
		awk -F '\t' '{ print $2 }' "$work/hostile.tsv" "$work/good.tsv"
		printf '%s\n' "${updates[@]}"
	} | sed 's/.*/"&"/' | paste -sd ,) }" \
    'greeting = 12s' 'greeting_smtp = 12s' 'reply = 8s' \
    'server_hello = 12s' 'handshake = 8s' 'conversation = 20s' 'min_rate = 16' \
    'min_rate_window = 5s' 'per_host = 16' 'per_network = 64' \
    'retries = 0' 'confirm = off' 'hello_after_silence = off' \
    'canary = off' 'probes = 1' "conversation_max = $conversation_max" \
    'rate = 20000'
status=0
test/lab/watch "$work/watched.json" "$BIN/mailsweepd" -1 -f "$conf" \
    >>"$log" 2>&1 </dev/null || status=$?
is "exit status of mailsweepd -1" "$status" 0
tool dump --silent --transcript >"$work/dump.jsonl"
nft -j list set inet measure from >"$work/bytes.json"
cp "$work"/{dump.jsonl,bytes.json,watched.json} "$LAB_DIR/logs"
verdicts_of python3 test/e2e/hostile.py "$work" "$hosts" "$conversation_max"
finish
