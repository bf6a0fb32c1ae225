//! Recipes that fail at any point leave the host as it was, and recipes change nothing twice.

use crate::support::{Daemon, Host, micro, succeeds, virhai};

/// A real host with the pool `images`, a guest and a volume that no recipe may touch.
struct Site {
    host: Daemon,
}

/// The beginning of every script here.
const IMPORTS: &str = r#"
    import "std/guest" as guest;
    import "std/image" as image;
    import "std/install" as install;
    import "std/pool" as pool;
    let conn = connect();
"#;

/// All objects of a host, as text.
const EVERYTHING: &str = r#"
    let known = [];
    for net in conn.list_all_networks() {
        known.push([net.name, net.is_active(), net.autostart(), net.xml_desc(VIR_NETWORK_XML_INACTIVE)]);
    }
    for dom in conn.list_all_domains() {
        known.push([dom.name, dom.state(), dom.is_persistent(), dom.xml_desc(VIR_DOMAIN_XML_INACTIVE)]);
    }
    for pool in conn.list_all_storage_pools() {
        let volumes = [];
        if pool.is_active() {
            pool.refresh();
            volumes = pool.list_all_volumes().map(|vol| [vol.name, vol.info().capacity_bytes]);
        }
        volumes.sort(|a, b| if a[0] < b[0] { -1 } else { 1 });
        known.push([pool.name, pool.is_active(), pool.autostart(), volumes]);
    }
    print(known.to_string());
"#;

impl Site {
    fn new() -> Self {
        let host = Daemon::start();
        let folder = host.scratch().folder("images");
        for (name, kind) in [
            ("installer.iso", "installer.iso"),
            ("poweroff.iso", "poweroff.iso"),
        ] {
            host.scratch().copy(&micro(kind), name);
        }
        let site = Self { host };
        site.ok(&format!(
            "pool::create(conn, #{{ name: \"images\", path: \"{}\", autostart: false }}); \
             image::create(conn, #{{ pool: \"images\", name: \"mine.img\", format: \"raw\", size: \"1MiB\" }}); \
             guest::create(conn, #{{ name: \"mine\", memory: \"32MiB\", nics: [], start: false }});",
            folder.display()
        ));
        site
    }

    fn ok(&self, script: &str) -> String {
        self.host.ok(&format!("{IMPORTS}{script}; ()"))
    }

    /// Runs `script` with an operation limit that grows until the script succeeds, so that it is
    /// cut off at every stage. After each failure the host must be as it was.
    fn survives_every_cut(&self, script: &str, step: u32) {
        let before = self.ok(EVERYTHING);
        let mut operations = 60;
        let mut failures = 0;
        loop {
            let outcome = self
                .host
                .virhai()
                .arg("--max-operations")
                .arg(operations.to_string())
                .script(format!("{IMPORTS}{script}; ()"))
                .run();
            if outcome.status == 0 {
                break;
            }
            failures += 1;
            assert!(
                !outcome.stderr.contains("cannot undo"),
                "{operations}: {outcome}"
            );
            let after = self.ok(EVERYTHING);
            assert_eq!(before, after, "after {operations} operations: {outcome}");
            // Later stages of a long recipe are tested in larger steps.
            operations += if step < 20 {
                step
            } else {
                step.max(operations / 3)
            };
            assert!(operations < 1_000_000, "{outcome}");
        }
        assert!(failures > 5, "it was cut off {failures} times only");
    }
}

const WEB: &str = r#"#{ name: "web", memory: "32MiB", nics: [], panic: "isa", disks: [#{ pool: "images", size: "1MiB", format: "raw" }, #{ pool: "images", size: "2MiB" }] }"#;

#[test]
fn a_guest_that_is_not_created_leaves_nothing() {
    let site = Site::new();
    site.survives_every_cut(
        &format!("guest::create(conn, {WEB} + #{{ autostart: true }})"),
        80,
    );
    let known = site.ok(EVERYTHING);
    assert!(
        known.contains("web.raw") && known.contains("web-1.qcow2"),
        "{known}"
    );
    // Removed with what belongs to it, and nothing else.
    let removed = site.ok("guest::remove_with_volumes(conn.lookup_by_name(\"web\"))");
    assert_eq!(removed, "");
    let known = site.ok(EVERYTHING);
    assert!(
        !known.contains("web") && known.contains("mine.img"),
        "{known}"
    );
}

