//! Disks of guests that are devices of the host: recipes neither create nor delete them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Daemon, Host, TestHost, skip};

/// A block device of 4 MiB, under a name of its own.
struct Device {
    path: PathBuf,
    loop_device: String,
}

impl Device {
    /// `None` where only root can make one, or the kernel has no loop devices.
    fn make(host: &Daemon) -> Option<Self> {
        let image = host.scratch().write("device.img", vec![0; 4 << 20]);
        let said = output("losetup", &["--find", "--show", image.to_str()?])?;
        let loop_device = said.trim().to_owned();
        let number = loop_device.strip_prefix("/dev/loop")?.to_owned();
        let path = PathBuf::from(format!("/dev/virhai-test-{}", std::process::id()));
        let device = Self { path, loop_device };
        output(
            "mknod",
            &["-m", "666", device.path.to_str()?, "b", "7", &number],
        )?;
        Some(device)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = output("losetup", &["--detach", &self.loop_device]);
    }
}

/// What a program prints, if it succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let command = Command::new(program)
        .args(arguments)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stderr(Stdio::null())
        .output();
    let output = command.ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

fn is_device(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata()
        .is_ok_and(|metadata| metadata.file_type().is_block_device())
}

#[test]
fn a_block_device_is_copied_into_a_pool_and_never_removed() {
    let host = Daemon::start();
    let Some(device) = Device::make(&host) else {
        skip("no block device can be made: this needs root and loop devices");
        return;
    };
    let script = r#"
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

        let why = assert_throws(|| image::remove(devices, "NAME"));
        assert(why.message.contains("DEVICE is a device of the host"), why.message);
        assert_eq(guest::remove_with_volumes(web), []);
        assert_eq(conn.list_all_domains(), []);
        "#;
    let path = device.path.to_str().unwrap();
    let folder = host.scratch().folder("images");
    let script = script
        .replace("FOLDER", folder.to_str().unwrap())
        .replace("DEVICE", path)
        .replace("NAME", path.trim_start_matches("/dev/"));
    host.ok(&script);
    assert!(is_device(&device.path));
    let name = device.path.file_name().unwrap().to_str().unwrap();
    let made: Vec<String> = std::fs::read_dir("/dev")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|other| other != name && (other.starts_with(name) || other.starts_with("copy")))
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
