#!/bin/bash
# The rights of each process while a sweep runs, and what becomes of a probe
# that breaks the rules: it dies, a new one takes its place, and the sweep
# still completes with every verdict right. Needs the build with test hooks.

export LAB_SERVERS=dovecot-good,postfix-good,dovecot-plain
. "$(dirname "$0")/lib.sh"
enter_lab "$@"
HOOKS=build/release-hooks

configure 'rate = 100' 'probes = 2'

# ---- what each process may do ------------------------------------------------

"$BIN/mailsweepd" -1 -f "$conf" >>"$log" 2>&1 </dev/null &
daemon=$!

children()
{
	pgrep -P "$daemon" -f -- '--role'
}

# status PID NAME: a line of its /proc/PID/status
status_of()
{
	awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"
}

all_confined()
{
	local pid n=0

	for pid in $(children); do
		[ "$(status_of "$pid" Seccomp)" = 2 ] && n=$((n + 1))
	done
	[ "$n" -eq 6 ]
}

end=$((SECONDS + 10))
until all_confined || [ "$SECONDS" -ge "$end" ]; do
	read -r -t 0.1 <>/dev/zero || :
done

declare -A uids
for pid in $(children); do
	role=$(tr '\0' ' ' <"/proc/$pid/cmdline" |
	    sed -n 's/.*--role \([a-z]*\).*/\1/p')
	case $role in
	probe)	name=ms-probe-[01] ;;
	*)	name=ms-$role ;;
	esac
	# shellcheck disable=SC2254
	case $(<"/proc/$pid/comm") in
	$name)	ok "$role: ps and top show it as $name" ;;
	*)	bad "$role: its name is $(<"/proc/$pid/comm")" ;;
	esac
	is "$role: seccomp" "$(status_of "$pid" Seccomp)" 2
	is "$role: no new privileges" "$(status_of "$pid" NoNewPrivs)" 1
	case $role in
	dial)	cap=0000000000001000 ;;	# CAP_NET_ADMIN
	*)	cap=0000000000000000 ;;
	esac
	is "$role: effective rights" "$(status_of "$pid" CapEff)" "$cap"
	is "$role: permitted rights" "$(status_of "$pid" CapPrm)" "$cap"
	is "$role: inheritable rights" "$(status_of "$pid" CapInh)" \
	    0000000000000000
	is "$role: further groups" \
	    "$(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$pid/status")" ''
	uid=$(status_of "$pid" Uid)
	expect "$role: an uid of its own, $uid" [ "$uid" -gt 0 ]
	uids[$role]=$uid
	if [ "$role" = probe ]; then
		is "probe: its root is empty" "$(ls -A "/proc/$pid/root/")" ''
		is "probe: its root is not the system's" \
		    "$([ "/proc/$pid/root/" -ef / ] && echo same)" ''
	fi
done
is "roles with processes" "${#uids[@]}" 5
is "uids that the roles share: store with others" \
    "$(printf '%s\n' "${uids[@]}" | grep -cx "${uids[store]:-none}")" 1
is "uids that the roles share: probe with others" \
    "$(printf '%s\n' "${uids[@]}" | grep -cx "${uids[probe]:-none}")" 1
kill -TERM "$daemon"
wait "$daemon"
is "exit status after SIGTERM" $? 0
is "processes left" "$(pgrep -fc '(^|/)(mailsweepd|nft) ')" 0
is "nft rules left" "$(nft list ruleset | grep -c .)" 0

# ---- a probe that breaks a rule ----------------------------------------------

expect "the product lacks the hook" bash -c '
	! grep -aq MAILSWEEP_HOOK "$1" && ! nm -a "$1" | grep sandbox_hook' \
    sh "$BIN/mailsweepd"
expect "the build with hooks has it" \
    grep -aq MAILSWEEP_HOOK "$HOOKS/mailsweepd"

for rule in socket open exec; do
	rm -rf "$LAB_DIR/store" "$LAB_DIR/work/account.json"
	log=$LAB_DIR/logs/mailsweepd-$rule.log
	# Times that let a lost conversation be retried soon.
	configure 'probes = 1' 'greeting = 3s' 'greeting_smtp = 3s' \
	    'conversation = 4s' 'reply = 2s' 'answer_window = 1s' \
	    'retry_pause = 1s' 'limit_pause = 1s'
	swept=0
	BIN=$HOOKS MAILSWEEP_HOOK=probe:$rule@4 sweep || swept=$?
	is "$rule: exit status of the sweep" "$swept" 0
	said "$rule: the hook was used" "test hook: $rule" "$log"
	is "$rule: calls that were allowed" "$(grep -c 'was allowed' "$log")" 0
	said "$rule: the log names the call" "probe.*(SIGSYS|system call)" "$log"
	is "$rule: the account balances" "$(counted balanced)" True
	[ "$swept" -eq 0 ] || { cat "$log"; tool sweeps -v; }
	expect "$rule: every verdict" judge
done
finish
