//! Memory and disks that are restored together, and save files that can be restored only once.

use std::process::Command;

use crate::support::{Daemon, Host, micro, skip, succeeds};

const IMPORTS: &str = r#"
    import "std/restore_point" as restore_point;
    import "std/save_file" as save_file;
    import "std/guest" as guest;
    import "std/image" as image;
    import "std/pool" as pool;
    import "std/nvram" as nvram;
    import "std/description" as description;
    let conn = connect();
    fn ticks(dom) {
        let console = dom.open_console((), VIR_DOMAIN_CONSOLE_FORCE);
        console.wait("MG:c=0x", "30s");
        let number = console.wait("\n", "30s");
        number.trim();
        number.parse_int(16)
    }
"#;

struct Site(Daemon);

impl Site {
    /// A host whose guest `web` counts, and boots from a disk of the format.
    fn new(format: &str) -> Self {
        let host = Daemon::start();
        let folder = host.scratch().folder("images");
        let disk = folder.join(format!("web.{format}"));
        succeeds(
            Command::new("qemu-img")
                .args(["convert", "-f", "raw", "-O", format])
                .arg(micro("counter.img"))
                .arg(&disk),
        );
        let owned = Command::new("chown")
            .arg("-R")
            .arg("nobody")
            .arg(&folder)
            .status();
        assert!(!nix::unistd::geteuid().is_root() || owned.is_ok_and(|status| status.success()));
        let site = Self(host);
        site.ok(&format!(
            "pool::create(conn, #{{ name: \"images\", path: \"{}\" }}); \
             guest::create(conn, #{{ name: \"web\", memory: \"32MiB\", nics: [], disks: [\"{}\"] }});",
            folder.display(),
            disk.display()
        ));
        site
    }

    fn ok(&self, script: &str) -> String {
        self.0.ok(&format!("{IMPORTS}{script}; ()"))
    }

    /// Makes a restore point, and returns the guest to it three times.
    fn goes_back_three_times(&self, volume: &str) {
        self.ok(&format!(
            r#"
            let dom = conn.lookup_by_name("web");
            let vol = conn.storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("{volume}");
            let before = ticks(dom);
            restore_point::make(dom, "first");
            assert_eq(restore_point::list(dom), ["first"]);
            let at = ticks(dom);
            assert(at > before && at < before + 64, `it went on: ${{before}} ${{at}}`);
            for round in 0..3 {{
                let later = ticks(dom);
                while later < at + 24 {{ later = ticks(dom); }}
                // The disk's content at that time is restored too.
                dom.destroy();
                let sector = image::boot_sector(vol);
                if vol.name.ends_with(".raw") {{
                    vol.upload(blob(16, 0xee), 480);
                    assert(image::boot_sector(vol) != sector);
                }}
                dom = restore_point::restore(dom, "first");
                let again = ticks(dom);
                assert(again < at + 24, `it went back: ${{at}} ${{later}} ${{again}}`);
                if vol.name.ends_with(".raw") {{ assert_eq(image::boot_sector(vol), sector); }}
            }}
            restore_point::remove(dom, "first");
            restore_point::remove(dom, "first");
            assert_eq(restore_point::list(dom), []);
            assert_eq(dom.state(), "running");
            assert_eq(conn.storage_pool_lookup_by_name("images").num_of_volumes(), 1);
            dom.destroy();
            "#
        ));
    }
}

#[test]
fn a_guest_on_qcow2_goes_back_to_a_point_three_times() {
    Site::new("qcow2").goes_back_three_times("web.qcow2");
}

#[test]
fn a_guest_on_a_raw_disk_goes_back_to_a_point_three_times_disk_and_all() {
    Site::new("raw").goes_back_three_times("web.raw");
}

