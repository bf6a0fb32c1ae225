//! `dom.edit`: the outcome of changes, in the configuration and in the running guest.

use std::io::{BufRead, BufReader};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Embed, Host, TestHost, virhai};

/// The beginning of the scripts of these tests: `shown` has a line for each change.
const SHOWN: &str = "
    fn shown(changes) { changes.map(|change| `${change.effect}: ${change.change} ${change.path}`) }
    let conn = connect();
";

/// Runs `script` on a test driver of its own.
fn check(script: &str) {
    let host = TestHost::new();
    virhai()
        .arg("-c")
        .arg(host.uri())
        .script(format!("{SHOWN}{script}"))
        .ok();
}

/// A host with the running guest `web`, which has an empty CD drive and an image to put into it.
fn host_with_web() -> Embed {
    let host = Embed::new();
    for image in ["cd.img", "usb.img"] {
        host.scratch().write(image, vec![0; 1024 * 1024]);
    }
    let drive = "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk></devices>";
    let xml = host.micro("counter", "web").replace("</devices>", drive);
    host.ok(&format!("connect().define_xml(`{xml}`).create();"));
    host
}

#[test]
fn what_a_running_guest_can_take_is_live_and_the_rest_waits_or_says_why() {
    let host = host_with_web();
    let (cd, usb) = (host.path("cd.img"), host.path("usb.img"));
    host.ok(&format!(
        r#"{SHOWN}
        let dom = conn.lookup_by_name("web");
        let changes = dom.edit(|xml| {{
            xml.set("title", "Web & more");
            xml.set("memory", 65536);
            xml.set("currentMemory", 16384);
            xml.set("on_reboot", "destroy");
            xml.set("devices/disk[@device='cdrom']/source/@file", "{cd}");
            xml.set("devices/disk[@device='disk']/driver/@cache", "none");
            xml.set("features/apic/@eoi", "on");
            xml.insert("devices", "<disk type='file'><source file='{usb}'/><target dev='sda' bus='usb'/></disk>");
            xml.insert("devices", "<interface type='user'><model type='virtio'/></interface>");
        }});
        assert_eq(shown(changes), [
            "next boot: changed memory",
            "live: changed currentMemory",
            "next boot: added features/apic",
            "live: changed on_reboot",
            "impossible: added devices/disk[target/@dev='hda']/driver/@cache",
            "live: added devices/disk[target/@dev='hdc']/source",
            "live: added devices/disk[target/@dev='sda']",
            "live: added devices/interface",
            "live: added title",
        ]);
        let refused = changes.find(|change| change.effect == "impossible");
        assert(refused.reason.contains("cache"), refused.reason);
        assert_eq(changes[1].reason, "");

        let live = dom.xml();
        let config = dom.xml(VIR_DOMAIN_XML_INACTIVE);
        for xml in [live, config] {{
            assert_eq(xml.get("title"), "Web & more");
            assert_eq(xml.get("on_reboot"), "destroy");
            assert_eq(xml.get("devices/disk[@device='cdrom']/source/@file"), "{cd}");
            assert(xml.has("devices/disk[target/@dev='sda']"));
        }}
        assert_eq(live.get("memory"), "32768");
        assert_eq(config.get("memory"), "65536");
        // After the next boot the guest finds the same card at the same place.
        for path in ["mac/@address", "address/@slot"] {{
            assert_eq(live.get("devices/interface/" + path), config.get("devices/interface/" + path));
        }}

        let changes = dom.edit(|xml| {{
            xml.remove("devices/disk[target/@dev='sda']");
            xml.set("devices/interface/link/@state", "down");
        }});
        assert_eq(changes.map(|change| change.effect), ["live", "live"]);
        assert(!dom.xml().has("devices/disk[target/@dev='sda']"));
        assert_eq(dom.xml().get("devices/interface/link/@state"), "down");
        dom.destroy();
        "#
    ));
}

#[test]
fn a_guest_that_keeps_a_device_says_so_and_what_it_lacks_is_detached() {
    let host = host_with_web();
    host.ok(&format!(
        r#"{SHOWN}
        let dom = conn.lookup_by_name("web");
        dom.edit(|xml| xml.insert("devices", "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"));
        let changes = dom.edit(|xml| xml.remove("devices/rng"));
        assert_eq(shown(changes), ["impossible: removed devices/rng"]);
        assert(changes[0].reason.contains("for the guest to release it"), changes[0].reason);
        assert(!dom.xml(VIR_DOMAIN_XML_INACTIVE).has("devices/rng"));

        // A card that only the configuration has is gone from the guest already.
        let xml = dom.xml(VIR_DOMAIN_XML_INACTIVE);
        xml.insert("devices", "<interface type='user'/>");
        conn.define_xml(xml);
        assert_eq(dom.edit(|xml| xml.remove("devices/interface"))[0].effect, "live");
        dom.destroy();
        "#
    ));
}

