#!/usr/bin/env bash
# Installs what is missing for a purpose: ./setup.sh demo|test|bench|ci [--dry-run]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Ordinary users have neither in their PATH: libvirtd, and what https://rustup.rs installed just now.
PATH=$HOME/.cargo/bin:$PATH:/usr/sbin:/sbin

# How a need is found (a program, a pkg-config file, a Python module or a path; `|` between places
# where distributions have it), and the package that meets it on Debian and Ubuntu, on Fedora and on Arch.
needs() {
    cat <<'END'
build       gcc         gcc              gcc               gcc
build       as          binutils         binutils          binutils
build       /usr/include/stdio.h  libc6-dev  glibc-devel  glibc
build       make        make             make              make
build       pkg-config  pkg-config       pkgconf           pkgconf
build       libvirt.pc  libvirt-dev      libvirt-devel     libvirt
build       /etc/ssl/certs/ca-*.crt  ca-certificates  ca-certificates  ca-certificates
hypervisor  libvirtd    libvirt-daemon   libvirt-daemon    libvirt
hypervisor  /usr/lib*/libvirt/connection-driver/libvirt_driver_qemu.so  libvirt-daemon-driver-qemu  libvirt-daemon-driver-qemu  libvirt
hypervisor  /usr/lib*/libvirt/connection-driver/libvirt_driver_storage.so  libvirt-daemon-driver-storage  libvirt-daemon-driver-storage-core  libvirt
tests       /usr/lib*/libvirt/connection-driver/libvirt_driver_network.so  libvirt-daemon-driver-network  libvirt-daemon-driver-network  libvirt
tests       /usr/lib*/libvirt/connection-driver/libvirt_driver_interface.so  libvirt-daemon-driver-interface  libvirt-daemon-driver-interface  libvirt
tests       /usr/lib*/libvirt/connection-driver/libvirt_driver_secret.so  libvirt-daemon-driver-secret  libvirt-daemon-driver-secret  libvirt
tests       /usr/lib*/libvirt/connection-driver/libvirt_driver_nwfilter.so  libvirt-daemon-driver-nwfilter  libvirt-daemon-driver-nwfilter  libvirt
tests       xorriso     xorriso          xorriso           libisoburn
tests       /usr/lib/ISOLINUX/isolinux.bin  isolinux  syslinux-nonlinux  syslinux
tests       /usr/lib/syslinux/modules/bios/ldlinux.c32  syslinux-common  syslinux-nonlinux  syslinux
tests       dnsmasq     dnsmasq-base     dnsmasq           dnsmasq
tests       /usr/share/qemu/firmware/*.json  ovmf  edk2-ovmf  edk2-ovmf
tests       iptables    iptables         iptables-nft      iptables
tests       ip          iproute2         iproute           iproute2
tests       e2fsck      e2fsprogs        e2fsprogs         e2fsprogs
tests       /usr/lib/ipxe/qemu/*.rom|/usr/share/qemu/pxe-virtio.rom  ipxe-qemu  ipxe-roms-qemu  ipxe
hypervisor  qemu-system-x86_64  qemu-system-x86  qemu-system-x86  qemu-system-x86
hypervisor  qemu-img    qemu-utils       qemu-img          qemu-img
guests      python3     python3          python3           python
guests      cpio        cpio             cpio              cpio
guests      xz          xz-utils         xz                xz
guests      zstd        zstd             zstd              zstd
guests      flock       util-linux       util-linux-core   util-linux
tests       virsh       libvirt-clients  libvirt-client    libvirt
tests       ssh         openssh-client   openssh-clients   openssh
tests       openssl     openssl          openssl           openssl
tests       saslpasswd2  sasl2-bin       cyrus-sasl        cyrus-sasl
tests       /usr/lib*/sasl2/libdigestmd5.so*  libsasl2-modules  cyrus-sasl-md5  cyrus-sasl
tests       setpriv     util-linux       util-linux        util-linux
bench       libvirt.py  python3-libvirt  python3-libvirt   libvirt-python
bench       lxml.py     python3-lxml     python3-lxml      python-lxml
sshd        sshd        openssh-server   openssh-server    openssh
lint        shellcheck  shellcheck       ShellCheck        shellcheck
browser     chromium    chromium         chromium          chromium
END
}

purpose=${1:-}
dry_run=${2:-}
# Nothing of the user's is removed to make place.
apt_options=(-y --no-install-recommends --no-remove)

