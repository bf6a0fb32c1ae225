//! Clones of guests on a real host: the parts that are new, and those that stay untouched.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use crate::support::{Daemon, Host, Outcome, micro, virhai};

struct Site(Daemon);

const IMPORTS: &str = r#"
    import "std/clone" as clone;
    import "std/guest" as guest;
    import "std/image" as image;
    import "std/pool" as pool;
    let conn = connect();
    let images = { try { conn.storage_pool_lookup_by_name("images") } catch { } };
"#;

impl Site {
    /// A host with the guest `web`, which has a disk that boots, one more, and a CD.
    fn new() -> Self {
        let host = Daemon::start();
        let folder = host.scratch().folder("images");
        host.scratch().copy(&micro("counter.img"), "images/web.img");
        let iso = host.scratch().copy(&micro("hello.iso"), "hello.iso");
        let site = Self(host);
        site.ok(&format!(
            "pool::create(conn, #{{ name: \"images\", path: \"{0}\" }}); \
             guest::create(conn, #{{ name: \"web\", memory: \"32MiB\", nics: [\"user\"], rng: false, start: false, cdrom: \"{1}\", \
               disks: [\"{0}/web.img\", #{{ pool: \"images\", size: \"1MiB\" }}] }});",
            folder.display(),
            iso.display()
        ));
        site
    }

    fn ok(&self, script: &str) -> String {
        self.0.ok(&format!("{IMPORTS}{script}; ()"))
    }

    fn run(&self, script: &str) -> Outcome {
        self.0
            .virhai()
            .script(format!("{IMPORTS}{script}; ()"))
            .run()
    }
}

