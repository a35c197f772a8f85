#!/usr/bin/env bash
# The main job on real parts, in network namespaces of this machine: two sites behind NAT find each other again after one
# of them got a new public address.   bash lab/demo.sh [--json FILE]
# Needs bash, apt and root; installs what is missing (lab/setup.sh says what and how big). Leaves nothing running.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ "$(id -u)" != 0 ]; then
    echo 'demo: needs root, because it makes network namespaces. Try: sudo bash lab/demo.sh' >&2
    exit 1
fi
if ! unshare --net --mount true 2>/dev/null; then
    echo 'demo: this machine does not let even root make network namespaces (a container without CAP_SYS_ADMIN?).' >&2
    exit 1
fi

bash "$project/lab/setup.sh"
exec env PYTHONPATH="$project" "$project/.venv/bin/python" -m lab.demo "$@"
