//! Whether a guest is up, rung by rung, and which rung failed.

use crate::support::{Embed, Host, NetHost, agent_xml, micro, tiny_xml};

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
        let seen = ready::wait_for(dom, console, #{{ console: "VIRHAI-GUEST-UP", cloud_init: true, timeout: "60s" }});
        assert(seen.console.contains("VIRHAI-GUEST-UP"));
        assert_eq(seen.cloud_init, "status: done\n");
        let ends = |how| {{
            dom.agent_exec(["sh", "-c", `echo '${{how}}' > /tmp/cloud-init`]);
            ready::wait_for(dom, console, #{{ cloud_init: true, timeout: "60s" }}).cloud_init
        }};
        assert_eq(ends.call("echo status: degraded; exit 2"), "status: degraded\n");
        try {{
            ends.call("echo detail: no such package; exit 1");
            throw "ready";
        }} catch (err) {{
            assert(err.message.contains("`web` is not ready"), err.message);
            assert(err.message.contains("detail: no such package"), err.message);
        }}
        let seen = ready::wait_for(dom, console, #{{ agent: true, timeout: "60s" }});
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
        // What will never be is not waited for.
        let mute = guest::run(connect(), #{{ name: "mute", memory: "32MiB", nics: [], agent: false }});
        for never in [#{{ agent: true, timeout: "1h" }}, #{{ cloud_init: true, timeout: "1h" }}] {{
            try {{
                ready::wait_for(mute, never);
                throw "ready";
            }} catch (err) {{
                assert(err.message.contains("is not ready"), err.message);
                assert(err.hint.contains("org.qemu.guest_agent.0"), err.hint);
            }}
        }}
        mute.destroy();
        for wrong in [#{{ agent: "yes" }}, #{{ cloud_init: 1 }}, #{{ console: true }}, #{{ address: "dhcp" }}, #{{ tcp: "80" }}] {{
            try {{
                ready::wait_for(dom, wrong);
                throw "ready";
            }} catch (err) {{
                assert(type_of(err) == "string" && err.contains("not by") || err.contains("cannot be"), err.to_string());
            }}
        }}
        assert_eq(ready::wait_for(dom, #{{ address: false, agent: false }}), #{{}});
        // What the check before the run cannot know.
        let ladder = #{{}};
        ladder["adress"] = true;
        try {{
            ready::wait_for(dom, ladder);
            throw "ready";
        }} catch (err) {{
            assert(err.hint.contains("address"), err.hint);
        }}
        dom.destroy();
        for sign in ["agent", "address", "cloud_init"] {{
            let ladder = #{{ timeout: "1h" }};
            ladder[sign] = true;
            try {{
                ready::wait_for(dom, ladder);
                throw "ready";
            }} catch (err) {{
                assert_eq(err.rung, sign);
                assert(err.message.contains("domain is not running"), err.message);
            }}
        }}
        "#,
        host.path("disk.img")
    ));
}

#[test]
fn a_guest_is_ready_once_its_lease_is_known_and_its_port_answers() {
    let Some(host) = NetHost::start() else { return };
    let card =
        "<interface type='network'><source network='lan'/><model type='virtio'/></interface>";
    let xml = tiny_xml(host.scratch(), "web", card).replace("quiet", "quiet dhcp http");
    let script = format!(
        r#"
        import "std/network" as network;
        import "std/ready" as ready;
        let conn = connect();
        network::create(conn, #{{ name: "lan", forward: "open", address: "192.168.79.1/24" }});
        let dom = conn.create_xml(`{xml}`);
        let seen = ready::wait_for(dom, #{{ address: "lease", tcp: 80, timeout: "60s" }});
        assert(seen.address.starts_with("192.168.79."), seen.address);
        assert_eq(seen.tcp, `${{seen.address}}:80`);
        try {{
            ready::wait_for(dom, #{{ tcp: 81, timeout: "1s" }});
            throw "ready";
        }} catch (err) {{
            assert_eq(err.rung, "tcp");
            assert(err.message.contains(`nothing answers at ${{seen.address}}:81`), err.message);
        }}
        dom.destroy();
        "#
    );
    let run = host.virhai().arg("--allow-net").arg("*");
    run.script(script).ok();
}
