#!/usr/bin/env bash
# Every check of this project: style, types, unit and property tests, then the lab. Installs what is missing first.
# Needs root (for the lab) and, the first time, the network. Ends with the closing line of pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash lab/setup.sh
python=.venv/bin/python

step() {
    echo "== $1"
    shift
    "$@"
}

step 'style' "$python" -m ruff check
step 'format' "$python" -m ruff format --check
step 'types' "$python" -m mypy
step 'unit and property tests' "$python" -m pytest -q -m 'not lab' --ignore tests/emulator --allowed-skips tests/allowed-skips.txt
step 'emulator and script tests' "$python" -m pytest -q -m 'not lab' -n 2 --dist loadfile --allowed-skips tests/allowed-skips.txt tests/emulator
# Each file's tests stay together: they share labs, and one file waits out three minutes of silence beside the others.
step 'lab tests' "$python" -m pytest -q -m lab -n 2 --dist loadfile --allowed-skips tests/allowed-skips.txt