#[test]
fn a_point_that_cannot_be_made_leaves_the_guest_running_and_nothing_else() {
    let site = Site::new("raw");
    site.ok(
        r#"
        let dom = conn.lookup_by_name("web");
        let images = conn.storage_pool_lookup_by_name("images");
        // The place of the copy is taken.
        image::create(conn, #{ pool: "images", name: "web.raw.taken.copy", size: "512B", format: "raw" });
        try { restore_point::make(dom, "taken"); throw "made"; } catch (err) { assert(err.message.contains("already in use"), err.to_string()); }
        assert_eq(dom.state(), "running");
        ticks(dom);
        assert_eq(restore_point::list(dom), []);
        image::remove(images, "web.raw.taken.copy");
        assert_eq(images.num_of_volumes(), 1);
        try { restore_point::restore(dom, "never"); throw "restored"; } catch (err) { assert_eq(err.code, "VIR_ERR_NO_DOMAIN_SNAPSHOT"); }
        dom.destroy();
        try { restore_point::make(dom, "off"); throw "made"; } catch (err) { assert(err.message.contains("not running"), err.message); }
        "#,
    );
}

#[test]
fn a_save_file_is_restored_once_unless_it_is_forced() {
    let site = Site::new("raw");
    let file = site.0.path("web.save");
    site.ok(&format!(
        r#"
        let dom = conn.lookup_by_name("web");
        ticks(dom);
        save_file::save(dom, "{file}");
        let dom = save_file::restore(conn, "{file}");
        ticks(dom);
        dom.destroy();
        try {{ save_file::restore(conn, "{file}"); throw "restored"; }} catch (err) {{
            assert(err.message.contains("was restored before"), err.to_string());
        }}
        assert(!dom.is_active());
        let dom = save_file::restore(conn, "{file}", #{{ force: true }});
        // A new save of the same guest is a new file.
        save_file::save(dom, "{file}");
        let dom = save_file::restore(conn, "{file}");
        ticks(dom);
        dom.destroy();
        "#
    ));
}

#[test]
fn the_scripts_of_clones_and_restore_points_do_as_they_say() {
    let site = Site::new("qcow2");
    let run = |name: &str, args: &[&str]| {
        let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("scripts")
            .join(name);
        let run = site
            .0
            .virhai()
            .arg("run")
            .arg(site.0.scratch().copy(&from, name));
        args.iter().fold(run, |run, arg| run.arg(arg))
    };
    assert_eq!(
        run("restore_points.rhai", &["--guest", "web", "--make", "now"]).ok_with_plan(),
        "now\n"
    );
    assert_eq!(
        run(
            "restore_points.rhai",
            &["--guest", "web", "--restore", "now"]
        )
        .ok_with_plan(),
        "now\n"
    );
    assert_eq!(
        run(
            "restore_points.rhai",
            &["--guest", "web", "--remove", "now"]
        )
        .ok_with_plan(),
        "\n"
    );
    assert_eq!(
        run("clone_guest.rhai", &["--original", "web", "--name", "copy"]).ok(),
        "copy is running, web is running\n"
    );
}

#[test]
fn a_uefi_guest_has_restore_points() {
    if !crate::support::has_uefi() {
        return;
    }
    let site = Site::new("qcow2");
    if site.ok("print(nvram::serves_snapshots(conn))") != "true\n" {
        skip("snapshots of UEFI guests need libvirt 10.10");
        return;
    }
    site.ok(
        r#"
        let options = #{ name: "u", memory: "128MiB", nics: [], firmware: "efi", disks: [#{ pool: "images", size: "1MiB" }] };
        let dom = guest::create(conn, options);
        let file = dom.xml().get("os/nvram");
        assert_eq(dom.xml().get("os/nvram/@format"), "qcow2");
        restore_point::make(dom, "p");
        dom = restore_point::restore(dom, "p");
        assert_eq(dom.state(), "running");
        // `ensure` keeps it.
        guest::ensure(conn, options);
        assert_eq(dom.xml(VIR_DOMAIN_XML_INACTIVE).get("os/nvram"), file);
        assert_eq(conn.list_all_storage_pools().len(), 1);
        guest::remove_with_volumes(dom);
        // One that virt-install made.
        let xml = description::of(conn, options + #{ disks: [#{ pool: "images", volume: "web.qcow2", format: "qcow2" }] });
        guest::remove(conn.lookup_by_name("web"));
        let raw = conn.define_xml(xml);
        raw.create(VIR_DOMAIN_START_PAUSED);
        assert_eq(raw.xml().get("os/nvram/@format"), "raw");
        try { restore_point::make(raw, "p"); throw "made"; } catch (err) {
            assert(err.message.contains("only if its NVRAM is qcow2") && err.hint.contains("make_qcow2(dom)"), err.message);
        }
        try { nvram::make_qcow2(raw); throw "made"; } catch (err) { assert(err.message.contains("shut it down"), err.message); }
        raw.destroy();
        assert(nvram::make_qcow2(raw));
        raw.create();
        restore_point::make(raw, "p");
        restore_point::restore(raw, "p");
        guest::remove(raw);
        // Raw disks are copied, and the NVRAM with them.
        let raw = guest::create(conn, options + #{ disks: [#{ pool: "images", size: "1MiB", format: "raw" }] });
        restore_point::make(raw, "p");
        let files = parse_xml(raw.xml_desc(VIR_DOMAIN_XML_INACTIVE)).select("metadata//virhai-points:nvram/@copy");
        assert_eq(files.len(), 1);
        raw = restore_point::restore(raw, "p");
        assert_eq(raw.state(), "running");
        restore_point::remove(raw, "p");
        guest::remove_with_volumes(raw);
        "#,
    );
}

#[test]
fn a_guest_that_is_removed_with_its_volumes_leaves_no_files_of_its_restore_points() {
    let site = Site::new("raw");
    let told = site.ok(r#"
        let dom = conn.lookup_by_name("web");
        let images = conn.storage_pool_lookup_by_name("images");
        restore_point::make(dom, "first");
        images.refresh();
        let files = images.list_volumes();
        assert_eq(files.len(), 3);
        let paths = guest::remove_with_volumes(dom);
        images.refresh();
        assert_eq(images.list_volumes(), []);
        assert_eq(conn.list_all_domains(), []);
        let names = paths.map(|path| path.split("/").pop());
        for file in files { assert(file in names, file); }
        "#);
    assert_eq!(told, "");
}

#[test]
fn a_disk_that_can_have_no_restore_point_is_told_with_the_way_out() {
    Site::new("vmdk").ok(
        r#"
        let told = assert_throws(|| restore_point::make(conn.lookup_by_name("web"), "first"));
        assert(told.message.contains("is vmdk: restore points are possible only with disks that are all qcow2 or all raw"), told.message);
        assert(told.hint.contains("qemu-img convert -O qcow2"), told.hint);
        "#,
    );
    Site::new("qcow2").ok(
        r#"
        let dom = conn.lookup_by_name("web");
        dom.destroy();
        let floppy = conn.storage_pool_lookup_by_name("images").create_xml(xml("volume", #{ name: "floppy.img", capacity: 1474560 }));
        dom.edit(|xml| xml.insert("devices", `<disk type='file' device='floppy'><driver name='qemu' type='raw'/><source file='${floppy.path}'/><target dev='fda' bus='fdc'/></disk>`));
        dom.create();
        let told = assert_throws(|| restore_point::make(dom, "first"));
        assert(told.message.contains("is qcow2, and the disk `fda` is raw"), told.message);
        assert(told.hint.contains("eject the floppy disk `fda`"), told.hint);
        "#,
    );
}
