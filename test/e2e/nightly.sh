#!/bin/bash
# scripts/nightly: the feeds of a sweep by mail, through Exim into mailboxes
# that are looked at, and by rsync.

. "$(dirname "$0")/lib.sh"
LAB_SERVERS=${LAB_SERVERS:-dovecot-plain,dovecot-good,postfix-plain}
export LAB_SERVERS
enter_lab "$@"

work=$LAB_DIR/work
box=$work/box
feeds=$work/feeds
chmod 755 "$work"
mkdir "$box" "$feeds"
chmod 777 "$box"

# Whose mailbox is which: what Exim looks up it trusts in a file's name.
sed -n 's/.*contact = "\(\([^@]*\)@.*\)"/\2: \1/p' test/lab/lab.conf \
    >"$work/accounts"

# A mail server of our own that delivers locally, one mailbox an address.
exim_conf=$LAB_DIR/etc/nightly.conf
cat >"$exim_conf" <<-END
	primary_hostname = mx.lab.test
	spool_directory = $LAB_DIR/run/nightly
	log_file_path = $LAB_DIR/run/nightly/%slog
	keep_environment =
	qualify_domain = lab.test
	message_size_limit = 50M
	begin routers
	all:
	  driver = accept
	  local_parts = lsearch;$work/accounts
	  transport = boxes
	begin transports
	boxes:
	  driver = appendfile
	  file = $box/\$local_part_data
	  user = Debian-exim
	  group = Debian-exim
	  return_path_add
	  envelope_to_add
END
mkdir "$LAB_DIR/run/nightly"
chmod 777 "$LAB_DIR/run/nightly"
# The mail servers are in the target's file system alone.
sendmail="nsenter -t $LAB_TARGET_PID -n -m -- /usr/sbin/exim4 -C $exim_conf -odf"

configure
sed -i 's/^recipient cert_de {/&\n\tzip = true/' "$conf"
swept=0
sweep || swept=$?
is "exit status of mailsweepd -1" "$swept" 0

nightly()
{
	scripts/nightly -f "$conf" -o "$feeds" --mailsweep "$BIN/mailsweep" \
	    "$@" >"$work/nightly.log" 2>&1
}

expect "it mails" nightly --from scans@lab.test --sendmail "$sendmail"
verdicts_of test/e2e/nightly.py "$box" "$feeds" "$conf"
said "a summary" '^nightly: [1-9][0-9]* delivered, 0 not, 0 had been' \
    "$work/nightly.log"
before=$(cat "$box"/* | cksum)
expect "the same again" nightly --from scans@lab.test --sendmail "$sendmail"
said "delivers nothing" '^nightly: 0 delivered, 0 not, [1-9]' \
    "$work/nightly.log"
is "no mailbox has changed" "$(cat "$box"/* | cksum)" "$before"

# ---- rsync -------------------------------------------------------------------

mkdir "$work/there"
expect "rsync" nightly --rsync "$work/there"
for file in "$work"/feeds/*-all-all.csv; do
	name=${file##*/}
	expect "there: $name" cmp "$file" "$work/there/all/$name"
	expect "and its text" cmp "${file%.csv}.txt" \
	    "$work/there/all/${name%.csv}.txt"
done
is "nobody else's files" \
    "$(find "$work/there/all" -type f ! -name '*-all-all.*' | wc -l)" 0

# ---- what goes wrong ---------------------------------------------------------

scripts/nightly --help >"$work/nightly.log"
is "an option is explained once" \
    "$(grep -c -- --max-size "$work/nightly.log")" 1

status=0
nightly --rsync /proc/nowhere || status=$?
is "no such place: status" "$status" 1
said "and it is said" 'NOT delivered to /proc/nowhere: rsync: status' \
    "$work/nightly.log"
sed -i 's/contact = "research@lab.test"/contact = "https:\/\/lab.test\/"/' "$conf"
status=0
nightly --from scans@lab.test --sendmail "$sendmail" || status=$?
is "a contact that is no mail address: status" "$status" 1
said "and it is said" 'all: .*NOT delivered .*is no mail address' \
    "$work/nightly.log"
finish
