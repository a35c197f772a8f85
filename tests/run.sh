#!/usr/bin/env bash
# Runs all checks of this project: style, types, unit and property tests, and the lab tests. Installs what is missing first.
# Needs root for the lab, and the network the first time. Stops at the first step that fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash lab/setup.sh
python=.venv/bin/python

step() {
    echo "== $1"
    shift
    "$@"
}

check() {
    step "$1" "$python" -m pytest -q --allowed-skips tests/allowed-skips.txt -m "${@:2}"
}

step 'style' "$python" -m ruff check
step 'format' "$python" -m ruff format --check
step 'types' "$python" -m mypy
check 'unit tests' 'not lab and not hypothesis and not process' --ignore tests/emulator --ignore tests/routeros -n 2
check 'property tests, and what starts processes' 'not lab and (hypothesis or process)' --ignore tests/emulator --ignore tests/routeros -n 2
check 'emulator and script tests' 'not lab' -n 2 --dist loadfile tests/emulator tests/routeros
# Each file's tests stay together, because they share labs. Most wait most of the time, so three run at once; the test with
# three minutes of silence starts first.
check 'lab tests' 'lab' -n 3 --dist loadfile --no-loadscope-reorder