#[test]
fn a_stop_takes_back_what_was_done_and_leaves_the_definition() {
    let host = host_with_web();
    let usb = host.path("usb.img");
    host.ok(&format!(
        r#"
        connect().lookup_by_name("web").edit(|xml| {{
            xml.insert("devices", "<disk type='file'><source file='{usb}'/><target dev='sda' bus='usb'/></disk>");
            xml.insert("devices", "<interface type='user'><model type='virtio'/></interface>");
        }});
        "#
    ));
    let script = r#"
        let conn = connect();
        let dom = conn.lookup_by_name("web");
        parallel(["edit", "watch"], 2, |what| {
            if what == "edit" {
                dom.edit(|xml| { xml.remove("devices/disk[target/@dev='sda']"); xml.remove("devices/interface"); });
            } else {
                print("watching");
                conn.wait_event("device_removed", "1m");
                print("the disk is gone");
            }
        });
    "#;
    let mut child = host
        .virhai()
        .arg("-e")
        .arg(script)
        .command()
        .spawn()
        .expect("the program can be started");
    let output = BufReader::new(child.stdout.take().expect("it is a pipe"));
    for line in output.lines().map_while(Result::ok) {
        if line == "the disk is gone" {
            // libvirt now asks the guest to release its card, which it never does.
            kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("it runs");
            break;
        }
    }
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    host.ok(r#"
        let dom = connect().lookup_by_name("web");
        for flags in [0, VIR_DOMAIN_XML_INACTIVE] {
            assert(dom.xml(flags).has("devices/disk[target/@dev='sda']"), `${flags}`);
            assert(dom.xml(flags).has("devices/interface"), `${flags}`);
        }
        dom.destroy();
        "#);
}

#[test]
fn a_transient_guest_is_changed_only_while_it_runs() {
    check(
        r#"
        let dom = conn.create_xml("<domain type='test'><name>web</name><memory>8192</memory><os><type>hvm</type></os></domain>");
        let changes = dom.edit(|xml| { xml.set("title", "Web"); xml.set("memory", 16384); });
        assert_eq(shown(changes), ["impossible: changed memory", "live: added title"]);
        assert(changes[0].reason.contains("transient"), changes[0].reason);
        assert(!dom.is_persistent());
        assert_eq(dom.xml().get("title"), "Web");
        "#,
    );
}

#[test]
fn an_edit_that_fails_leaves_the_definition() {
    check(
        r#"
        let dom = conn.lookup_by_name("test");
        let before = dom.xml_desc(VIR_DOMAIN_XML_INACTIVE);
        let cases = [
            ["XML_INVALID_SCHEMA", |xml| xml.insert(".", "<nonsense/>")],
            ["XML_INVALID_SCHEMA", |xml| xml.set("memory", "lots")],
            ["INVALID_ARG", |xml| xml.set("name", "other")],
            ["INVALID_ARG", |xml| xml.remove("uuid")],
            ["INVALID_ARG", |xml| { xml.set("title", "x"); xml.get("nothing/here"); }],
            ["thrown", |xml| { xml.set("title", "x"); throw "no"; }],
        ];
        for attempt in cases {
            let code = "nothing was thrown";
            try { dom.edit(attempt[1]); } catch (err) { code = err.code ?? "thrown"; }
            assert(code.ends_with(attempt[0]), `${attempt[0]}: ${code}`);
            assert_eq(dom.xml_desc(VIR_DOMAIN_XML_INACTIVE), before);
        }
        "#,
    );
}

#[test]
fn an_edit_that_changes_nothing_defines_nothing() {
    check(
        r#"
        let dom = conn.lookup_by_name("test");
        assert_eq(dom.edit(|xml| xml.set("name", "test")), []);
        assert_eq(dom.edit(|xml| ()), []);
        let none = "an event";
        try { conn.wait_event("lifecycle", 0, || dom.connect().lookup_by_name("test").edit(|xml| ())); } catch (err) { none = err.code; }
        assert_eq(none, "VIR_ERR_OPERATION_TIMEOUT");
        "#,
    );
}

#[test]
fn a_guest_that_does_not_run_has_it_at_its_next_start() {
    check(
        r#"
        let dom = conn.lookup_by_name("test");
        dom.managed_save();
        let saved = dom.edit(|xml| xml.set("title", "x"));
        assert_eq(saved[0].effect, "next boot");
        assert(saved[0].reason.contains("managed save"), saved[0].reason);
        dom.managed_save_remove();
        let off = dom.edit(|xml| xml.set("title", "y"));
        assert_eq(off[0].reason, "the guest does not run");
        assert_eq(off[0].from, "x");
        "#,
    );
}
