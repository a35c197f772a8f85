#!/usr/bin/env bash
# Installs what the demo, the benchmarks and the tests need: Debian packages, and .venv in the project's root from PyPI.
# If nothing is missing, it takes a second. Needs root only if a Debian package is missing.
# No service on this machine is started, restarted or enabled.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$project/.venv
new_venv=$project/.venv.new-$$
log=$(mktemp)
policy=/usr/sbin/policy-rc.d
policy_is_ours=
masked=()

packages=(
    wireguard-tools wireguard-go # WireGuard: wg(8), and a device where the kernel has none
    mosquitto                    # the broker
    nftables conntrack           # the NAT boxes
    openssl                      # a certificate for the broker, in one test
    chromium                     # the status page is tested in it
    prometheus                   # promtool, which checks the metrics and the alerts
    iproute2 iputils-ping # namespaces and addresses, ping
    python3 python3-venv
    python3-yaml                 # what the Debian package depends on
)

clean_up() {
    rm -rf "$log" "$new_venv"
    [ -z "$policy_is_ours" ] || rm -f "$policy"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

# Runs a command silently; if it fails, shows its whole output.
quietly() {
    "$@" >"$log" 2>&1 </dev/null && return
    printf 'setup: this failed: %s\n' "$*" >&2
    cat "$log" >&2
    exit 1
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

apt() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -q --no-install-recommends -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@"
}

# Fetches the package lists. apt-get waits for the lock on packages, but not for the one on lists, which apt-daily.service often
# holds on a machine that has just started.
update_lists() {
    local tries=200
    echo 'setup: fetching the lists of Debian packages'
    until LC_ALL=C apt update >"$log" 2>&1 </dev/null; do
        if ! grep -q 'Could not get lock' "$log" || [ $((tries -= 1)) = 0 ]; then
            cat "$log" >&2
            fail 'apt-get update failed, see above'
        fi
        sleep 3
    done
    sed -n 's/^Fetched \(.*\) in .*/setup:   \1 fetched/p' "$log"
}

# Sets `missing`.
find_missing() {
    missing=()
    local package
    for package in "${packages[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
}

# Installation scripts of services ask this program whether they may start the service; 101 means no.
forbid_starting_services() {
    if [ ! -e "$policy" ]; then
        policy_is_ours=yes
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    # Their units stay masked: the lab starts a mosquitto of its own and uses promtool alone, so this machine runs neither service.
    local service
    for service in mosquitto prometheus; do
        if [[ " ${missing[*]} " == *" $service "* && ! -e /etc/systemd/system/$service.service ]]; then
            masked+=("$service")
            mkdir -p /etc/systemd/system
            ln -sf /dev/null "/etc/systemd/system/$service.service"
            echo "setup: $service.service is masked, so that it does not start (undo: systemctl unmask $service)"
        fi
    done
}

install_packages() {
    find_missing
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "needs apt-get (Debian 12), or install by hand: ${missing[*]}"
    [ "$(id -u)" = 0 ] || fail "these Debian packages are missing, and only root can install them: ${missing[*]}"
    if ! apt install --simulate "${missing[@]}" >/dev/null 2>&1; then
        update_lists
    fi
    echo "setup: installing from Debian: ${missing[*]}"
    # `--assume-no` prints the sizes and then stops with a status other than 0.
    LC_ALL=C apt install --assume-no "${missing[@]}" 2>&1 | sed -n 's/^\(Need to get\|After this operation\)/setup:   &/p' || true
    forbid_starting_services
    if ! apt install -y "${missing[@]}" >"$log" 2>&1 </dev/null; then
        # Old package lists name packages that no longer exist.
        update_lists
        quietly apt install -y "${missing[@]}"
    fi
    # The packages have enabled their services for the next boot all the same.
    local service
    for service in "${masked[@]}"; do
        rm -f "/etc/systemd/system/multi-user.target.wants/$service.service"
        quietly update-rc.d "$service" disable
    done
}

stamp() {
    { sha256sum <"$project/pyproject.toml"; echo "$project"; python3 --version; } | sha256sum | cut -d ' ' -f 1
}

# Debian's pip does not know dependency groups (PEP 735), so they are read here.
development_packages() {
    python3 -c 'import sys, tomllib
print("\n".join(tomllib.load(open(sys.argv[1], "rb"))["dependency-groups"]["dev"]))' "$project/pyproject.toml"
}

make_venv() {
    local wanted development
    wanted=$(stamp)
    [ "$(cat "$venv/stamp" 2>/dev/null)" != "$wanted" ] || return 0
    mapfile -t development < <(development_packages)
    echo "setup: making .venv from PyPI: wgmqtt's own dependencies, ${development[*]} (about 32 MB to fetch, 150 MB on disk)"
    rm -rf "$project"/.venv.new-*
    quietly python3 -m venv "$new_venv"
    quietly "$new_venv/bin/python" -m pip install --disable-pip-version-check -e "$project" "${development[@]}"
    # The scripts in bin contain the path at which they were created.
    grep -rlIF "$new_venv" "$new_venv/bin" "$new_venv/pyvenv.cfg" | xargs -r sed -i "s|$new_venv|$venv|g"
    echo "$wanted" >"$new_venv/stamp"
    rm -rf "$venv"
    mv "$new_venv" "$venv"
}

install_packages
make_venv
