#!/usr/bin/env bash
# Runs the first guest, with a folder of its own for all that the hypervisor writes.
#
# Usage: demo.sh VIRHAI GUEST_DIR
#
# Nothing of it needs root.
set -euo pipefail

virhai=$1 guest=$2
script=$(dirname "$0")/../scripts/first_guest.rhai
state=$(mktemp -d /tmp/virhai-demo.XXXXXX)
trap 'rm -rf "$state"' EXIT

# libvirt gives a guest's files to the user who runs it: a copy leaves the checkout's alone.
mkdir "$state/guest"
[[ ! -d $guest ]] || cp "$guest"/{vmlinuz,initramfs.gz} "$state/guest/"

env HOME="$state" "$virhai" --allow-embed "$state/host" \
    run "$script" --guest "$state/guest" --state "$state/host"