#[test]
fn a_transient_guest_that_does_not_run_leaves_nothing() {
    let site = Site::new();
    site.survives_every_cut(&format!("guest::run(conn, {WEB})"), 110);
    site.ok(
        "let dom = guest::find(conn, \"web\"); assert(!dom.is_persistent()); \
         guest::keep(dom); assert(dom.is_persistent()); guest::remove_with_volumes(dom);",
    );
}

#[test]
fn a_pool_a_volume_and_a_network_that_are_cut_off_leave_nothing() {
    let site = Site::new();
    let more = site.host.scratch().folder("more");
    let more = more.display();
    site.survives_every_cut(
        &format!("pool::create(conn, #{{ name: \"more\", path: \"{more}\" }})"),
        // Operations in closures count too: a step of 8 would be some 100 runs.
        20,
    );
    site.survives_every_cut(
        "image::create(conn, #{ pool: \"images\", name: \"a.qcow2\", size: \"1MiB\", format: \"qcow2\" })",
        20,
    );
    // A host of an ordinary user can define networks but not start them: the recipe fails and
    // undoes the definition.
    let before = site.ok(EVERYTHING);
    let script = "import \"std/network\" as network; \
        network::create(connect(), #{ name: \"lan\", forward: \"open\", address: \"192.168.99.1/24\" })";
    let outcome = site.host.virhai().script(script).run();
    assert_eq!(outcome.status, 1, "{outcome}");
    assert_eq!(before, site.ok(EVERYTHING), "{outcome}");
}

