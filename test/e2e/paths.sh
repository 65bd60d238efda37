#!/bin/bash
# One sweep by each way to send: every verdict right, every SYN counted by the
# device, and the daemon says which way it was.

LAB_SERVERS=dovecot-good,dovecot-plain,postfix-good
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"

# Only where the other end of the veth polls does it take live frames.
configure 'tx = "live"'
swept=0
sweep || swept=$?
is "exit status by live frames that vanish" "$swept" 1
said "the daemon says why" "no way to send: Operation not supported" "$log"
$LAB_TARGET ethtool -K net0 gro on

for path in live xdp libnet packet; do
	rm -rf "$LAB_DIR/store" "$LAB_DIR/work/account.json"
	configure "tx = \"$path\"" 'rate = 20000' 'greeting_smtp = 5s' \
	    'greeting = 5s' 'canary = off' 'hello_after_silence = off'
	before=$(seen syn_in)
	swept=0
	sweep || swept=$?
	is "exit status by $path" "$swept" 0
	said "the log says it" "sender 0 sends by $path" "$log"
	is "SYNs counted on the other side" \
	    "$(($(seen syn_in) - before))" "$(counted events.syn_packets)"
	expect "every verdict by $path" judge
done

# Two SYNs a target: as many frames again, nobody followed or counted twice.
rm -rf "$LAB_DIR/store" "$LAB_DIR/work/account.json"
configure 'rate = 2000' 'syn_probes = 2' 'probe_gap = 1s' \
    'greeting_smtp = 5s' 'greeting = 5s' 'canary = off' \
    'hello_after_silence = off'
before=$(seen syn_in)
swept=0
sweep || swept=$?
is "exit status with two SYNs" "$swept" 0
is "SYNs counted on the other side" "$(($(seen syn_in) - before))" \
    "$(counted events.syn_packets)"
is "second SYNs" "$(counted events.seconds_sent)" "$(counted events.sent)"
is "answers to both" "$(counted events.answered_both)" \
    "$(counted events.answered_first)"
expect "every verdict with two SYNs" judge
finish