main() {
    local groups
    case $purpose in
    demo) groups='build guests' ;;
    test) groups='build guests hypervisor tests' ;;
    bench) groups='build guests hypervisor tests bench' ;;
    # Not for tests on a machine of the user's: the package has a server listen on port 22.
    ci) groups='build guests hypervisor tests sshd lint browser' ;;
    *) fail "usage: ./setup.sh demo|test|bench|ci [--dry-run]" ;;
    esac
    [[ -z $dry_run || $dry_run == --dry-run ]] || fail "unknown option \`$dry_run\`"

    # The demo can do without a hypervisor: libvirt's test driver is part of the library.
    local required hypervisor=''
    required=$(missing "$groups" debian)
    [[ $purpose != demo ]] || hypervisor=$(missing hypervisor debian)

    if [[ $required || $hypervisor ]]; then
        if command -v apt-get >/dev/null; then
            install_all "$required" "$hypervisor"
        else
            echo "virhai knows only apt. Please install, for \`$purpose\`:"
            echo "  on Fedora: $(missing "$groups ${hypervisor:+hypervisor}" fedora)"
            echo "  on Arch: $(missing "$groups ${hypervisor:+hypervisor}" arch)"
            echo "  elsewhere, what is called on Debian: $required $hypervisor"
            [[ -z $required ]] || exit 1
        fi
    fi
    add_users
    ensure_rust
    warn_without_init
}

fail() {
    echo "$1" >&2
    exit 1
}

# Prints the packages, as the system $2 calls them, that the groups $1 still need.
missing() {
    local group check debian fedora arch
    while read -r group check debian fedora arch; do
        if [[ " $1 " == *" $group "* ]] && ! found "$check"; then
            case $2 in
            debian) echo "$debian" ;;
            fedora) echo "$fedora" ;;
            arch) echo "$arch" ;;
            esac
        fi
    done < <(needs) | sort -u | paste -sd ' '
}

