#!/bin/bash
# A newcomer's clone, in a home directory that nobody else may enter: `sudo
# make demo` as the first command, then a plain make, then Ctrl-C in the middle
# of the demo. What git has is tested, not what the tree has.

. "$(dirname "$0")/lib.sh"

uid=54321
home=$(mktemp -d /var/tmp/mailsweep-fresh.XXXXXX)
out=$home.out
trap 'rm -rf "$home" "$out"' EXIT
tree=$home/mailsweep
export LAB_ROOT=${LAB_ROOT:-$PWD/build/lab-root}
unset LAB_KEEP MAKEFLAGS MFLAGS MAKELEVEL

git -c safe.directory='*' clone --quiet --no-hardlinks . "$tree" || exit 2
chown -R "$uid:$uid" "$home"
chmod 0700 "$home"

# by_sudo CMD...: as root, as sudo would have it
by_sudo()
{
	env SUDO_UID=$uid SUDO_GID=$uid SUDO_USER=newcomer "$@"
}

as_newcomer()
{
	setpriv --reuid $uid --regid $uid --clear-groups "$@"
}

nothing_of_roots()
{
	[ -z "$(find "$tree" ! -uid $uid -print -quit)" ]
}

# ---- without root: one line that says what to type -----------------------------

for target in demo check; do
	status=0
	as_newcomer make --no-print-directory -C "$tree" "$target" \
	    >"$out" 2>&1 || status=$?
	is "make $target without root: exit status" "$status" 2
	is "make $target without root: lines" "$(wc -l <"$out")" 1
	said "make $target without root: what to type" \
	    "sudo make $target" "$out"
done

# ---- the demo, on a terminal ---------------------------------------------------

begin=$SECONDS
status=0
by_sudo script -qefc "make -C '$tree' --no-print-directory demo" "$out" \
    >/dev/null </dev/null || status=$?
is "sudo make demo: exit status" "$status" 0
sed -i 's/\r$//' "$out"
last=$(grep -v '^Script done' "$out" | grep . | tail -n 1)
if [[ $last =~ ^demo:\ ([0-9]+)\ of\ ([0-9]+)\ servers\ found,\ ([0-9]+)\ of\ ([0-9]+)\ verdicts\ right,\ account\ balanced$ ]]
then
	ok "its last line: $last"
	is "servers found" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	is "verdicts right" "${BASH_REMATCH[3]}" "${BASH_REMATCH[4]}"
	at_least "servers" "${BASH_REMATCH[2]}" 35
else
	bad "its last line: $last"
	tail -n 60 "$out"
fi
said "the progress line was drawn again and again" $'%.*\r.*%' "$out"
expect "nothing of root's is left in the tree" nothing_of_roots
expect "a plain make afterwards" as_newcomer make -C "$tree"
for file in build/demo/records.jsonl build/demo/store/catalog.mdb; do
	expect "$file is left" test -s "$tree/$file"
done
expect "show works on what is left" as_newcomer bash -c \
    'cd "$1" && ./mailsweep show -f build/demo/lab.conf 198.18.101.20' \
    sh "$tree"
echo "the build and the demo took $((SECONDS - begin)) s"

# ---- Ctrl-C --------------------------------------------------------------------

# A process group of its own gets the signal, as from a terminal; a shell
# without job control would have its children ignore it.
interrupted()
{
	by_sudo python3 - "$tree" "$out" <<-'END'
	import os, signal, subprocess, sys, time
	tree, out = sys.argv[1:3]
	with open(out, "wb") as log:
	    demo = subprocess.Popen(["make", "-C", tree, "demo"], stdout=log,
	                            stderr=log, start_new_session=True,
	                            preexec_fn=lambda: signal.signal(
	                                signal.SIGINT, signal.SIG_DFL))
	end = time.monotonic() + 120
	while b"%" not in open(out, "rb").read():
	    if demo.poll() is not None or time.monotonic() > end:
	        sys.exit("the sweep did not begin")
	    time.sleep(0.2)
	time.sleep(3)
	os.killpg(demo.pid, signal.SIGINT)
	try:
	    status = demo.wait(30)
	except subprocess.TimeoutExpired:
	    os.killpg(demo.pid, signal.SIGKILL)
	    sys.exit("it goes on after Ctrl-C")
	sys.exit(0 if status != 0 else "Ctrl-C is not an error")
	END
}

processes()
{
	pgrep -f "$tree/|mailsweepd -1 -f $tree" | wc -l
}

expect "Ctrl-C in the middle of the sweep" interrupted
is "processes left" "$(processes)" 0
is "namespaces' links left" "$(ip -o link show scan0 2>/dev/null | wc -l)" 0
is "rules left" "$(nft list ruleset 2>/dev/null | grep -c mailsweep)" 0
expect "nothing of root's is left in the tree" nothing_of_roots
finish
