#!/usr/bin/env bash
# Attacks on the product, bounded in count and time, in network namespaces of this machine.   bash lab/attacks.sh [NAME…]
# Needs bash, apt and root; installs what is missing (lab/setup.sh says what and how big). Leaves nothing running.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ "$(id -u)" != 0 ]; then
    echo 'attacks: needs root, because it makes network namespaces. Try: sudo bash lab/attacks.sh' >&2
    exit 1
fi

bash "$project/lab/setup.sh"
exec env PYTHONPATH="$project" "$project/.venv/bin/python" -m lab.attacks "$@"
