#!/bin/bash
# A stateful firewall on the scanner's own host: without the README's rules
# nothing is heard and the daemon says why; with them all is well.

LAB_SERVERS=dovecot-good,dovecot-plain,dovecot-selfsigned,dovecot-expired
LAB_SERVERS+=,dovecot-tls13,dovecot-cleartext
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"

nft -f - <<'END'
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept
		meta l4proto { icmp, ipv6-icmp } accept
		ct state established,related accept
	}
	chain output {
		type filter hook output priority filter; policy accept;
		ct state invalid drop
	}
}
END
# ... that takes up no connection in the middle.
sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0

configure 'per_host = 16' 'reply = 12s' 'handshake = 12s' \
    'server_hello = 12s' 'conversation = 13s' 'retries = 0' \
    'source_ports = "40000-47999"'
sweep
tool dump >"$LAB_DIR/work/dump.jsonl"
is "dialogs behind the firewall" \
    "$(grep -c '"outcome": *"completed"' "$LAB_DIR/work/dump.jsonl")" 0
said "the daemon says why" "firewall on this host" "$log"

# The rules as the README has them, for this address.
rules=$(sed -n 's/^ *\(nft insert rule .*\)/\1/p' README.md |
    sed "s/192\.0\.2\.10/$LAB_SRC4/")
is "rules in the README" "$(grep -c . <<<"$rules")" 2
while read -r rule; do
	expect "$rule" bash -c "$rule"
done <<<"$rules"
rm -rf "$LAB_DIR/store" "$LAB_DIR/work/account.json"
# Other ports: the servers still hold what the firewall kept from ending.
configure 'source_ports = "48000-56383"'
swept=0
sweep || swept=$?
is "exit status with the rules" "$swept" 0
expect "every verdict" judge
finish
