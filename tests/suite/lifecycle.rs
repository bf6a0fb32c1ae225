//! The lifecycle of a real guest.

use crate::support::{Daemon, Embed, Host};

#[test]
fn a_guest_lives_through_pause_save_and_a_clean_shutdown() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    let save = host.path("web.save");
    host.ok(&format!(
        r#"
        let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        assert_eq(dom.state(), "shutoff");
        dom.create();
        assert_eq(dom.state_reason(), #{{ state: "running", reason: "booted" }});
        dom.open_console().wait("MG:c=", "30s");
        dom.suspend();
        assert_eq(dom.state_reason(), #{{ state: "paused", reason: "user" }});
        dom.resume();
        assert_eq(dom.state(), "running");
        dom.save("{save}");
        assert_eq(dom.state_reason(), #{{ state: "shutoff", reason: "saved" }});
        let dom = conn.restore("{save}");
        assert_eq(dom.state_reason(), #{{ state: "running", reason: "restored" }});
        let stopped = dom.stop();
        assert_eq(stopped.by, "shutdown");
        dom.undefine();
        assert_eq(conn.list_all_domains(), []);
        "#
    ));
    assert_eq!(
        host.console("web").matches("MG:up").count(),
        1,
        "the guest booted once"
    );
    assert!(host.console("web").contains("MG:powerbutton"));
}

#[test]
fn a_guest_migrates_live_and_comes_back() {
    let (here, there) = (Daemon::start(), Daemon::start());
    let (xml, destination) = (here.micro("counter", "web"), there.uri());
    here.ok(&format!(
        r#"
        let conn = connect();
        let dest = connect("{destination}");
        let flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_UNSAFE;
        let options = #{{ migrate_uri: "tcp://127.0.0.1" }};
        let moved = conn.create_xml(`{xml}`).migrate(dest, flags, options);
        assert_eq(moved.state_reason(), #{{ state: "running", reason: "migrated" }});
        assert_eq(conn.num_of_domains(), 0);
        let back = moved.migrate(conn, flags, options);
        assert_eq(back.state_reason(), #{{ state: "running", reason: "migrated" }});
        assert_eq(dest.num_of_domains(), 0);
        back.destroy();
        "#
    ));
    assert_eq!(
        here.console("web").matches("MG:up").count(),
        1,
        "the guest booted once"
    );
}

#[test]
fn files_are_handed_to_a_guest_only_where_the_user_allows_it() {
    let host = Embed::new();
    let file = host.scratch().write("log", "");
    let (log, xml) = (file.display(), host.micro("counter", "web"));
    let script = format!(
        r#"
        let conn = connect("test:///default");
        let dom = conn.lookup_by_name("test");
        dom.destroy();
        dom.create_with_files(["{log}"]);
        assert_eq(dom.state(), "running");
        let xml = `<domain type="test"><name>made</name><memory unit="MiB">64</memory>
                     <os><type>hvm</type></os></domain>`;
        assert(conn.create_xml_with_files(xml, ["{log}", "{log}"]).is_active());
        for refused in [
            || conn.create_xml_with_files(xml, [1]),
            || dom.create_with_files(["{log}.missing/x"]),
            || dom.create_with_files(["/dev/null"]),
        ] {{
            try {{
                refused.call();
                throw "not refused";
            }} catch (err) {{
                assert_eq(err.code, "VIR_ERR_INVALID_ARG");
            }}
        }}
        try {{
            connect().define_xml(`{xml}`).create_with_files(["{log}"]);
            throw "QEMU took files";
        }} catch (err) {{
            assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
        }}
        "#
    );
    let granted = host.virhai().arg("--allow-write").arg(&file);
    granted.script(&script).ok();
    let refused = host.virhai().script(&script).fails(1);
    assert!(refused.stderr.contains("--allow-write PATH"), "{refused}");
}
