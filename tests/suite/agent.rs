//! QEMU's guest agent in a Linux guest.

use crate::support::{Embed, agent_xml};

#[test]
fn an_agent_that_comes_up_is_told_by_an_event() {
    let host = Embed::new();
    let xml = agent_xml(host.scratch(), "web", "");
    host.ok(&format!(
        r#"
        let conn = connect();
        let same = conn;
        let came = conn.wait_event(#{{ kind: "agent_lifecycle", state: "connected" }}, "60s",
            || same.create_xml(`{xml}`));
        assert_eq(came.domain, "web");
        assert_eq(came.reason, "channel");
        assert(conn.lookup_by_name("web").get_time().seconds > 0);
        "#
    ));
}
