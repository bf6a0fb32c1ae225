#!/usr/bin/env python3
"""Builds the micro guests into OUTDIR; needs `as` and `ld.bfd` for x86.

A kind becomes a disk image (.img), a bootable CD (.iso), a PXE program (.nbp) and a Linux kernel
(.kernel). Beside them are `initrd.bin`, for the kernels, and `blank.img`, for the installer.
"""

import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

KINDS = [
    "hello", "reboot", "poweroff", "counter", "echo", "panic",
    "installer", "hang", "triplefault", "hammer", "rtc",
]
SOURCE = Path(__file__).resolve().parent / "mg.S"
DISK_SIZE = 1 << 20
CD_SECTOR = 2048


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} OUTDIR")
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for name, content in guests(Path(work)):
            replace(out / name, content)


def guests(work):
    """Yields the name and the content of every file."""
    yield "initrd.bin", b"initrd" * 100
    yield "blank.img", bytes(DISK_SIZE)

    # What the installer writes to the disk.
    (work / "payload.bin").write_bytes(assemble("counter", work))
    for kind in KINDS:
        program = assemble(kind, work)
        yield f"{kind}.iso", bootable_cd(program)
        yield f"{kind}.nbp", program
        if kind != "installer":  # which has more than a sector
            yield f"{kind}.img", program.ljust(DISK_SIZE, b"\0")
        kernel = assemble(kind, work, "--defsym", "KERNEL=1")
        # A kernel consists of more than its setup code.
        yield f"{kind}.kernel", kernel.ljust(8192, b"\0")


def assemble(kind, work, *options):
    """Returns the program as a flat binary for the address that it is loaded to."""
    address = "0" if options else "0x7c00"
    subprocess.run(
        ["as", "--32", "-I", work, "--defsym", f"KIND_{kind}=1", *options, "-o", work / "o", SOURCE],
        check=True,
    )
    # By its full name: `ld` may be another linker, which cannot write flat binaries.
    subprocess.run(
        ["ld.bfd", "-m", "elf_i386", "-Ttext", address, "--oformat", "binary", "-o", work / "bin", work / "o"],
        check=True,
    )
    return (work / "bin").read_bytes()


def bootable_cd(program):
    """Returns an ISO 9660 image without files that boots `program` by El Torito, without emulation."""
    catalog_sector, program_sector = 19, 20
    program_sectors = -(-len(program) // CD_SECTOR)

    sectors = program_sector + program_sectors
    image = bytearray(sectors * CD_SECTOR)

    def put(sector, offset, content):
        start = sector * CD_SECTOR + offset
        image[start : start + len(content)] = content

    def both_orders(layout, number):
        return struct.pack("<" + layout, number) + struct.pack(">" + layout, number)

    put(16, 0, b"\1CD001\1")  # primary volume descriptor
    put(16, 40, b"MICROGUEST".ljust(32))
    put(16, 80, both_orders("I", sectors))
    put(16, 120, both_orders("H", 1))
    put(16, 124, both_orders("H", 1))
    put(16, 128, both_orders("H", CD_SECTOR))
    put(17, 0, b"\0CD001\1EL TORITO SPECIFICATION")
    put(17, 71, struct.pack("<I", catalog_sector))
    put(18, 0, b"\xffCD001\1")  # end of the descriptors

    validation = bytearray(32)
    validation[0] = 1
    validation[30:] = b"\x55\xaa"
    checksum = -sum(struct.unpack("<16H", validation)) & 0xFFFF
    validation[28:30] = struct.pack("<H", checksum)
    put(catalog_sector, 0, validation)
    # Bootable; media type, segment and system type 0; loaded are sectors of 512 bytes, four at least.
    loaded = max(4, -(-len(program) // 512))
    put(catalog_sector, 32, struct.pack("<BBHBBHI", 0x88, 0, 0, 0, 0, loaded, program_sector))

    put(program_sector, 0, program)
    return bytes(image)


def replace(path, content):
    """Writes the file as a whole, and not at all when it would stay the same."""
    if path.is_file() and path.read_bytes() == content:
        return
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        file.write(content)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


if __name__ == "__main__":
    main()