#[test]
fn what_ensure_did_is_taken_back_with_what_surrounds_it() {
    let site = Site::new();
    let folder = site.host.path("fresh");
    // Obeys the power button.
    let kernel = site
        .host
        .scratch()
        .copy(&micro("counter.kernel"), "counter.kernel");
    let kernel = kernel.display();
    site.ok(&format!(
        r#"pool::create(conn, #{{ name: "off", path: "{}", autostart: false }}).destroy();
           guest::create(conn, #{{ name: "web", memory: "32MiB", nics: [], kernel: "{kernel}", start: false }});
           image::create(conn, #{{ pool: "images", name: "small.img", format: "raw", size: "1MiB" }});"#,
        site.host.scratch().folder("off").display()
    ));
    let before = site.ok(EVERYTHING);
    let outcome = site
        .host
        .virhai()
        .script(format!(
            r#"{IMPORTS}
            all_or_nothing(|undo| {{
                assert(pool::ensure(conn, #{{ name: "off", autostart: true }}).changed);
                pool::create(conn, #{{ name: "fresh", path: "{folder}" }});
                assert(image::ensure(conn, #{{ pool: "images", name: "small.img", size: "2MiB" }}).changed);
                assert_eq(guest::ensure(conn, #{{ name: "web", memory: "48MiB", nics: [], kernel: "{kernel}" }}).changes.len(), 3);
                // Once it counts, it hears what it is asked.
                conn.lookup_by_name("web").open_console().wait("MG:c=", "30s");
                // An object that is already gone need not be removed.
                image::create(conn, #{{ pool: "images", name: "brief.img", format: "raw", size: "1MiB" }}).delete();
                pool::create(conn, #{{ name: "brief", path: "{folder}-2" }});
                pool::remove(conn, "brief");
                guest::create(conn, #{{ name: "brief", memory: "32MiB", nics: [], start: false }});
                guest::ensure(conn, #{{ name: "brief", memory: "32MiB", nics: [] }}).domain.destroy();
                guest::remove(conn.lookup_by_name("brief"));
                throw "something later";
            }});"#
        ))
        .fails(1);
    assert!(outcome.stderr.contains("something later"), "{outcome}");
    assert!(!outcome.stderr.contains("cannot undo"), "{outcome}");
    assert!(!std::path::Path::new(&folder).exists(), "{outcome}");
    assert_eq!(site.ok(EVERYTHING), before, "{outcome}");
}

#[test]
fn a_failed_installation_takes_its_disk_with_it() {
    let site = Site::new();
    let before = site.ok(EVERYTHING);
    let iso = site.host.path("poweroff.iso");
    let outcome = site.host.virhai().script(format!(
        "{IMPORTS} install::from_iso(conn, #{{ name: \"web\", memory: \"32MiB\", nics: [], iso: \"{iso}\", timeout: \"60s\", \
         disks: [#{{ pool: \"images\", size: \"1MiB\" }}] }})"
    )).fails(1);
    assert!(
        outcome
            .stderr
            .contains("boot sector of the disk is unchanged"),
        "{outcome}"
    );
    assert_eq!(before, site.ok(EVERYTHING));
}

#[test]
fn a_system_is_installed_from_a_cd_that_is_a_volume() {
    let site = Site::new();
    site.host
        .scratch()
        .copy(&micro("installer.iso"), "images/installer.iso");
    site.ok(r#"
        conn.storage_pool_lookup_by_name("images").refresh();
        let result = install::from_iso(conn, #{
            name: "web", memory: "32MiB", nics: [], iso: #{ pool: "images", volume: "installer.iso" },
            way: "two phases", up: "MG:up", timeout: "60s", disks: [#{ pool: "images", size: "1MiB", format: "raw" }],
        });
        assert_eq(result.verdict, "installed");
        let drive = result.domain.xml(VIR_DOMAIN_XML_INACTIVE).select("devices/disk[@device='cdrom']")[0];
        assert_eq([drive.get("@type"), drive.has("source")], ["file", false]);
        result.domain.destroy();
        "#);
}

#[test]
fn what_is_as_wanted_is_not_changed() {
    let site = Site::new();
    site.ok(&format!(
        r#"
        let first = guest::ensure(conn, {WEB});
        assert_eq([first.changed, first.changes], [true, ["created"]]);
        let again = guest::ensure(conn, {WEB});
        assert_eq([again.changed, again.changes], [false, []]);
        first.domain.destroy();
        assert_eq(guest::ensure(conn, {WEB}).changes, ["started"]);
        let wanted = {WEB};
        wanted.memory = "48MiB";
        let more = guest::ensure(conn, wanted);
        assert(more.changed);
        assert(more.changes.some(|change| change.contains("memory") && change.contains("next start")));
        let waits = guest::ensure(conn, wanted);
        assert(waits.changed && waits.changes.all(|change| change.contains("runs with the old")), waits.changes.to_string());
        first.domain.destroy();
        assert_eq(guest::ensure(conn, wanted).changes, ["started"]);
        assert_eq(guest::ensure(conn, wanted).changes, []);
        try {{ guest::create(conn, {WEB}); throw "not refused"; }} catch (err) {{ assert(err.message.contains("already exists"), err.message); }}
        guest::remove_with_volumes(first.domain);
        guest::remove(first.domain);

        let disk = #{{ pool: "images", name: "d.qcow2", size: "1MiB" }};
        assert(image::ensure(conn, disk).changed);
        assert(!image::ensure(conn, disk).changed);
        disk.size = "2MiB";
        assert_eq(image::ensure(conn, disk).changes, ["grew from 1048576 to 2097152 bytes"]);
        disk.size = "1MiB";
        assert(!image::ensure(conn, disk).changed);
        let images = conn.storage_pool_lookup_by_name("images");
        image::remove(images, "d.qcow2");
        image::remove(images, "d.qcow2");
        "#
    ));
}

#[test]
fn ensure_of_a_pool_refuses_another_one_and_tells_what_runs() {
    let site = Site::new();
    let (here, there) = (
        site.host.scratch().folder("here"),
        site.host.scratch().folder("there"),
    );
    let (here, there) = (here.display(), there.display());
    site.ok(&format!(
        r#"
        let options = #{{ name: "more", path: "{here}" }};
        assert_eq(pool::ensure(conn, options).changes, ["created"]);
        assert_eq(pool::ensure(conn, options).changes, []);
        for other in [#{{ path: "{there}" }}, #{{ type: "logical" }}, #{{ source: #{{ host: #{{ "@name": "nas" }} }} }}] {{
            try {{ pool::ensure(conn, options + other); throw "not refused"; }} catch (err) {{ assert(err.message.contains("`more`"), err.message); }}
        }}
        assert_eq(pool::ensure(conn, #{{ name: "more", autostart: false }}).changes, ["autostart is false"]);
        // An option that is not given leaves what is there.
        assert_eq(pool::ensure(conn, #{{ name: "more" }}).changes, []);
        let config = conn.storage_pool_lookup_by_name("more").xml();
        config.set("target/path", "{there}");
        conn.storage_pool_define_xml(config);
        options.path = "{there}";
        for time in 0..2 {{
            assert_eq(pool::ensure(conn, options).changes, ["runs with the old target/path until it is restarted"]);
        }}
        conn.storage_pool_lookup_by_name("more").destroy();
        assert_eq(pool::ensure(conn, options).changes, ["started"]);
        assert_eq(pool::ensure(conn, options).changes, []);
        "#
    ));
}

#[test]
fn ensure_of_a_volume_grows_the_disk_of_the_guest_that_runs_with_it() {
    let site = Site::new();
    site.ok(&format!(
        r#"
        let dom = guest::create(conn, {WEB});
        for name in ["web.raw", "web-1.qcow2"] {{
            let target = if name == "web.raw" {{ "vda" }} else {{ "vdb" }};
            let options = #{{ pool: "images", name: name, size: "3MiB" }};
            assert(image::ensure(conn, options).changes[0].contains("of the running guest `web` grew"));
            assert_eq(image::ensure(conn, options).changes, []);
            assert_eq(dom.block_info(target).capacity_bytes, 3145728);
            assert_eq(image::find(conn.storage_pool_lookup_by_name("images"), name).info().capacity_bytes, 3145728);
        }}
        // The file alone is large enough, and the guest does not know.
        image::find(conn.storage_pool_lookup_by_name("images"), "web.raw").resize("4MiB");
        assert(image::ensure(conn, #{{ pool: "images", name: "web.raw", size: "4MiB" }}).changed);
        assert_eq(dom.block_info("vda").capacity_bytes, 4194304);
        guest::remove_with_volumes(dom);
        "#
    ));
}

#[test]
fn a_guest_of_the_test_driver_is_removed_with_its_firmware_and_its_tpm() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"import "std/guest" as guest;
            let conn = connect();
            let tpm = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>";
            for (more, number) in [#{ firmware: "efi" }, #{ tpm: tpm }, #{ firmware: "efi", tpm: tpm }] {
                let dom = guest::create(conn, #{ name: `web-${number}`, nics: [] } + more);
                guest::remove(dom);
                assert_eq(guest::find(conn, `web-${number}`), ());
            }"#,
        )
        .ok();
}

#[test]
fn removing_a_guest_spares_what_is_not_its_own() {
    let site = Site::new();
    let iso = site.host.path("installer.iso");
    let left = site.ok(&format!(
        r#"
        let base = image::create(conn, #{{ pool: "images", name: "base.qcow2", size: "1MiB" }});
        let both = image::create(conn, #{{ pool: "images", name: "both.img", format: "raw", size: "1MiB" }});
        let other = guest::create(conn, #{{ name: "other", memory: "32MiB", nics: [], start: false, disks: [both] }});
        let dom = guest::create(conn, #{{ name: "web", memory: "32MiB", nics: [], start: false, cdrom: "{iso}", disks: [
            #{{ pool: "images", backing: base }},
            `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${{both.path}}'/><target dev='vdz' bus='virtio'/></disk>`,
            #{{ path: base.path, readonly: true, format: "qcow2" }},
        ] }});
        assert_eq(guest::volumes(dom).map(|vol| vol.name), ["web.qcow2"]);
        guest::remove_with_volumes(dom);
        let names = conn.storage_pool_lookup_by_name("images").list_volumes();
        names.sort();
        print(names.join(" "));
        "#
    ));
    assert_eq!(left, "base.qcow2 both.img mine.img\n");
    assert!(std::path::Path::new(&iso).exists());
}

#[test]
fn nothing_is_removed_that_an_image_outside_the_pools_may_be_laid_over() {
    let site = Site::new();
    site.ok(
        "guest::create(conn, #{ name: \"web\", memory: \"32MiB\", nics: [], start: false, \
           disks: [#{ pool: \"images\", size: \"1MiB\" }] }); ()",
    );
    let (base, over) = (
        site.host.path("images/web.qcow2"),
        site.host.path("over.qcow2"),
    );
    succeeds(std::process::Command::new("qemu-img").args([
        "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", &base, &over,
    ]));
    site.ok(&format!(
        r#"
        let other = guest::create(conn, #{{ name: "other", memory: "32MiB", nics: [], start: false,
            disks: [#{{ path: "{over}", format: "qcow2" }}] }});
        assert_eq(guest::remove_with_volumes(conn.lookup_by_name("web")), []);
        "#
    ));
    assert!(std::path::Path::new(&base).exists());
}

#[test]
fn the_boot_sector_of_an_image_is_read_through_its_format() {
    let site = Site::new();
    let folder = site.host.path("images");
    let counter = micro("counter.img");
    for format in ["raw", "qcow2"] {
        succeeds(
            std::process::Command::new("qemu-img")
                .args(["convert", "-f", "raw", "-O", format])
                .arg(&counter)
                .arg(format!("{folder}/counter.{format}")),
        );
    }
    site.ok(r#"
        let images = conn.storage_pool_lookup_by_name("images");
        images.refresh();
        let sector = image::boot_sector(images.storage_vol_lookup_by_name("counter.raw"));
        assert_eq(sector.parse_le_int(510..512), 0xaa55);
        let counter = images.storage_vol_lookup_by_name("counter.qcow2");
        assert_eq(image::boot_sector(counter), sector);
        let empty = image::create(conn, #{ pool: "images", name: "empty.qcow2", size: "1MiB" });
        assert_eq(image::boot_sector(empty), blob(512));
        // The overlay alone does not show the content of its backing image.
        let over = image::create(conn, #{ pool: "images", name: "over.qcow2", backing: counter });
        assert_eq(image::boot_sector(over), ());
        "#);
}

#[test]
fn a_pool_that_does_not_start_leaves_an_existing_folder_as_it_was() {
    let host = Daemon::start();
    let folder = host.scratch().folder("mounted");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&folder, mode).expect("it is ours");
    let before = std::fs::metadata(&folder).expect("it is there");
    let outcome = host.run(&format!(
        "import \"std/pool\" as pool; \
         pool::create(connect(), #{{ name: \"nfs\", type: \"netfs\", path: \"{}\", source: #{{ host: #{{ \"@name\": \"127.0.0.1\" }}, dir: #{{ \"@path\": \"/none\" }} }} }})",
        folder.display()
    ));
    assert_eq!(outcome.status, 1, "{outcome}");
    let after = std::fs::metadata(&folder).expect("it is still there");
    assert_eq!(before.permissions(), after.permissions());
    host.ok("assert_eq(connect().list_all_storage_pools(), [])");
    // A missing folder is created, and removed again.
    let missing = folder.join("new");
    host.run(&format!(
        "import \"std/pool\" as pool; \
         all_or_nothing(|undo| {{ pool::create(connect(), #{{ name: \"new\", path: \"{}\" }}); throw \"stop\"; }})",
        missing.display()
    ));
    assert!(!missing.exists(), "the new folder is left");
}

#[test]
fn ensure_of_a_pool_takes_a_path_however_it_is_written() {
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    host.ok(&format!(
        "import \"std/pool\" as pool; \
         for changed in [true, false] {{ assert_eq(pool::ensure(connect(), #{{ name: \"images\", path: \"{}/x/..//\" }}).changed, changed); }}",
        folder.display()
    ));
}
