//! Devices of running guests that are added, removed and changed.

use crate::support::{Embed, Host, micro, tiny_xml};

/// Functions for all scripts below.
const THROWN: &str = r#"
    fn thrown(action) {
        let error = ();
        try { action.call(); } catch (err) { error = err; }
        assert(error != (), "nothing was thrown");
        error
    }
"#;

/// A disk of 1 MiB that a script can attach as `vdb`.
fn disk(host: &Embed) -> String {
    let image = host.scratch().write("more.img", vec![0; 1 << 20]);
    format!(
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/>\
         <source file='{}'/><target dev='vdb' bus='virtio'/></disk>",
        image.display()
    )
}

#[test]
fn a_device_that_comes_and_goes_is_told_by_events() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    host.ok(&format!(
        r#"
        let conn = connect();
        let dom = conn.create_xml(`{xml}`);
        let mouse = "<input type='mouse' bus='usb'><alias name='ua-mouse'/></input>";
        let added = conn.wait_event(#{{ kind: "device_added", domain: dom }}, "10s", || dom.attach_device(mouse));
        assert_eq(added.device, "ua-mouse");
        let removed = conn.wait_event(#{{ kind: "device_removed", domain: dom }}, "10s", || dom.detach_device(mouse));
        assert_eq(removed.device, "ua-mouse");
        dom.attach_device(mouse);
        dom.detach_device(parse_xml(mouse), VIR_DOMAIN_AFFECT_LIVE, "10s");
        assert(!dom.xml().has("devices/input[@bus='usb']"));
        "#
    ));
}

#[test]
fn a_device_that_cannot_be_attached_is_an_error() {
    let host = Embed::new();
    let (xml, disk) = (host.micro("counter", "web"), disk(&host));
    host.ok(&format!(
        r#"{THROWN}
        let dom = connect().create_xml(`{xml}`);
        let missing = parse_xml(`{disk}`);
        missing.set("source/@file", "/no/such/file");
        let error = thrown(|| dom.attach_device(missing));
        assert_eq(error.action, "attach disk `vdb` to domain `web`");
        assert_eq(error.call, "virDomainAttachDevice");
        assert_eq(thrown(|| dom.attach_device("<disk")).code, "VIR_ERR_XML_DETAIL");
        assert_eq(thrown(|| dom.detach_device(missing)).code, "VIR_ERR_DEVICE_MISSING");
        assert(thrown(|| dom.detach_device_alias("nix", 0, "1s")).message.contains("nix"));
        "#
    ));
}

#[test]
fn a_guest_without_a_system_keeps_its_disk_and_the_wait_says_so() {
    let host = Embed::new();
    let (xml, disk) = (host.micro("counter", "web"), disk(&host));
    host.ok(&format!(
        r#"{THROWN}
        let dom = connect().create_xml(`{xml}`);
        dom.open_console().wait("MG:c=", "30s");
        let disk = `{disk}`;
        dom.attach_device(disk);
        let error = thrown(|| dom.detach_device(disk, VIR_DOMAIN_AFFECT_LIVE, "100ms"));
        assert_eq(error.code, "VIR_ERR_OPERATION_TIMEOUT");
        assert_eq(error.action, "detach disk `vdb` from domain `web`");
        assert(error.message.contains("100ms"), error.message);
        assert(dom.xml().has("devices/disk/target[@dev='vdb']"));
        "#
    ));
}

#[test]
fn a_linux_guest_lets_go_of_its_disk() {
    let host = Embed::new();
    let (xml, disk) = (tiny_xml(host.scratch(), "web", ""), disk(&host));
    host.ok(&format!(
        r#"
        let dom = connect().create_xml(`{xml}`);
        dom.open_console().wait("VIRHAI-GUEST-UP", "4m");
        let disk = `{disk}`;
        dom.attach_device(disk);
        dom.detach_device(disk, VIR_DOMAIN_AFFECT_LIVE, "4m");
        assert(!dom.xml().has("devices/disk"));
        dom.attach_device(disk);
        dom.detach_device_alias(dom.xml().get("devices/disk/alias/@name"), VIR_DOMAIN_AFFECT_LIVE, "4m");
        assert(!dom.xml().has("devices/disk"));
        "#
    ));
}

#[test]
fn a_guest_that_refuses_to_let_go_is_an_error() {
    let host = Embed::new();
    let xml = tiny_xml(host.scratch(), "web", "")
        .replace(
            "<memory",
            "<maxMemory unit='MiB' slots='2'>1024</maxMemory><memory",
        )
        .replace(
            "<features>",
            "<cpu><numa><cell id='0' cpus='0' memory='256' unit='MiB'/></numa></cpu><features>",
        )
        .replace("quiet", "quiet keepmemory");
    host.ok(&format!(
        r#"{THROWN}
        let dom = connect().create_xml(`{xml}`);
        let console = dom.open_console();
        console.wait("tick 1", "4m");
        let dimm = "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>";
        dom.attach_device(dimm);
        console.wait("memory blocks: ", "4m");
        let alias = dom.xml().get("devices/memory/alias/@name");
        let error = thrown(|| dom.detach_device_alias(alias, VIR_DOMAIN_AFFECT_LIVE, "30s"));
        assert_eq(error.code, "VIR_ERR_OPERATION_FAILED");
        assert(error.message.contains("guest"), error.message);
        "#
    ));
}

#[test]
fn another_medium_in_a_cd_drive_opens_and_closes_its_tray() {
    let host = Embed::new();
    let iso = host.scratch().copy(&micro("hello.iso"), "hello.iso");
    let drive = "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>";
    let xml = host
        .micro("counter", "web")
        .replace("<serial", &format!("{drive}<serial"));
    let iso = iso.display();
    host.ok(&format!(
        r#"
        let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        dom.create();
        // A firmware that resets the drive closes the tray, and QEMU does not tell libvirt: it stays "open" there.
        dom.open_console().wait("MG:c=", "30s");
        let drive = dom.xml().select("devices/disk[@device='cdrom']")[0].copy();
        drive.set("source/@file", "{iso}");
        let closed = conn.wait_event(#{{ kind: "tray_change", domain: dom, reason: "close" }}, "10s",
            || dom.update_device(drive));
        assert_eq(closed.device, drive.get("alias/@name"));
        assert_eq(dom.xml().get("devices/disk[@device='cdrom']/source/@file"), "{iso}");
        assert(!dom.xml(VIR_DOMAIN_XML_INACTIVE).has("devices/disk[@device='cdrom']/source"));
        "#
    ));
}

#[test]
fn a_change_of_the_configuration_alone_waits_for_nobody() {
    let host = Embed::new();
    let (xml, disk) = (host.micro("counter", "web"), disk(&host));
    host.ok(&format!(
        r#"
        let dom = connect().define_xml(`{xml}`);
        let disk = `{disk}`;
        for running in [false, true] {{
            if running {{ dom.create(); }}
            dom.attach_device(disk, VIR_DOMAIN_AFFECT_CONFIG);
            assert(dom.xml(VIR_DOMAIN_XML_INACTIVE).has("devices/disk/target[@dev='vdb']"));
            dom.detach_device(disk, VIR_DOMAIN_AFFECT_CONFIG, 0);
            assert(!dom.xml(VIR_DOMAIN_XML_INACTIVE).has("devices/disk/target[@dev='vdb']"));
        }}
        "#
    ));
}

#[test]
fn a_wait_for_a_device_ends_with_its_guest_and_with_the_scripts_time() {
    let host = Embed::new();
    let (xml, disk) = (host.micro("counter", "web"), disk(&host));
    host.ok(&format!(
        r#"
        let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        dom.create();
        dom.open_console().wait("MG:c=", "30s");
        let disk = `{disk}`;
        dom.attach_device(disk);
        // The guest keeps the disk and goes off with it, half a minute before the timeout.
        let began = timestamp();
        parallel(["detach", "destroy"], 2, |what| {{
            if what == "detach" {{ dom.detach_device(disk, VIR_DOMAIN_AFFECT_LIVE, "60s"); return; }}
            sleep("6s");
            dom.destroy();
        }});
        assert(began.elapsed < 30.0, began.elapsed.to_string());
        assert(!dom.xml().has("devices/disk/target[@dev='vdb']"));
        "#
    ));
    let script = format!(
        r#"
        let dom = connect().lookup_by_name("web");
        dom.create();
        dom.attach_device(`{disk}`);
        dom.detach_device(`{disk}`, VIR_DOMAIN_AFFECT_LIVE, "5m");
        "#
    );
    let run = host.virhai().arg("--timeout").arg("8s");
    run.script(script).fails(124);
}

#[test]
fn a_guest_of_the_recipes_takes_more_devices_and_the_hint_helps_one_that_does_not() {
    let host = Embed::new();
    host.ok(&format!(
        r#"{THROWN}
        import "std/guest" as guest;
        let conn = connect();
        let card = "<interface type='user'><model type='virtio'/></interface>";
        let options = #{{ name: "web", virt_type: "qemu", machine: "q35", memory: "64MiB", nics: ["user"],
            graphics: #{{ listen_by: "none" }} }};
        let dom = guest::create(conn, options);
        // The pointer of a screen is a tablet's; as many devices come as the recipe promises.
        assert_eq(dom.xml().select("devices/input[@bus='usb']/@type"), ["tablet"]);
        for number in 0..8 {{ dom.attach_device(card); }}
        assert_eq(dom.xml().select("devices/interface").len(), 9);
        guest::remove(dom);

        // With its own ports, it has the described ones and those that libvirt adds.
        options.xml = #{{ devices: "<controller type='pci' model='pcie-root'/>" }};
        dom = guest::create(conn, options);
        dom.attach_device(card);
        let error = thrown(|| for number in 0..8 {{ dom.attach_device(card); }});
        assert(error.hint.contains("pcie-root-port"), error.to_string());
        let before = dom.xml().select("devices/interface").len();
        // The remedy of the hint.
        dom.edit(|xml| xml.insert("devices", "<controller type='pci' model='pcie-root-port'/>"));
        dom.destroy();
        dom.create();
        for number in 1..before + 1 {{ dom.attach_device(card); }}
        dom.destroy();
        "#
    ));
}
