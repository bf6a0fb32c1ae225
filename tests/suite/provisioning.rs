//! The example scripts for each way of provisioning, run unchanged, and a Linux as installer.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Embed, Host, Run, Scratch, micro, succeeds, tiny, virhai};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scripts")
        .join(name)
}

fn run(host: &Embed, name: &str, args: &[&str]) -> Run {
    let copy = host.scratch().copy(&script(name), name);
    let run = host.virhai().arg("run").arg(copy);
    args.iter().fold(run, |run, arg| run.arg(arg))
}

fn host_with_disk() -> (Embed, String) {
    let host = Embed::new();
    host.scratch().copy(&micro("blank.img"), "disk.img");
    let disk = host.path("disk.img");
    (host, disk)
}

fn file(host: &Embed, from: &Path, name: &str) -> String {
    host.scratch().copy(from, name);
    host.path(name)
}

/// The inputs of the script that installs with a kernel.
fn by_kernel<'a>(
    disk: &'a str,
    kernel: &'a str,
    initrd: &'a str,
    cmdline: &'a str,
) -> [&'a str; 12] {
    [
        "--name",
        "web",
        "--disk",
        disk,
        "--kernel",
        kernel,
        "--initrd",
        initrd,
        "--cmdline",
        cmdline,
        "--up",
        "MG:up",
    ]
}

#[test]
fn the_script_that_installs_from_a_cd_installs() {
    let (host, disk) = host_with_disk();
    let iso = file(&host, &micro("installer.iso"), "installer.iso");
    let args = [
        "--name", "web", "--disk", &disk, "--iso", &iso, "--up", "MG:up",
    ];
    let told = run(&host, "install_iso.rhai", &args).ok_with_plan();
    assert!(told.starts_with("web: installed\n"), "{told}");
    assert!(
        told.contains("by reboot, the boot sector changed"),
        "{told}"
    );
}

#[test]
fn the_script_that_installs_with_a_kernel_installs() {
    let (host, disk) = host_with_disk();
    let kernel = file(&host, &micro("installer.kernel"), "installer.kernel");
    let initrd = file(&host, &micro("initrd.bin"), "initrd.bin");
    let args = by_kernel(&disk, &kernel, &initrd, "auto");
    assert_eq!(
        run(&host, "install_kernel.rhai", &args).ok_with_plan(),
        "web: installed\n"
    );
}

#[test]
fn the_script_of_a_throwaway_guest_keeps_what_works_and_drops_the_rest() {
    let (host, _) = host_with_disk();
    let counter = file(&host, &micro("counter.img"), "counter.img");
    let args = ["--name", "web", "--disk", &counter, "--up", "MG:up"];
    let told = run(&host, "throwaway_guest.rhai", &args).ok_with_plan();
    assert_eq!(told, "web is up, and stays\n");
    assert_eq!(
        host.ok("connect().lookup_by_name(\"web\").is_persistent()"),
        "true\n"
    );
    let poweroff = file(&host, &micro("poweroff.img"), "poweroff.img");
    let args = ["--name", "other", "--disk", &poweroff, "--up", "never"];
    let told = run(&host, "throwaway_guest.rhai", &args).ok();
    assert!(told.starts_with("other is gone: "), "{told}");
    assert_eq!(host.ok("connect().list_all_domains().len()"), "1\n");
}

#[test]
fn the_script_that_ensures_a_host_changes_it_once() {
    let folder = tempfile::tempdir().expect("/tmp can be written");
    let node = folder.path().join("node.xml");
    std::fs::write(&node, "<node/>").expect("it can be written");
    let program = || {
        virhai()
            .arg("-c")
            .arg(format!("test://{}", node.display()))
            .arg("run")
            .arg(script("ensure_host.rhai"))
            .arg("--folder")
            .arg(folder.path().join("images"))
    };
    let told = program().ok_with_plan();
    let expected = "pool images: created\nnetwork inner: created\nguest web: created\n";
    assert_eq!(told, expected);
}

/// The initrd of a Linux that installs the system `MG:up`.
pub fn installer_initrd(scratch: &Scratch) -> Vec<u8> {
    let folder = scratch.folder("system");
    std::fs::copy(micro("counter.img"), folder.join("system.img")).expect("it was built");
    let mut cpio = Command::new("cpio")
        .args(["--quiet", "-o", "-H", "newc"])
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cpio is installed");
    let mut names = cpio.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut names, b"system.img\n").expect("cpio reads");
    drop(names);
    let archive = cpio.wait_with_output().expect("cpio ends").stdout;
    let mut initrd = std::fs::read(tiny("initramfs.gz")).expect("it was built");
    // The kernel expects the next archive at an offset that is a multiple of four.
    initrd.resize(initrd.len().next_multiple_of(4), 0);
    initrd.extend(archive);
    initrd
}

#[test]
fn a_linux_installs_from_a_kernel_and_what_it_installed_boots() {
    let (host, disk) = host_with_disk();
    let kernel = file(&host, &tiny("vmlinuz"), "vmlinuz");
    host.scratch()
        .write("initrd", installer_initrd(host.scratch()));
    let initrd = host.path("initrd");
    let args = by_kernel(&disk, &kernel, &initrd, "console=ttyS0 quiet");
    assert_eq!(
        run(&host, "install_kernel.rhai", &args).ok(),
        "web: installed\n"
    );
}

#[test]
fn a_linux_installs_from_a_cd_and_what_it_installed_boots() {
    let (host, disk) = host_with_disk();
    let folder = host.scratch().folder("cd");
    let initrd = host
        .scratch()
        .write("initrd", installer_initrd(host.scratch()));
    for (from, name) in [
        (
            PathBuf::from("/usr/lib/ISOLINUX/isolinux.bin"),
            "isolinux.bin",
        ),
        (
            PathBuf::from("/usr/lib/syslinux/modules/bios/ldlinux.c32"),
            "ldlinux.c32",
        ),
        (tiny("vmlinuz"), "vmlinuz"),
        (initrd, "initrd"),
    ] {
        std::fs::copy(&from, folder.join(name))
            .unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
    let config =
        "default linux\nlabel linux\n kernel vmlinuz\n append initrd=initrd console=ttyS0 quiet\n";
    std::fs::write(folder.join("isolinux.cfg"), config).expect("it can be written");
    let iso = host.path("linux.iso");
    succeeds(
        Command::new("xorriso")
            .args(["-as", "mkisofs", "-quiet", "-o", &iso])
            .args(["-b", "isolinux.bin", "-c", "boot.cat"])
            .args(["-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"])
            .arg(&folder),
    );
    let args = [
        "--name", "web", "--disk", &disk, "--iso", &iso, "--up", "MG:up",
    ];
    let told = run(&host, "install_iso.rhai", &args).ok();
    assert!(told.starts_with("web: installed\n"), "{told}");
}
