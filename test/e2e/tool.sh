#!/bin/bash
# What comes out of the store of one sweep: the feeds, read with python3's csv
# module, and every command of mailsweep under valgrind.

. "$(dirname "$0")/lib.sh"
enter_lab "$@"

configure
swept=0
sweep || swept=$?
is "exit status of mailsweepd -1" "$swept" 0
expect "every verdict, with the default limits" judge
is "the account balances" "$(counted balanced)" True

# ---- the feeds ---------------------------------------------------------------

feeds=$LAB_DIR/work/feeds
mkdir "$feeds"
expect "mailsweep feed" tool feed -o "$feeds"
verdicts_of test/e2e/feeds.py "$feeds" "$LAB_DIR/servers.tsv" \
    "$LAB_DIR/geo.csv"
verdicts_of test/e2e/feed_cells.py "$feeds" "$LAB_DIR/work/dump.jsonl" \
    "$LAB_DIR/certs"
is "unfinished files" "$(find "$feeds" ! -name '*.csv' -type f | wc -l)" 0
mkdir "$feeds.one"
expect "one recipient's" tool feed -o "$feeds.one" --recipient cert_de
expect "they are the same" bash -c '
	cd "$1" && ls *cert_de* >/dev/null && [ -z "$(ls | grep -v cert_de)" ] &&
	for f in *; do cmp "$f" "$2/$f" || exit 1; done' \
    sh "$feeds.one" "$feeds"

# ---- valgrind ------------------------------------------------------------------

# clean STATUS COMMAND [OPTION...]: no error, no leak, and that exit status
clean()
{
	local wanted=$1 command=$2 status=0

	shift 2
	valgrind --quiet --error-exitcode=99 --leak-check=full \
	    --errors-for-leak-kinds=definite,indirect,possible \
	    "$BIN/mailsweep" "$command" -f "$conf" "$@" \
	    >"$LAB_DIR/work/valgrind" 2>&1 || status=$?
	if [ "$status" -eq "$wanted" ]; then
		ok "valgrind: $command $*"
	else
		bad "valgrind: $command $*: status $status, not $wanted"
		tail -n 20 "$LAB_DIR/work/valgrind"
	fi
}

clean 0 sweeps
clean 0 sweeps -v
clean 0 sweeps --json
clean 0 show 198.18.101.20
clean 0 show 198.18.203.41:995
clean 0 show 'fd00:198:18::10'
clean 4 show 198.18.0.1
clean 0 dump
clean 0 dump --silent --transcript
clean 0 dump --port 110 --country DE
clean 0 dump --finding no_tls
clean 0 stats
clean 0 stats --json
mkdir "$feeds.valgrind"
clean 0 feed -o "$feeds.valgrind"
clean 2 dump --finding nonsense
for command in status sweeps show dump stats feed; do
	clean 0 "$command" --help
done
finish
