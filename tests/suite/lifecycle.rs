//! The life of a real guest.

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
