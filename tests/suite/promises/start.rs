//! 8 to 24: provisioning and starting.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{assert_counted_on, on_qemu, on_test, script};
use crate::support::{Daemon, Embed, Host};

/// 8, 11, 12, 21, 23: created and defined domains, and the change from one to the other.
const CREATED_AND_DEFINED: &str = r#"
    let conn = connect();
    let dom = conn.create_xml(xml);
    assert_eq(type_of(dom), "Domain");
    assert_eq(dom.state_reason(), #{ state: "running", reason: "booted" });
    assert(!dom.is_persistent());

    let changed = dom.xml_desc(VIR_DOMAIN_XML_INACTIVE);
    changed.replace("32768", "49152");
    conn.define_xml(changed);
    assert(dom.is_persistent());
    assert_eq(dom.state_reason(), #{ state: "running", reason: "booted" });
    assert(dom.xml_desc().contains("32768</memory>"));
    assert(dom.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains("49152</memory>"));

    dom.destroy();
    assert_eq(dom.state(), "shutoff");
    dom.create();
    assert(dom.xml_desc().contains("49152</memory>"));
    dom.destroy();

    assert_eq(thrown(|| conn.create_xml("<domain>")), "VIR_ERR_XML_DETAIL");
    let misspelt = xml;
    misspelt.replace("<vcpu>", "<frobnicate/><vcpu>");
    misspelt.replace("<name>web", "<name>other");
    assert_eq(thrown(|| conn.define_xml(misspelt, VIR_DOMAIN_DEFINE_VALIDATE)),
        "VIR_ERR_XML_INVALID_SCHEMA");
    assert_eq(thrown(|| conn.lookup_by_name("other")), "VIR_ERR_NO_DOMAIN");
    let accepted = conn.define_xml(misspelt, 0);
    assert(!accepted.xml_desc().contains("frobnicate"));
    accepted.undefine();
    dom.undefine();
"#;

/// The same, and 13, 14: T supports neither START_PAUSED nor AUTODESTROY.
#[test]
fn domains_are_created_and_defined_on_the_test_driver() {
    on_test(CREATED_AND_DEFINED);
    on_test(
        r#"
        let conn = connect();
        for flag in [VIR_DOMAIN_START_PAUSED, VIR_DOMAIN_START_AUTODESTROY] {
            assert_eq(thrown(|| conn.create_xml(xml, flag)), "VIR_ERR_INVALID_ARG");
        }
        assert_eq(conn.list_all_domains(), []);
        "#,
    );
}

/// 10: libvirt would boot the guest afresh and keep the stale image; virhai refuses, however the
/// XML writes the name.
#[test]
fn a_domain_with_a_managed_save_is_not_created_over() {
    on_test(
        r#"
        let conn = connect();
        let named = |text| `<domain type='test'>
            <!-- <name>other</name> -->${text}<memory>32768</memory>
            <os><type>hvm</type></os></domain>`;
        let dom = conn.define_xml(named.call("<name>a&amp;b</name>"));
        dom.create();
        dom.managed_save();
        let uuid = `<uuid>${dom.uuid}</uuid>`;
        for written in ["<name>a&amp;b</name>", "<name >a&#38;b</name >", "<name><![CDATA[a&b]]></name>"] {
            let xml = named.call(written + uuid);
            assert_eq(thrown(|| conn.create_xml(xml)), "VIR_ERR_OPERATION_INVALID");
            assert_eq(dom.state(), "shutoff");
            assert(dom.has_managed_save_image());
        }
        conn.create_xml(named.call("<name>a</name>"));
        dom.managed_save_remove();
        conn.create_xml(named.call("<name>a&amp;b</name>" + uuid));
        assert_eq(dom.state(), "running");
        "#,
    );
}

/// 8 to 13 on Q; at 10, virhai refuses a call that would lose data.
#[test]
fn guests_are_created_and_defined_on_qemu() {
    let host = Embed::new();
    on_qemu(&host, CREATED_AND_DEFINED);
    let poweroff = host.micro("poweroff", "brief");
    let xml = host.micro("counter", "web");
    host.ok(&script(
        &[("brief", &poweroff), ("xml", &xml)],
        r#"
        // 9, 22: a transient guest that powers itself off leaves no trace.
        let conn = connect();
        let dom = conn.create_xml(brief, VIR_DOMAIN_START_PAUSED);
        let off = #{ event: "stopped", domain: dom };
        assert_eq(conn.wait_event(off, "30s", || dom.resume()).detail, "shutdown");
        assert(dom.wait("shutoff", "10s").gone);
        dom.wait("undefined", "10s");
        assert_eq(conn.list_all_domains(), []);
        assert_eq(thrown(|| dom.state()), "VIR_ERR_NO_DOMAIN");
        assert_eq(thrown(|| dom.destroy()), "VIR_ERR_NO_DOMAIN");

        // 13: started paused, its CPUs do not run until resumed.
        let dom = conn.define_xml(xml);
        dom.create(VIR_DOMAIN_START_PAUSED);
        assert_eq(dom.state_reason(), #{ state: "paused", reason: "user" });
        let console = dom.open_console();
        assert(silent(console, "1500ms"));
        dom.resume();
        console.wait("MG:c=", "30s");

        // 10: created over a managed save the stale image would stay.
        dom.managed_save();
        let same = dom.xml_desc(VIR_DOMAIN_XML_INACTIVE);
        assert_eq(thrown(|| conn.create_xml(same)), "VIR_ERR_OPERATION_INVALID");
        assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "saved" });
        assert(dom.has_managed_save_image());
        dom.managed_save_remove();
        let again = conn.create_xml(same);
        assert_eq(again.state_reason(), #{ state: "running", reason: "booted" });
        assert(again.is_persistent());
        again.destroy();
        assert_eq(again.state_reason(), #{ state: "shutoff", reason: "destroyed" });
        "#,
    ));
    assert!(host.console("brief").contains("MG:poweroff"));
}

/// 22: the guest may be gone at any time.
#[test]
fn a_guest_whose_qemu_is_killed_has_crashed_or_is_gone() {
    let host = Embed::new();
    let (kept, brief) = (
        host.micro("counter", "kept"),
        host.micro("counter", "brief"),
    );
    let text = script(
        &[("kept", &kept), ("brief", &brief)],
        r#"
        let conn = connect();
        let kept = conn.define_xml(kept);
        kept.create();
        let brief = conn.create_xml(brief);
        assert_eq(kept.wait("shutoff", "60s").reason, "crashed");
        assert(brief.wait("shutoff", "30s").gone);
        assert_eq(kept.state_reason(), #{ state: "shutoff", reason: "crashed" });
        brief.wait("undefined", "10s");
        assert_eq(thrown(|| brief.state()), "VIR_ERR_NO_DOMAIN");
        assert_eq(thrown(|| brief.create()), "VIR_ERR_NO_DOMAIN");
        kept.create();
        assert_eq(kept.state_reason(), #{ state: "running", reason: "booted" });
        kept.destroy();
        "#,
    );
    std::thread::scope(|scope| {
        let script = scope.spawn(|| host.virhai().script(text).run());
        for name in ["kept", "brief"] {
            until(|| host.console(name).contains("MG:c="));
            let file = host.scratch().path(format!("root/run/qemu/{name}.pid"));
            let pid = std::fs::read_to_string(file).expect("a guest that runs has a pid file");
            let pid = Pid::from_raw(pid.trim().parse().expect("it holds a number"));
            kill(pid, Signal::SIGKILL).expect("the guest is ours");
        }
        let outcome = script.join().expect("the run does not panic");
        assert_eq!(outcome.status, 0, "{outcome}");
    });
}

/// Waits, up to a minute, for an effect of another process; later assertions fail if it did not
/// come.
fn until(mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// 14, 17, 18, 19.
#[test]
fn autodestroy_ends_a_guest_with_its_connection_and_forbids_to_migrate_it() {
    let (host, there) = (Daemon::start(), Daemon::start());
    let (web, plain) = (host.micro("counter", "web"), host.micro("counter", "plain"));
    let (save, dest) = (host.path("web.save"), there.uri());
    host.ok(&script(
        &[("xml", &web), ("plain", &plain), ("save", &save), ("dest", &dest)],
        r#"
        let watcher = connect();
        let conn = connect();
        let dom = conn.create_xml(xml, VIR_DOMAIN_START_AUTODESTROY);
        conn.create_xml(plain);

        // 18: no migration, but its configuration can be copied.
        let dest = connect(dest);
        assert_eq(thrown(|| dom.migrate(dest, VIR_MIGRATE_LIVE)), "VIR_ERR_OPERATION_INVALID");
        assert_eq(dest.list_all_domains(), []);
        dom.migrate(dest, VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST);
        assert_eq(dest.lookup_by_name("web").state(), "shutoff");
        assert_eq(dom.state(), "running");

        // 14: it ends with the connection, also while this handle of it lives.
        let event = watcher.wait_event(#{ event: "stopped", domain: "web" }, "30s", || conn.close());
        assert_eq(event.detail, "destroyed");
        assert_eq(thrown(|| watcher.lookup_by_name("web")), "VIR_ERR_NO_DOMAIN");
        assert_eq(thrown(|| dom.state()), "VIR_ERR_INVALID_CONN");
        assert_eq(watcher.lookup_by_name("plain").state(), "running");

        // 19: it can be saved, and comes back without the mark.
        let conn = connect();
        conn.create_xml(xml, VIR_DOMAIN_START_AUTODESTROY).save(save);
        assert_eq(thrown(|| conn.lookup_by_name("web")), "VIR_ERR_NO_DOMAIN");
        conn.restore(save);
        conn.close();
        assert_eq(watcher.lookup_by_name("web").state_reason(),
            #{ state: "running", reason: "restored" });
        "#,
    ));
    // 17, and 19 again: guests without the mark outlive the client.
    host.ok(r#"
        let conn = connect();
        for name in ["web", "plain"] {
            let dom = conn.lookup_by_name(name);
            assert_eq(dom.state(), "running");
            dom.destroy();
        }
        assert_eq(conn.list_all_domains(), []);
        "#);
}

/// 16: the guide is wrong here: a guest survives the death of its daemon.
#[test]
fn autodestroy_is_forgotten_when_the_daemon_is_killed() {
    let mut host = Daemon::start();
    let xml = host.micro("counter", "web");
    let text = script(
        &[("xml", &xml)],
        r#"
        let conn = connect();
        conn.create_xml(xml, VIR_DOMAIN_START_AUTODESTROY);
        try {
            conn.wait_event(#{ event: "stopped" }, "60s");
        } catch (err) {
            assert(err.lost_connection, err.to_string());
            print("lost");
        }
        "#,
    );
    let run = host.virhai().script(text);
    std::thread::scope(|scope| {
        let script = scope.spawn(|| run.run());
        until(|| host.console("web").contains("MG:c="));
        host.kill();
        let outcome = script.join().expect("the run does not panic");
        assert_eq!(outcome.stdout, "lost\n", "{outcome}");
    });
    host.launch();
    host.takes_over("web");
    host.ok(r#"
        let dom = connect().lookup_by_name("web");
        assert_eq(dom.state(), "running");
        assert(!dom.is_persistent());
        dom.open_console().wait("MG:c=", "30s");
        dom.destroy();
        "#);
    assert_counted_on(&host.console("web"));
}
