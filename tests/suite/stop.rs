//! `stop`: a guest that was not asked keeps running, unless the options say otherwise.

use crate::support::{Daemon, Embed, Host};

/// Functions for all scripts below.
const THROWN: &str = r#"
    fn thrown(action) {
        let error = ();
        try { action.call(); } catch (err) { error = err; }
        assert(error != (), "nothing was thrown");
        error
    }
    fn up(conn, xml) {
        let dom = conn.create_xml(xml, VIR_DOMAIN_START_PAUSED);
        let console = dom.open_console();
        dom.resume();
        console.wait("MG:c=", "30s");
        dom
    }
"#;

#[test]
fn a_paused_guest_is_resumed_and_asked() {
    let host = Embed::new();
    let (web, deaf) = (host.micro("counter", "web"), host.micro("hang", "deaf"));
    host.ok(&format!(
        r#"{THROWN}
        let conn = connect();
        let dom = up(conn, `{web}`);
        dom.suspend();
        let stopped = dom.stop(#{{ shutdown: "20s", agent: "5s" }});
        assert_eq([stopped.by, stopped.reason, stopped.resumed], ["shutdown", "shutdown", true]);
        assert_eq([stopped.asked, stopped.not_asked], [["shutdown"], #{{}}]);

        // One that ignores the request is paused again where its plug is not to be pulled.
        let deaf = conn.create_xml(`{deaf}`);
        deaf.suspend();
        let error = thrown(|| deaf.stop(#{{ shutdown: "500ms", agent: "500ms", destroy: false }}));
        assert_eq(error.code, "VIR_ERR_OPERATION_TIMEOUT");
        assert(error.message.contains("is paused again"), error.message);
        assert(error.message.contains("not be asked by `agent`"), error.message);
        assert_eq(deaf.state_reason(), #{{ state: "paused", reason: "user" }});
        let stopped = deaf.stop(#{{ shutdown: "500ms", agent: "500ms" }});
        assert_eq([stopped.by, stopped.asked, stopped.not_asked.keys()], ["destroy", ["shutdown"], ["agent"]]);

        // Told not to ask.
        let deaf = conn.create_xml(`{deaf}`);
        deaf.suspend();
        let stopped = deaf.stop(#{{ shutdown: 0, agent: 0 }});
        assert_eq([stopped.by, stopped.asked, stopped.resumed], ["destroy", [], false]);
        "#
    ));
}

#[test]
fn a_guest_that_cannot_be_asked_is_not_unplugged() {
    let host = Embed::new();
    let mute = host.micro("hang", "mute").replace("<acpi/>", "");
    let channel =
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";
    let no_agent = host
        .micro("counter", "no-agent")
        .replace("<serial", &format!("{channel}<serial"));
    let crashed = host
        .micro("panic", "crashed")
        .replace("<on_crash>destroy", "<on_crash>preserve")
        .replace("<serial", "<panic model='isa'/><serial");
    host.ok(&format!(
        r#"{THROWN}
        let conn = connect();
        let dom = conn.create_xml(`{mute}`);
        let error = thrown(|| dom.stop(#{{ shutdown: "1m", agent: "1m" }}));
        assert_eq(error.code, "VIR_ERR_OPERATION_INVALID");
        assert(error.message.contains("`shutdown`: its XML lacks <acpi/>"), error.message);
        assert(error.message.contains("QEMU guest agent is not configured"), error.message);
        assert(error.hint.contains("force: true"), error.hint);
        assert_eq(dom.state(), "running");
        // A guest has no ACPI after a while either: a wait in vain is none.
        assert_eq(thrown(|| dom.stop(#{{ destroy: false }})).code, "VIR_ERR_OPERATION_INVALID");
        assert(thrown(|| dom.stop(#{{ destroy: false, force: true }})).message.contains("forbids"));
        let stopped = dom.stop(#{{ force: true }});
        assert_eq([stopped.by, stopped.asked, stopped.not_asked.keys()], ["destroy", [], ["agent", "shutdown"]]);

        // An agent that is not there may still come, for as long as it may take.
        let dom = up(conn, `{no_agent}`);
        let error = thrown(|| dom.stop(#{{ shutdown: 0, agent: "1s" }}));
        assert(error.message.contains("agent is not connected"), error.message);
        assert_eq(dom.state(), "running");
        assert_eq(dom.stop(#{{ shutdown: "20s" }}).by, "shutdown");

        // One that crashed and is kept still has its memory and its disks.
        let dom = conn.create_xml(`{crashed}`);
        dom.wait("crashed", "30s");
        let error = thrown(|| dom.stop());
        assert(error.message.contains("crashed (panicked)"), error.message);
        assert(error.hint.contains("reset()"), error.hint);
        assert_eq([dom.stop(#{{ force: true }}).by, conn.list_all_domains().len()], ["destroy", 0]);
        "#
    ));
}

#[test]
fn a_guest_of_another_process_is_destroyed_in_the_first_call() {
    let host = Embed::new();
    let (brief, kept) = (
        host.micro("counter", "brief"),
        host.micro("counter", "kept"),
    );
    host.ok(&format!("connect().define_xml(`{kept}`);"));
    for _ in 0..2 {
        host.ok(&format!(
            "let conn = connect(); conn.create_xml(`{brief}`); conn.lookup_by_name(\"kept\").create();"
        ));
        host.ok(r#"
            let conn = connect();
            conn.lookup_by_name("brief").destroy();
            conn.lookup_by_name("kept").destroy();
            assert_eq(conn.list_all_domains().map(|dom| `${dom.name} ${dom.state()}`), ["kept shutoff"]);
            "#);
    }
}

#[test]
fn a_guest_is_destroyed_while_its_restarted_daemon_takes_it_over() {
    let mut host = Daemon::start();
    let (brief, kept) = (
        host.micro("counter", "brief"),
        host.micro("counter", "kept"),
    );
    host.ok(&format!(
        "let conn = connect(); conn.create_xml(`{brief}`); conn.define_xml(`{kept}`).create();"
    ));
    host.kill();
    host.launch();
    host.ok(r#"
        let conn = connect();
        conn.lookup_by_name("brief").destroy();
        conn.lookup_by_name("kept").destroy();
        assert_eq(conn.list_all_domains().map(|dom| `${dom.name} ${dom.state()}`), ["kept shutoff"]);
        // One that is off already is none that this call ended.
        try { conn.lookup_by_name("kept").destroy(); throw "ended twice"; } catch (err) {
            assert_eq(err.code, "VIR_ERR_OPERATION_INVALID");
        }
        "#);
}
