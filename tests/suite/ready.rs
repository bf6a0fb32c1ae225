//! The checks that a guest is up, one by one, and the name of the check that failed.

use crate::support::{Embed, Host, NetHost, TestHost, agent_xml, micro, tiny_xml, virhai};

#[test]
fn a_linux_is_ready_once_its_console_and_its_agent_say_so() {
    let host = Embed::new();
    // The kernel writes its command line, with the text that is waited for, long before the guest is up.
    let cards = "<interface type='mcast'><source address='230.0.0.9' port='5559'/><mac address='52:54:00:00:0e:01'/><model type='virtio'/></interface>\
                 <interface type='mcast'><source address='230.0.0.9' port='5559'/><mac address='52:54:00:00:0e:02'/><model type='virtio'/></interface>";
    let xml = agent_xml(host.scratch(), "web", cards)
        .replace("console=ttyS0 quiet", "console=ttyS0 VIRHAI-GUEST-UP");
    host.ok(&format!(
        r#"
        import "std/ready" as ready;
        import "std/guest" as guest;
        let dom = connect().define_xml(`{xml}`);
        let console = guest::boot(dom);
        let seen = ready::wait_for(dom, console, #{{ console: "VIRHAI-GUEST-UP", cloud_init: true, timeout: "4m" }});
        assert(seen.console.contains("ommand line: console=ttyS0 VIRHAI-GUEST-UP"), seen.console);
        assert(seen.console.contains("memory: "), seen.console);
        assert_eq(seen.cloud_init, "status: done\n");
        let ends = |how| {{
            dom.agent_exec(["sh", "-c", `echo '${{how}}' > /tmp/cloud-init`]);
            ready::wait_for(dom, console, #{{ cloud_init: true, timeout: "4m" }}).cloud_init
        }};
        assert_eq(ends.call("echo status: degraded; exit 2"), "status: degraded\n");
        try {{
            ends.call("echo detail: no such package; exit 1");
            throw "ready";
        }} catch (err) {{
            assert(err.message.contains("`web` is not ready"), err.message);
            assert(err.message.contains("detail: no such package"), err.message);
        }}
        try {{
            ends.call("echo status: disabled; exit 0");
            throw "ready";
        }} catch (err) {{
            assert(err.message.contains("cloud-init did not run"), err.message);
        }}
        let seen = ready::wait_for(dom, console, #{{ agent: true, timeout: "4m" }});
        assert(seen.agent.len() > 0, `the agent tells its version: ${{seen.agent}}`);

        // An address of a card that the guest has and its XML has not, a link-local one, and one of a card that is down.
        let sh = |line| {{
            let ran = dom.agent_exec(["sh", "-c", line]);
            assert(ran.exit_status == 0, ran.stderr);
        }};
        sh.call("ip link set eth0 address 02:42:ac:11:00:02; ip addr add 172.17.0.1/16 dev eth0; ip link set eth0 up");
        sh.call("ip addr add 169.254.7.7/16 dev eth1; ip link set eth1 up");
        let no_address = |words, sources| {{
            try {{
                ready::wait_for(dom, console, #{{ address: sources, timeout: "1s" }});
                throw "ready";
            }} catch (err) {{
                assert_eq(err.check, "address");
                assert(err.message.contains("was not ready within 1s"), err.message);
                assert(err.message.contains(words), err.message);
            }}
        }};
        no_address.call("no address is known yet", true);
        sh.call("ip addr add 192.0.2.7/24 dev eth1; ip link set eth1 down");
        no_address.call("eth1 is down", "agent");
        sh.call("ip link set eth1 up; ip addr add 192.0.2.7/24 dev eth1 || true");
        assert_eq(ready::wait_for(dom, console, #{{ agent: true, address: true, timeout: "20s" }}).address, "192.0.2.7");

        // An agent that answers while the system goes down.
        sh.call("printf '#!/bin/sh\\necho stopping\\n' >/bin/systemctl; chmod +x /bin/systemctl");
        try {{
            ready::wait_for(dom, console, #{{ agent: true, timeout: "1s" }});
            throw "ready";
        }} catch (err) {{
            assert(err.message.contains("its system is shutting down"), err.message);
        }}
        // Output from before the guest was paused still counts.
        sh.call("rm /bin/systemctl; (sleep 1; echo BYE >/dev/console) >/dev/null 2>&1 &");
        console.wait("tick", "20s");
        sleep("1500ms");
        dom.suspend();
        try {{
            ready::wait_for(dom, console, #{{ console: "BYE", timeout: "20s" }});
            throw "ready";
        }} catch (err) {{
            assert_eq(err.check, "running");
            assert(err.message.contains("is paused (user)"), err.message);
        }}
        dom.destroy();
        "#
    ));
}

#[test]
fn an_address_counts_if_it_belongs_to_a_card_of_the_guest_and_others_can_use_it() {
    TestHost::new().ok(
        r#"
        import "std/address" as address;
        let of = |name, mac, list| {
            let found = #{};
            found[name] = #{ hwaddr: mac, addrs: list.map(|addr| #{ addr: addr, prefix: 24, "type": if addr.contains(":") { "ipv6" } else { "ipv4" } }) };
            found
        };
        let cards = ["52:54:00:00:00:01", "52:54:00:00:00:02"];
        let interfaces = of.call("docker0", "02:42:ac:11:00:01", ["172.17.0.1"]) + of.call("lo", (), ["127.0.0.1", "::1"])
            + of.call("a", "52:54:00:00:00:02", ["FE80::1", "169.254.1.1", "192.0.2.2"]) + of.call("b", "52:54:00:00:00:01", ["2001:db8::1", "198.51.100.1"])
            + of.call("c", "", ["0.0.0.0"]);
        assert_eq(address::candidates(cards, interfaces).map(|one| `${one.interface} ${one.address}`),
            ["b 198.51.100.1", "a 192.0.2.2", "b 2001:db8::1"]);
        // Behind a card of the type `user`, QEMU answers in the guest's place.
        let conn = connect();
        let dom = conn.create_xml("<domain type='test'><name>slirp</name><memory>65536</memory><os><type>hvm</type></os><devices><interface type='user'/></devices></domain>");
        for source in [["lease"], ["agent", "lease", "arp"]] {
            try { address::look(dom, source); throw "reached"; } catch (err) { assert(err.to_string().contains("type user"), err.to_string()); }
        }
        import "std/ready" as ready;
        assert(!ready::is_elsewhere("qemu:///system") && !ready::is_elsewhere("qemu+unix:///system?socket=/x"));
        assert(!ready::is_elsewhere("qemu+tcp://root@127.0.0.1:16509/system") && !ready::is_elsewhere("qemu+ssh://[::1]/system"));
        assert(ready::is_elsewhere("qemu+ssh://root@kvm1:22/system") && ready::is_elsewhere("qemu+tls://[2001:db8::1]/system"));
        "#,
    );
}

#[test]
fn a_wait_without_a_check_is_refused() {
    virhai()
        .arg("--no-check")
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"import "std/ready" as ready;
            import "std/boot_order" as boot_order;
            import "std/import_image" as import_image;
            let dom = connect().lookup_by_name("test");
            for none in [#{}, #{ timeout: "1m" }, #{ address: false, agent: false, console: "" }] {
                let refusal = assert_throws(|| ready::wait_for(dom, none));
                assert_eq(refusal.message, "the map of checks needs `console`, `agent`, `address`, `tcp` or `cloud_init`");
            }
            let refusal = assert_throws(|| import_image::disk(connect(), #{ name: "web", image: "/a", up: #{ timeout: "1m" } }));
            assert(refusal.message.contains("`up`: the map of checks needs"), refusal.message);
            // A guest of an order can be ready as soon as it runs.
            assert_eq(boot_order::start(connect(), ["test"], #{}).map(|one| one.done), ["nothing"]);"#,
        )
        .ok();
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
            assert_eq(err.check, "console");
            assert(err.hint.contains("MG:c="), err.hint);
        }}
        try {{
            ready::wait_for(dom, #{{ agent: true, timeout: "1s" }});
            throw "ready";
        }} catch (err) {{
            assert_eq(err.check, "agent");
        }}
        // Impossible checks do not wait.
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
                assert(err.message.contains("must be") || err.message.contains("cannot be"), err.to_string());
            }}
        }}
        // An empty map, which the check before the run cannot follow.
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
                assert_eq(err.check, sign);
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
    let card = "<interface type='network'><mac address='52:54:00:00:79:01'/><source network='lan'/><model type='virtio'/></interface>";
    let xml = tiny_xml(host.scratch(), "web", card).replace("quiet", "quiet dhcp http");
    let script = format!(
        r#"
        import "std/network" as network;
        import "std/ready" as ready;
        let conn = connect();
        network::create(conn, #{{ name: "lan", forward: "open", address: "192.168.79.1/24" }});
        let dom = conn.create_xml(`{xml}`);
        let seen = ready::wait_for(dom, #{{ address: "lease", tcp: 80, timeout: "4m" }});
        assert(seen.address.starts_with("192.168.79."), seen.address);
        assert_eq(seen.tcp, `${{seen.address}}:80`);
        try {{
            ready::wait_for(dom, #{{ tcp: 81, timeout: "1s" }});
            throw "ready";
        }} catch (err) {{
            assert_eq(err.check, "tcp");
            assert(err.message.contains(`nothing answers at ${{seen.address}}:81`), err.message);
        }}
        dom.destroy();

        // Started again without DHCP, it has the lease of its earlier run.
        let quiet = `{xml}`;
        quiet.replace(" dhcp http", "");
        let dom = conn.create_xml(quiet);
        assert_eq(dom.interface_addresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE).values()[0].addrs[0].addr, seen.address);
        for sources in ["lease", "arp", true] {{
            try {{
                ready::wait_for(dom, #{{ address: sources, timeout: "1s" }});
                throw "ready";
            }} catch (err) {{
                assert_eq(err.check, "address");
            }}
        }}
        try {{ ready::wait_for(dom, #{{ address: "lease", timeout: 0 }}); }} catch (err) {{
            assert(err.message.contains("is from an earlier run"), err.message);
        }}
        dom.destroy();
        "#
    );
    let run = host.virhai().arg("--allow-net").arg("*");
    run.script(script).ok();
}
