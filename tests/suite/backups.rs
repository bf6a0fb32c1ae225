//! Backups of guests that run, and restores of what they had written.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Daemon, Host, micro, succeeds};

const IMPORTS: &str = r#"
    import "std/backup" as backup;
    import "std/guest" as guest;
    import "std/image" as image;
    import "std/pool" as pool;
    let conn = connect();
    fn thrown(action) {
        let error = ();
        try { action.call(); } catch (err) { error = err; }
        assert(error != (), "nothing was thrown");
        error
    }
    // Has the running guest write 64 KiB of the byte `value` to a disk, at `mib` MiB.
    fn put(dom, number, value, mib) {
        let device = `/machine/peripheral/virtio-disk${number}/virtio-backend`;
        let said = dom.qemu_monitor_command(`qemu-io -d ${device} "write -P ${value} ${mib}M 64k"`, VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP);
        assert_eq(said, "");
    }
"#;

struct Site(Daemon);

impl Site {
    /// A host whose guest `web` runs from a qcow2 disk and has a raw one, and with a folder for backups in its pool `backups`.
    fn new() -> Self {
        let host = Daemon::start();
        let folder = host.scratch().folder("images");
        let disk = folder.join("web.qcow2");
        succeeds(
            Command::new("qemu-img")
                .args(["convert", "-f", "raw", "-O", "qcow2"])
                .arg(micro("counter.img"))
                .arg(&disk),
        );
        succeeds(
            Command::new("qemu-img")
                .args(["resize", "-q"])
                .arg(&disk)
                .arg("16M"),
        );
        let data = host.scratch().write("images/data.raw", vec![0; 4 << 20]);
        host.scratch().copy(&disk, "images/web.qcow2");
        let site = Self(host);
        let backups = site.0.scratch().folder("backups");
        site.ok(&format!(
            "pool::create(conn, #{{ name: \"images\", path: \"{}\" }}); pool::create(conn, #{{ name: \"backups\", path: \"{}\" }}); \
             guest::create(conn, #{{ name: \"web\", memory: \"32MiB\", nics: [], disks: [\"{}\", \"{}\"] }});",
            folder.display(),
            backups.display(),
            disk.display(),
            data.display(),
        ));
        site
    }

    fn ok(&self, script: &str) -> String {
        self.0.ok(&format!("{IMPORTS}{script}; ()"))
    }

