//! Images that something else needs are not deleted, overwritten or replaced, however they are named.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::{Daemon, Host, succeeds};

const IMPORTS: &str = r#"
    import "std/backup" as backup;
    import "std/clone" as clone;
    import "std/guest" as guest;
    import "std/image" as image;
    import "std/pool" as pool;
    import "std/restore_point" as restore_point;
    import "std/save_file" as save_file;
    let conn = connect();
    fn off(name, disks) { #{ name: name, memory: "32MiB", nics: [], start: false, disks: disks } }
    fn thrown(action) {
        let error = ();
        try { action.call(); } catch (err) { error = err; }
        assert(error != (), "nothing was thrown");
        error
    }
    fn disks(dom) { dom.xml(VIR_DOMAIN_XML_INACTIVE).select("devices/disk/source/@file").map(|path| path.split("/").pop()) }
"#;

/// A host with an empty pool `images`; `FOLDER` is the folder around it.
struct Site(Daemon);

impl Site {
    fn new() -> Self {
        let host = Daemon::start();
        for name in ["images", "more", "outside"] {
            host.scratch().folder(name);
        }
        let site = Self(host);
        site.ok(r#"pool::create(conn, #{ name: "images", path: "FOLDER/images" });"#);
        site
    }

    fn ok(&self, script: &str) -> String {
        let images = self.0.scratch().path("images");
        let folder = images.parent().expect("it has one").display().to_string();
        self.0
            .ok(&format!("{IMPORTS}{script}; ()").replace("FOLDER", &folder))
    }

    /// Runs `qemu-img create` with `options` in the folder `place`, and gives the image to libvirt's user.
    fn image(&self, place: &str, options: &str) {
        let folder = self.0.scratch().path(place);
        succeeds(
            Command::new("qemu-img")
                .args(["create", "-q"])
                .args(options.split_whitespace())
                .current_dir(&folder),
        );
        for entry in folder.read_dir().expect("it is there").flatten() {
            self.0.scratch().give(&entry.path());
        }
    }
}

#[test]
fn an_image_that_another_volume_needs_outlives_its_guest() {
    let site = Site::new();
    site.ok(
        r#"
        let dom = guest::create(conn, off("base", [#{ pool: "images", size: "1MiB" }]));
        image::create(conn, #{ pool: "images", name: "over.qcow2", backing: "base.qcow2" });
        assert_eq(guest::remove_with_volumes(dom), []);
        assert_eq(conn.storage_pool_lookup_by_name("images").list_volumes().sort_by(|name| name), ["base.qcow2", "over.qcow2"]);
        // With the image that needs it, both go.
        let dom = guest::create(conn, off("both", ["FOLDER/images/over.qcow2", #{ path: "FOLDER/images/base.qcow2", readonly: true }]));
        assert_eq(guest::remove_with_volumes(dom).len(), 1);
        "#,
    );
}

#[test]
fn a_chain_through_a_folder_in_no_pool_or_a_stopped_pool_keeps_its_images() {
    let site = Site::new();
    site.ok(r#"guest::create(conn, off("base", [#{ pool: "images", size: "1MiB" }]));"#);
    site.image(
        "outside",
        "-f qcow2 -b ../images/base.qcow2 -F qcow2 middle.qcow2",
    );
    site.image(
        "images",
        "-f qcow2 -b ../outside/middle.qcow2 -F qcow2 top.qcow2",
    );
    site.ok(
        r#"
        let top = guest::create(conn, off("top", ["FOLDER/images/top.qcow2"]));
        let images = conn.storage_pool_lookup_by_name("images");
        assert_eq(guest::remove_with_volumes(conn.lookup_by_name("base")), []);
        assert(thrown(|| image::remove(images, "base.qcow2")).message.contains("a backing image of a disk of the guest `top`"));
        guest::remove(top);
        // Of a disk in a stopped pool, nothing is known.
        let more = pool::create(conn, #{ name: "more", path: "FOLDER/more" });
        image::create(conn, #{ pool: "more", name: "v.qcow2", size: "1MiB" });
        guest::create(conn, off("other", [#{ pool: "more", volume: "v.qcow2" }]));
        more.destroy();
        let dom = guest::create(conn, off("late", [#{ pool: "images", size: "1MiB" }]));
        assert_eq(guest::remove_with_volumes(dom), []);
        assert(images.list_volumes().contains("late.qcow2"));
        assert(thrown(|| image::remove(images, "late.qcow2")).message.contains("may be a backing image of a disk of the guest `other`"));
        "#,
    );
}

#[test]
fn one_file_under_two_paths_is_one_image() {
    let site = Site::new();
    let scratch = site.0.scratch();
    symlink(scratch.path("images"), scratch.path("link")).expect("the folder is the test's own");
    site.ok(
        r#"
        let a = guest::create(conn, off("a", [#{ pool: "images", size: "1MiB" }]));
        for path in ["FOLDER/link/a.qcow2", "FOLDER//images/a.qcow2", "FOLDER/more/../images/./a.qcow2"] {
            let why = thrown(|| guest::create(conn, off("b", [path]))).message;
            assert(why.contains("is a disk of the guest `a`"), why);
        }
        image::create(conn, #{ pool: "images", name: "c.qcow2", size: "1MiB" });
        let twice = thrown(|| guest::create(conn, off("b", ["FOLDER/images/c.qcow2", "FOLDER/link/c.qcow2"])));
        assert(twice.message.contains("two disks of `disks` have the image"), twice.message);
        // Also if both are in pools.
        conn.storage_pool_create_xml("<pool type='dir'><name>link</name><target><path>FOLDER/link</path></target></pool>");
        assert(thrown(|| guest::create(conn, off("b", ["FOLDER/link/a.qcow2"]))).message.contains("is a disk of the guest `a`"));
        let b = conn.define_xml(a.xml_desc(VIR_DOMAIN_XML_INACTIVE).edited("a", "b"));
        assert_eq(guest::remove_with_volumes(b), []);
        assert(conn.storage_pool_lookup_by_name("images").list_volumes().contains("a.qcow2"));
        assert_eq(guest::remove_with_volumes(a).len(), 1);

        fn edited(from, to) {
            let xml = parse_xml(this);
            xml.set("name", to);
            xml.remove("uuid");
            xml.set("devices/disk/source/@file", xml.get("devices/disk/source/@file").edited_path());
            xml.to_string()
        }
        fn edited_path() { let path = this; path.replace("/images/", "/link/"); path }
        "#,
    );
}

#[test]
fn the_data_file_of_an_image_belongs_to_its_guest() {
    let site = Site::new();
    site.image("images", "-f qcow2 -o data_file=a.data a.qcow2 1M");
    site.ok(r#"
        let dom = guest::create(conn, off("a", ["FOLDER/images/a.qcow2"]));
        let images = conn.storage_pool_lookup_by_name("images");
        let why = thrown(|| image::remove(images, "a.data")).message;
        assert(why.contains("the data file of a disk of the guest `a`"), why);
        assert_eq(guest::remove_with_volumes(dom).len(), 2);
        assert_eq(images.list_volumes(), []);
        "#);
}

#[test]
fn ensure_keeps_the_disk_of_a_guest_that_was_renamed_cloned_or_restored() {
    let site = Site::new();
    site.ok(
        r#"
        pool::create(conn, #{ name: "more", path: "FOLDER/more" });
        let disk = [#{ pool: "images", size: "1MiB" }];
        let dom = guest::create(conn, off("web", disk));
        dom.rename("shop");
        let done = guest::ensure(conn, off("shop", disk));
        assert_eq([done.changed, disks(dom)], [false, ["web.qcow2"]]);
        // A clone in another pool.
        let copy = clone::of(dom, #{ name: "copy", pool: "more" });
        let before = disks(copy);
        assert_eq(guest::ensure(conn, off("copy", [#{ size: "1MiB" }])).changed, false);
        assert_eq(disks(copy), before);
        let why = thrown(|| guest::ensure(conn, off("copy", disk)));
        assert(why.message.contains("in the storage pool `more`, not in `images`"), why.message);
        // A restored guest has new images.
        backup::make(dom, #{ pool: "more" });
        let dom = backup::restore(conn, #{ pool: "more", guest: "shop" });
        let before = disks(dom);
        assert_eq(guest::ensure(conn, off("shop", disk)).changed, false);
        assert_eq(disks(dom), before);
        // It grows where it is, and that is told.
        let done = guest::ensure(conn, off("shop", [#{ size: "2MiB" }]));
        assert_eq([done.changed, done.changes.len(), disks(dom)], [true, 1, before]);
        assert_eq(dom.block_info("vda").capacity_bytes, 2097152);
        // A second disk is new.
        let done = guest::ensure(conn, off("shop", [#{ size: "2MiB" }, #{ pool: "images", size: "1MiB" }]));
        assert_eq(disks(dom), before + ["shop-1.qcow2"]);
        // If the image is gone, no empty image takes its place.
        for name in before { conn.storage_pool_lookup_by_name("images").storage_vol_lookup_by_name(name).delete(); }
        let why = thrown(|| guest::ensure(conn, off("shop", [#{ size: "2MiB" }, #{ pool: "images", size: "1MiB" }])));
        assert(why.message.contains("is not in the storage pool `images` now: a new image would be empty"), why.message);
        "#,
    );
}

#[test]
fn a_restore_point_overwrites_only_the_disks_of_its_own_guest() {
    let site = Site::new();
    site.0.scratch().write("images/a.raw", vec![7; 1 << 20]);
    site.ok(
        r#"
        let a = guest::create(conn, off("a", ["FOLDER/images/a.raw"]));
        a.create();
        restore_point::make(a, "p");
        a.destroy();
        // A copied definition has the metadata of its original.
        let xml = a.xml(VIR_DOMAIN_XML_INACTIVE).copy();
        xml.set("name", "b");
        xml.remove("uuid");
        let b = conn.define_xml(xml);
        assert_eq(restore_point::list(b), []);
        assert_eq(restore_point::list(a), ["p"]);
        let why = thrown(|| restore_point::restore(a, "p")).message;
        assert(why.contains("a.raw is also a disk of the guest `b`"), why);
        guest::remove_with_volumes(b);
        assert(conn.storage_pool_lookup_by_name("images").list_volumes().contains("a.raw.p.memory"));
        // The guest got another disk.
        a.edit(|xml| xml.set("devices/disk/source/@file", "FOLDER/images/a.raw.p.copy"));
        let why = thrown(|| restore_point::restore(a, "p"));
        assert(why.message.contains("a.raw is not its disk now"), why.message);
        "#,
    );
}

#[test]
fn a_save_file_knows_disks_in_no_pool_and_is_not_overwritten() {
    let site = Site::new();
    site.0.scratch().write("outside/a.raw", vec![0; 1 << 20]);
    site.ok(r#"
        let a = guest::create(conn, off("a", [#{ path: "FOLDER/outside/a.raw", format: "raw" }]));
        let b = guest::create(conn, off("b", []));
        a.create();
        save_file::save(a, "FOLDER/more/x.save");
        b.create();
        let why = thrown(|| save_file::save(b, "FOLDER/more/x.save")).message;
        assert(why.contains("has the saved memory of the guest `a`"), why);
        b.destroy();
        "#);
    site.0.scratch().write("outside/a.raw", vec![1; 1 << 20]);
    site.ok(
        r#"
        let why = thrown(|| save_file::restore(conn, "FOLDER/more/x.save")).message;
        assert(why.contains("a.raw of the guest `a` was written to after the guest was saved"), why);
        "#,
    );
}

#[test]
fn the_backing_image_of_a_volume_becomes_no_disk() {
    let site = Site::new();
    site.ok(
        r#"
        image::create(conn, #{ pool: "images", name: "base.qcow2", size: "1MiB" });
        image::create(conn, #{ pool: "images", name: "over.qcow2", backing: "base.qcow2" });
        let why = thrown(|| guest::create(conn, off("a", ["FOLDER/images/base.qcow2"]))).message;
        assert(why.contains("is the backing image of") && why.contains("over.qcow2, which would be corrupted"), why);
        guest::create(conn, off("a", [#{ path: "FOLDER/images/base.qcow2", readonly: true }]));
        "#,
    );
}

#[test]
fn ensure_resumes_a_paused_guest_and_accepts_a_slash_and_boot_numbers() {
    let site = Site::new();
    site.ok(
        r#"
        let dom = guest::create(conn, off("a", [#{ pool: "images", size: "1MiB" }, #{ pool: "images", size: "1MiB", boot: 1 }]));
        assert_eq(dom.xml().select("devices/disk/boot/@order"), ["2", "1"]);
        dom.create();
        dom.suspend();
        let done = guest::ensure(conn, #{ name: "a" });
        assert_eq([done.changed, done.changes, dom.state()], [true, ["resumed"], "running"]);
        assert_eq(guest::ensure(conn, #{ name: "a" }).changed, false);
        dom.destroy();
        for round in 1..=2 { pool::ensure(conn, #{ name: "more", path: "FOLDER//more/" }); }
        "#,
    );
}

#[test]
fn an_older_snapshot_in_files_does_not_prevent_a_restore_point() {
    let site = Site::new();
    site.ok(
        r#"
        let a = guest::create(conn, off("a", [#{ pool: "images", size: "1MiB" }]));
        a.create();
        a.snapshot_create_xml("<domainsnapshot><name>old</name><disks><disk name='vda' snapshot='external'><source file='FOLDER/images/a.old'/></disk></disks></domainsnapshot>", VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY);
        sleep("1100ms");
        restore_point::make(a, "p");
        restore_point::restore(a, "p");
        assert_eq(disks(a), ["a.old"]);
        sleep("1100ms");
        a.snapshot_create_xml("<domainsnapshot><name>new</name><disks><disk name='vda' snapshot='external'><source file='FOLDER/images/a.new'/></disk></disks></domainsnapshot>", VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY);
        let why = thrown(|| restore_point::restore(a, "p"));
        assert(why.message.contains("the snapshot `new` switched its disks"), why.message);
        a.destroy();
        "#,
    );
}

#[test]
fn the_base_of_a_backed_clone_is_not_restored_installed_again_or_booted() {
    let site = Site::new();
    site.ok(r#"
        import "std/install" as install;
        let dom = guest::create(conn, off("base", [#{ pool: "images", size: "2MiB", volume: "base.qcow2" }]) + #{ start: true, autostart: true });
        restore_point::make(dom, "monday");
        dom.destroy();
        clone::of(dom, #{ name: "copy", mode: "backed" });
        assert(!dom.autostart());
        let refusals = [
            thrown(|| restore_point::restore(dom, "monday")),
            thrown(|| install::from_iso(conn, #{ name: "base", iso: "/x.iso", reinstall: true })),
            thrown(|| guest::boot(dom)),
        ];
        for err in refusals { assert(err.message.contains("backing image"), err.message); }
        assert_eq(dom.state(), "shutoff");
        guest::remove_with_volumes(conn.lookup_by_name("copy"));
        assert_eq(restore_point::restore(dom, "monday").state(), "running");
        dom.destroy();
    "#);
}

#[test]
fn a_restore_point_takes_no_disk_of_another_guest_and_changes_nothing_if_its_disk_is_gone() {
    let site = Site::new();
    site.ok(r#"
        let dom = guest::create(conn, off("one", [#{ pool: "images", size: "2MiB", volume: "a.qcow2" }]) + #{ start: true });
        restore_point::make(dom, "p");
        dom.destroy();
        let images = conn.storage_pool_lookup_by_name("images");
        image::create(conn, #{ pool: "images", name: "b.qcow2", size: "2MiB" });
        guest::ensure(conn, off("one", ["FOLDER/images/b.qcow2"]));
        let before = dom.xml_desc(VIR_DOMAIN_XML_INACTIVE);
        let other = guest::create(conn, off("other", ["FOLDER/images/a.qcow2"]));
        for attempt in 0..2 {
            let err = thrown(|| restore_point::restore(dom, "p"));
            assert(err.message.contains("a.qcow2 is not its disk now"), err.message);
            assert_eq([dom.state(), dom.xml_desc(VIR_DOMAIN_XML_INACTIVE)], ["shutoff", before]);
            guest::remove_with_volumes(other);
        }
    "#);
}

#[test]
fn the_copies_of_a_restore_point_stay_as_long_as_a_guest_needs_them() {
    let site = Site::new();
    site.ok(r#"
        let dom = guest::create(conn, off("one", [#{ pool: "images", size: "2MiB", volume: "a.img", format: "raw" }]) + #{ start: true });
        restore_point::make(dom, "p");
        let images = conn.storage_pool_lookup_by_name("images");
        let err = thrown(|| image::remove(images, "a.img.p.copy"));
        assert(err.message.contains("belongs to the restore point `p` of the guest `one`"), err.message);
        let other = guest::create(conn, off("other", [#{ pool: "images", backing: "FOLDER/images/a.img.p.copy" }]) + #{ start: true });
        let err = thrown(|| restore_point::remove(dom, "p"));
        assert(err.message.contains("`other`"), err.message);
        assert_eq(restore_point::list(dom), ["p"]);
        assert(!guest::remove_with_volumes(dom).contains("FOLDER/images/a.img.p.copy"));
        images.refresh();
        assert(images.list_volumes().contains("a.img.p.copy"));
        other.destroy();
        other.create();
        other.destroy();
    "#);
}

#[test]
fn renamed_guests_keep_their_nvram() {
    if !crate::support::has_uefi() {
        return;
    }
    let site = Site::new();
    site.ok(r#"
        let files = [];
        for name in ["v-a", "v-b", "v"] {
            let dom = guest::create(conn, off("v", []) + #{ memory: "64MiB", firmware: "efi" });
            dom.create(VIR_DOMAIN_START_PAUSED);
            dom.destroy();
            let file = dom.xml(VIR_DOMAIN_XML_INACTIVE).get("os/nvram", "");
            assert(!files.contains(file) || file == "", file);
            files.push(file);
            if name != "v" { dom.rename(name); }
        }
        guest::remove(conn.lookup_by_name("v"));
        for name in ["v-a", "v-b"] {
            let dom = conn.lookup_by_name(name);
            dom.create(VIR_DOMAIN_START_PAUSED);
            guest::remove(dom);
        }
    "#);
}
