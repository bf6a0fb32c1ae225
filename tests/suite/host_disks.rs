//! Disks of guests that are devices of the host: recipes neither create nor delete them.

use crate::support::{BlockDevice, Daemon, Host, TestHost};

#[test]
fn a_block_device_is_copied_into_a_pool_and_never_removed() {
    let host = Daemon::start();
    let name = format!("virhai-disk-{}", std::process::id());
    let Some(device) = BlockDevice::make(&host, &name, 4 << 20) else {
        return;
    };
    let script = r#"
        import "std/backup" as backup;
        import "std/clone" as clone;
        import "std/guest" as guest;
        import "std/image" as image;
        import "std/pool" as pool;
        import "std/restore_point" as restore_point;
        let conn = connect();
        let images = pool::create(conn, #{ name: "images", path: "FOLDER" });
        let devices = pool::create(conn, #{ name: "devices", path: "/dev", autostart: false });
        let options = #{ name: "web", virt_type: "qemu", machine: "pc", memory: "32MiB", nics: [], disks: ["DEVICE"] };
        let web = guest::create(conn, options);
        assert_eq(web.xml().select("devices/disk/source/@dev"), ["DEVICE"]);
        assert_eq(guest::volumes(web), []);

        // Nothing is created among the devices.
        for call in [|| restore_point::make(web, "first"), || clone::of(web, #{ name: "copy" })] {
            let why = assert_throws(call);
            assert(why.message.contains("a device of the host") || why.message.contains("does not hold files"), why.message);
            assert(why.hint.contains("with the option `pool`"), why.hint);
        }
        let why = assert_throws(|| guest::create(conn, options + #{ name: "new", disks: [#{ path: "/dev/virhai-new", size: "1MiB" }] }));
        assert(why.message.contains("a disk cannot be created at /dev/virhai-new"), why.message);

        restore_point::make(web, "first", #{ pool: "images" });
        assert_eq(restore_point::list(web), ["first"]);
        let disk = conn.storage_vol_lookup_by_path("DEVICE");
        disk.upload(blob(512, 7));
        let web = restore_point::restore(web, "first");
        assert_eq(disk.download(0, 512), blob(512));
        assert_eq(web.state(), "running");
        restore_point::remove(web, "first");

        let copy = clone::of(web, #{ name: "copy", pool: "images" });
        assert_eq(web.xml().select("devices/disk/source/@dev"), ["DEVICE"]);
        assert_eq(guest::volumes(copy).map(|volume| volume.name), ["copy.raw"]);
        assert_eq(guest::remove_with_volumes(copy).len(), 1);
        images.refresh();
        assert_eq(images.list_volumes(), []);

        // A restored disk is a volume, and the device stays.
        backup::make(web, #{ pool: "images" });
        web.destroy();
        let why = assert_throws(|| backup::restore(conn, #{ guest: "web", pool: "images" }));
        assert(why.message.contains("DEVICE, a device of the host"), why.message);
        assert(why.hint.contains("with the option `to`"), why.hint);
        let back = backup::restore(conn, #{ guest: "web", pool: "images", to: "images", start: false });
        assert_eq(back.xml().select("devices/disk/source/@file").len(), 1);
        assert_eq(back.xml().select("devices/disk/source/@dev"), []);
        assert_eq(guest::volumes(back).len(), 1);

        let why = assert_throws(|| image::remove(devices, "NAME"));
        assert(why.message.contains("DEVICE is a device of the host"), why.message);
        assert_eq(guest::remove_with_volumes(back).len(), 1);
        assert_eq(conn.list_all_domains(), []);
        "#;
    let folder = host.scratch().folder("images");
    let script = script
        .replace("FOLDER", &folder.display().to_string())
        .replace("DEVICE", device.path())
        .replace("NAME", &name);
    host.ok(&script);
    assert!(device.is_there());
    let among_devices = std::fs::read_dir("/dev").expect("all can read /dev");
    let made: Vec<String> = among_devices
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|other| *other != name && (other.starts_with(&name) || other.starts_with("copy")))
        .collect();
    assert_eq!(made, [""; 0]);
}

#[test]
fn a_lun_is_not_a_volume_of_its_guest() {
    let host = TestHost::with(
        "<pool type='iscsi'><name>san</name><source><host name='san'/><device path='iqn.2026-11.org.example:disk'/></source>
             <target><path>/dev/disk/by-path</path></target>
             <volume><name>lun-1</name><capacity>1048576</capacity><target><path>/dev/disk/by-path/lun-1</path></target></volume></pool>
           <pool type='logical'><name>vg</name><source><name>vg</name></source><target><path>/dev/vg</path></target>
             <volume><name>root</name><capacity>1048576</capacity><target><path>/dev/vg/root</path></target></volume></pool>
           <domain type='test'><name>web</name><memory>32768</memory><os><type>hvm</type></os><devices>
             <disk type='block' device='disk'><source dev='/dev/disk/by-path/lun-1'/><target dev='vda'/></disk>
             <disk type='block' device='disk'><source dev='/dev/vg/root'/><target dev='vdb'/></disk>
           </devices></domain>",
    );
    host.ok(r#"
        import "std/guest" as guest;
        import "std/image" as image;
        let conn = connect();
        let web = conn.lookup_by_name("web");
        assert_eq(guest::volumes(web).map(|volume| volume.name), ["root"]);
        let san = conn.storage_pool_lookup_by_name("san");
        let why = assert_throws(|| image::remove(san, "lun-1"));
        assert(why.message.contains("/dev/disk/by-path/lun-1 is a device of the host"), why.message);
        assert_eq(guest::remove_with_volumes(web), ["/dev/vg/root"]);
        assert_eq(san.list_volumes(), ["lun-1"]);
        "#);
}
