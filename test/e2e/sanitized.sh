#!/bin/bash
# A whole sweep of the laboratory under ASan and UBSan, with the same filters.

export BIN=build/sanitize
export ASAN_OPTIONS=abort_on_error=0:exitcode=99:detect_leaks=0
export UBSAN_OPTIONS=print_stacktrace=1
exec "$(dirname "$0")/sweep.sh" adopt
