//! Pools and volumes in real storage, and the transfers into and out of them.

mod streams;
mod transfers;

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Daemon, Host, Outcome, Run, succeeds, virhai};

/// A real host with the pool `images` in a folder of the test's.
struct Store {
    host: Daemon,
    folder: PathBuf,
}

impl Store {
    fn new() -> Self {
        let host = Daemon::start();
        let folder = host.scratch().folder("images");
        let store = Self { host, folder };
        store.ok(&format!(
            "let pool = conn.storage_pool_define_xml(\"<pool type='dir'><name>images</name><target><path>{}</path></target></pool>\"); \
             pool.create();",
            store.folder.display()
        ));
        store
    }

    fn program(&self) -> Run {
        let grants = self.host.scratch().path("");
        self.host
            .virhai()
            .arg("--allow-read")
            .arg(&grants)
            .arg("--allow-write")
            .arg(grants)
    }

    fn script(&self, script: &str) -> Run {
        self.program().script(format!(
            r#"let conn = connect();
               let images = try_pool(conn);
               fn try_pool(conn) {{ try {{ return conn.storage_pool_lookup_by_name("images"); }} catch {{ }} }}
               fn thrown(action) {{ try {{ action.call(); }} catch (err) {{ return err.code; }} "nothing" }}
               fn volume(name, size, format) {{ xml("volume", #{{ name: name, capacity: size, target: #{{ format: #{{ "@type": format }} }} }}) }}
               {script}"#
        ))
    }

    fn ok(&self, script: &str) -> String {
        self.script(script).ok()
    }

    fn run(&self, script: &str) -> Outcome {
        self.script(script).run()
    }

    fn path(&self, name: &str) -> String {
        self.host.path(name)
    }

    /// The report of qemu-img on a volume.
    fn image(&self, name: &str) -> serde_json::Value {
        let mut info = Command::new("qemu-img");
        info.args(["info", "--output=json"])
            .arg(self.folder.join(name));
        let output = succeeds(&mut info);
        serde_json::from_slice(&output.stdout).expect("qemu-img tells in JSON")
    }
}

#[test]
fn a_pool_lives_from_its_definition_to_the_end_of_its_storage() {
    let store = Store::new();
    let folder = store.path("more");
    store.ok(&format!(
        r#"
        let pool = conn.storage_pool_define_xml(xml("pool", #{{ "@type": "dir", name: "more", target: #{{ path: "{folder}" }} }}));
        assert_eq([pool.is_active(), pool.is_persistent(), pool.autostart()], [false, true, false]);
        assert_eq(conn.list_defined_storage_pools(), ["more"]);
        assert_eq(thrown(|| pool.create()), "VIR_ERR_SYSTEM_ERROR");
        pool.build();
        pool.create();
        assert_eq(pool.info().state, "running");
        assert(pool.info().available_bytes > 0);
        pool.set_autostart(true);
        assert(pool.autostart());
        assert_eq(conn.storage_pool_lookup_by_target_path("{folder}"), pool);
        assert(pool != images);
        pool.destroy();
        assert_eq(pool.info().state, "inactive");
        pool.delete();
        pool.undefine();
        assert_eq(thrown(|| conn.storage_pool_lookup_by_name("more")), "VIR_ERR_NO_STORAGE_POOL");

        // One that is not defined is gone once it is stopped.
        let passing = conn.storage_pool_create_xml(`<pool type='dir'><name>passing</name><target><path>{folder}</path></target></pool>`,
            VIR_STORAGE_POOL_CREATE_WITH_BUILD);
        assert(!passing.is_persistent());
        passing.destroy();
        assert_eq(thrown(|| passing.info()), "VIR_ERR_NO_STORAGE_POOL");
        "#
    ));
}

#[test]
fn volumes_are_made_copied_resized_wiped_and_deleted() {
    let store = Store::new();
    store.ok(r#"
        let disk = images.create_xml(volume("disk.qcow2", 1048576, "qcow2"));
        assert_eq(disk.info().type, "file");
        assert_eq(disk.storage_pool_lookup_by_volume(), images);
        assert_eq(conn.storage_vol_lookup_by_path(disk.path), disk);
        disk.resize("4MiB");
        assert_eq(disk.info().capacity_bytes, 4194304);
        let over = images.create_xml(xml("volume", #{
            name: "over.qcow2", capacity: 4194304, target: #{ format: #{ "@type": "qcow2" } },
            backingStore: #{ path: disk.path, format: #{ "@type": "qcow2" } },
        }));
        let raw = images.create_xml(volume("raw.img", 65536, "raw"));
        raw.upload(blob(65536, 7));
        let copy = images.create_xml_from(volume("copy.img", 65536, "raw"), raw);
        assert_eq(copy.download(0, 65536), blob(65536, 7));
        raw.wipe();
        assert_eq(raw.download(0, 65536), blob(65536));
        raw.wipe_pattern("zero");
        try { raw.wipe_pattern("zre" + "o"); assert(false, "it was taken"); }
        catch (err) { assert_eq(err.hint, "did you mean \"zero\"?"); }
        assert_eq(thrown(|| raw.resize(4096)), "VIR_ERR_INVALID_ARG");
        let empty = images.create_xml(xml("volume", #{ name: "raw2.img", capacity: 65536, allocation: 0 }));
        assert_eq(thrown(|| empty.resize(4096)), "VIR_ERR_INVALID_ARG");
        empty.resize(4096, VIR_STORAGE_VOL_RESIZE_SHRINK);
        assert_eq(empty.info().capacity_bytes, 4096);
        empty.delete();
        let names = images.list_volumes();
        names.sort();
        assert_eq(names, ["copy.img", "disk.qcow2", "over.qcow2", "raw.img"]);
        copy.delete();
        assert_eq(images.num_of_volumes(), 3);
        "#);
    assert_eq!(store.image("disk.qcow2")["virtual-size"], 4_194_304);
    let backing = store.image("over.qcow2")["backing-filename"].clone();
    assert!(
        backing
            .as_str()
            .is_some_and(|path| path.ends_with("disk.qcow2"))
    );
    assert!(!store.folder.join("copy.img").exists());
}

#[test]
fn what_is_wrong_with_a_volume_is_told() {
    let store = Store::new();
    store.ok(
        r#"
        let disk = images.create_xml(volume("a.img", 65536, "raw"));
        assert_eq(thrown(|| images.create_xml(volume("a.img", 65536, "raw"))), "VIR_ERR_STORAGE_VOL_EXIST");
        assert_eq(thrown(|| images.storage_vol_lookup_by_name("nil")), "VIR_ERR_NO_STORAGE_VOL");
        assert_eq(thrown(|| images.create_xml("<volume>")), "VIR_ERR_XML_DETAIL");
        assert_eq(thrown(|| disk.upload(blob(4), -1)), "VIR_ERR_INVALID_ARG");
        assert_eq(thrown(|| disk.download(0, -1)), "VIR_ERR_INVALID_ARG");
        assert_eq(disk.download(65530, 100).len(), 6);
        images.destroy();
        assert_eq(thrown(|| disk.info()), "VIR_ERR_OPERATION_INVALID");
        assert_eq(thrown(|| images.list_volumes()), "VIR_ERR_OPERATION_INVALID");
        images.create();
        assert_eq(disk.info().capacity_bytes, 65536);
        "#,
    );
    // Behind libvirt's back.
    std::fs::remove_file(store.folder.join("a.img")).expect("it is there");
    store.ok(r#"
        let disk = images.storage_vol_lookup_by_name("a.img");
        assert_eq(thrown(|| disk.download(0, 4)), "VIR_ERR_SYSTEM_ERROR");
        images.refresh();
        assert_eq(images.num_of_volumes(), 0);
        assert_eq(thrown(|| disk.info()), "VIR_ERR_NO_STORAGE_VOL");
        "#);
}

#[test]
fn a_file_goes_in_and_out_with_its_holes_and_tells_how_far_it_is() {
    let store = Store::new();
    let source = store.host.scratch().write("source.img", b"begin");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&source)
        .expect("it is there");
    file.set_len(32 * 1024 * 1024).expect("it can be made long");
    std::os::unix::fs::FileExt::write_all_at(&file, b"end", 32 * 1024 * 1024 - 3)
        .expect("it can be written");
    let (source, back) = (source.display().to_string(), store.path("back.img"));
    let told = store.ok(&format!(
        r#"
        let disk = images.create_xml(xml("volume", #{{ name: "disk.img", capacity: "33554432", allocation: "0" }}));
        let told = [];
        disk.upload_file("{source}", #{{ progress: |done, total| told.push([done, total]) }});
        assert_eq(told[told.len() - 1], [33554432, 33554432]);
        disk.download_file("{back}");
        print(disk.info(VIR_STORAGE_VOL_GET_PHYSICAL).physical_bytes);
        "#
    ));
    assert_eq!(told, "33554432\n");
    let (sent, returned) = (std::fs::read(&source), std::fs::read(&back));
    assert!(
        sent.expect("it is there") == returned.expect("it arrived"),
        "every byte came back"
    );
    for path in [store.folder.join("disk.img"), back.into()] {
        let taken = std::fs::metadata(&path).expect("it is there").blocks() * 512;
        assert!(
            taken < 1024 * 1024,
            "{} takes {taken} bytes",
            path.display()
        );
    }
}

#[test]
fn files_are_used_only_where_that_was_allowed() {
    let store = Store::new();
    let secret = store.host.scratch().write("secret/key", b"secret");
    store.host.scratch().folder("open");
    std::os::unix::fs::symlink(&secret, store.host.scratch().path("open/link"))
        .expect("it can be made");
    let open = store.path("open");
    store.ok("images.create_xml(volume(\"a.img\", 4096, \"raw\")); ()");
    let script = |call: &str| {
        format!(
            "let vol = connect().storage_pool_lookup_by_name(\"images\").storage_vol_lookup_by_name(\"a.img\"); {call}"
        )
    };
    let refused = |run: Run, call: &str, option: &str| {
        let outcome = run.script(script(call)).fails(1);
        assert!(outcome.stderr.contains("the script may not"), "{outcome}");
        assert!(outcome.stderr.contains(option), "{outcome}");
    };
    let secret = secret.display();
    let plain = || store.host.virhai();
    let granted = || {
        plain()
            .arg("--allow-read")
            .arg(&open)
            .arg("--allow-write")
            .arg(&open)
    };
    refused(
        plain(),
        &format!("vol.upload_file(\"{secret}\")"),
        "--allow-read",
    );
    refused(
        plain(),
        &format!("vol.download_file(\"{open}/x\")"),
        "--allow-write",
    );
    refused(
        granted(),
        &format!("vol.upload_file(\"{secret}\")"),
        "--allow-read",
    );
    refused(
        granted(),
        &format!("vol.upload_file(\"{open}/link\")"),
        "--allow-read",
    );
    refused(
        granted(),
        &format!("vol.upload_file(\"{open}/../secret/key\")"),
        "--allow-read",
    );
    refused(
        granted(),
        &format!("vol.download_file(\"{open}/link\")"),
        "--allow-write",
    );
    refused(
        granted(),
        &format!("vol.download_file(\"{open}/../secret/new\")"),
        "--allow-write",
    );
    let missing = granted()
        .script(script(&format!("vol.upload_file(\"{open}/nil\")")))
        .fails(1);
    assert!(missing.stderr.contains("No such file"), "{missing}");
}

#[test]
fn a_transfer_can_be_stopped_and_the_connection_lives_on() {
    let store = Store::new();
    let source = store
        .host
        .scratch()
        .write("large.img", vec![1; 64 * 1024 * 1024]);
    let outcome = store.run(&format!(
        r#"
        let disk = images.create_xml(volume("disk.img", 67108864, "raw"));
        try {{
            disk.upload_file("{}", #{{ sparse: false, progress: |done, total| throw "enough" }});
        }} catch (err) {{
            assert_eq(err.message, "enough");
        }}
        disk.upload("again");
        assert_eq(disk.download(0, 5).as_string(), "again");
        print("lives");
        "#,
        source.display()
    ));
    assert_eq!(outcome.stdout, "lives\n", "{outcome}");
    let outcome = store
        .program()
        .arg("--timeout")
        .arg("1s")
        .script(
            "let vol = connect().storage_pool_lookup_by_name(\"images\").storage_vol_lookup_by_name(\"disk.img\"); \
             loop { vol.download(0, 16777216); }",
        )
        .fails(124);
    assert!(outcome.stderr.contains("the script timed out"), "{outcome}");
}

#[test]
fn pools_and_volumes_are_shown_as_tables() {
    let shown = virhai()
        .arg("-c")
        .arg("test:///default")
        .arg("-e")
        .arg("connect().list_all_storage_pools()")
        .ok();
    assert!(shown.starts_with("Name"), "{shown}");
    assert!(shown.contains("default-pool"), "{shown}");
}
