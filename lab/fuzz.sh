#!/usr/bin/env bash
# Send hostile tables to the emitted script on a router in memory: lab/fuzz.sh [SECONDS] [--seed N]. Needs no root.
# Prints the count at the end, or stops with status 1 at the first table that does harm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=.venv/bin/python
[ -x "$python" ] || python=python3
exec "$python" -m lab.fuzz.runner "$@"
