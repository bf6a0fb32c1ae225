//! The format of a disk is taken from its content or its volume, never from its name.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{Daemon, Host, micro, succeeds};

/// Functions that the scripts below share; each case has an image with a misleading name.
const SCRIPT: &str = r##"
    import "std/description" as description;
    import "std/guest" as guest;
    import "std/image" as image;
    import "std/import_image" as import_image;
    let conn = connect();
    let images = conn.storage_pool_lookup_by_name("images");
    let formats = |disks| {
        let guest = description::of(conn, #{ name: "probe", nics: [], disks: disks });
        guest.select("devices/disk").map(|element| element.get("driver/@type"))
    };
    let refusal = |action| {
        try { action.call(); } catch (err) { return `${err.message} ${err.hint}`; }
        "nothing"
    };
"##;

struct Images {
    host: Daemon,
    folder: PathBuf,
}

impl Images {
    fn new() -> Self {
        let host = Daemon::start();
        let folder = host.scratch().folder("images");
        host.ok(&format!(
            "import \"std/pool\" as pool; pool::create(connect(), #{{ name: \"images\", path: \"{}\" }}); ()",
            folder.display()
        ));
        Self { host, folder }
    }

    /// Puts an image into the pool's folder behind its back.
    fn put(&self, format: &str, name: &str) {
        let path = self.host.scratch().write("made", "");
        succeeds(
            Command::new("qemu-img")
                .args(["create", "-q", "-f", format])
                .arg(&path)
                .arg("1M"),
        );
        self.host.scratch().copy(&path, &format!("images/{name}"));
    }

    fn ok(&self, script: &str) -> String {
        let folder = self.folder.display().to_string();
        self.host
            .ok(&format!("{SCRIPT}{script}; ()").replace("FOLDER", &folder))
    }
}

#[test]
fn an_image_has_the_format_of_its_bytes_whatever_it_is_called() {
    let images = Images::new();
    for (format, name) in [
        ("qcow2", "ubuntu.img"),
        ("raw", "data.qcow2"),
        ("vmdk", "appliance.raw"),
        ("vdi", "box.qcow2"),
        ("qed", "old.img"),
        ("vpc", "azure.vmdk"),
        ("vhdx", "hyper.vhd"),
        ("qcow2", "no suffix & 'quoted'"),
    ] {
        images.put(format, name);
    }
    images.ok(
        r##"
        let names = ["ubuntu.img", "data.qcow2", "appliance.raw", "box.qcow2", "old.img", "azure.vmdk", "no suffix & 'quoted'"];
        let right = ["qcow2", "raw", "vmdk", "vdi", "qed", "vpc", "qcow2"];
        // No refresh was made: each way to name a disk asks for it.
        assert_eq(formats.call(names.map(|name| "FOLDER/" + name)), right);
        assert_eq(formats.call(names.map(|name| #{ path: "FOLDER/" + name })), right);
        assert_eq(formats.call(names.map(|name| #{ pool: "images", volume: name })), right);
        assert_eq(formats.call(names.map(|name| images.storage_vol_lookup_by_name(name))), right);
        let elements = [];
        for name in names {
            elements.push(xml("disk", #{
                "@type": "file", "@device": "disk", source: #{ "@file": "FOLDER/" + name }, target: #{ "@dev": `vdx${elements.len()}` },
            }));
        }
        assert_eq(formats.call(elements), right);
        assert_eq(names.map(|name| image::format(images.storage_vol_lookup_by_name(name))), right);
        let hyper = refusal.call(|| formats.call(["FOLDER/hyper.vhd"]));
        assert(hyper.contains("is VHDX") && hyper.contains("qemu-img convert"), hyper);
        // An image over another records its format.
        for name in names {
            let over = image::create(conn, #{ pool: "images", name: "over.img", backing: name });
            assert_eq(parse_xml(over.xml_desc()).get("backingStore/format/@type"), right[names.index_of(name)]);
            assert_eq(image::format(over), "qcow2");
            over.delete();
        }
        // Formats in the options are not checked.
        assert_eq(formats.call([#{ path: "FOLDER/ubuntu.img", format: "raw" }]), ["raw"]);
        // A volume that is made has the format that was asked for, or qcow2, whatever its name is.
        let made = guest::create(conn, #{ name: "made", memory: "64MiB", nics: [], start: false, disks: [
            #{ path: "FOLDER/new.raw", size: "1MiB" }, #{ path: "FOLDER/new.qcow2", size: "1MiB", format: "raw" }, #{ pool: "images", size: "1MiB" },
        ] });
        assert_eq(made.xml().select("devices/disk").map(|element| element.get("driver/@type")), ["qcow2", "raw", "qcow2"]);
        assert_eq(image::format(image::find(images, "made-2.qcow2")), "qcow2");
        "##,
    );
    // A file that is replaced behind the pool's back.
    images.put("qcow2", "data.qcow2");
    images.put("raw", "ubuntu.img");
    images.ok(r##"assert_eq(formats.call(["FOLDER/data.qcow2", "FOLDER/ubuntu.img"]), ["qcow2", "raw"]);"##);
}

#[test]
fn a_guest_that_had_an_image_as_raw_does_not_decide_what_is_in_it() {
    let images = Images::new();
    images.put("raw", "disk.img");
    images.ok(
        r##"
        guest::create(conn, #{ name: "raw", memory: "64MiB", nics: [], start: false, disks: ["FOLDER/disk.img"] });
        "##,
    );
    // The guest writes the header of an image that names a file of the host.
    images.put("qcow2", "disk.img");
    images.ok(
        r##"
        let disk = images.storage_vol_lookup_by_name("disk.img");
        assert_eq(image::format(disk), "raw");
        assert_eq(formats.call(["FOLDER/disk.img"]), ["raw"]);
        let over = image::create(conn, #{ pool: "images", name: "over.qcow2", backing: disk });
        assert_eq(parse_xml(over.xml_desc()).get("backingStore/format/@type"), "raw");
        let again = guest::ensure(conn, #{ name: "raw", memory: "64MiB", nics: [], start: false, disks: ["FOLDER/disk.img"] });
        assert_eq(again.domain.xml().get("devices/disk/driver/@type"), "raw");
        images.refresh();
        assert_eq(formats.call(["FOLDER/disk.img"]), ["raw"]);
        let copied = refusal.call(|| image::copy(disk, "copy.img"));
        assert(copied.contains("uses it as a raw disk"), copied);
        assert_eq(image::find(images, "copy.img"), ());
        "##,
    );
}

#[test]
fn a_format_that_nobody_knows_is_asked_for() {
    let images = Images::new();
    let outside = images.host.scratch().path("outside.qcow2");
    images.ok(&r##"
        let told = refusal.call(|| formats.call(["OUTSIDE"]));
        assert(told.contains("the format of the disk OUTSIDE is unknown") && told.contains("format: \"qcow2\""), told);
        let told = refusal.call(|| guest::create(conn, #{ name: "a", memory: "64MiB", nics: [], disks: [#{ pool: "images", size: "1MiB" }, "OUTSIDE"] }));
        assert(told.contains("is unknown"), told);
        assert_eq(conn.list_all_domains(), []);
        assert_eq(images.list_volumes(), []);
        let told = refusal.call(|| formats.call(["base.qcow2"]));
        assert(told.contains("is not an absolute path") && told.contains("volume: \"base.qcow2\""), told);
        assert_eq(formats.call([#{ path: "OUTSIDE", format: "qcow2" }, #{ block: "/dev/sdz" }, #{ path: "OUTSIDE", device: "cdrom" }, #{ device: "cdrom" }]), ["qcow2", "raw", "raw", "raw"]);
        assert_eq(conn.list_all_domains(), []);
        let told = refusal.call(|| description::on(#{ virt_type: "qemu", arch: "x86_64", machine: "q35", capabilities: parse_xml("<domainCapabilities/>") }, #{ name: "a", disks: ["/a.img"] }));
        assert(told.contains("give it with the option `format`"), told);
        "##.replace("OUTSIDE", &outside.display().to_string()));
}

#[test]
fn a_host_reads_an_image_in_no_pool() {
    let images = Images::new();
    images.put("qcow2", "outside.raw");
    images.ok(r##"
        let pool = conn.storage_pool_lookup_by_name("images");
        pool.destroy();
        pool.undefine();
        assert_eq(formats.call(["FOLDER/outside.raw"]), ["qcow2"]);
        // The guest that was defined to read the format is gone.
        assert_eq(conn.list_all_domains(), []);
        "##);
}

#[test]
fn a_guest_boots_from_a_misnamed_image_that_nobody_refreshed() {
    let images = Images::new();
    succeeds(
        Command::new("qemu-img")
            .args(["convert", "-f", "raw", "-O", "qcow2"])
            .arg(micro("counter.img"))
            .arg(images.host.scratch().path("made")),
    );
    let copy = |name: &str| {
        let made = images.host.scratch().path("made");
        images.host.scratch().copy(&made, &format!("images/{name}"));
    };
    copy("ubuntu.img");
    images.ok(
        r##"
        let options = #{ name: "c1", memory: "32MiB", nics: [], image: "FOLDER/ubuntu.img", up: "MG:up", timeout: "30s" };
        assert_eq(import_image::disk(conn, options).up.console, "MG:up");
        let told = refusal.call(|| import_image::disk(conn, #{ name: "c2", memory: "32MiB", nics: [], image: "FOLDER/none.img", backed: true, pool: "images" }));
        assert(told.contains("is in no storage pool") && told.contains("images (FOLDER)"), told);
        let told = refusal.call(|| import_image::disk(conn, #{ name: "c2", memory: "32MiB", nics: [], image: "none.img", backed: true, pool: "images" }));
        assert(told.contains("storage pool `images`") && told.contains("no volume `none.img`"), told);
        guest::remove(conn.lookup_by_name("c1"));
        "##,
    );
    copy("fresh.img");
    images.ok(
        r##"
        // By the name of a volume, as a backing image, without a refresh, and with the user data checked.
        let options = #{ name: "c3", memory: "32MiB", nics: [], pool: "images", image: "fresh.img", up: "MG:up", timeout: "30s" };
        for text in ["users: []", "\n  package_update: true", "# cloud-config\n"] {
            let told = refusal.call(|| import_image::cloud(conn, options + #{ user_data: text }));
            assert(told.contains("cloud-init would ignore") && told.contains("#cloud-config"), told);
        }
        assert_eq(conn.list_all_domains(), []);
        assert_eq(import_image::cloud(conn, options + #{ user_data: "#cloud-config\nusers: []\n" }).up.console, "MG:up");
        let volumes = images.list_volumes();
        assert(volumes.contains("c3-seed.img"), `${volumes}`);
        "##,
    );
}

#[test]
fn a_packed_image_is_refused_with_the_command_that_unpacks_it() {
    let images = Images::new();
    let mut tar = vec![0; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    for (name, header) in [
        ("cloud.qcow2.xz", b"\xfd7zXZ\0\0\0".to_vec()),
        ("cloud.img.gz", b"\x1f\x8b\x08\0".to_vec()),
        ("cloud.raw.zst", b"\x28\xb5\x2f\xfd".to_vec()),
        ("appliance.ova", tar),
    ] {
        let mut content = header;
        content.resize(1024, 0);
        images
            .host
            .scratch()
            .write(&format!("images/{name}"), content);
    }
    images.ok(
        r##"
        let commands = #{ "cloud.qcow2.xz": "unxz <", "cloud.img.gz": "gunzip <", "cloud.raw.zst": "unzstd <", "appliance.ova": "tar -xf" };
        for name in commands.keys() {
            let path = "FOLDER/" + name;
            for told in [
                refusal.call(|| formats.call([path])),
                refusal.call(|| import_image::disk(conn, #{ name: "web", memory: "64MiB", nics: [], image: path })),
                refusal.call(|| import_image::disk(conn, #{ name: "web", memory: "64MiB", nics: [], image: path, backed: true, pool: "images" })),
            ] { assert(told.contains("is packed") && told.contains(`${commands[name]} ${path}`), told); }
            assert_eq(formats.call([#{ path: path, format: "raw" }]), ["raw"]);
        }
        assert_eq(conn.list_all_domains(), []);
        // A copy keeps every byte.
        let packed = images.storage_vol_lookup_by_name("cloud.qcow2.xz");
        assert_eq(image::copy(packed, "copy.xz").download(), packed.download());
        "##,
    );
}

#[test]
fn an_image_of_a_format_without_growth_is_refused_with_the_way_out() {
    let images = Images::new();
    for format in ["vmdk", "vdi", "vpc"] {
        images.put(format, &format!("disk.{format}"));
    }
    images.ok(
        r##"
        for format in ["vmdk", "vdi", "vpc"] {
            let told = refusal.call(|| image::ensure(conn, #{ pool: "images", name: "disk." + format, format: format, size: "8MiB" }));
            assert(told.contains(`QEMU does not change the size of ${format} images`) && told.contains("qemu-img convert -O qcow2"), told);
        }
        "##,
    );
}

#[test]
fn an_image_that_a_running_guest_writes_to_is_not_copied() {
    let images = Images::new();
    images
        .host
        .scratch()
        .copy(&micro("counter.img"), "images/web.img");
    images.ok(
        r##"
        let dom = guest::create(conn, #{ name: "web", memory: "32MiB", nics: [], disks: ["FOLDER/web.img"] });
        let disk = images.storage_vol_lookup_by_name("web.img");
        let told = refusal.call(|| image::copy(disk, "copy.img"));
        assert(told.contains("a disk of the running guest `web`") && told.contains("std/backup"), told);
        assert_eq(image::find(images, "copy.img"), ());
        image::copy(disk, "torn.img", images, #{ allow_running: true });
        dom.suspend();
        image::copy(disk, "paused.img");
        dom.destroy();
        image::copy(disk, "off.img");
        // QEMU locks other images as long as their guest is active.
        let locked = guest::create(conn, #{ name: "locked", memory: "32MiB", nics: [], disks: [#{ pool: "images", volume: "locked.qcow2", size: "1MiB" }] });
        locked.suspend();
        let told = refusal.call(|| image::copy(images.storage_vol_lookup_by_name("locked.qcow2"), "copy.qcow2", images, #{ allow_running: true }));
        assert(told.contains("which is paused: QEMU locks the image"), told);
        locked.destroy();
        // The name of a second disk can be that of another guest.
        image::create(conn, #{ pool: "images", name: "web-1.qcow2", size: "1MiB" });
        dom.edit(|xml| xml.insert("devices", "<disk type='file'><driver name='qemu' type='qcow2'/><source file='FOLDER/web-1.qcow2'/><target dev='vdb' bus='virtio'/></disk>"));
        let told = refusal.call(|| guest::create(conn, #{ name: "web-1", memory: "32MiB", nics: [], disks: [#{ pool: "images", size: "1MiB" }] }));
        assert(told.contains("disks of another guest") && !told.contains("`remove"), told);
        "##,
    );
}
