/* test_status.c: `mailsweep status`, with a daemon and without. */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/unit/run_help.h"
#include "test/unit/tool_help.h"

static void
test_status_without_daemon(void **state)
{
	(void)state;
	free(run_sample(&command_status, "", TOOL_ERROR));
}

/* A daemon that answers each call with the next of these lines. */
static pid_t
daemon_start(const char *const *answers, unsigned n)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	assert_true(fd >= 0);
	snprintf(at.sun_path, sizeof at.sun_path, "%s/control", sample_datadir);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	pid = fork();
	assert_true(pid >= 0);
	for (unsigned i = 0; pid == 0 && i < n; i++) {
		char request[16] = { 0 };
		int call = accept(fd, NULL, NULL);

		if (call < 0 || read(call, request, sizeof request - 1) < 0 ||
		    strcmp(request, "status\n") != 0 ||
		    write(call, answers[i], strlen(answers[i])) < 0)
			_exit(1);
		close(call);
	}
	if (pid == 0)
		_exit(0);
	close(fd);
	return pid;
}

static void
daemon_end(pid_t pid)
{
	char path[128];
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	snprintf(path, sizeof path, "%s/control", sample_datadir);
	assert_int_equal(unlink(path), 0);
}

static void
test_status(void **state)
{
	static const char *const answers[] = {
		"{\"state\":\"sweeping\",\"done\":1,\"total\":4}\n",
		"{\"state\":\"sweeping\",\"done\":2,\"total\":4}\n",
		"not json\n",
		"{\"state\":\"sweeping\",\"done\":3,\"total\":4}\n",
		"{\"state\":\"over\",\"done\":4,\"total\":4}\n",
	};
	pid_t pid = daemon_start(answers, 5);
	char *text = run_sample(&command_status, "", TOOL_OK);

	(void)state;
	has(text, "1 of 4  25.0%");
	assert_int_equal(lines_of(text), 1);
	free(text);
	text = run_sample(&command_status, "--json", TOOL_OK);
	assert_string_equal(
	    text, "{\"state\":\"sweeping\",\"done\":2,\"total\":4}\n");
	free(text);
	free(run_sample(&command_status, "", TOOL_ERROR));
	text = run_sample(&command_status, "--watch", TOOL_OK);
	has(text, "3 of 4  75.0%");
	has(text, "over: 4 of 4  100.0%");
	assert_int_equal(lines_of(text), 2);
	free(text);
	daemon_end(pid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_without_daemon),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests_name(
	    "status", tests, sample_setup, sample_teardown);
}
