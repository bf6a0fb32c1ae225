#!/usr/bin/env bash
# Builds the tiny Linux guest into OUTDIR: vmlinuz, initramfs.gz, and initramfs-agent.gz, in which
# the guest has QEMU's guest agent as well.
#
# Everything comes from packages of the distribution, which are downloaded and unpacked, never
# installed; no root is needed. Does nothing when OUTDIR has the guest and this folder is unchanged.
set -euo pipefail

# Those that the kernel has built in, or does not have, are passed over.
modules=(
    button evdev                            # the power button
    virtio_pci virtio_blk virtio_net virtio_balloon virtio_console
    virtio_scsi sd_mod sr_mod ata_piix ahci isofs  # disks and CD drives
    af_packet                               # DHCP
)
agent_modules=(crc32c_generic ext4)         # a file system that can be frozen

fail() {
    echo "cannot build the tiny guest: $1" >&2
    exit 1
}

# Downloads the packages named and unpacks them into $work/root.
unpack() {
    (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$@") || return
    for deb in "$work"/*.deb; do
        dpkg-deb -x "$deb" "$work/root"
        rm "$deb"
    done
}

# The package's direct dependencies whose names begin with $2.
dependencies() {
    apt-cache depends "$1" 2>/dev/null | sed -n "s/^  Depends: \($2\)/\1/p"
}

unpack_kernel() {
    local image
    image=$( (dependencies linux-image-cloud-amd64 'linux-image-[0-9]'   # Debian
              dependencies linux-image-virtual 'linux-image-[0-9]') | head -n 1)  # Ubuntu
    [[ $image ]] || return
    mapfile -t parts < <(dependencies "$image" 'linux-modules-[0-9]')
    unpack "$image" "${parts[@]}"
}

# Package lists of our own, for a system whose lists are missing or older than its archive.
refresh_package_lists() {
    mkdir -p "$work/apt/lists/partial"
    cat >"$work/apt.conf" <<END
Dir::State "$work/apt";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$work/apt";
END
    export APT_CONFIG=$work/apt.conf
    apt-get -qq update
}

# An installed busybox serves if it is linked statically. Otherwise the package is only unpacked:
# installing it would remove an ordinary busybox.
find_busybox() {
    if ! busybox=$(command -v busybox) || [[ $(readelf -l "$busybox") == *INTERP* ]]; then
        unpack busybox-static || return
        busybox=$(find "$work/root" -path '*/bin/busybox' -type f)
    fi
}

# Its libraries are those of its packages, or for what these need in turn those of this system.
find_agent() {
    mapfile -t parts < <(dependencies qemu-guest-agent lib)
    unpack qemu-guest-agent "${parts[@]}" || return
    agent=$(find "$work/root" -path '*/sbin/qemu-ga' -type f)
}

find_parts() {
    unpack_kernel && find_busybox && find_agent
}

# Adds a module to $tree and to its load order, after the modules that it depends on.
declare -A module_files added
add_module() {
    local name=$1 file=${module_files[$1]:-} target=$tree/lib/modules/$1.ko
    [[ $file && ! ${added[$name]:-} ]] || return 0
    added[$name]=yes
    case $file in
    *.xz) xz -dc "$file" ;;
    *.zst) zstd -qdc "$file" ;;
    *.gz) gzip -dc "$file" ;;
    *) cat "$file" ;;
    esac >"$target"
    local needed
    for needed in $(tr '\0' '\n' <"$target" | sed -n 's/^depends=//p' | tr ',-' ' _'); do
        add_module "$needed"
    done
    echo "$name.ko" >>"$tree/lib/modules/$order"
}

# Adds the libraries that a program needs to $tree, and what starts it.
add_libraries() {
    local needed file
    for needed in $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
        [[ ! -e $tree/lib/$needed ]] || continue
        file=$(find "$work/root" -name "$needed" | head -n 1)
        [[ $file ]] || file=$(ldconfig -p | sed -n "s|^\t$needed (.*) => ||p" | head -n 1)
        [[ $file ]] || fail "found no library $needed"
        cp -L "$file" "$tree/lib/$needed"
        add_libraries "$tree/lib/$needed"
    done
}

# Packs $tree.
pack() {
    (cd "$tree" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R +0:+0) | gzip -9n
}

[[ $# -eq 1 ]] || fail "usage: $0 OUTDIR"
mkdir -p "$1"
out=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"

inputs=$(cat build.sh init power-button lease agent/* | sha256sum)
exec 9>"$out/.lock"
flock 9
if [[ -e $out/vmlinuz && -e $out/initramfs-agent.gz && $inputs == "$(cat "$out/.inputs" 2>/dev/null)" ]]; then
    exit
fi

for program in apt-get dpkg-deb readelf cpio gzip xz zstd; do
    command -v "$program" >/dev/null || fail "\`$program\` is missing"
done
work=$(mktemp -d "$out/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "building the tiny guest in $out"

find_parts || { refresh_package_lists && find_parts; } || fail "found no packages of a kernel, a busybox and QEMU's guest agent"
kernel=$(find "$work/root/boot" -name 'vmlinuz-*')
[[ -f $kernel ]] || fail "the package has no kernel"
while read -r file; do
    name=${file##*/}
    name=${name%%.*}
    module_files[${name//-/_}]=$file
done < <(find "$work/root" -name '*.ko' -o -name '*.ko.*')

tree=$work/initramfs order=order
mkdir -p "$tree"/{bin,dev,proc,sys,var/run,lib/modules,etc/acpi/PWRF}
for module in "${modules[@]}"; do
    add_module "$module"
done
cp "$busybox" "$tree/bin/busybox"
for applet in $("$busybox" --list); do
    [[ $applet == busybox ]] || ln -s busybox "$tree/bin/$applet"
done
install init lease "$tree/"
install power-button "$tree/etc/acpi/PWRF/00000080"
pack >"$work/initramfs.gz"

# What the kernel finds behind the first archive it unpacks over it.
tree=$work/agent order=order-agent
mkdir -p "$tree"/{sbin,lib/modules,etc,root,tmp,mnt,var/run}
for module in "${agent_modules[@]}"; do
    add_module "$module"
done
touch "$tree/lib/modules/order-agent"
install "$agent" agent/chpasswd agent/cloud-init agent/shutdown "$tree/sbin/"
install agent/start "$tree/start-agent"
ln -s /bin/busybox "$tree/sbin/hwclock"  # where the agent looks for it
install -m 644 agent/passwd agent/group agent/shadow "$tree/etc/"
loader=$(readelf -l "$agent" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
add_libraries "$agent"
mkdir -p "$tree/$(dirname "$loader")"
cp -L "$tree/lib/$(basename "$loader")" "$tree/$loader" 2>/dev/null || cp -L "$loader" "$tree/$loader"
pack | cat "$work/initramfs.gz" - >"$work/initramfs-agent.gz"

chmod a+r "$kernel"
mv "$kernel" "$out/vmlinuz"
mv "$work"/initramfs{,-agent}.gz "$out/"
echo "$inputs" >"$out/.inputs"
