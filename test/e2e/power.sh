#!/bin/bash
# The power fails at random moments of a sweep. Its store lies on an ext4 of
# its own, in an image of which XFS makes copies at one stroke (reflink): each
# is what a disk would hold then. It is mounted elsewhere, as after a reboot;
# it must be sound, and the sweep in it must go on to a balanced end.

LAB_SERVERS=none
export LAB_SERVERS
. "$(dirname "$0")/lib.sh"
enter_lab "$@"
. test/internet/lib.sh
SIM_BUILD=$BIN/internet
work=$LAB_DIR/work
copies=${POWER_COPIES:-3}
net=10.20.0.0/18
rate=2000
RANDOM=${POWER_SEED:-$$}
echo "POWER_SEED=${POWER_SEED:-$$}"

# A mount by `-o loop` lets go of its device when this namespace ends.
disks()
{
	truncate -s 600M "$work/disk.img"
	mkfs.xfs -q -m reflink=1 "$work/disk.img" &&
	    mkdir "$work/disk" "$work/now" "$work/later" &&
	    mount -o loop "$work/disk.img" "$work/disk" &&
	    truncate -s 96M "$work/disk/now.img" &&
	    mkfs.ext4 -q "$work/disk/now.img" &&
	    mount -o loop "$work/disk/now.img" "$work/now"
}

configure_for()
{
	internet_configure "$conf" "targets = { \"$net\" }" "rate = $rate" \
	    "store = $1/store" "control = $work/control" 'seed = 5' \
	    'map_size = 64M' 'probes = 1'
}

# copy N: what the disk holds at this moment
copy()
{
	cp --reflink=always "$work/disk/now.img" "$work/disk/$1.img"
}

pause()
{
	read -r -t "$1" <>/dev/zero || :
}

found()
{
	tool dump --silent | cut -d'"' -f4 | sort
}

# goes_on N: the machine is started again, with that copy for a disk
goes_on()
{
	local swept=0

	mount -o loop "$work/disk/$1.img" "$work/later" || {
		bad "copy $1 cannot be mounted"
		return
	}
	rm -rf "$work/account.json"
	configure_for "$work/later"
	if [ -e "$work/later/store/live/data.mdb" ]; then
		expect "copy $1 is sound" tool check
	fi
	sweep || swept=$?
	is "copy $1: exit status" "$swept" 0
	tool sweeps --json >"$work/account.json"
	is "copy $1: the account balances" "$(counted balanced)" True
	is "copy $1: targets sent" "$(counted settled.sent)" 16384
	found >"$work/found"
	expect "copy $1: who answers has a row, and nobody twice: $(wc -l \
	    <"$work/found"), incarnation $(counted incarnations)" \
	    cmp "$work/found" "$work/wanted"
	expect "copy $1 is sound at the end" tool check
	umount "$work/later"
	rm "$work/disk/$1.img"
}

expect "the simulated internet comes up" internet_up port=110 seed=4 \
    open=0.1 closed=0.1 greet=0.4 reset=0.1
expect "an ext4 in a file of an XFS" disks
simnet list "$net" | sort >"$work/wanted"

configure_for "$work/now"
"$BIN/mailsweepd" -1 -f "$conf" >>"$log" 2>&1 </dev/null &
daemon=$!
taken=0
for ((i = 1; i <= copies; i++)); do
	pause $((1 + RANDOM % 3)).$((RANDOM % 1000))
	kill -0 "$daemon" 2>/dev/null && copy "$i" && taken=$((taken + 1))
done
swept=0
wait "$daemon" || swept=$?
is "exit status without a power cut" "$swept" 0
found >"$work/found"
expect "and who answers is found" cmp "$work/found" "$work/wanted"
at_least "copies while it swept" "$taken" 2
umount "$work/now"
for ((i = 1; i <= taken; i++)); do
	goes_on "$i"
done
finish
