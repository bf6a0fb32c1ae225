#!/usr/bin/env bash
# Runs the first guest, with a folder of its own for all that the hypervisor writes.
#
# Usage: demo.sh VIRHAI GUEST_DIR
#
# Nothing of it needs root: root hands over to an ordinary user, so that what is shown is what any
# user gets, and so that QEMU can reach the guest wherever the checkout is.
set -euo pipefail

virhai=$1 guest=$2
script=$(dirname "$0")/../scripts/first_guest.rhai
state=$(mktemp -d /tmp/virhai-demo.XXXXXX)
trap 'rm -rf "$state"' EXIT

mkdir "$state/guest" "$state/scripts"
cp "$virhai" "$state/virhai"
cp "$script" "$state/scripts/"
[[ ! -d $guest ]] || cp "$guest"/{vmlinuz,initramfs.gz} "$state/guest/"
chmod -R a+rX "$state"

run=()
if [[ $(id -u) == 0 ]]; then
    chown -R nobody "$state"
    # The group that may use KVM, where there is one.
    groups=--clear-groups
    [[ $(stat -c %G /dev/kvm 2>/dev/null) != kvm ]] || groups=--groups=kvm
    run=(setpriv "--reuid=nobody" "--regid=$(id -g nobody)" "$groups" --)
fi
env HOME="$state" "${run[@]}" "$state/virhai" --allow-embed "$state/host" \
    run "$state/scripts/first_guest.rhai" "$state/guest" "$state/host"