#[test]
fn a_full_clone_has_all_of_its_own_and_boots() {
    let site = Site::new();
    site.ok(
        r#"
        let web = conn.lookup_by_name("web");
        let made = clone::of(web, #{ name: "copy" });
        let a = web.xml(); let b = made.xml();
            assert(a.get("uuid") != b.get("uuid"));
            assert(a.get("devices/interface/mac/@address") != b.get("devices/interface/mac/@address"));
            assert_eq(b.select("devices/disk[@device='disk']/source/@file").map(|path| path.split("/").pop()), ["copy.raw", "copy-1.qcow2"]);
            assert_eq(b.get("devices/disk[@device='cdrom']/source/@file"), a.get("devices/disk[@device='cdrom']/source/@file"));
            assert_eq(b.get("memory"), a.get("memory"));
            guest::boot(made).wait("MG:up", "30s");
            made.destroy();
            assert_eq(guest::remove_with_volumes(made).len(), 2);
            assert_eq(images.num_of_volumes(), 2);
        "#,
    );
}

#[test]
fn the_test_driver_cannot_clone_a_running_guest_and_the_error_says_so() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"import "std/guest" as guest;
            import "std/clone" as clone;
            let conn = connect();
            let dom = guest::create(conn, #{ name: "web", nics: [], disks: [#{ pool: "default-pool", size: "1MiB" }] });
            let refusal = assert_throws(|| clone::of(dom, #{ name: "copy" }));
            assert_eq(refusal.message, "libvirt's test driver cannot copy the disks of the running guest `web`");
            dom.destroy();
            assert_eq(clone::of(dom, #{ name: "copy" }).name, "copy");"#,
        )
        .ok();
}

#[test]
fn a_guest_that_runs_is_cloned_while_it_stands_still_and_goes_on() {
    let site = Site::new();
    site.ok(r#"
        let web = conn.lookup_by_name("web");
        let console = guest::boot(web);
        console.wait("MG:c=", "30s");
        let made = clone::of(web, #{ name: "copy", start: true });
        assert_eq(web.state(), "running");
        console.wait("MG:c=", "30s");
        made.open_console().wait("MG:c=", "30s");
        made.destroy();
        try { clone::of(web, #{ name: "over", mode: "backed" }); throw "cloned"; } catch (err) {
            assert(err.message.contains("would corrupt"), err.to_string());
        }
        web.destroy();
        let over = clone::of(web, #{ name: "over", mode: "backed" });
        let disk = conn.storage_vol_lookup_by_path(over.xml().get("devices/disk/source/@file"));
        assert(parse_xml(disk.xml_desc()).get("backingStore/path").ends_with("web.img"));
        guest::boot(over).wait("MG:up", "30s");
        over.destroy();
        "#);
}

#[test]
fn a_clone_of_a_running_guest_does_what_its_plan_says() {
    let site = Site::new();
    // The clone takes snapshots of both disks; the script takes further ones of one disk.
    let script = r#"
        let web = conn.lookup_by_name("web");
        if !web.is_active() { web.create(); }
        let made = clone::of(web, #{ name: "copy" });
        assert_eq([web.state(), made.state(), web.snapshot_num()], ["running", "shutoff", 0]);
        for dom in [web, made] {
            for flags in if dom.is_active() { [0, VIR_DOMAIN_XML_INACTIVE] } else { [0] } {
                print(dom.xml(flags).select("devices/disk[@device='disk']").map(|disk| {
                    [disk.get("driver/@type"), disk.get("source/@file").split("/").pop(), disk.has("backingStore/source")]
                }));
            }
        }
        let vda = #{ disk: [#{ "@name": "vda" }, #{ "@name": "vdb", "@snapshot": "no" }] };
        web.snapshot_create_xml(xml("domainsnapshot", #{ name: "now", disks: vda }), VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY);
        try {
            web.snapshot_create_xml(xml("domainsnapshot", #{ name: "now" }), VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY);
        } catch (err) { print(err.code); }
        let now = web.snapshot_current();
        print([now.name, parse_xml(now.get_xml_desc()).get("state"), web.xml().get("devices/disk/source/@file").split("/").pop()]);
        images.refresh();
        let names = images.list_volumes();
        names.sort();
        print(names);
        now.delete(VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY);
        conn.wait_event(#{ kind: "block_job", domain: web, status: "ready" }, "1m",
            || web.block_commit("vda", (), (), 0, VIR_DOMAIN_BLOCK_COMMIT_ACTIVE));
        web.block_job_abort("vda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT);
        web.snapshot_create_xml(xml("domainsnapshot", #{ disks: vda }),
            VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_HALT | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA);
        print([web.state_reason(), web.snapshot_num()]);
    "#;
    let run = site.0.virhai().script(format!("{IMPORTS}{script}; ()"));
    let told = run.first_arg("--yes").first_arg("--plan-first").ok();
    let (planned, rest) = told.split_once("\nPlan\n").expect("there is a plan");
    let (_, run) = rest
        .split_once("The host did not change.\n")
        .expect("the plan ends");
    let run = run.strip_suffix("The run made the planned changes.\n");
    assert_eq!(run, Some(planned), "{told}");
}

#[test]
fn a_clone_that_is_taken_back_leaves_the_original_on_its_own_image() {
    let site = Site::new();
    site.ok(r#"
        let base = image::create(conn, #{ pool: "images", name: "base.raw", format: "raw", size: "1MiB" });
        let own = image::create(conn, #{ pool: "images", name: "db.qcow2", format: "qcow2", backing: base });
        let db = guest::create(conn, #{ name: "db", memory: "32MiB", nics: [], disks: [own.path] });
        let before = base.download();
        try {
            all_or_nothing(|undo| { clone::of(db, #{ name: "copy" }); throw "later"; });
        } catch (err) {
            assert_eq(err.message, "later");
        }
        assert_eq(conn.list_all_domains().len(), 2);
        assert_eq(db.state(), "running");
        assert_eq(db.xml().get("devices/disk/source/@file"), own.path);
        assert_eq(db.xml().get("devices/disk/backingStore/source/@file"), base.path);
        assert_eq(base.download(), before);
        images.refresh();
        assert(images.list_volumes().contains("db.qcow2"), images.list_volumes().to_string());
        db.destroy();
        "#);
}

#[test]
fn a_guest_is_not_given_the_disk_of_another() {
    let site = Site::new();
    // The second disk of `web` has the name that the first disk of `web-1` would get.
    let outcome = site.run(
        "let options = #{ name: \"web-1\", memory: \"32MiB\", nics: [], start: false }; \
         guest::create(conn, options); \
         options.disks = [#{ pool: \"images\", size: \"1MiB\" }]; \
         guest::ensure(conn, options)",
    );
    assert_eq!(outcome.status, 1, "{outcome}");
    let why = "is a disk of the guest `web`: two guests would write to it";
    assert!(outcome.stderr.contains(why), "{outcome}");
    site.ok("assert(!conn.lookup_by_name(\"web-1\").xml().has(\"devices/disk\"));");
}

#[test]
fn a_clone_that_cannot_be_made_leaves_nothing_and_the_original_running() {
    let site = Site::new();
    site.ok(r#"
        let web = conn.lookup_by_name("web");
        web.create();
        // The name of its second disk is taken.
        image::create(conn, #{ pool: "images", name: "copy-1.qcow2", size: "1MiB" });
        try { clone::of(web, #{ name: "copy" }); throw "cloned"; } catch (err) {
            assert(err.message.contains("already in use"), err.to_string());
        }
        assert_eq(web.state(), "running");
        assert_eq(conn.list_all_domains().len(), 1);
        let names = images.list_volumes();
        assert(!names.contains("copy.raw"), names.to_string());
        web.destroy();
        "#);
    let outcome = site.run("clone::of(conn.lookup_by_name(\"web\"), #{ nme: \"copy\" })");
    assert!(outcome.stderr.contains("did you mean `name`?"), "{outcome}");
    let outcome = site.run("clone::of(conn.lookup_by_name(\"web\"), #{ name: \"web\" })");
    assert!(outcome.stderr.contains("already exists"), "{outcome}");
}

#[test]
fn a_guest_that_runs_is_not_touched_where_one_of_its_disks_cannot_be_cloned() {
    let site = Site::new();
    let outside = site.0.scratch().folder("outside");
    let disk = site
        .0
        .scratch()
        .copy(&micro("counter.img"), "outside/other.img");
    site.ok(&format!(
        r#"
        let both = guest::create(conn, #{{ name: "both", memory: "32MiB", nics: [], disks: ["{}", #{{ size: "1MiB", pool: "images" }}] }});
        let before = both.xml().select("devices/disk/source/@file");
        try {{ clone::of(both, #{{ name: "copy" }}); throw "cloned"; }} catch (err) {{
            assert(err.message.contains("is in no storage pool"), err.to_string());
        }}
        assert_eq(both.xml().select("devices/disk/source/@file"), before);
        assert(!both.xml().has("devices/disk/backingStore/source"));
        both.destroy();
        "#,
        disk.display()
    ));
    let left = std::fs::read_dir(&outside).expect("it is there");
    assert_eq!(left.count(), 1, "nothing is left beside the disk");
}

#[test]
fn a_clone_has_nothing_in_common_with_its_original_that_two_guests_cannot_have() {
    let site = Site::new();
    // Other programs may listen at fixed ones.
    let free = || TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let [screen, socket] = [free(), free()].map(|port| {
        let address = port.local_addr().expect("it is bound");
        address.port().to_string()
    });
    let script = r#"
        let web = conn.lookup_by_name("web");
        let uuid = web.uuid;
        web.edit(|xml| {
            xml.insert("devices", "<graphics type='vnc' port='SCREEN' autoport='no' websocket='SOCKET'/>");
            xml.insert("devices", "<channel type='unix'><source mode='bind' path='FOLDER/web.sock'/><target type='virtio' name='a'/></channel>");
            xml.insert("devices", "<serial type='pty'><log file='FOLDER/web.log' append='on'/></serial>");
            xml.insert("devices", "<vsock model='virtio'><cid auto='no' address='77'/></vsock>");
            xml.insert(".", `<sysinfo type='smbios'><system><entry name='serial'>S1</entry><entry name='uuid'>${uuid}</entry></system></sysinfo>`);
            xml.insert("os", "<smbios mode='sysinfo'/>");
            xml.insert(".", "<genid/>");
        });
        let a = web.xml(VIR_DOMAIN_XML_INACTIVE);
        let made = clone::of(web, #{ name: "copy" });
        let b = made.xml(VIR_DOMAIN_XML_INACTIVE);
        assert_eq([b.get("devices/graphics/@port"), b.get("devices/graphics/@autoport"), b.get("devices/graphics/@websocket")], ["-1", "yes", "-1"]);
        assert_eq(b.get("sysinfo/system/entry[@name='uuid']"), made.uuid);
        assert_eq(b.get("sysinfo/system/entry[@name='serial']"), made.uuid);
        assert(b.get("genid") != a.get("genid"));
        assert_eq(b.get("devices/vsock/cid/@auto"), "yes");
        for text in ["FOLDER/web.sock", "FOLDER/web.log", "S1"] { assert(!made.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains(text), text); }
        guest::remove_with_volumes(made);
        web.edit(|xml| { xml.remove("devices/vsock"); });
        // Both run at once.
        web.create();
        let made = clone::of(web, #{ name: "copy", start: true });
        assert_eq([web.state(), made.state()], ["running", "running"]);
        made.destroy(); web.destroy();
        guest::remove_with_volumes(made);
    "#;
    let folder = site.0.scratch().folder("sockets").display().to_string();
    site.ok(&script
        .replace("SCREEN", &screen)
        .replace("SOCKET", &socket)
        .replace("FOLDER", &folder));
}

#[test]
fn a_clone_is_refused_with_the_path_of_what_two_guests_cannot_have() {
    let site = Site::new();
    site.ok(r#"
        let web = conn.lookup_by_name("web");
        let plain = web.xml(VIR_DOMAIN_XML_INACTIVE);
        let cases = #{
            "devices/hostdev": "<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x1d6b'/><product id='0x2'/></source></hostdev>",
            "devices/filesystem": "<filesystem type='mount'><source dir='/srv'/><target dir='srv'/></filesystem>",
            "devices/shmem": "<shmem name='m'><model type='ivshmem-plain'/><size unit='M'>4</size></shmem>",
            "devices/serial[@type='tcp'][source]": "<serial type='tcp'><source mode='bind' host='127.0.0.1' service='4555'/></serial>",
            "devices/channel[@type='file'][source]": "<channel type='file'><source path='/tmp/x'/><target type='virtio' name='f'/></channel>",
            "devices/rng[backend/@model='egd']": "<rng model='virtio'><backend model='egd' type='tcp'><source mode='connect' host='h' service='1'/></backend></rng>",
            "devices/disk[@type='network']": "<disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='rbd' name='p/i'><host name='h'/></source><target dev='vdz' bus='virtio'/></disk>",
        };
        for path in cases.keys() {
            let config = plain.copy();
            config.insert("devices", cases[path]);
            web = conn.define_xml(config);
            try { clone::of(web, #{ name: "copy" }); throw "cloned"; } catch (err) {
                assert_eq(err.paths, [path]);
                assert(err.message.contains(path) && err.hint.contains("drop: "), err.message);
            }
            assert_eq(conn.list_all_domains().len(), 1);
            let made = clone::of(web, #{ name: "copy", drop: [path] });
            assert(!made.xml(VIR_DOMAIN_XML_INACTIVE).has(path), path);
            guest::remove_with_volumes(made);
            let made = clone::of(web, #{ name: "copy", share: [path] });
            assert(made.xml(VIR_DOMAIN_XML_INACTIVE).has(path) && !made.xml_desc().contains("virhai-shared"), path);
            guest::remove_with_volumes(made);
        }
        web = conn.define_xml({ let config = plain.copy(); config.insert("devices", cases["devices/serial[@type='tcp'][source]"]); config });
        let made = clone::of(web, #{ name: "copy", edit: |xml| xml.set("devices/serial[@type='tcp']/source/@service", "4556") });
        assert_eq(made.xml(VIR_DOMAIN_XML_INACTIVE).get("devices/serial[@type='tcp']/source/@service"), "4556");
        for option in ["drop", "share"] {
            let options = #{ name: "other" };
            options[option] = ["devices/nothing"];
            try { clone::of(web, options); throw "cloned"; } catch (err) { assert(err.message.contains("the path devices/nothing"), err.message); }
        }
    "#);
}

#[test]
fn disks_that_are_volumes_are_cloned_and_those_outside_of_pools_are_told() {
    let site = Site::new();
    site.ok(r#"
        image::create(conn, #{ pool: "images", name: "data.qcow2", size: "1MiB" });
        let db = guest::create(conn, #{ name: "db", memory: "32MiB", nics: [], disks: [
            #{ pool: "images", size: "1MiB" }, #{ pool: "images", volume: "data.qcow2", format: "qcow2" }] });
        for running in [true, false] {
            if !running { db.destroy(); }
            let before = db.xml(VIR_DOMAIN_XML_INACTIVE).select("devices/disk").map(|disk| disk.to_string());
            let made = clone::of(db, #{ name: "copy" });
            let disk = made.xml().select("devices/disk")[1];
            assert_eq([disk.get("@type"), disk.get("source/@pool"), disk.get("source/@volume")], ["volume", "images", "copy-1.qcow2"]);
            assert_eq(db.xml(VIR_DOMAIN_XML_INACTIVE).select("devices/disk").map(|disk| disk.to_string()), before);
            made.create(); made.destroy();
            assert_eq(guest::remove_with_volumes(made).len(), 2);
        }
        db.edit(|xml| { xml.insert("devices", "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/vg/lv'/><target dev='vdc' bus='virtio'/></disk>"); });
        try { clone::of(db, #{ name: "copy" }); throw "cloned"; } catch (err) {
            assert(err.message.contains("the block device /dev/vg/lv") && err.message.contains("cannot be cloned"), err.message);
            assert(err.hint.contains("ensure"), err.hint);
        }
    "#);
}

/// Older versions of libvirt do not write the files of the firmware that they chose into the definition.
#[test]
fn nvram_that_the_definition_does_not_name_is_copied_too() {
    let host = Daemon::start();
    host.ok(r#"
        import "std/nvram" as nvram;
        let block = |path| `qemu -blockdev '{"driver":"file","filename":"/code.fd","node-name":"libvirt-pflash0-storage"}' -blockdev '{"driver":"file","filename":"${path}","node-name":"libvirt-pflash1-storage","discard":"unmap"}'`;
        assert_eq(nvram::in_command(block.call("/a/web_VARS.fd")), "/a/web_VARS.fd");
        assert_eq(nvram::in_command(block.call(`/a/o'\''brien \"}_VARS.fd`)), `/a/o'brien "}_VARS.fd`);
        assert_eq(nvram::in_command("qemu -S"), ());
        "#);
    if !crate::support::has_uefi() {
        return;
    }
    let nvram = host.ok(
        r#"let web = connect().define_xml("<domain type='qemu'><name>web</name><memory unit='MiB'>32</memory><os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features></domain>");
        web.create(VIR_DOMAIN_START_PAUSED);
        print(web.xml().get("os/nvram"));
        web.destroy();"#,
    );
    let nvram = std::path::Path::new(nvram.trim());
    let mut bytes = std::fs::read(nvram).expect("libvirt made it");
    bytes[4096..4104].copy_from_slice(b"mydebian");
    std::fs::write(nvram, &bytes).expect("it can be written");
    for starts in [false, true] {
        let script = format!(
            r#"import "std/clone" as clone;
            let web = connect().lookup_by_name("web");
            if {starts} {{ web.create(VIR_DOMAIN_START_PAUSED); }}
            print(clone::of(web, #{{ name: "copy" }}).xml(VIR_DOMAIN_XML_INACTIVE).get("os/nvram"));"#
        );
        let copy = host.ok(&script);
        assert!(
            std::fs::read(copy.trim()).is_ok_and(|copy| copy == bytes),
            "{copy}"
        );
        host.ok(r#"import "std/guest" as guest; guest::remove(connect().lookup_by_name("copy"));"#);
        assert!(!std::path::Path::new(copy.trim()).exists());
    }
}

#[test]
fn the_clone_of_a_uefi_guest_has_a_copy_of_its_nvram() {
    if !crate::support::has_uefi() {
        return;
    }
    let site = Site::new();
    let nvram = site.0.path("web_VARS.fd");
    site.ok(&format!(
        r#"
        let xml = parse_xml(conn.lookup_by_name("web").xml_desc(VIR_DOMAIN_XML_INACTIVE));
        xml.set("os/@firmware", "efi"); xml.remove("os/loader"); xml.remove("os/nvram");
        xml.insert("os", xml("nvram", "{nvram}"));
        conn.define_xml(xml).create(VIR_DOMAIN_START_PAUSED);
        "#
    ));
    // Bytes in the NVRAM, which libvirt cannot tell from a boot entry of the guest.
    let mut bytes = std::fs::read(&nvram).expect("libvirt made it");
    bytes[4096..4104].copy_from_slice(b"mydebian");
    std::fs::write(&nvram, &bytes).expect("it can be written");
    for running in [true, false] {
        let copy = site.ok(&format!(
            r#"let web = conn.lookup_by_name("web"); if !{running} {{ web.destroy(); }}
            let state = web.state();
            let made = clone::of(web, #{{ name: "copy" }});
            assert_eq(web.state(), state);
            assert_eq(conn.list_all_storage_pools().len(), 1);
            print(made.xml(VIR_DOMAIN_XML_INACTIVE).get("os/nvram"));"#
        ));
        assert_eq!(copy.trim(), site.0.path("copy_VARS.fd"));
        assert!(std::fs::read(copy.trim()).is_ok_and(|copy| copy == bytes));
        site.ok("let copy = conn.lookup_by_name(\"copy\"); guest::remove_with_volumes(copy)");
        assert!(!std::path::Path::new(copy.trim()).exists());
    }
    // A failed script leaves no NVRAM file behind.
    let outcome = site.run(
        "all_or_nothing(|undo| { clone::of(conn.lookup_by_name(\"web\"), #{ name: \"copy\" }); throw \"later\"; })",
    );
    assert!(!outcome.stderr.contains("cannot undo"), "{outcome}");
    assert!(!std::path::Path::new(&site.0.path("copy_VARS.fd")).exists());
}

#[test]
fn a_clone_that_is_edited_is_a_copy_of_disks_that_stood_still() {
    let site = Site::new();
    site.ok(r#"
        let web = conn.lookup_by_name("web");
        guest::boot(web).wait("MG:c=", "30s");
        let before = web.xml().select("devices/disk/source/@file");
        let events = conn.events(#{ kind: "block_job", domain: web, status: "ready" });
        let made = clone::of(web, #{ name: "copy", edit: |xml| xml.set("devices/disk[target/@dev='vdb']/target/@dev", "vdz") });
        let merged = events.drain().map(|event| event.disk);
        merged.sort();
        assert_eq(merged, ["vda", "vdb"]);
        assert_eq(web.xml().select("devices/disk/source/@file"), before);
        assert_eq(made.xml().select("devices/disk[@device='disk']/target/@dev"), ["vda", "vdz"]);
        web.destroy();
        "#);
}

#[test]
fn a_serial_port_that_is_edited_is_the_clones_own() {
    let site = Site::new();
    site.ok(r#"
        let xml = #{ "devices/serial/@type": "tcp", "devices/serial": "<source mode='bind' host='127.0.0.1' service='4555'/>", "devices/console": () };
        let original = guest::create(conn, #{ name: "serial", memory: "32MiB", nics: [], start: false, xml: xml });
        try { clone::of(original, #{ name: "copy" }); throw "cloned"; } catch (err) { assert_eq(err.paths, ["devices/serial[@type='tcp'][source]"]); }
        let made = clone::of(original, #{ name: "copy", edit: |xml| xml.set("devices/serial/source/@service", "4556") });
        assert_eq([made.xml().get("devices/serial/source/@service"), made.xml().get("devices/console/source/@service", "4556")], ["4556", "4556"]);
        "#);
}

#[test]
fn the_copy_of_a_floppy_is_deleted_with_its_clone() {
    let site = Site::new();
    site.ok(r#"
        image::create(conn, #{ pool: "images", name: "floppy.img", format: "raw", size: "1440KiB" });
        let path = images.storage_vol_lookup_by_name("floppy.img").path;
        let original = guest::create(conn, #{ name: "old", memory: "32MiB", nics: [], start: false, machine: "pc", disks: [#{ path: path, device: "floppy" }] });
        let made = clone::of(original, #{ name: "copy" });
        let copy = made.xml().get("devices/disk/source/@file");
        assert(copy != path);
        assert_eq(guest::remove_with_volumes(made), [copy]);
        images.refresh();
        assert(!images.list_volumes().contains("copy.raw"));
        assert_eq(guest::remove_with_volumes(original), []);
        images.refresh();
        assert(images.list_volumes().contains("floppy.img"));
        "#);
}

/// Starts `command` and keeps its output.
fn spawned(mut command: Command) -> Child {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

#[test]
fn clones_of_one_guest_at_the_same_time_wait_for_each_other() {
    let site = Site::new();
    site.ok(r#"guest::boot(conn.lookup_by_name("web")).wait("MG:c=", "30s")"#);
    let runs: Vec<_> = ["one", "two", "two"]
        .map(|name| {
            site.0
                .virhai()
                .arg("-e")
                .arg(format!(
                    "{IMPORTS}clone::of(conn.lookup_by_name(\"web\"), #{{ name: \"{name}\" }}); ()"
                ))
                .command()
        })
        .map(spawned)
        .into_iter()
        .collect();
    let outcomes = runs
        .into_iter()
        .map(|run| run.wait_with_output().expect("it ends"));
    let statuses: Vec<_> = outcomes.map(|outcome| outcome.status.code()).collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == Some(0)).count(),
        2,
        "{statuses:?}"
    );
    site.ok(r#"
        for name in ["one", "two"] {
            let dom = conn.lookup_by_name(name);
            guest::boot(dom).wait("MG:c=", "30s");
            dom.destroy();
        }
        let web = conn.lookup_by_name("web");
        assert(web.xml().get("devices/disk/source/@file").ends_with("/web.img"));
        images.refresh();
        assert_eq(images.list_volumes().len(), 6);
        web.destroy();
        "#);
}

#[test]
fn the_original_of_a_backed_clone_is_not_started() {
    let site = Site::new();
    let outcome = site.run(
        r#"
        let web = conn.lookup_by_name("web");
        clone::of(web, #{ name: "copy", mode: "backed" });
        let told = assert_throws(|| guest::ensure(conn, #{ name: "web", memory: "32MiB", start: true }));
        assert(told.message.contains("must not start: its disk ") && told.message.contains("is a backing image of a disk of the guest `copy`"), told.message);
        assert_eq(web.state(), "shutoff");
        guest::remove_with_volumes(conn.lookup_by_name("copy"));
        guest::ensure(conn, #{ name: "web", memory: "32MiB", start: true });
        assert_eq(web.state(), "running")
        "#,
    );
    assert_eq!(outcome.status, 0, "{outcome}");
    let note = "never start `web` while the clone is needed";
    assert!(outcome.stderr.contains(note), "{outcome}");
}

#[test]
fn runs_without_common_locks_do_not_work_on_one_guest_at_the_same_time() {
    let site = Site::new();
    site.ok(r#"guest::boot(conn.lookup_by_name("web")).wait("MG:c=", "30s")"#);
    for round in 0..3 {
        // Runs of other users have other state folders.
        let runs: Vec<_> = ["a", "b"]
            .map(|user| {
                let script = format!(
                    "{IMPORTS}clone::of(conn.lookup_by_name(\"web\"), #{{ name: \"{user}{round}\" }}); ()"
                );
                let state = site.0.scratch().folder(&format!("home/state-{user}"));
                let run = site.0.virhai().env("XDG_STATE_HOME", state);
                spawned(run.arg("-e").arg(script).command())
            })
            .into_iter()
            .collect();
        let mut made = 0;
        for run in runs {
            let outcome = run.wait_with_output().expect("it ends");
            let told = String::from_utf8_lossy(&outcome.stderr).into_owned();
            let is_made = outcome.status.success();
            made += usize::from(is_made);
            assert!(
                is_made || told.contains("another virhai is working on the guest `web`"),
                "{told}"
            );
        }
        assert!(made > 0, "neither run made its clone");
        site.ok(&format!(
            r#"
            let web = conn.lookup_by_name("web");
            assert_eq(web.state(), "running");
            assert(web.xml().get("devices/disk/source/@file").ends_with("/web.img"));
            assert(!web.xml().has("metadata/virhai-work:work"));
            let clones = conn.list_all_domains().filter(|dom| dom.name != "web");
            assert_eq(clones.len(), {made});
            for dom in clones {{ guest::boot(dom).wait("MG:c=", "30s"); guest::remove_with_volumes(dom); }}
            images.refresh();
            assert_eq(images.list_volumes().len(), 2);
            "#
        ));
    }
    site.ok(r#"conn.lookup_by_name("web").destroy()"#);
}
