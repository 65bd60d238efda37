#!/bin/bash
# What a machine denies: nft, a store that can be written, descriptors, memory;
# and a second daemon on the same store.

LAB_SERVERS=none
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"
. test/internet/lib.sh
SIM_BUILD=$BIN/internet
work=$LAB_DIR/work
net=10.20.0.0/18

until_so()
{
	local what=$1 end=$((SECONDS + 20))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { bad "$what"; return 1; }
		read -r -t 0.05 <>/dev/zero || :
	done
	ok "$what"
}

processes()
{
	pgrep -f '(^|/)(mailsweepd|nft) '
}

# configure_for STORE [OPTION...]
configure_for()
{
	local store=$1

	shift
	rm -f "$work/account.json"
	internet_configure "$conf" "targets = { \"$net\" }" 'rate = 4000' \
	    "store = $store" "control = $work/control" 'seed = 5' \
	    'map_size = 64M' "$@"
}

# fails WHAT PATTERN [CMD...]: the daemon does not start, and says why
fails()
{
	local what=$1 pattern=$2 status=0

	shift 2
	timeout 20 "$@" "$BIN/mailsweepd" -1 -f "$conf" >"$work/said" 2>&1 \
	    </dev/null || status=$?
	is "$what: exit status" "$status" 1
	said "$what: it says why" "$pattern" "$work/said"
	is "$what: processes left" "$(processes | wc -l)" 0
}

# swept WHAT: the sweep has ended and found who answers
swept()
{
	tool sweeps --json >"$work/account.json"
	is "$1: the account balances" "$(counted balanced)" True
	is "$1: targets sent" "$(counted settled.sent)" 16384
	tool dump --silent | cut -d'"' -f4 | sort >"$work/found"
	expect "$1: who answers has a row, and nobody twice" \
	    cmp "$work/found" "$work/wanted"
	expect "$1: the store is sound" tool check
}

expect "the simulated internet comes up" internet_up port=110 seed=4 \
    open=0.1 closed=0.1 greet=0.4 reset=0.1
simnet list "$net" | sort >"$work/wanted"

# ---- nft is missing

configure_for "$work/store"
nft=$(command -v nft)
: >"$work/none"
mount --bind "$work/none" "$nft"
fails "no nft" 'nft: .*follow = connect does without'
umount "$nft"
is "no nft: no sweep has begun" "$(ls "$work/store/live" 2>/dev/null | wc -l)" 0

# ---- a store that cannot be written, from the start

mkdir "$work/locked"
mount -t tmpfs -o ro none "$work/locked"
configure_for "$work/locked"
fails "read-only" 'Read-only file system'
configure_for "$work/locked/store"
fails "read-only, and not there" 'Read-only file system'
umount "$work/locked"

# ---- ... and in the middle: the kernel finds its disk damaged

truncate -s 96M "$work/disk.img"
mkfs.ext4 -q -e remount-ro "$work/disk.img"
mkdir "$work/disk"
mount -o loop,errors=remount-ro "$work/disk.img" "$work/disk"
loop=$(findmnt -no SOURCE "$work/disk")
configure_for "$work/disk/store"
"$BIN/mailsweepd" -1 -f "$conf" >"$work/said" 2>&1 </dev/null &
daemon=$!
until_so "a part of it is on the disk" \
    eval '[ "$(tool dump --silent --sweep live 2>/dev/null | wc -l)" -gt 50 ]'
echo 1 >"/sys/fs/ext4/${loop##*/}/trigger_fs_error"
status=0
wait "$daemon" || status=$?
is "read-only in the middle: exit status" "$status" 1
said "read-only in the middle: it says why" \
    'Read-only file system|Input/output error' "$work/said"
is "read-only in the middle: processes left" "$(processes | wc -l)" 0
umount "$work/disk"
e2fsck -p "$work/disk.img" >/dev/null 2>&1 || :
mount -o loop "$work/disk.img" "$work/disk"

# ---- two daemons on it; few descriptors; a store that has to grow

configure_for "$work/disk/store" 'map_size = 1M'
prlimit --nofile=700:700 setpriv --bounding-set -sys_resource \
    "$BIN/mailsweepd" -1 -f "$conf" >>"$log" 2>&1 </dev/null &
daemon=$!
until_so "it goes on" [ -S "$work/control" ]
fails_second()
{
	local status=0

	"$BIN/mailsweepd" -1 -f "$conf" >"$work/said" 2>&1 || status=$?
	is "a second daemon: exit status" "$status" 1
	said "a second daemon: it says why" 'another mailsweepd uses it' \
	    "$work/said"
}
fails_second
status=0
wait "$daemon" || status=$?
is "with 700 descriptors: exit status" "$status" 0
swept "with 700 descriptors"
is "incarnations" "$(counted incarnations)" 2

# ---- memory: the kernel kills who wants more than there is

mkdir "$work/groups"
limit=memory.limit_in_bytes
mount -t cgroup -o memory none "$work/groups" 2>/dev/null || {
	limit=memory.max
	mount -t cgroup2 none "$work/groups"
	echo +memory 2>/dev/null >"$work/groups/cgroup.subtree_control"
}
group=$work/groups/mailsweep-test
limit=$group/$limit

rmdir "$group" 2>/dev/null || :
expect "a memory cgroup" mkdir "$group"
[ ! -e "$group/memory.swappiness" ] || echo 0 >"$group/memory.swappiness"
trap 'rmdir "$group"' EXIT
configure_for "$work/disk/second" 'map_size = 64M'
echo 12M >"$limit"
status=0
timeout 60 bash -c 'echo $$ >"$1/cgroup.procs"; exec "$2" -1 -f "$3"' bash \
    "$group" "$BIN/mailsweepd" "$conf" >"$work/said" 2>&1 </dev/null ||
    status=$?
expect "memory is short: it ended, with $status" \
    [ "$status" -ne 0 -a "$status" -ne 124 ]
said "memory is short: the kernel killed some" "ended .signal 9." "$work/said"
until_so "memory is short: no process is left" eval '[ -z "$(processes)" ]'
is "memory is short: no rule is left" "$(nft list ruleset | grep -c .)" 0
status=0
sweep || status=$?
is "memory is there again: exit status" "$status" 0
swept "memory is there again"
finish