found() {
    case $1 in
    *'|'*) found "${1%%|*}" || found "${1#*|}" ;;
    *.pc) pkg-config --exists "${1%.pc}" 2>/dev/null ;;
    # Not the first python3 in the PATH: the distribution's package serves its own one only.
    *.py) /usr/bin/python3 -c "import ${1%.py}" 2>/dev/null ;;
    # Some distributions have a folder for the architecture in between.
    /*) compgen -G "$1" >/dev/null || compgen -G "${1/lib\*/lib/*}" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

install_all() {
    local required hypervisor
    read -ra required <<<"$1"
    read -ra hypervisor <<<"$2"

    if [[ $dry_run ]]; then
        dry_run "${required[@]}" "${hypervisor[@]}"
        return
    fi
    echo "virhai installs for \`$purpose\`: $1 $2"
    need_root "$1 $2"
    as_root apt-get update -qq || fail "cannot update the package lists"
    if resolve "${required[@]}" "${hypervisor[@]}"; then
        install "${required[@]}" "${hypervisor[@]}"
    elif [[ $2 ]] && resolve "${required[@]}"; then
        echo "no package of QEMU can be installed; going on with libvirt's test driver alone"
        install "${required[@]}"
    else
        fail "apt cannot install them; \`apt-get install $1 $2\` tells why"
    fi
}

dry_run() {
    if simulate "$@"; then
        echo "would install: $*"
    else
        echo "would update the package lists, add backports if need be, and install: $*"
    fi
}

need_root() {
    [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null || return 0
    fail "this takes root, and there is no sudo; run as root: apt-get update && apt-get install --no-install-recommends $1"
}

as_root() {
    if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

simulate() {
    local suite=() packages
    [[ ${1-} != -t ]] || { suite=(-t "$2") && shift 2; }
    readarray -t packages < <(archived "$@")
    [[ ${#packages[@]} -eq 0 ]] || apt-get -s install "${apt_options[@]}" "${suite[@]}" "${packages[@]}" >/dev/null 2>&1
}

install() {
    local packages
    readarray -t packages < <(archived "$@")
    [[ ${#packages[@]} -eq 0 ]] || as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install "${apt_options[@]}" "${packages[@]}"
}

# The packages, without those drivers of libvirt that are in the daemon's own: Ubuntu 24.04 and
# Debian 12 have no packages for them.
archived() {
    local package
    for package in "$@"; do
        [[ $package == libvirt-daemon-driver-* && ! $(archived_version "$package") ]] || echo "$package"
    done
}

# Finds the suite that the packages can be installed from and leaves it in apt_options.
#
# Where the machine already has a part of libvirt or QEMU from backports, the other parts can come
# only from there.
resolve() {
    local suite sources
    ! simulate "$@" || return 0
    suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)-backports
    sources=/etc/apt/sources.list.d/virhai-$suite.sources
    if ! apt-cache policy | grep "n=$suite," >/dev/null; then
        grep -q '^ID=debian$' /etc/os-release || return
        echo "virhai adds $suite to apt's sources, in $sources: the packages do not fit together without"
        as_root tee "$sources" >/dev/null <<END
Types: deb
URIs: http://deb.debian.org/debian
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
        as_root apt-get update -qq || true
    fi
    if simulate -t "$suite" "$@"; then
        apt_options+=(-t "$suite")
        echo "virhai takes the packages from $suite"
    else
        as_root rm -f "$sources"
        return 1
    fi
}

ensure_rust() {
    local needed found
    needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(cargo_version)
    ! at_least "$needed" "$found" || return 0

    if [[ $dry_run ]]; then
        echo "would see to Rust $needed or newer"
        return
    elif [[ $found ]]; then
        fail "Rust $needed or newer is needed, this is $found: run \`rustup update\`, or install it from https://rustup.rs"
    fi
    if at_least "$needed" "$(archived_version cargo)"; then
        install_all "cargo rustfmt rust-clippy" ""
    elif command -v rustup >/dev/null || [[ $(archived_version rustup) ]]; then
        command -v rustup >/dev/null || install_all rustup ""
        echo "virhai lets rustup install Rust for $(id -un)"
        rustup default stable || true
    fi
    at_least "$needed" "$(cargo_version)" ||
        fail "Rust $needed or newer is needed: install it from https://rustup.rs, then run this again"
}

# As root, libvirt opens QEMU only where the user exists to whom it would give it, and starts a network
# only where the one of dnsmasq does. On Debian 12 and Ubuntu 24.04 only the package
# libvirt-daemon-system adds these users, and it starts services too. This adds the same users; an
# ordinary user's virhai needs none.
add_users() {
    [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null && command -v libvirtd >/dev/null || return 0
    if ! getent passwd libvirt-qemu >/dev/null; then
        getent group kvm >/dev/null || [[ $dry_run ]] || groupadd --system kvm
        add_user libvirt-qemu 'Libvirt Qemu' /var/lib/libvirt --gid kvm --uid 64055
        [[ $dry_run ]] || getent group libvirt-qemu >/dev/null || groupadd --system --gid 64055 libvirt-qemu
        [[ $dry_run ]] || usermod --append --groups libvirt-qemu libvirt-qemu
    fi
    if [[ $purpose != demo ]] && ! getent passwd libvirt-dnsmasq >/dev/null; then
        add_user libvirt-dnsmasq 'Libvirt Dnsmasq' /var/lib/libvirt/dnsmasq --user-group
    fi
}

# Adds the system user $1 with the comment $2 and the home $3; further arguments are useradd's.
add_user() {
    if [[ $dry_run ]]; then
        echo "would add the user $1, which libvirt needs as root"
        return
    fi
    echo "virhai adds the user $1, which libvirt needs as root"
    useradd --system --comment "$2" --home-dir "$3" --no-create-home --shell /usr/sbin/nologin "${@:4}" "$1"
}

# libvirt waits 20 s for each QEMU that it asked what it can do, until process 1 has reaped it. In a
# container whose first program is no init, nobody does.
warn_without_init() {
    local orphan try
    [[ ! $dry_run ]] || return 0
    orphan=$(true & echo $!)
    for ((try = 0; try < 100; try++)); do
        [[ -e /proc/$orphan ]] || return 0
        sleep 0.1
    done
    echo "warning: process 1 does not reap other processes, so starts of guests take minutes and tests fail; start the container with an init (docker run --init)"
}

cargo_version() {
    cargo --version 2>/dev/null | cut -d ' ' -f 2 || true
}

# The version that apt would install, if it knows the package.
archived_version() {
    apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9].*\)/\1/p'
}

at_least() {
    [[ $2 ]] && printf '%s\n' "$1" "$2" | sort -CV
}

main "$@"
