# shellcheck shell=bash disable=SC2034 # what the programs that source this use
# Sourced by uml.sh and debian.sh: the cache, Debian packages, and how a command goes into a guest and its status comes back.
#
# A guest sees $control, a directory of this run, at the same path: env and cmd go in; boot, console and rc come out.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/wgmqtt
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
mkdir -p "$cache"

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 125
}

# need PACKAGE...: installs what is missing.
need() {
    local package missing=()
    for package; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || fail "these Debian packages are missing, and only root can install them: ${missing[*]}"
    echo "installing from Debian: ${missing[*]}" >&2
    know_packages
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" >"$cache/apt.log" 2>&1 </dev/null ||
        { tail -5 "$cache/apt.log" >&2; fail "apt-get install failed (all of it: $cache/apt.log)"; }
}

# Fetches apt's lists once a run: old ones name packages that are gone.
know_packages() {
    [ -z "${lists_are_new:-}" ] || return 0
    [ "$(id -u)" != 0 ] || apt-get update -q >"$cache/apt.log" 2>&1 || fail "apt-get update failed (all of it: $cache/apt.log)"
    lists_are_new=yes
}

# alone NAME FUNCTION: runs it while nobody else holds that name's lock; two runs would build the same thing.
alone() {
    exec 9>"$cache/$1.lock"
    flock 9
    "$2"
    exec 9>&-
}

# prepare_guest COMMAND...: makes $control, with the command and this shell's environment.
prepare_guest() {
    control=$(mktemp -d -t wgmqtt-vm.XXXXXX)
    trap 'rm -rf "$control"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    out=${VM_OUT:-}
    [ -z "$out" ] || { mkdir -p "$out" && out=$(realpath "$out"); }
    {
        export -p | grep -vE '^declare -x (PWD|OLDPWD|SHLVL|_|VM_OUT)(=|$)' | sed 's/^declare -x/export/'
        printf 'control=%q out=%q cwd=%q\n' "$control" "$out" "$PWD"
        # shellcheck disable=SC2016 # the guest expands it
        [ -z "$out" ] || echo 'export VM_OUT=$out'
    } >"$control/env"
    printf '%q ' "$@" >"$control/cmd"
    # One CPU of the host for the guest: its threads hand over to each other all the time.
    on_one_cpu=(taskset -c "${VM_CPU:-$((RANDOM % $(nproc)))}")
    in_time=(setpriv --pdeathsig TERM timeout --foreground -k 5 "${VM_TIMEOUT:-600}")
}

# finish_guest STATUS: exits as the command did; 124: out of time; 125: the guest died.
finish_guest() {
    [ -z "${VM_LOG:-}" ] || cat "$control/console" >&2
    [ ! -s "$control/rc" ] || exit "$(cat "$control/rc")"
    tail -20 "$control/console" >&2 2>/dev/null
    if [ "$1" = 124 ]; then exit 124; fi
    exit 125
}
