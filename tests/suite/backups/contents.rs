//! The content of a restore point: all disks at the same moment, clean file systems, and the NVRAM.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{IMPORTS, raw};
use crate::support::{Daemon, Host, agent_xml, has_uefi, skip, succeeds};

/// The two numbers that the guest writes again and again, the first always before the second.
fn pair(image: &Path) -> (u32, u32) {
    let content = raw(image);
    let number = |at: usize| {
        let text = std::str::from_utf8(&content[at..at + 8]).expect("it is digits");
        text.parse::<u32>().expect("it is digits")
    };
    (number(0), number(60 << 20))
}

#[test]
fn a_backup_of_a_busy_guest_has_one_moment_and_clean_file_systems() {
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    let data = folder.join("data.qcow2");
    succeeds(
        Command::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2"])
            .arg(&data)
            .arg("64M"),
    );
    let data = host.scratch().copy(&data, "images/data.qcow2");
    let disk = format!(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/><target dev='vdb' bus='virtio'/></disk>",
        data.display()
    );
    let xml = agent_xml(host.scratch(), "web", &disk);
    let backups = host.path("backups");
    host.ok(&format!(
        r#"{IMPORTS}
        pool::create(conn, #{{ name: "images", path: "{}" }});
        let dom = conn.define_xml(`{xml}`);
        conn.wait_event(#{{ kind: "agent_lifecycle", state: "connected" }}, "60s", || dom.create());
        let numbers = "i=0; while :; do i=$((i+1)); for at in 0 60; do printf %08d $i | dd of=/dev/vdb bs=1M seek=$at conv=notrunc,fsync; done; done";
        let files = "i=0; while :; do i=$((i+1)); echo $i > /mnt/$((i % 50)); done";
        dom.agent_exec(["/bin/sh", "-c", `(${{numbers}}) > /dev/null 2>&1 & (${{files}}) > /dev/null 2>&1 &`]);
        // Until both have begun.
        while dom.agent_exec(["/bin/sh", "-c", "head -c 8 /dev/vdb; ls /mnt/9"]).exit_status != 0 {{ sleep("100ms"); }}
        let place = #{{ folder: "{backups}" }};
        let frozen = backup::make(dom, place);
        assert_eq([frozen.kind, frozen.consistent], ["full", "file systems"]);
        // They write again.
        let before = dom.agent_exec(["/bin/cat", "/mnt/9"]).stdout;
        while dom.agent_exec(["/bin/cat", "/mnt/9"]).stdout == before {{ sleep("100ms"); }}
        let second = backup::make(dom, place + #{{ freeze: "never" }});
        assert_eq([second.consistent, second.disks[1].kind], ["disks", "incremental"]);
        let third = backup::make(dom, place);
        assert_eq([third.consistent, third.disks[1].kind], ["file systems", "incremental"]);
        ()"#,
        folder.display()
    ));
    // A run that ends while the file systems are frozen, as one that is killed.
    host.ok(&format!(
        r#"{IMPORTS} import "std/under_way" as under_way;
        let dom = conn.lookup_by_name("web");
        under_way::write(dom, #{{ task: "the backup `x`", mark: begin_work(), was: "running", files: [], backup: #{{
            record: "{backups}/x.backup.json", frozen: true, checkpoint: #{{ name: "virhai-backup-x", description: "{backups}", targets: [] }},
        }} }});
        dom.fs_freeze(); ()"#
    ));
    host.ok(&format!(
        r#"{IMPORTS}
        let dom = conn.lookup_by_name("web");
        let place = #{{ folder: "{backups}" }};
        let fourth = backup::make(dom, place);
        assert_eq(fourth.consistent, "file systems");
        dom.destroy();
        for point in backup::list(conn, place) {{
            backup::restore(conn, place + #{{ guest: "web", point: point.point, name: point.point, to: "images", edit: |xml| xml.remove("devices/serial/log") }}).undefine();
        }}
        ()"#
    ));
    let restored = |target: &str| {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .expect("it is there")
            .map(|entry| entry.expect("it can be read").path())
            .filter(|path| path.to_string_lossy().contains(target))
            .collect();
        files.sort();
        files
    };
    let pairs: Vec<(u32, u32)> = restored("-vdb.").iter().map(|image| pair(image)).collect();
    assert_eq!(pairs.len(), 4, "{pairs:?}");
    for (first, second) in &pairs {
        assert!(first == second || *first == second + 1, "{pairs:?}");
        assert!(*second > 0, "{pairs:?}");
    }
    assert!(pairs.windows(2).any(|two| two[0] != two[1]), "{pairs:?}");
    if !Path::new("/sbin/e2fsck").exists() {
        skip("e2fsck is not installed");
        return;
    }
    let clean = restored("-vda.").into_iter().filter(|image| {
        let seen = Command::new("/sbin/e2fsck").arg("-fn").arg(image).output();
        let seen = seen.expect("it can be started");
        seen.status.success() && !String::from_utf8_lossy(&seen.stdout).contains("recovery")
    });
    let clean = clean.count();
    assert!(clean >= 3, "{clean} of 4 file systems are clean");
}

#[test]
fn the_nvram_of_a_guest_with_uefi_firmware_is_in_its_points() {
    if !has_uefi() {
        return;
    }
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    host.ok(&format!(
        r#"{IMPORTS} import "std/folder" as folder;
        pool::create(conn, #{{ name: "images", path: "{}" }});
        let dom = guest::create(conn, #{{ name: "u", memory: "128MiB", nics: [], firmware: "efi", start: false, disks: [#{{ pool: "images", size: "1MiB" }}] }});
        dom.create();
        let point = backup::make(dom, #{{ folder: "{}" }});
        assert_eq(dom.state(), "running");
        let before = dom.xml().get("os/nvram");
        dom.destroy();
        let copy = backup::restore(conn, #{{ folder: "{}", guest: "u", name: "copy", start: true }});
        assert(folder::has(conn, copy.xml().get("os/nvram")));
        assert(copy.xml().get("os/nvram") != before);
        guest::remove_with_volumes(copy);
        let again = backup::restore(conn, #{{ folder: "{}", guest: "u", start: true }});
        assert(folder::has(conn, again.xml().get("os/nvram")) && !folder::has(conn, before));
        guest::remove_with_volumes(again);
        ()"#,
        folder.display(),
        host.path("backups"),
        host.path("backups"),
        host.path("backups"),
    ));
}
