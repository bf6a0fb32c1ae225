//! Whether a guest is up, rung by rung, and which rung failed.

use crate::support::{Embed, agent_xml, micro};

#[test]
fn a_linux_is_ready_once_its_console_and_its_agent_say_so() {
    let host = Embed::new();
    let xml = agent_xml(host.scratch(), "web", "");
    host.ok(&format!(
        r#"
        import "std/ready" as ready;
        import "std/guest" as guest;
        let dom = connect().define_xml(`{xml}`);
        let console = guest::boot(dom);
        let seen = ready::wait_for(dom, console, #{{ console: "VIRHAI-GUEST-UP", agent: true, timeout: "60s" }});
        assert(seen.console.contains("VIRHAI-GUEST-UP"));
        assert(seen.agent.len() > 0, `the agent tells its version: ${{seen.agent}}`);
        try {{
            ready::wait_for(dom, console, #{{ address: "agent", timeout: "2s" }});
            throw "ready";
        }} catch (err) {{
            assert_eq(err.rung, "address");
            assert(err.message.contains("was not ready within 2s"), err.message);
        }}
        dom.destroy();
        "#
    ));
}

#[test]
fn the_rung_that_failed_is_named_with_what_the_console_showed_last() {
    let host = Embed::new();
    host.scratch().copy(&micro("counter.img"), "disk.img");
    host.ok(&format!(
        r#"
        import "std/ready" as ready;
        import "std/guest" as guest;
        let dom = guest::create(connect(), #{{ name: "web", memory: "32MiB", nics: [], disks: ["{}"] }});
        try {{
            ready::wait_for(dom, #{{ console: "never printed", timeout: "3s" }});
            throw "ready";
        }} catch (err) {{
            assert_eq(err.rung, "console");
            assert(err.hint.contains("MG:c="), err.hint);
        }}
        try {{
            ready::wait_for(dom, #{{ agent: true, timeout: "1s" }});
            throw "ready";
        }} catch (err) {{
            assert_eq(err.rung, "agent");
        }}
        try {{
            ready::wait_for(dom, #{{ adress: true }});
            throw "ready";
        }} catch (err) {{
            assert(err.hint.contains("address"), err.hint);
        }}
        dom.destroy();
        "#,
        host.path("disk.img")
    ));
}
