# shellcheck shell=bash disable=SC2034,SC2154 # $cache and $here are from common.sh, $vmlinux and $initramfs for debian.sh
# Sourced by debian.sh: fetches Debian's kernel once, unpacks it, and makes an initramfs that mounts this machine's files.

modules="virtio_pci 9pnet_virtio 9p overlay virtio_console wireguard veth dummy tun bridge sch_netem
    nf_tables nft_chain_nat nft_masq nft_nat nft_redir nft_ct nft_log nft_reject_inet nft_limit
    nf_conntrack nf_nat nf_conntrack_netlink nfnetlink nfnetlink_log nfnetlink_queue"

# Sets $vmlinux and $initramfs.
prepare_kernel() {
    local tree=${VM_KERNEL:-} version recipe
    [ -n "$tree" ] || tree=$(newest_tree)
    if [ -z "$tree" ]; then
        fetch_kernel
        tree=$(newest_tree)
    fi
    version=$(basename "$(echo "$tree"/lib/modules/*)")
    recipe=$(cat "$here/debian-kernel.sh" "$here/debian-init" | sha256sum | cut -c 1-12)
    vmlinux=$cache/vmlinux-$version
    initramfs=$cache/initramfs-$version-$recipe
    if [ ! -s "$vmlinux" ]; then
        python3 "$here/vmlinux.py" "$tree/boot/vmlinuz-$version" "$vmlinux.new" || fail "no kernel in $tree/boot"
        mv "$vmlinux.new" "$vmlinux"
    fi
    [ -s "$initramfs" ] || pack_initramfs "$tree" "$version"
}

newest_tree() {
    local tree
    for tree in "$cache"/linux-image-*; do [ ! -d "$tree/boot" ] || echo "$tree"; done | sort -V | tail -1
}

fetch_kernel() {
    local package work
    update_lists
    package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p' | head -1)
    [ -n "$package" ] || fail "apt-cache knows no linux-image-amd64"
    echo "fetching Debian's $package (70 MB), once" >&2
    work=$(mktemp -d "$cache/fetch.XXXXXX")
    (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package" && dpkg -x ./*.deb tree) >"$cache/apt.log" 2>&1 ||
        fail "apt-get download $package failed (all of it: $cache/apt.log)"
    depmod -b "$work/tree" "${package#linux-image-}"
    mv "$work/tree" "$cache/$package"
    rm -rf "$work"
}

pack_initramfs() {
    local root file name
    root=$(mktemp -d)
    mkdir -p "$root"/{bin,modules,proc,sys,dev,lower,memory,root,control}
    cp /bin/busybox "$root/bin/busybox"
    cp "$here/debian-init" "$root/init"
    chmod +x "$root/init"
    # shellcheck disable=SC2086 # a list of words
    for name in $modules; do
        modprobe -d "$1" -S "$2" --show-depends "$name" || fail "Debian's kernel has no module $name"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
        name=$(basename "$file" .xz)
        case $file in *.xz) xz -dc "$file" >"$root/modules/$name" ;; *) cp "$file" "$root/modules/$name" ;; esac
        echo "$name" >>"$root/modules/order"
    done
    (cd "$root" && find . | cpio -o -H newc --quiet) >"$initramfs.new"
    mv "$initramfs.new" "$initramfs"
    rm -rf "$root"
}
