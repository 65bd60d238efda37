#!/bin/bash
# The same sweep by plain connect(2).

exec "$(dirname "$0")/sweep.sh" connect
