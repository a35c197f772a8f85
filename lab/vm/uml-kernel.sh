# shellcheck shell=bash disable=SC2034,SC2154 # $cache and $here are from common.sh, $kernel is for uml.sh
# Sourced by uml.sh: builds a user-mode kernel from the newest linux-source of Debian, once (6 to 10 minutes on two cores).

# Sets $kernel.
build_kernel() {
    local version work
    kernel=$(newest "$cache"/uml-[0-9]*)
    [ -z "$kernel" ] || return 0
    update_lists
    version=$(apt-cache search --names-only '^linux-source-[0-9.]*$' | awk '{print $1}' | sort -V | tail -1)
    [ -n "$version" ] || fail "apt-cache finds no linux-source"
    need "$version" gcc make flex bison bc libc6-dev libelf-dev xz-utils
    work=$(mktemp -d "$cache/build.XXXXXX")
    echo "building user-mode Linux from $version, once (6 to 10 minutes): $work/build.log" >&2
    if ! compile "$version" "$work" >"$work/build.log" 2>&1; then
        tail -20 "$work/build.log" >&2
        fail "the kernel was not built (all of it: $work/build.log)"
    fi
    kernel=$cache/uml-${version#linux-source-}
    mv "$work/out/linux" "$kernel"
    rm -rf "$work"
}

compile() (
    set -e
    cd "$2"
    mkdir source out
    tar -C source --strip-components=1 -xf "/usr/src/$1.tar.xz"
    cd out
    make -s -C ../source ARCH=um O="$PWD" x86_64_defconfig
    cp .config base.config
    ../source/scripts/kconfig/merge_config.sh -m -O . base.config "$here/uml.config"
    make -s ARCH=um olddefconfig
    grep -qx CONFIG_WIREGUARD=y .config
    nice make ARCH=um -j"$(nproc)" linux
    strip linux
)

newest() {
    local file
    for file; do [ ! -x "$file" ] || echo "$file"; done | sort -V | tail -1
}
