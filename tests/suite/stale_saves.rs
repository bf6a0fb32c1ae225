//! Stale memory images: a restore of disks or memory leaves no other memory image that does not
//! match the disks.

use crate::support::{Daemon, Host, TestHost, micro};

const IMPORTS: &str = r#"
    import "std/guest" as guest; import "std/image" as image; import "std/pool" as pool;
    import "std/restore_point" as restore_point; import "std/save_file" as save_file;
    let conn = connect();
    fn refused(call) {
        try { call.call(); } catch (err) { return `${err.code} ${err.message} ${err.hint}`; }
        throw "it was not refused";
    }
"#;

/// A host with the guest `web`, which runs from a disk of this format.
fn site(format: &str) -> Daemon {
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    host.scratch()
        .copy(&micro("counter.img"), "images/base.raw");
    host.ok(&format!(
        r#"{IMPORTS}
        let images = pool::create(conn, #{{ name: "images", path: "{}" }});
        let disk = image::copy(images.storage_vol_lookup_by_name("base.raw"), "web.raw");
        disk = if "{format}" == "qcow2" {{
            image::create(conn, #{{ pool: "images", name: "web.qcow2", backing: disk }})
        }} else {{
            #{{ pool: "images", volume: "web.raw", format: "raw" }}
        }};
        guest::create(conn, #{{ name: "web", memory: "32MiB", nics: [], disks: [disk] }}); ()"#,
        folder.display(),
    ));
    host
}

const RETURN: &str = r#"
    let dom = conn.lookup_by_name("web");
    restore_point::make(dom, "monday");
    dom.managed_save();
    dom = restore_point::restore(dom, "monday");
    assert_eq(dom.state(), "running");
    assert(!dom.has_managed_save_image());
    dom.destroy(); dom.create();
    assert_eq(dom.state_reason().reason, "booted");
"#;

#[test]
fn a_return_to_a_snapshot_discards_the_managed_save() {
    let host = site("qcow2");
    host.ok(&format!(
        r#"{IMPORTS}{RETURN}
        // The bare call as well.
        dom.managed_save();
        dom.revert_to_snapshot(dom.snapshot_lookup_by_name("monday"));
        assert(!dom.has_managed_save_image());
        // A point that cannot be found takes nothing away.
        dom.managed_save();
        refused(|| restore_point::restore(dom, "tuesday"));
        assert(dom.has_managed_save_image());
        dom.create();
        assert_eq(dom.state_reason().reason, "restored"); ()"#
    ));
}

#[test]
fn a_return_to_raw_copies_discards_the_managed_save_once_it_is_done() {
    let host = site("raw");
    host.ok(&format!(
        r#"{IMPORTS}{RETURN}
        // A return that fails leaves it.
        dom.managed_save();
        let memory = conn.storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("web.raw.monday.memory");
        let part = memory.download(4096, 4096);
        memory.upload(blob(4096), 4096);
        refused(|| restore_point::restore(dom, "monday"));
        assert(dom.has_managed_save_image());
        assert(!dom.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains("virhai-work"));
        dom.create();
        assert_eq(dom.state_reason().reason, "restored"); ()"#
    ));
}

#[test]
fn a_save_file_that_does_not_fit_the_disks_any_more_is_refused() {
    let host = site("raw");
    let (one, two) = (host.path("one.save"), host.path("two.save"));
    host.ok(&format!(
        r#"{IMPORTS}
        let dom = conn.lookup_by_name("web");
        let disk = conn.storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("web.raw");
        save_file::save(dom, "{one}");
        dom.create();
        // The bare call, of a guest that has run since.
        dom.managed_save();
        let why = refused(|| conn.restore("{one}"));
        assert(why.contains("VIR_ERR_OPERATION_INVALID") && why.contains("`web` has a managed save image"), why);
        let why = refused(|| save_file::restore(conn, "{one}"));
        assert(why.contains("has a managed save: it ran after it was saved"), why);
        assert(dom.has_managed_save_image() && !dom.is_active());
        // Other content under a saved guest.
        let why = refused(|| disk.upload(blob(16, 7), 8192));
        assert(why.contains("`web` has a managed save image"), why);
        refused(|| disk.wipe());
        let why = refused(|| disk.delete());
        assert(why.contains("`web` has a managed save image"), why); ()"#
    ));
    // Another program deleted the disk.
    std::fs::remove_file(host.path("images/web.raw")).expect("it is there");
    host.ok(&format!(
        r#"{IMPORTS}
        let dom = conn.lookup_by_name("web");
        conn.storage_pool_lookup_by_name("images").refresh();
        let why = refused(|| image::create(conn, #{{ pool: "images", name: "web.raw", size: "1MiB", format: "raw" }}));
        assert(why.contains("`web` has a managed save image"), why);
        // With `force`, after the disks are restored.
        dom.managed_save_remove();
        let disk = image::copy(conn.storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("base.raw"), "web.raw");
        dom.create(); dom.managed_save();
        dom = save_file::restore(conn, "{one}", #{{ force: true }});
        assert(dom.is_active() && !dom.has_managed_save_image());
        assert(!dom.xml_desc().contains("virhai-work"));
        // A disk that was written to since.
        save_file::save(dom, "{two}");
        disk.upload(blob(16, 7), 8192);
        let why = refused(|| save_file::restore(conn, "{two}"));
        assert(why.contains("was written to after the guest was saved"), why);
        save_file::restore(conn, "{two}", #{{ force: true }}).destroy(); ()"#
    ));
}

#[test]
fn the_test_driver_refuses_and_discards_alike() {
    let host = TestHost::new();
    let file = host.path("web.save");
    host.ok(&format!(
        r#"{IMPORTS}
        let dom = conn.lookup_by_name("test");
        let point = dom.snapshot_create_xml("<domainsnapshot><name>p</name></domainsnapshot>");
        dom.managed_save();
        dom.revert_to_snapshot(point);
        assert(!dom.has_managed_save_image());
        dom.save("{file}"); dom.create(); dom.managed_save();
        refused(|| conn.restore("{file}"));
        refused(|| conn.restore("{file}", (), 0));
        dom.managed_save_remove();
        conn.restore("{file}"); ()"#
    ));
}

/// A removed restore point needs no undo any more.
#[test]
fn points_that_are_made_and_removed_again_leave_nothing_to_undo() {
    for format in ["qcow2", "raw"] {
        let host = site(format);
        let outcome = host.run(&format!(
            r#"{IMPORTS}
            let dom = conn.lookup_by_name("web");
            all_or_nothing(|undo| {{ restore_point::make(dom, "p"); restore_point::remove(dom, "p"); throw "later"; }})"#
        ));
        assert_eq!(outcome.status, 1, "{outcome}");
        assert!(!outcome.stderr.contains("cannot undo"), "{outcome}");
        host.ok("assert_eq(connect().lookup_by_name(\"web\").state(), \"running\")");
        let outcome = host.run(&format!(
            r#"{IMPORTS}
            let dom = conn.lookup_by_name("web");
            all_or_nothing(|undo| {{
                restore_point::make(dom, "p"); restore_point::restore(dom, "p"); guest::remove(dom);
                throw "later";
            }})"#
        ));
        assert!(!outcome.stderr.contains("cannot undo"), "{outcome}");
    }
}

#[test]
fn the_disk_of_a_saved_guest_is_kept_from_other_guests_and_changes() {
    let host = site("qcow2");
    host.ok(&format!(
        r#"{IMPORTS}
        let dom = conn.lookup_by_name("web");
        let disk = dom.xml().get("devices/disk/source/@file");
        // Recipes refuse a disk of another guest unless it is given as XML.
        let disks = [`<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${{disk}}'/>
            <target dev='vda' bus='virtio'/></disk>`];
        let other = #{{ name: "other", memory: "32MiB", nics: [], disks: disks }};
        guest::create(conn, other + #{{ start: false }});
        dom.managed_save();
        let volume = conn.storage_vol_lookup_by_path(disk);
        let mine = "a disk of the domain `web`, which has a managed save";
        for call in [
            || conn.lookup_by_name("other").create(),
            || conn.lookup_by_name("other").create(VIR_DOMAIN_START_PAUSED),
            || guest::run(conn, other + #{{ name: "third" }}),
        ] {{
            let told = refused(call);
            assert(told.contains(mine) && told.contains("managed_save_remove"), told);
        }}
        for call in [|| volume.resize("20MiB"), || volume.delete(0), || volume.wipe()] {{
            let told = refused(call);
            assert(told.contains("`web` has a managed save image"), told);
        }}
        for call in [
            || dom.snapshot_create_xml("<domainsnapshot/>", VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY),
            || dom.snapshot_create_xml("<domainsnapshot><disks><disk name='vda' snapshot='external'/></disks></domainsnapshot>"),
        ] {{
            let told = refused(call);
            assert(told.contains("has a managed save image"), told);
        }}
        assert(dom.has_managed_save_image());
        // A disk that both only read, and the guest itself, are no harm.
        dom.create();
        assert_eq(dom.state_reason().reason, "restored");
        dom.destroy();
        conn.lookup_by_name("other").create();
        conn.lookup_by_name("other").destroy(); ()"#
    ));
}

#[test]
fn a_snapshot_that_is_no_restore_point_is_left_alone() {
    let host = site("qcow2");
    host.ok(&format!(
        r#"{IMPORTS}
        let dom = conn.lookup_by_name("web");
        restore_point::make(dom, "mine");
        dom.snapshot_create_xml("<domainsnapshot><name>foreign</name></domainsnapshot>");
        assert_eq(restore_point::list(dom), ["mine"]);
        let told = refused(|| restore_point::restore(dom, "foreign"));
        assert(told.contains("no restore point `foreign`") && told.contains("revert_to_snapshot"), told);
        restore_point::remove(dom, "foreign");
        assert_eq(dom.list_all_snapshots().len(), 2);
        // A snapshot that moved the guest to other files: libvirt would stop the guest and then fail.
        dom.snapshot_create_xml("<domainsnapshot><name>moved</name></domainsnapshot>", VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY);
        let told = refused(|| restore_point::restore(dom, "mine"));
        assert(told.contains("`moved` switched its disks to other files"), told);
        assert_eq(dom.state(), "running"); ()"#
    ));
}

#[test]
fn memory_of_a_guest_that_was_renamed_since_needs_the_old_name() {
    let host = site("raw");
    let file = host.scratch().path("images/web.save");
    host.ok(&format!(
        r#"{IMPORTS}
        let dom = conn.lookup_by_name("web");
        restore_point::make(dom, "monday");
        save_file::save(dom, "{0}");
        dom.rename("www");
        for told in [refused(|| save_file::restore(conn, "{0}")), refused(|| restore_point::restore(dom, "monday"))] {{
            assert(told.contains("the guest `www` was called `web` when its memory was saved"), told);
            assert(told.contains("`dom.rename(\"web\")`"), told);
        }}
        assert_eq(dom.state(), "shutoff");
        // As the hint says.
        dom.rename("web");
        dom = save_file::restore(conn, "{0}");
        assert_eq(dom.state(), "running");
        dom = restore_point::restore(dom, "monday");
        assert_eq(dom.state(), "running"); ()"#,
        file.display(),
    ));
}