    /// The bytes at whole MiB of the image that the pool `images` has under `name`, as a guest sees them.
    fn bytes(&self, name: &str, at: &[usize]) -> Vec<u8> {
        let content = raw(&self.0.scratch().path("images").join(name));
        at.iter().map(|mib| content[mib << 20]).collect()
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.scratch().path(folder))
            .expect("it is there")
            .map(|entry| {
                entry
                    .expect("it can be read")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

/// What a guest sees of an image.
fn raw(image: &Path) -> Vec<u8> {
    let copy = PathBuf::from(format!("{}.seen", image.display()));
    succeeds(
        Command::new("qemu-img")
            .args(["convert", "-U", "-O", "raw"])
            .arg(image)
            .arg(&copy),
    );
    let content = std::fs::read(&copy).expect("it was converted");
    std::fs::remove_file(copy).expect("it is the test's own");
    content
}

#[test]
fn a_running_guest_goes_back_to_each_of_its_points() {
    let site = Site::new();
    let told = site.ok(
        r#"
        let dom = conn.lookup_by_name("web");
        let place = #{ pool: "backups" };
        put(dom, 0, 1, 2);
        put(dom, 1, 1, 2);
        let first = backup::make(dom, place);
        assert_eq([first.kind, first.parent, first.was, first.consistent], ["full", (), "running", "disks"]);
        put(dom, 0, 2, 3);
        put(dom, 1, 2, 2);
        let second = backup::make(dom, place);
        assert_eq([second.kind, second.parent], ["incremental", first.point]);
        // A raw disk cannot tell what changed, and is copied whole.
        assert_eq(second.disks.map(|disk| disk.kind), ["incremental", "full"]);
        assert(second.disks[0].bytes < first.disks[0].bytes, `${second.disks}`);
        put(dom, 0, 3, 2);
        dom.suspend();
        // Another folder has a chain of its own.
        let other = backup::make(dom, #{ pool: "images" });
        assert_eq([other.kind, other.was], ["full", "paused"]);
        dom.destroy();
        // One that is off is not booted for its backup.
        let third = backup::make(dom, place);
        assert_eq([third.kind, third.parent, third.was, third.consistent], ["incremental", second.point, "off", "file systems"]);
        assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "destroyed" });
        assert_eq(conn.list_all_domains().len(), 1);
        assert_eq(backup::list(conn, place), [first, second, third]);
        assert_eq(backup::list(conn, place + #{ guest: dom.uuid }).len(), 3);
        assert_eq(backup::list(conn, place + #{ guest: "db" }), []);
        assert_eq(backup::verify(conn, place).len(), 3);
        // New guests, each as it was then.
        for point in [first, second] {
            let copy = backup::restore(conn, place + #{ guest: "web", point: point.point, name: `at-${point.kind}` });
            assert(copy.uuid != dom.uuid);
        }
        let copy = conn.lookup_by_name("at-full");
        copy.create();
        copy.open_console().wait("MG:up", "1m");
        copy.destroy();
        // The guest itself, on new disks; its old ones are gone.
        let web = backup::restore(conn, place + #{ guest: "web", point: third.point });
        assert_eq(web.uuid, dom.uuid);
        assert_eq(web.xml().select("devices/disk/source/@file").map(|path| path.split("/").pop()), ["web.1.qcow2", "data.1.raw"]);
        assert(!web.xml_desc().contains("virhai-"));
        assert_eq(web.list_all_checkpoints(), []);
        let fourth = backup::make(web, place);
        assert_eq(fourth.kind, "full");
        assert(fourth.why[0].contains("cannot tell any more what changed"), fourth.why[0]);
        let web = backup::restore(conn, place + #{ guest: "web", start: true });
        assert_eq(web.xml().select("devices/disk/source/@file").map(|path| path.split("/").pop()), ["web.qcow2", "data.raw"]);
        assert_eq(web.state(), "running");
        web.destroy();
        "#,
    );
    assert_eq!(told, "");
    assert_eq!(site.bytes("at-full-vda.qcow2", &[2, 3]), [1, 0]);
    assert_eq!(site.bytes("at-full-vdb.raw", &[2, 3]), [1, 0]);
    assert_eq!(site.bytes("at-incremental-vda.qcow2", &[2, 3]), [1, 2]);
    assert_eq!(site.bytes("at-incremental-vdb.raw", &[2, 3]), [2, 0]);
    assert_eq!(site.bytes("web.qcow2", &[2, 3]), [3, 2]);
    let images = site.files("images");
    assert!(
        !images.iter().any(|name| name.contains(".1.")),
        "{images:?}"
    );
}

#[test]
fn the_script_of_the_nightly_backup_does_as_it_says() {
    let site = Site::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/nightly_backup.rhai");
    let script = site.0.scratch().copy(&from, "nightly_backup.rhai");
    let folder = site.0.path("nightly");
    let run = || site.0.virhai().arg("run").arg(&script).arg(&folder).ok();
    assert!(run().starts_with("web: full, "), "the first is full");
    assert!(run().starts_with("web: incremental, "), "the second is not");
    // A guest that went back to a restore point has other disks than its checkpoint says.
    site.ok(r#"
        import "std/restore_point" as restore_point;
        let dom = conn.lookup_by_name("web");
        dom.destroy();
        dom.edit(|xml| xml.remove("devices/disk[target/@dev='vdb']"));
        dom.create();
        restore_point::make(dom, "p");
        put(dom, 0, 9, 5);
        restore_point::restore(dom, "p");
        assert_eq(dom.state(), "running");
        "#);
    assert!(run().starts_with("web: full, "), "its checkpoint is gone");
    let error = site.ok(&format!(
        r#"
        let place = #{{ folder: "{folder}" }};
        let error = thrown(|| backup::restore(conn, place + #{{ guest: "web" }}));
        assert(error.message.contains("is running") && error.hint.contains("stop"), error.message);
        conn.lookup_by_name("web").destroy();
        let error = thrown(|| backup::restore(conn, place + #{{ guest: "web" }}));
        assert(error.message.contains("has snapshots or restore points"), error.message);
        "#
    ));
    assert_eq!(error, "");
}
