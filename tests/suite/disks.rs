//! Sources of disks of all types, as recipes find them.

use std::process::Command;

use crate::support::{Daemon, Host, TestHost, succeeds};

/// A guest with one disk of each kind; the disks need not exist to be defined.
const KINDS: &str = r#"
    import "std/disk" as disk;
    import "std/guest" as guest;
    import "std/image" as image;
    import "std/pool" as pool;
    let conn = connect();
    let images = pool::create(conn, #{ name: "images", path: "FOLDER" });
    let put = image::create(conn, #{ pool: "images", name: "a.img", size: "1MiB", format: "raw" });
    conn.define_xml(`<domain type='qemu'><name>kinds</name><memory>32768</memory>
        <os><type arch='x86_64' machine='q35'>hvm</type></os><devices>
        <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${put.path}'/><target dev='vda' bus='virtio'/></disk>
        <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/elsewhere/b.img'/><target dev='vdb' bus='virtio'/></disk>
        <disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/nobody'/><target dev='vdc' bus='virtio'/></disk>
        <disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='images' volume='a.img'/><target dev='vdd' bus='virtio'/></disk>
        <disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='gone' volume='x'/><target dev='vde' bus='virtio'/></disk>
        <disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='rbd' name='pool/x'><host name='ceph' port='6789'/></source><target dev='vdf' bus='virtio'/></disk>
        <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
        </devices></domain>`);
    let dom = conn.lookup_by_name("kinds");
    let disks = dom.xml(VIR_DOMAIN_XML_INACTIVE).select("devices/disk");
    let found = disks.map(|element| disk::source(conn, element));
"#;

fn kinds(host: &impl Host, script: &str) {
    let folder = host.scratch().folder("images");
    let script = format!("{KINDS}{script}; ()");
    host.ok(&script.replace("FOLDER", &folder.display().to_string()));
}

#[test]
fn each_kind_of_disk_is_told_apart() {
    kinds(
        &Daemon::start(),
        r#"
        assert_eq(found.map(|source| source.kind), ["file", "file", "block", "volume", "volume", "network", "none"]);
        assert_eq(found.map(|source| source.path), [put.path, "/elsewhere/b.img", "/dev/nobody", put.path, (), (), ()]);
        assert_eq(found.map(|source| source.pool), ["images", (), (), "images", "gone", (), ()]);
        assert_eq(found.map(|source| source.name), ["a.img", (), (), "a.img", "x", (), ()]);
        assert_eq(found.map(|source| source.format), ["qcow2", "qcow2", "raw", "raw", "raw", "raw", "raw"]);
        assert_eq(found.map(|source| source.volume != ()), [true, false, false, true, false, false, false]);
        assert_eq(found.map(|source| source.target), ["vda", "vdb", "vdc", "vdd", "vde", "vdf", "sda"]);
        assert_eq(found.map(|source| source.text), [
            `the file ${put.path}`, "the file /elsewhere/b.img", "the block device /dev/nobody",
            "the volume `a.img` of the storage pool `images`", "the volume `x` of the storage pool `gone`",
            "the rbd image pool/x on the network", "an empty drive",
        ]);
        // A volume behind a disk: or what it is instead, and what to do about it.
        let why = disks.map(|element| {
            try { return disk::volume_of(conn, element, "be copied").name; } catch (err) { return err.message; }
        });
        assert_eq(why[0], "a.img");
        assert(why[1].contains("`vdb` is the file /elsewhere/b.img, which is in no storage pool"), why[1]);
        assert(why[4].contains("`vde` is the volume `x` of the storage pool `gone`, which was not found"), why[4]);
        assert(why[5].contains("`vdf` is the rbd image pool/x on the network, which is not a volume"), why[5]);
        assert(why[6].contains("`sda` is an empty drive"), why[6]);
        // A pool that is off has no volumes, but its disks can still be told.
        images.destroy();
        let off = disks.map(|element| disk::source(conn, element));
        assert_eq(off[0].path, put.path);
        assert_eq(off[0].volume, ());
        assert_eq(off[3].path, ());
        "#,
    );
}

#[test]
fn a_guest_on_a_volume_counts_as_its_user() {
    kinds(
        &Daemon::start(),
        r#"
        let dom = conn.lookup_by_name("kinds");
        try { image::create(conn, #{ pool: "images", name: "a.img", size: "1MiB" }); assert(false, "made"); }
        catch (err) { assert(err.message.contains("a disk of `kinds`"), err.message); }
        // Its own volume is found through the pool and removed once, though two of its disks are that volume.
        assert_eq(guest::volumes(dom).map(|volume| volume.path), [put.path]);
        "#,
    );
}

#[test]
fn a_volume_group_and_its_devices_are_found_by_path() {
    let host = TestHost::with(
        "<pool type='logical'><name>vg</name><source><name>vg</name><format type='lvm2'/></source>\
         <target><path>/dev/vg</path></target>\
         <volume type='block'><name>root</name><capacity>1048576</capacity><target><path>/dev/vg/root</path></target></volume></pool>\
         <domain type='test'><name>lvm</name><memory>1024</memory><os><type>hvm</type></os><devices>\
         <disk type='block' device='disk'><source dev='/dev/vg/root'/><target dev='vda'/></disk>\
         <disk type='volume' device='disk'><source pool='vg' volume='root'/><target dev='vdb'/></disk>\
         </devices></domain>",
    );
    host.ok(r#"
        import "std/disk" as disk;
        let conn = connect();
        let disks = conn.lookup_by_name("lvm").xml().select("devices/disk");
        let found = disks.map(|element| disk::source(conn, element));
        assert_eq(found.map(|source| source.kind), ["block", "volume"]);
        for source in found {
            assert_eq(source.path, "/dev/vg/root");
            assert_eq(source.pool, "vg");
            assert_eq(source.name, "root");
        }
        "#);
}

#[test]
fn an_image_that_was_copied_a_moment_ago_is_a_volume() {
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    let path = folder.display();
    host.ok(&format!(
        r#"import "std/pool" as pool; pool::create(connect(), #{{ name: "images", path: "{path}" }}); ()"#
    ));
    host.scratch().write("images/fresh.img", vec![7; 4096]);
    host.ok(&format!(
        r#"
        import "std/image" as image;
        let conn = connect();
        let images = conn.storage_pool_lookup_by_name("images");
        let found = image::at(conn, "{path}/fresh.img");
        assert(found != ());
        assert_eq(image::at(conn, "{path}/missing.img"), ());
        assert_eq(image::at(conn, "/nowhere/missing.img"), ());
        "#
    ));
    host.scratch().write("images/later.img", vec![7; 4096]);
    host.ok(
        r#"
        import "std/image" as image;
        let images = connect().storage_pool_lookup_by_name("images");
        assert_eq(image::find(images, "later.img").name, "later.img");
        assert_eq(image::find(images, "missing.img"), ());
        // A volume that `ensure` did not make is not missing.
        let same = image::ensure(connect(), #{ pool: "images", name: "later.img", format: "raw", size: "4KiB" });
        assert_eq(same.changed, false);
        "#,
    );
    host.scratch().write("images/last.img", vec![7; 4096]);
    host.ok(r#"
        import "std/image" as image;
        image::remove(connect().storage_pool_lookup_by_name("images"), "last.img");
        "#);
    assert!(!folder.join("last.img").exists());
}

/// A pool with an image, its backing image, and a medium.
const IMAGES: &str = r#"
        import "std/guest" as guest;
        import "std/image" as image;
        import "std/pool" as pool;
        let conn = connect();
        let images = pool::create(conn, #{ name: "images", path: "FOLDER" });
        let base = image::create(conn, #{ pool: "images", name: "base.qcow2", size: "1MiB" });
        let own = image::create(conn, #{ pool: "images", name: "own.qcow2", backing: "base.qcow2" });
        let seed = image::create(conn, #{ pool: "images", name: "seed.iso", size: "1MiB", format: "raw" });
"#;

/// Runs `script` after [`IMAGES`]; returns what it prints.
fn with_images(host: &Daemon, script: &str) -> String {
    let folder = host.scratch().folder("images");
    let images = IMAGES.replace("FOLDER", &folder.display().to_string());
    host.ok(&format!("{images}{script}"))
}

#[test]
fn an_image_that_another_guest_uses_is_refused_however_it_is_named() {
    let script = r#"
        let cluster = image::create(conn, #{ pool: "images", name: "cluster.raw", size: "1MiB", format: "raw" });
        fn options(name, disks) {
            #{ name: name, memory: "32MiB", nics: [], start: false, disks: disks }
        }
        let both = #{ path: cluster.path, shareable: true };
        let web = guest::create(conn, options("web", [own, both, #{ path: seed.path, device: "cdrom" }]));
        fn refused(conn, disks) {
            for call in [
                |conn, options| guest::create(conn, options),
                |conn, options| guest::ensure(conn, options),
                |conn, options| { options.take("start"); guest::run(conn, options) },
            ] {
                try { call.call(conn, options("other", disks)); } catch (err) {
                    assert_eq(conn.list_all_domains().map(|dom| dom.name), ["web"]);
                    print(`${err.message}; ${err.hint}`);
                    continue;
                }
                throw `not refused: ${disks}`;
            }
        }
        for disk in [own.path, own, #{ path: own.path }, #{ pool: "images", volume: "own.qcow2" }, #{ path: own.path, shareable: true }] {
            refused(conn, [disk]);
        }
        refused(conn, [#{ pool: "images", size: "1MiB" }, base]);
        refused(conn, [cluster]);
        // One image under two names.
        let spare = image::create(conn, #{ pool: "images", name: "spare.qcow2", size: "1MiB" });
        refused(conn, [spare, #{ pool: "images", volume: "spare.qcow2" }]);
        assert(!images.list_volumes().contains("other.qcow2"), images.list_volumes().to_string());

        // What only reads, what both share, and what the guest itself has.
        guest::create(conn, options("other", [both, #{ path: own.path, readonly: true }, #{ path: seed.path, device: "cdrom" }]));
        guest::create(conn, options("next", [#{ pool: "images", backing: "base.qcow2" }, seed]));
        let same = guest::ensure(conn, options("web", [own, both, #{ path: seed.path, device: "cdrom" }]));
        assert(!same.changed, same.changes.to_string());
        guest::create(conn, options("rescue", [`<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
            <source file='${own.path}'/><target dev='vda' bus='virtio'/></disk>`]));
    "#;
    let said = with_images(&Daemon::start(), script);
    let disk = "own.qcow2 is a disk of the guest `web`: two guests would write to it; use a copy";
    assert_eq!(said.matches(disk).count(), 15, "{said}");
    let below = "`disks[1]`: the image";
    assert_eq!(said.matches(below).count(), 3, "{said}");
    let below = "is a backing image of a disk of the guest `web`, which would be corrupted; make a new disk on it with `backing`";
    assert_eq!(said.matches(below).count(), 3, "{said}");
    assert_eq!(said.matches("cluster.raw is a disk").count(), 3, "{said}");
    let twice = "two disks of `disks` have the image";
    assert_eq!(said.matches(twice).count(), 3, "{said}");
}

#[test]
fn an_image_in_use_is_not_removed() {
    let script = r#"
        fn refused(images, name) {
            try { image::remove(images, name); } catch (err) {
                assert_eq(err.code, "VIR_ERR_OPERATION_INVALID");
                assert(images.list_volumes().contains(name));
                print(err.message);
                return;
            }
            throw `${name} was removed`;
        }
        refused(images, "base.qcow2");
        let web = guest::create(conn, #{ name: "web", memory: "32MiB", nics: [], start: false, cdrom: seed.path, disks: [
            #{ pool: "images", volume: "own.qcow2" },
        ] });
        for name in ["base.qcow2", "own.qcow2", "seed.iso"] { refused(images, name); }
        guest::remove(web);
        for name in ["own.qcow2", "seed.iso", "base.qcow2", "base.qcow2"] { image::remove(images, name); }
        assert_eq(images.list_volumes(), []);
    "#;
    let said = with_images(&Daemon::start(), script);
    let said: Vec<&str> = said.lines().collect();
    for (line, why) in [
        (0, "base.qcow2 is the backing image of "),
        (
            1,
            "base.qcow2 is a backing image of a disk of the guest `web`, which would lose its data",
        ),
        (
            2,
            "own.qcow2 is a disk of the guest `web`, which would lose its data",
        ),
        (3, "seed.iso is a disk of the guest `web`"),
    ] {
        assert!(said[line].contains(why), "{said:#?}");
    }
}

#[test]
fn a_pool_whose_folder_is_missing_does_not_prevent_removals() {
    let host = Daemon::start();
    for name in ["first", "second"] {
        let folder = host.scratch().folder(name);
        let path = folder.display();
        host.ok(&format!(
            r#"import "std/pool" as pool; pool::create(connect(), #{{ name: "{name}", path: "{path}" }}); ()"#
        ));
        std::fs::remove_dir(&folder).expect("the folder is empty");
    }
    let script = r#"
        let first = conn.storage_pool_lookup_by_name("first");
        let why = assert_throws(|| first.refresh());
        assert_eq(why.hint, "the folder of a storage pool is missing on the host, and libvirt has stopped the pool: mount or create the folder, then `create()` starts the pool");
        image::remove(images, "own.qcow2");
        assert_eq(conn.list_all_storage_pools(VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE).map(|pool| pool.name), ["images"]);
        let web = guest::create(conn, #{ name: "web", memory: "32MiB", nics: [], start: false, disks: [base] });
        assert_eq(guest::remove_with_volumes(web), [base.path]);
    "#;
    with_images(&host, script);
}

#[test]
fn a_disk_that_a_running_guest_writes_to_becomes_no_backing_image() {
    with_images(
        &Daemon::start(),
        r#"
        let options = #{ name: "web", virt_type: "qemu", machine: "pc", memory: "32MiB", nics: [], disks: [own, #{ path: base.path, readonly: true }] };
        let web = guest::create(conn, options);
        let on_it = #{ pool: "images", name: "more.qcow2", backing: "own.qcow2" };
        let other = options + #{ name: "other", disks: [#{ pool: "images", backing: own.path }] };
        for call in [|| image::create(conn, on_it), || guest::create(conn, other)] {
            let why = assert_throws(call);
            assert(why.message.contains("own.qcow2 is a disk of the running guest `web`, which writes to it"), why.message);
            assert_eq(why.code, "VIR_ERR_OPERATION_INVALID");
        }
        assert_eq(images.list_volumes().filter(|name| name.contains("more") || name.contains("other")), []);
        assert_eq(conn.list_all_domains().len(), 1);
        // What it only reads, and what it has written once it is off.
        image::create(conn, on_it + #{ name: "below.qcow2", backing: "base.qcow2" });
        web.destroy();
        image::create(conn, on_it);
        "#,
    );
}

#[test]
fn an_overlay_that_its_pool_does_not_know_yet_keeps_its_backing_image() {
    let host = Daemon::start();
    with_images(&host, "");
    let path = |name: &str| host.path(&format!("images/{name}"));
    let (base, over) = (path("base.qcow2"), path("over.qcow2"));
    succeeds(Command::new("qemu-img").args([
        "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", &base, &over,
    ]));
    host.ok(&format!(
        r#"
        import "std/guest" as guest;
        let conn = connect();
        let images = conn.storage_pool_lookup_by_name("images");
        conn.define_xml(`<domain type='qemu'><name>web</name><memory>32768</memory><os><type arch='x86_64' machine='pc'>hvm</type></os>
            <devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{over}'/>
            <target dev='vda' bus='virtio'/></disk></devices></domain>`);
        assert(!images.list_volumes().contains("over.qcow2"));
        let why = assert_throws(|| guest::create(conn, #{{ name: "db", memory: "32MiB", nics: [], start: false, disks: ["{base}"] }}));
        assert(why.message.contains("base.qcow2 is a backing image of a disk of the guest `web`"), why.message);
        conn.lookup_by_name("web").undefine();
        "#
    ));
    succeeds(Command::new("cp").args([&over, &path("later.qcow2")]));
    host.ok(r#"
        import "std/image" as image;
        let images = connect().storage_pool_lookup_by_name("images");
        for name in ["own.qcow2", "over.qcow2"] { images.storage_vol_lookup_by_name(name).delete(); }
        assert(!images.list_volumes().contains("later.qcow2"));
        let why = assert_throws(|| image::remove(images, "base.qcow2"));
        assert(why.message.contains("base.qcow2 is the backing image of "), why.message);
        "#);
}
