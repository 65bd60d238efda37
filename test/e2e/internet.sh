#!/bin/bash
# Sweeps of the simulated internet: who answers is found, all of them and no
# other, and each packet is accounted for by the other side.

LAB_SERVERS=dovecot-plain
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"
. test/internet/lib.sh
SIM_BUILD=$BIN/internet
expect "the simulated internet comes up" internet_up port=110
work=$LAB_DIR/work

# Slices of source ports as the default range has them: 14 bits, 7 of them a
# slice's number, and of these 2 the incarnation, which goes round.
slices=40000:128:32

# internet CONDITIONS TARGETS [OPTION...]: a sweep of it, counted anew
internet()
{
	local targets=$2 swept=0

	# shellcheck disable=SC2086
	simnet set open=0 closed=0 greet=0 reset=0 lost=0 slice=0:0:0 \
	    pass=10.255.255.255/32 $1
	simnet counters -z >/dev/null
	test/lab/counters -z >/dev/null
	shift 2
	internet_configure "$conf" "targets = { $targets }" "$@"
	rm -f "$work/account.json"
	sweep || swept=$?
	is "exit status of the sweep" "$swept" 0
	{ test/lab/counters; simnet counters | sed 's/^/sim_/'; } >"$work/counters"
	tool dump --silent >"$work/dump.jsonl"
	cut -d'"' -f4 "$work/dump.jsonl" | sort >"$work/found"
}

# there NAME [NAME...]: what the other side counted, added up
there()
{
	awk -v names=" $* " 'index(names, " " $1 " ") { n += $2 }
	    END { print n + 0 }' "$work/counters"
}

# rows OUTCOME
rows()
{
	grep -c "\"outcome\":\"$1\"" "$work/dump.jsonl"
}

# wanted WHAT: the addresses on standard input are found, and no other
wanted()
{
	sort >"$work/wanted"
	expect "$1 found: $(wc -l <"$work/found") of $(wc -l <"$work/wanted")" \
	    cmp "$work/found" "$work/wanted"
}

# Packet for packet; ours are in the account, theirs in the BPF program and,
# for what it passed on, in nft.
packets_agree()
{
	is "SYNs sent here, arrived there" "$(counted events.syn_packets)" \
	    "$(there sim_syn syn_in)"
	is "SYN-ACKs heard here, sent there" \
	    $(($(counted events.valid_synacks) + $(counted events.late))) \
	    "$(there sim_synack_out synack_out)"
	is "RSTs heard here, sent there" \
	    $(($(counted events.rsts_received) + $(counted events.reset))) \
	    "$(there sim_rst_out rst_out_refused)"
	is "dropped by the capture" "$(counted events.pcap_dropped)" 0
	is "the account balances" "$(counted balanced)" True
}

# share WHAT FOUND N EXPECTED: a share of N within three standard errors
share()
{
	local said

	if said=$(awk -v k="$2" -v n="$3" -v p="$4" 'BEGIN {
	    se = sqrt(p * (1 - p) / n); z = (k / n - p) / se
	    printf "%.4f of %d, expected %.4f, %.1f standard errors", \
		k / n, n, p, z
	    exit z > 3 || z < -3 }'); then
		ok "$1: $said"
	else
		bad "$1: $said"
	fi
}

# One in twenty answers, as many refuse, and a /24 of real refusals.
internet 'seed=1 open=0.05 closed=0.05 pass=10.1.7.0/24' '"10.1.0.0/16"'
simnet list 10.1.0.0/16 | grep -v '^10\.1\.7\.' | wanted "1 in 20 of a /16"
packets_agree
is "ACKs sent here, arrived there" "$(counted events.acks_sent)" "$(there sim_ack)"
is "RSTs sent here, arrived there" "$(counted events.rsts_sent)" "$(there sim_rst)"

# Some greet, some reset, and a real server stands among them.
server=$(awk '$1 == "dovecot-plain" { print $2; exit }' "$LAB_DIR/servers.tsv")
internet 'seed=2 open=0.05 greet=0.4 reset=0.2' \
    "\"10.2.0.0/20\", \"$server\""
is "the real server" "$(grep -c '"outcome":"completed"' "$work/dump.jsonl")" 1
simnet list 10.2.0.0/20 | { cat; grep '"completed"' "$work/dump.jsonl" |
    cut -d'"' -f4; } | wanted "in a /20 and beside it"
is "those that greet are refused_us" "$(rows refused_us)" "$(there sim_greeting_out)"
at_least "those that reset" "$(rows reset)" 20

# Everybody answers.
internet 'seed=3 open=1' '"10.3.0.0/18"'
is "everybody in a /18 found" "$(wc -l <"$work/found")" 16384
packets_agree

# IPv6, one by one.
python3 - >"$work/hitlist" <<-'END'
	import random
	draw = random.Random(4)
	for address in {draw.getrandbits(96) for _ in range(20000)}:
	    print(f"fd0a:{address >> 80:x}:{address >> 64 & 0xffff:x}::"
	        f"{address >> 16 & 0xffff:x}:{address & 0xffff:x}")
END
internet 'seed=4 open=0.1' "\"@$work/hitlist\""
python3 -c 'import ipaddress, sys
for line in sys.stdin: print(ipaddress.ip_address(line.strip()))' \
    <"$work/hitlist" | simnet filter | sort -u | wanted "1 in 10 of a hitlist"
packets_agree

# What is lost is lost in both directions, and it is the same each time.
lossy="seed=5 open=0.2 lost=0.05 slice=$slices"
internet "$lossy" '"10.5.0.0/16"'
open=$(simnet list 10.5.0.0/16 | wc -l)
share "found with 5 % loss each way" "$(wc -l <"$work/found")" "$open" 0.9025
share "SYNs lost" "$(there sim_lost_syn)" 65536 0.05
packets_agree
cp "$work/found" "$work/before"
internet "$lossy" '"10.5.0.0/16"'
wanted "the same once more" <"$work/before"
finish
