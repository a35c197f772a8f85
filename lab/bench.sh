#!/usr/bin/env bash
# Measures the product in the lab.   bash lab/bench.sh [NAME…] [--quick] [--json FILE]
# Needs bash, apt and root; installs what is missing (lab/setup.sh says what and how big). Leaves nothing running.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ "$(id -u)" != 0 ]; then
    echo 'bench: needs root, because it makes network namespaces. Try: sudo bash lab/bench.sh' >&2
    exit 1
fi

bash "$project/lab/setup.sh"
exec env PYTHONPATH="$project" "$project/.venv/bin/python" -m lab.bench "$@"
