/* nights_help.c: sweeps of a few targets, begun, seen and sealed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "storage/begin.h"
#include "storage/seal.h"
#include "test/unit/nights_help.h"
#include "test/unit/store_help.h"

struct night night;

int
night_set_up(void **state)
{
	(void)state;
	help_directory(night.dir);
	help_args(&night.args, &night.conf);
	return 0;
}

int
night_tear_down(void **state)
{
	(void)state;
	help_args_free(&night.args);
	help_remove(night.dir);
	return 0;
}

void
night_begins(void)
{
	night.live =
	    sweep_begin(&night.args, night.dir, &night.info, night.error);
	if (night.live == NULL)
		fail_msg("%s", night.error);
	live_begin(night.live);
	night.rows = 0;
}

void
night_saw(const char *addr, enum outcome outcome, uint32_t findings)
{
	struct target t = help_target(addr, 110);
	struct head h = help_head(&t, outcome, findings, night.args.now_us + 5);

	night.rows += live_put_row(night.live, &h, (const uint8_t *)"body", 4);
}

void
night_silent(const char *addr)
{
	struct target t = help_target(addr, 110);

	night.rows += live_put_silent(night.live, &t, 9);
}

/* All was sent, and each row that is there was new. */
void
night_ends(uint32_t days_later)
{
	struct ledger ledger = { .begin = 0 };
	uint64_t *e = ledger.events, sent = night.info.account.index_total - 4;

	night.info.sweep.position[0] = ledger.settled =
	    night.info.account.index_total;
	night.info.sweep.counted[0][SEND_EXCLUDED] = e[STAT_SEND_EXCLUDED_N] =
	    4;
	night.info.sweep.counted[0][SEND_SENT] = e[STAT_SEND_SENT_N] = sent;
	e[STAT_SEND_PASSED] = night.info.account.index_total;
	e[STAT_STORE_RECEIVED] = e[STAT_STORE_NEW] = night.rows;
	live_put_info(night.live, &night.info, &ledger);
	assert_int_equal(live_commit(night.live), LIVE_DONE);
	live_close(night.live);
	if (seal(&night.args, night.dir, night.args.now_us + 60000000, 0,
		&night.info, night.error) != 0)
		fail_msg("%s", night.error);
	night.args.now_us += days_later * DAY_US;
}
