# shellcheck shell=bash disable=SC2034 # variables for the programs that source this file
# Sourced by uml.sh and debian.sh: the cache, Debian packages, passing a command to a guest and its status back.
#
# A guest sees $control, a directory of this run, at the same path. It reads env and cmd, and writes boot, console and rc.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/wgmqtt
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
mkdir -p "$cache"

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 125
}

# need PACKAGE...: installs the Debian packages that are missing.
need() {
    local package missing=()
    for package; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || fail "these Debian packages are missing, and only root can install them: ${missing[*]}"
    echo "installing from Debian: ${missing[*]}" >&2
    update_lists
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" >"$cache/apt.log" 2>&1 </dev/null ||
        { tail -5 "$cache/apt.log" >&2; fail "apt-get install failed (all of it: $cache/apt.log)"; }
}

# Updates apt's lists, once per run: outdated lists name packages that no longer exist.
update_lists() {
    [ -z "${lists_are_current:-}" ] || return 0
    [ "$(id -u)" != 0 ] || apt-get update -q >"$cache/apt.log" 2>&1 || fail "apt-get update failed (all of it: $cache/apt.log)"
    lists_are_current=yes
}

# alone NAME FUNCTION: runs the function while holding a lock, so that two runs do not build the same thing.
alone() {
    exec 9>"$cache/$1.lock"
    flock 9
    "$2"
    exec 9>&-
}

# prepare_guest COMMAND...: creates $control, with the command and this shell's environment.
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
    # The guest runs on one CPU of the host, because its threads hand over to each other all the time.
    on_one_cpu=(taskset -c "${VM_CPU:-$((RANDOM % $(nproc)))}")
    in_time=(setpriv --pdeathsig TERM timeout --foreground -k 5 "${VM_TIMEOUT:-600}")
}

# finish_guest STATUS: exits with the command's status; 124: timeout; 125: the guest died.
finish_guest() {
    [ -z "${VM_LOG:-}" ] || cat "$control/console" >&2
    [ ! -s "$control/rc" ] || exit "$(cat "$control/rc")"
    tail -20 "$control/console" >&2 2>/dev/null
    if [ "$1" = 124 ]; then exit 124; fi
    exit 125
}
