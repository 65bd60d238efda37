#!/bin/bash
# packet and dial in namespaces of the program's own: the handshake adopted and
# connected, IPv4 and IPv6, a megabyte each way. It makes its own network, so it
# needs no laboratory; unshare here only makes sure.

set -uo pipefail
cd "$(dirname "$0")/../.."

if [ "$(id -u)" -ne 0 ]; then
	echo 'namespaces need root, type: sudo test/e2e/adoption.sh' >&2
	exit 2
fi
program=${BIN:-build/release}/unit/adoption
if [ ! -x "$program" ]; then
	echo 'no test program, type: make units' >&2
	exit 2
fi
exec unshare --net --mount --ipc scripts/run-units "$program"
