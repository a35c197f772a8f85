#!/usr/bin/env bash
# Installs, upgrades, removes and purges the package in a fresh Debian, and says what is left.   bash packaging/deb/try.sh [SUITE…]
# SUITE: bookworm, trixie (default: both). Needs root, debootstrap and a Debian mirror; takes some minutes. No service is started.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- bookworm trixie

[ "$(id -u)" = 0 ] || { echo 'try: needs root, because it makes a root file system. Try: sudo bash packaging/deb/try.sh' >&2; exit 1; }
command -v debootstrap >/dev/null || { echo 'try: debootstrap is missing. Install it: apt-get install debootstrap' >&2; exit 1; }

# Runs a command in the new system, silently unless it fails.
inside() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" \
        >"$work/log" 2>&1 </dev/null || { cat "$work/log" >&2; echo "try: failed in $suite: $*" >&2; exit 1; }
}

expect() {
    grep -qF -- "$1" "$work/log" || { cat "$work/log" >&2; echo "try: expected in $suite: $1" >&2; exit 1; }
}

leftovers() {
    (cd "$root" && find etc usr var ! -path 'var/lib/dpkg/*' ! -path 'var/cache/*' ! -path 'var/log/*' -name '*wgmqtt*')
}

deb=$(bash "$here/build.sh" "$work/old")
# The same program as a later version, to try an upgrade.
dpkg-deb -R "$deb" "$work/later"
sed -i 's/^Version: .*/Version: 0.1.1/' "$work/later/DEBIAN/control"
sed -i 's/^__version__ = .*/__version__ = "0.1.1"/' "$work/later/usr/lib/wgmqtt/wgmqtt/__init__.py"
dpkg-deb --root-owner-group --build "$work/later" "$work/later.deb" >/dev/null

for suite in "$@"; do
    root=$work/$suite
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" >"$work/log" 2>&1 ||
        { tail -5 "$work/log" >&2; echo "try: debootstrap failed for $suite" >&2; exit 1; }
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    cp "$deb" "$root/tmp/old.deb"
    cp "$work/later.deb" "$root/tmp/new.deb"
    inside apt-get install -qy --no-install-recommends /tmp/old.deb
    inside wgmqtt --version
    expect 'wgmqtt 0.1.0'
    inside cp /usr/share/doc/wgmqtt/examples/config.yaml /etc/wgmqtt/config.yaml
    inside wgmqtt gen-mosquitto
    inside wgmqtt check-config
    inside wgmqtt gen-rsc amsterdam
    expect '/iot/mqtt/subscriptions'
    inside bash -n /usr/share/bash-completion/completions/wgmqtt
    inside sed -i 's/=info/=debug/' /etc/default/wgmqtt
    inside dpkg -i /tmp/new.deb
    inside wgmqtt --version
    expect 'wgmqtt 0.1.1'
    inside grep -q '=debug' /etc/default/wgmqtt
    inside apt-get remove -qy wgmqtt
    [ -s "$root/etc/wgmqtt/config.yaml" ] || { echo "try: remove took the configuration in $suite" >&2; exit 1; }
    inside apt-get purge -qy wgmqtt
    left=$(leftovers)
    [ -z "$left" ] || { printf 'try: purge left in %s:\n%s\n' "$suite" "$left" >&2; exit 1; }
    echo "$suite: installed, configured, upgraded, removed, purged; nothing is left"
    rm -rf "$root"
done
