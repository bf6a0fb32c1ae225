//! Backups of running guests, and restores of the data that they had written.

mod contents;
mod records;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Daemon, Embed, Host, SmallDisk, micro, succeeds};

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
    // Makes the running guest write 64 KiB of the byte `value` to a disk, at `mib` MiB.
    fn put(dom, number, value, mib) {
        let device = `/machine/peripheral/virtio-disk${number}/virtio-backend`;
        let said = dom.qemu_monitor_command(`qemu-io -d ${device} "write -P ${value} ${mib}M 64k"`, VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP);
        assert_eq(said, "");
    }
"#;

struct Site(Daemon);

impl Site {
    /// A host whose guest `web` boots from a qcow2 disk and also has a raw one; its pool `backups`
    /// is a folder for backups.
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

    /// The bytes at the MiB offsets `at` of the image `name` in the pool `images`, as a guest sees
    /// them.
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

/// The content of an image as a guest sees it.
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
        assert_eq([third.kind, third.parent, third.was, third.consistent], ["incremental", second.point, "off", "disks"]);
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
        assert(fourth.why[0].contains("have lost the record of their changes"), fourth.why[0]);
        web.create();
        web.managed_save();
        // Its memory stays saved for the backup, and would not fit the restored disks.
        let fifth = backup::make(web, place);
        assert_eq([fifth.kind, fifth.was, fifth.consistent], ["incremental", "saved", "disks"]);
        assert(web.has_managed_save_image());
        let web = backup::restore(conn, place + #{ guest: "web", start: true });
        assert(!web.has_managed_save_image());
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
fn backups_restores_and_deletions_do_what_their_plan_says() {
    let site = Site::new();
    // The twin reads the record of this point from the host.
    site.ok(
        "backup::make(conn.lookup_by_name(\"web\"), #{ pool: \"backups\" }); \
             conn.lookup_by_name(\"web\").destroy();",
    );
    let script = r#"
        let dom = conn.lookup_by_name("web");
        let place = #{ pool: "backups" };
        fn told(point) { print([point.kind, point.parent == (), point.was, point.consistent, point.disks.map(|disk| disk.kind), point.why]); }
        told(backup::make(dom, place));
        dom.create();
        told(backup::make(dom, place));
        print(dom.list_all_checkpoints().len());
        told(backup::make(dom, place + #{ mode: "full" }));
        // A folder without a pool.
        told(backup::make(dom, #{ folder: folder }));
        told(backup::make(dom, #{ folder: folder }));
        for point in backup::list(conn, #{ folder: folder }) { told(point); }
        backup::verify(conn, place);
        print(backup::prune(conn, place + #{ keep: 1 }).removed.len());
        print(thrown(|| dom.backup_begin("<domainbackup><incremental>no</incremental></domainbackup>")).code);
        dom.destroy();
        print(thrown(|| dom.backup_begin("<domainbackup/>")).code);
        print(thrown(|| dom.undefine()).code);
        let copy = backup::restore(conn, place + #{ guest: "web", name: "copy" });
        let web = backup::restore(conn, place + #{ guest: "web" });
        for dom in [copy, web] { print(dom.xml().select("devices/disk/source/@file").map(|path| path.split("/").pop())); }
        print(web.list_all_checkpoints());
        let last = backup::make(web, place);
        print([last.kind, last.was, last.why.len()]);
    "#;
    let folder = site.0.path("points");
    let run = site
        .0
        .virhai()
        .script(format!("{IMPORTS} let folder = \"{folder}\"; {script}; ()"));
    let told = run.first_arg("--yes").first_arg("--plan-first").ok();
    let (planned, rest) = told.split_once("\nPlan\n").expect("there is a plan");
    let (_, run) = rest
        .split_once("The host did not change.\n")
        .expect("the plan ends");
    let run = run.strip_suffix("The run made the planned changes.\n");
    assert_eq!(run, Some(planned), "{told}");
}

#[test]
fn the_nightly_backup_script_makes_verifies_and_deletes_points() {
    let site = Site::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/runbooks/nightly_backup.rhai");
    let script = site.0.scratch().copy(&from, "nightly_backup.rhai");
    let folder = site.0.path("nightly");
    let run = || {
        let run = site.0.virhai().arg("run").arg(&script);
        let outcome = run.arg("--folder").arg(&folder).run();
        assert_eq!(outcome.status, 0, "{outcome}");
        outcome.stderr
    };
    assert!(run().contains("web: full, "), "the first is full");
    assert!(run().contains("web: incremental, "), "the second is not");
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
    assert!(run().contains("web: full, "), "its checkpoint is gone");
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

#[test]
fn a_disk_that_cannot_record_changes_is_copied_whole_with_a_reason() {
    let site = Site::new();
    site.ok(
        r#"
        let images = conn.storage_pool_lookup_by_name("images");
        images.create_xml(`<volume><name>old.qcow2</name><capacity unit="MiB">1</capacity><target><format type="qcow2"/><compat>0.10</compat></target></volume>`);
        let fresh = image::create(conn, #{ pool: "images", name: "new.qcow2", size: "1MiB" });
        assert_eq(parse_xml(fresh.xml_desc()).get("target/compat"), "1.1");
        let disks = [#{ pool: "images", volume: "old.qcow2" }, #{ pool: "images", volume: "new.qcow2" }];
        let dom = guest::create(conn, #{ name: "old", memory: "32MiB", nics: [], start: false, disks: disks });
        backup::make(dom, #{ pool: "backups" });
        let point = backup::make(dom, #{ pool: "backups" });
        assert_eq(point.disks.map(|disk| disk.kind), ["full", "incremental"]);
        assert(point.why[0].contains("qemu-img amend -o compat=1.1"), `${point.why}`);
        "#,
    );
}

#[test]
fn a_broken_chain_makes_the_next_point_full_with_a_reason() {
    let site = Site::new();
    let told = site.ok(
        r#"
        let place = #{ pool: "backups" };
        let dom = conn.lookup_by_name("web");
        dom.destroy();
        dom.edit(|xml| xml.remove("devices/disk[target/@dev='vdb']"));
        let first = backup::make(dom, place);
        assert_eq([first.kind, first.was], ["full", "off"]);
        // Undefined and defined again: libvirt has lost the checkpoint, and the disk has not.
        let definition = dom.xml_desc(VIR_DOMAIN_XML_INACTIVE);
        guest::remove(dom);
        dom = conn.define_xml(definition);
        assert_eq(dom.list_all_checkpoints(), []);
        dom.create();
        put(dom, 0, 1, 2);
        let second = backup::make(dom, place);
        assert_eq([second.kind, second.why], ["incremental", []]);
        assert_eq(dom.list_all_checkpoints().len(), 2);
        // Only what the next point needs is tracked on, also of what libvirt did not know any more.
        let third = backup::make(dom, place + #{ mode: "incremental" });
        assert_eq(dom.list_all_checkpoints().len(), 2);
        // A disk that is new, and one that is another image.
        image::create(conn, #{ pool: "images", name: "more.qcow2", size: "1MiB" });
        let more = conn.storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("more.qcow2");
        dom.destroy();
        dom.edit(|xml| xml.insert("devices", `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${more.path}'/><target dev='vdc' bus='virtio'/></disk>`));
        let fourth = backup::make(dom, place);
        assert_eq([fourth.kind, fourth.disks.map(|disk| disk.kind)], ["incremental", ["incremental", "full"]]);
        assert(fourth.why[0].contains("`vdc` is not in the previous point"), `${fourth.why}`);
        // Asked for, and enough of them.
        assert_eq(backup::make(dom, place + #{ full_after: 3 }).why, ["the chain already has 3 incremental points (`full_after` is 3)"]);
        assert_eq(backup::make(dom, place + #{ mode: "full" }).why, ["a full backup was requested"]);
        assert_eq(backup::make(dom, place + #{ full_after: 3 }).kind, "incremental");
        // The disk was overwritten, bitmaps and all.
        dom.edit(|xml| xml.remove("devices/disk[target/@dev='vdc']"));
        image::discard(more);
        let images = conn.storage_pool_lookup_by_name("images");
        let path = dom.xml().get("devices/disk/source/@file");
        let copy = image::copy(conn.storage_vol_lookup_by_path(path), "copy.qcow2");
        image::discard(conn.storage_vol_lookup_by_path(path));
        image::copy(copy, "web.qcow2");
        image::discard(copy);
        let error = thrown(|| backup::make(dom, place + #{ mode: "incremental" }));
        assert(error.message.contains("cannot make an incremental backup") && error.hint.contains("auto"), error.message);
        assert_eq(backup::make(dom, place).kind, "full");
        // Passwords are kept only if that is asked for.
        dom.edit(|xml| xml.insert("devices", "<graphics type='vnc' autoport='yes' passwd='hushhush'/>"));
        let password = |options| {
            let point = backup::make(dom, place + options);
            let file = `${point.disks[0].file.split(".")[0]}.backup.json`;
            let record = conn.storage_pool_lookup_by_name("backups").storage_vol_lookup_by_name(file).download().as_string();
            record.contains("hushhush")
        };
        assert_eq([password.call(#{}), password.call(#{ secrets: true })], [false, true]);
        dom.edit(|xml| xml.remove("devices/graphics"));
        // A new disk in a point that is restored to a guest without it.
        let error = thrown(|| backup::restore(conn, place + #{ guest: "web", point: fourth.point, definition: "now" }));
        assert(error.message.contains("has no disk `vdc` now") && error.hint.contains("then"), error.message);
        dom = backup::restore(conn, place + #{ guest: "web", point: fourth.point });
        assert_eq(dom.xml().select("devices/disk/target/@dev"), ["vda", "vdc"]);
        assert_eq(backup::verify(conn, place).len(), 10);
        let pruned = backup::prune(conn, place + #{ keep: 2 });
        assert_eq(backup::list(conn, place).len() + pruned.removed.len(), 10);
        assert_eq(backup::verify(conn, place).len(), backup::list(conn, place).len());
        "#,
    );
    assert_eq!(told, "");
    assert_eq!(site.bytes("web.1.qcow2", &[2, 3]), [1, 0]);
}

#[test]
fn another_host_restores_the_guests_of_a_folder_and_verify_finds_damage() {
    let site = Site::new();
    site.ok(r#"
        let place = #{ pool: "backups" };
        let dom = conn.lookup_by_name("web");
        dom.set_metadata(VIR_DOMAIN_METADATA_TITLE, "The web server", (), (), VIR_DOMAIN_AFFECT_CONFIG);
        put(dom, 0, 1, 2);
        backup::make(dom, place + #{ checksums: true });
        put(dom, 0, 2, 2);
        backup::make(dom, place);
        backup::make(dom, place);
        dom.destroy();
        "#);
    let backups = site.0.scratch().path("backups");
    let other = Site::new();
    // The folder has another path on the other host.
    let moved = other.0.scratch().folder("moved");
    for name in site.files("backups") {
        other
            .0
            .scratch()
            .copy(&backups.join(&name), &format!("moved/{name}"));
    }
    let place = format!("let place = #{{ folder: \"{}\" }};", moved.display());
    other.ok(&format!(
        r#"
        {place}
        let error = thrown(|| backup::list(conn, #{{ folder: place.folder + "/none" }}));
        assert_eq(error.message, `the folder ${{place.folder}}/none does not exist on ${{conn.uri}}`);
        // Its guest of that name is another one.
        let error = thrown(|| backup::restore(conn, place + #{{ guest: "web", to: "images" }}));
        assert(error.message.contains("another guest called `web`") && error.hint.contains("`name`"), error.message);
        guest::remove_with_volumes(conn.lookup_by_name("web"));
        let dom = backup::restore(conn, place + #{{ guest: "web", to: "images", point: backup::list(conn, place)[1].point }});
        assert_eq(dom.metadata(VIR_DOMAIN_METADATA_TITLE, ()), "The web server");
        assert_eq(dom.uuid, backup::list(conn, place)[0].uuid);
        assert_eq(dom.xml().get("devices/interface", "none"), "none");
        dom.create();
        dom.open_console().wait("MG:up", "1m");
        dom.destroy();
        assert_eq(backup::verify(conn, place).len(), 3);
        let error = thrown(|| backup::restore(conn, place + #{{ guest: "web", point: "now" }}));
        assert(error.message.contains("no point `now`"), error.message);
        let error = thrown(|| backup::restore(conn, place + #{{ guest: "mail" }}));
        assert(error.message.contains("no complete backup of the guest `mail`"), error.message);
        let error = thrown(|| backup::restore(conn, place + #{{ guest: "web", edit: |xml| xml.set("title", "x") }}));
        assert_eq(error.message, "the option `edit` changes a new guest");
        let error = thrown(|| backup::restore(conn, place + #{{ guest: "web", name: "new", to: "images", keep: true }}));
        assert_eq(error.message, "`keep: true` cannot be combined with the `name` of a new guest");
        "#
    ));
    assert_eq!(other.bytes("web.qcow2", &[2]), [2]);
    // Images that are truncated, missing or changed, and an invalid record.
    let images: Vec<String> = other
        .files("moved")
        .into_iter()
        .filter(|name| name.ends_with("vda.qcow2"))
        .collect();
    let first = moved.join(&images[0]);
    let content = std::fs::read(&first).expect("it is there");
    std::fs::write(&first, &content[..content.len() / 2]).expect("it is the test's own");
    std::fs::write(moved.join("x.backup.json"), "{\"backup_of_virhai\": 1, ")
        .expect("it is the test's own");
    let told = other.ok(&format!(
        r#"
        {place}
        let error = thrown(|| backup::verify(conn, place));
        assert(error.problems.some(|problem| problem.contains("its end is missing")), error.message);
        assert(error.problems.some(|problem| problem.contains("its record cannot be read")), error.message);
        "#
    ));
    assert_eq!(told, "");
    // One changed bit, which only the recorded checksum reveals.
    std::fs::remove_file(moved.join("x.backup.json")).expect("it is the test's own");
    let mut changed = content.clone();
    *changed.last_mut().expect("it is not empty") ^= 1;
    std::fs::write(&first, &changed).expect("it is the test's own");
    other.ok(&format!(
        r#"
        {place}
        let error = thrown(|| backup::verify(conn, place));
        assert_eq(error.problems.len(), 1);
        assert(error.problems[0].contains("its checksum differs"), error.message);
        assert_eq(backup::verify(conn, place + #{{ read: false }}).len(), 3);
        "#
    ));
    std::fs::write(&first, &content).expect("it is the test's own");
    // One point is old, one is from tomorrow since the clock was set back, and one was never
    // completed.
    let records = images
        .iter()
        .map(|name| moved.join(name.replace(".vda.qcow2", ".backup.json")));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("the clock is past 1970").as_secs();
    for (record, days) in records.clone().zip([-40_i64, 1]) {
        let text = std::fs::read_to_string(&record).expect("it is text");
        let time = now.saturating_add_signed(days * 86_400);
        let begins = text.find("\"time\":").expect("it has a time") + 7;
        let ends = begins + text[begins..].find([',', '}']).expect("it has an end");
        std::fs::write(
            &record,
            format!("{}{time}{}", &text[..begins], &text[ends..]),
        )
        .expect("it is the test's own");
    }
    let last = records.clone().next_back().expect("there are three");
    let text = std::fs::read_to_string(&last).expect("it is text");
    std::fs::write(&last, text.replace("\"complete\"", "\"making\""))
        .expect("it is the test's own");
    other.ok(&format!(
        r#"
        {place}
        let names = backup::list(conn, place).map(|point| point.point);
        assert_eq(names.len(), 2);
        assert(thrown(|| backup::verify(conn, place)).message.contains("it is not complete"));
        let pruned = backup::prune(conn, place + #{{ older_than: "30d" }});
        assert_eq([pruned.removed.len(), pruned.needed], [1, [`web/${{names[0]}}`]]);
        assert_eq(backup::verify(conn, place).map(|point| point.point), names);
        assert_eq(backup::prune(conn, place + #{{ keep: 1, older_than: "30d" }}).removed, []);
        "#
    ));
    std::fs::remove_file(moved.join(&images[1])).expect("it is the test's own");
    other.ok(&format!(
        r#"
        {place}
        let points = backup::list(conn, place);
        let error = thrown(|| backup::verify(conn, place + #{{ point: points[1].point }}));
        assert(error.message.contains("{}") && error.message.contains("is missing"), error.message);
        assert_eq(backup::verify(conn, place + #{{ point: points[0].point }}).len(), 1);
        let error = thrown(|| backup::restore(conn, place + #{{ guest: "web", point: points[1].point }}));
        assert(error.message.contains("{}") && error.hint.contains("verify"), error.message);
        "#, images[1], images[1]
    ));
}

#[test]
fn a_failed_backup_leaves_no_files_and_has_a_reason() {
    let small = SmallDisk::mount("1200k");
    let site = Site::new();
    let place = small.as_ref().map_or_else(
        || site.0.scratch().path("none"),
        |small| small.path("backups"),
    );
    let told = site.ok(&format!(
        r#"
        let dom = conn.lookup_by_name("web");
        // The check before the run cannot follow these.
        let error = thrown(|| backup::make(dom, parse_json("{{}}")));
        assert_eq(error.message, "a backup needs `pool` or `folder`");
        let error = thrown(|| backup::make(dom, parse_json(`{{ "pool": "backups", "folder": "/a" }}`)));
        assert_eq(error.message, "`folder` cannot be combined with `pool`");
        let error = thrown(|| backup::make(dom, #{{ folder: "backups" }}));
        assert(error.message.contains("not an absolute path"), error.message);
        let error = thrown(|| backup::make(dom, #{{ pool: "backups", disks: ["vdz"] }}));
        assert(error.hint.contains("vda, vdb"), error.hint);
        let error = thrown(|| backup::make(dom, #{{ pool: "backups", mode: "incremental" }}));
        assert(error.message.contains("it is the first point"), error.message);
        let error = thrown(|| backup::make(dom, #{{ pool: "backups", freeze: "always" }}));
        assert(error.message.contains("agent"), error.message);
        let error = thrown(|| backup::prune(conn, #{{ pool: "backups" }}));
        assert(error.message.contains("needs `keep`"), error.message);
        // The place is too small.
        if {} {{
            for at in 2..6 {{ put(dom, 0, at, at); put(dom, 1, at, at - 2); }}
            put(dom, 0, 7, 7); put(dom, 0, 7, 8); put(dom, 0, 7, 9); put(dom, 0, 7, 10); put(dom, 0, 7, 11);
            put(dom, 0, 7, 12); put(dom, 0, 7, 13); put(dom, 0, 7, 14); put(dom, 0, 7, 15);
            let error = thrown(|| backup::make(dom, #{{ folder: "{}" }}));
            assert(error.message.contains("No space left"), error.to_string());
        }}
        // Another job is under way.
        dom.backup_begin(`<domainbackup mode="pull"><server transport="unix" socket="{}"/>
            <disks><disk name="vda" type="file"><scratch file="{}"/></disk><disk name="vdb" backup="no"/></disks></domainbackup>`);
        let error = thrown(|| backup::make(dom, #{{ pool: "backups" }}));
        assert(error.message.contains("a job is in progress on it (backup)") && error.hint.contains("abort_job"), error.message);
        conn.wait_event(#{{ kind: "job_completed", domain: dom }}, "30s", || dom.abort_job());
        // The failure of one guest does not prevent the backups of others.
        let error = thrown(|| backup::make_all(conn, #{{ pool: "backups", guests: ["web", "none"] }}));
        assert_eq(error.guests.map(|report| [report.guest, report.point == ()]), [["web", false], ["none", true]]);
        assert(error.message.contains("1 of 2 guests"), error.message);
        assert_eq(backup::make_all(conn, #{{ pool: "backups" }})[0].point.kind, "incremental");
        backup::verify(conn, #{{ pool: "backups" }});
        assert(!dom.xml_desc().contains("virhai-work"));
        assert_eq(dom.state(), "running");
        assert_eq(conn.list_all_storage_pools().len(), 2);
        "#,
        small.is_some(),
        place.display(),
        site.0.path("nbd.sock"),
        site.0.path("scratch.qcow2"),
    ));
    assert_eq!(told, "");
    if small.is_some() {
        let left = std::fs::read_dir(place).expect("it was made").count();
        assert_eq!(left, 0, "what did not fit is gone");
    }
    let embed = Embed::new();
    let test = crate::support::virhai().arg("-c").arg("test:///default");
    for (run, why) in [
        (test, "only guests of QEMU"),
        (embed.virhai(), "has no storage pools"),
    ] {
        let script = format!(
            r#"{IMPORTS} let dom = conn.define_xml(`<domain type="${{if conn.get_type() == "Test" {{ "test" }} else {{ "qemu" }}}}"><name>off</name><memory>32768</memory><os><type>hvm</type></os>
                <devices><disk type="file" device="disk"><source file="/none.img"/><target dev="vda"/></disk></devices></domain>`);
            let error = thrown(|| backup::make(dom, #{{ folder: "/none" }}));
            print(error.message); ()"#
        );
        let said = run.script(&script).ok();
        assert!(said.contains(why), "{said}");
    }
}
