#!/usr/bin/env bash
# debian.sh COMMAND...  runs COMMAND as root on Debian's own kernel in qemu, without KVM: slow, but the kernel that hubs run.
#
# The guest's root is this machine's /, read-only under an overlay in memory; only files under $VM_OUT survive, at the same path.
# Standard output and error come back as one stream; the exit status is COMMAND's (124: timeout; 125: the guest died).
# Starts in 3 to 6 seconds; Python is 15 to 25 times slower. The first run fetches the kernel's package (70 MB) without installing
# it, and installs qemu and tools to make an initramfs.
#
# VM_KERNEL=DIR     an unpacked linux-image-*-amd64 (the generic one: the cloud kernel has no 9p)
# VM_OUT=DIR        where the guest may write
# VM_CPU=N          the CPU of the host to run on
# VM_MEM=1024       MiB
# VM_TIMEOUT=600    seconds
# VM_LOG=1          show the kernel's log on standard error
# VM_APPEND=...     further arguments for the kernel
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$(realpath "$0")")/common.sh"
# shellcheck source-path=SCRIPTDIR source=debian-kernel.sh
. "$here/debian-kernel.sh"
[ $# -gt 0 ] || { sed -n '2,/^set/s/^#\( \|$\)//p' "$0"; exit 2; }

need qemu-system-x86 busybox-static kmod cpio xz-utils zstd
alone debian prepare_kernel
prepare_guest "$@"
share() { # share DIRECTORY TAG OPTIONS: prints qemu's arguments for sharing a directory with the guest
    printf '%s\n' -fsdev "local,id=$2,path=$1,security_model=none$3" -device "virtio-9p-pci,fsdev=$2,mount_tag=$2"
}
mapfile -t shares < <(
    share / root ,readonly=on,multidevs=remap
    share "$control" control ""
    [ -z "$out" ] || share "$out" out ""
)
# Nehalem: enough for Debian's programs, and cheap for qemu to translate. The kernel is uncompressed: to unpack it would take seconds.
"${on_one_cpu[@]}" "${in_time[@]}" qemu-system-x86_64 -M q35 -accel tcg,tb-size=512 -cpu Nehalem -m "${VM_MEM:-1024}" \
    -nodefaults -no-user-config -display none -no-reboot -nic none -kernel "$vmlinux" -initrd "$initramfs" \
    -append "console=ttyS0 quiet ${VM_LOG:+loglevel=7} panic=-1 mitigations=off nokaslr random.trust_cpu=on no_timer_check \
tsc=reliable ${VM_APPEND:-}" -serial "file:$control/console" "${shares[@]}" \
    -device virtio-serial-pci -chardev file,id=c,path=/dev/stdout,append=on -device virtserialport,chardev=c </dev/null | cat
finish_guest "${PIPESTATUS[0]}"
