#!/usr/bin/env bash
# uml.sh COMMAND...  runs COMMAND as root on user-mode Linux, a real kernel with WireGuard that needs neither root nor KVM.
#
# The guest's root is this machine's /, read-only under an overlay in memory; only files under $VM_OUT survive, at the same path.
# Standard output and error come back as one stream; the exit status is COMMAND's (124: timeout; 125: the guest died).
# Starts in about a second; Python runs at native speed, on one CPU. The first run builds the kernel (uml-kernel.sh).
#
# UML=FILE          an existing user-mode kernel
# VM_OUT=DIR        where the guest may write
# VM_CPU=N          the CPU of the host to run on
# VM_MEM=1024       MiB
# VM_TIMEOUT=600    seconds
# VM_LOG=1          show the kernel's log on standard error
# VM_APPEND=...     further arguments for the kernel; with time-travel, sleeping takes no time (good for timers, not for timing)
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$(realpath "$0")")/common.sh"
[ $# -gt 0 ] || { sed -n '2,/^set/s/^#\( \|$\)//p' "$0"; exit 2; }

kernel=${UML:-}
if [ -z "$kernel" ]; then
    # shellcheck source-path=SCRIPTDIR source=uml-kernel.sh
    . "$here/uml-kernel.sh"
    alone uml build_kernel
fi
[ -x "$kernel" ] || fail "UML=$kernel: not a program"

prepare_guest "$@"
# The first process in the guest. The guest's root is this machine's, so it is found at the same path.
cat >"$control/init" <<'INIT'
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/env"
mount -t proc p /proc
mount -t tmpfs t /mnt && cd /mnt && mkdir upper work root || echo o >/proc/sysrq-trigger
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work o root || echo o >/proc/sysrq-trigger
read -r up _ </proc/uptime
cd root
mount -t proc p proc; mount -t sysfs s sys; mount -t devtmpfs d dev; mkdir -p dev/pts dev/shm
mount -t devpts d dev/pts; mount -t tmpfs t dev/shm; mount -t tmpfs t run; mkdir -p run/netns run/wireguard
ln -s /proc/self/fd dev/fd; ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr
[ -e dev/net/tun ] || { mkdir -p dev/net; mknod dev/net/tun c 10 200; }
mount -t hostfs h ".$control" -o "$control"
[ -z "$out" ] || mount -t hostfs h ".$out" -o "$out"
ip link set lo up; hostname uml; stty raw -echo <dev/ttyS0; echo "boot $up" >".$control/boot"
chroot . /bin/bash -c ". $control/env; cd \"\$cwd\"; unset control out cwd; . $control/cmd" >dev/ttyS0 2>&1 </dev/null
status=$?
read -r up _ </proc/uptime
echo "end $up" >>".$control/boot"; echo $status >".$control/rc"
stty -F dev/ttyS0 sane 2>/dev/null; sync; echo o >/proc/sysrq-trigger; sleep 9
INIT
chmod +x "$control/init"
# shellcheck disable=SC2086 # VM_APPEND is several words
"${on_one_cpu[@]}" "${in_time[@]}" "$kernel" "mem=${VM_MEM:-1024}M" rootfstype=hostfs rootflags=/ ro init="$control/init" \
    uml_dir="$control" con=null con0=null,fd:1 ssl=null ssl0=null,fd:3 quiet seccomp=on ${VM_LOG:+loglevel=7} ${VM_APPEND:-} \
    3>&1 >"$control/console" 2>&1 </dev/null | cat
finish_guest "${PIPESTATUS[0]}"
