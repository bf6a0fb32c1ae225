//! Networks of the test driver, and real networks with guests.

use crate::support::{Host, NetHost, TestHost, skip, tiny_xml, virhai};

/// Functions for all scripts below.
const THROWN: &str = r#"
    fn thrown(action) {
        let error = ();
        try { action.call(); } catch (err) { error = err; }
        assert(error != (), "nothing was thrown");
        error
    }
"#;

/// A network with a bridge and a DHCP server, which needs no firewall.
const LAB: &str = "<network><name>lab</name><forward mode='open'/>\
    <bridge name='lab0' stp='off' delay='0'/>\
    <ip address='10.78.0.1' netmask='255.255.255.0'>\
    <dhcp><range start='10.78.0.2' end='10.78.0.20'/></dhcp></ip></network>";

#[test]
fn a_network_lives_from_definition_to_removal() {
    let host = TestHost::new();
    let script = format!(
        r#"{THROWN}
        let conn = connect();
        let net = conn.network_define_xml("{LAB}");
        assert_eq([net.name, net.bridge_name(), net.is_active(), net.is_persistent()], ["lab", "lab0", false, true]);
        assert_eq(conn.list_defined_networks(), ["lab"]);
        net.create();
        assert_eq(conn.list_networks(), ["lab"]);
        assert_eq([conn.num_of_networks(), conn.num_of_defined_networks()], [1, 0]);
        net.set_autostart(true);
        assert(net.autostart());
        assert_eq(conn.list_all_networks(VIR_CONNECT_LIST_NETWORKS_AUTOSTART)[0], net);
        net.destroy();
        net.undefine();
        assert_eq(conn.list_all_networks(), []);
        assert_eq(thrown(|| net.create()).code, "VIR_ERR_NO_NETWORK");
        "#
    );
    virhai().arg("-c").arg(host.uri()).script(script).ok();
}

fn runs_on_a_test_host(script: &str) {
    let host = TestHost::new();
    virhai().arg("-c").arg(host.uri()).script(script).ok();
}

#[test]
fn a_mac_address_of_another_guest_in_the_same_network_is_refused() {
    let script = format!(
        r#"{THROWN}
        import "std/guest" as guest;
        import "std/network" as network;
        let conn = connect();
        for (name, number) in ["lab", "farm"] {{
            network::create(conn, #{{ name: name, address: `192.168.${{70 + number}}.1/24` }});
        }}
        fn guest_with(name, network, mac) {{ #{{ name: name, memory: "64MiB", nics: [#{{ network: network, mac: mac }}] }} }}
        guest::create(conn, guest_with("web", "lab", "52:54:00:00:00:0a"));
        let taken = guest_with("db", "lab", "52:54:00:00:00:0A");
        for call in [|options| guest::create(conn, options), |options| guest::ensure(conn, options), |options| guest::run(conn, options)] {{
            let why = thrown(|| call.call(taken));
            assert_eq(why.message, "`nics[0]`: a card of the guest `web` has the MAC address 52:54:00:00:00:0a on lab");
        }}
        assert(!conn.list_all_domains().some(|dom| dom.name == "db"));
        guest::create(conn, guest_with("db", "farm", "52:54:00:00:00:0a"));
        guest::create(conn, guest_with("mail", "lab", "52:54:00:00:00:0b"));
        assert_eq(guest::ensure(conn, guest_with("web", "lab", "52:54:00:00:00:0a")).changes, []);
        assert_eq(thrown(|| guest::ensure(conn, guest_with("mail", "lab", "52:54:00:00:00:0a"))).code, "VIR_ERR_INVALID_ARG");
        "#
    );
    runs_on_a_test_host(&script);
}

#[test]
fn a_network_of_a_running_guest_is_not_removed() {
    let script = format!(
        r#"{THROWN}
        import "std/guest" as guest;
        import "std/network" as network;
        let conn = connect();
        let net = network::create(conn, #{{ name: "lab", address: "192.168.77.1/24" }});
        let web = guest::create(conn, #{{ name: "web", memory: "64MiB", nics: [#{{ network: "lab" }}] }});
        let why = thrown(|| network::remove(conn, "lab"));
        assert_eq([why.code, why.message], ["VIR_ERR_OPERATION_INVALID", "running guests have a card in the network `lab`: `web`"]);
        assert(net.is_active() && net.is_persistent());
        web.destroy();
        network::remove(conn, "lab");
        network::remove(conn, "lab");
        assert_eq(network::find(conn, "lab"), ());
        "#
    );
    runs_on_a_test_host(&script);
}

#[test]
fn a_guest_gets_an_address_that_its_network_its_host_and_it_itself_tell() {
    let Some(host) = NetHost::start() else { return };
    let card = "<interface type='network'><source network='lab'/><mac address='52:54:00:00:00:07'/>\
                <model type='virtio'/></interface>";
    let xml = tiny_xml(host.scratch(), "web", card).replace("quiet", "quiet dhcp");
    let printed = host.ok(&format!(
        r#"
        let conn = connect();
        let net = conn.network_define_xml("{LAB}");
        net.create();
        let dom = conn.create_xml(`{xml}`);
        let console = dom.open_console();
        console.wait("VIRHAI-GUEST-UP", "4m");
        // The server tells libvirt of it a moment later, and libvirt tells nobody.
        let patience = 100;
        while net.dhcp_leases().is_empty() && patience > 0 {{
            sleep("100ms");
            patience -= 1;
        }}
        let leases = net.dhcp_leases("52:54:00:00:00:07");
        assert_eq(net.dhcp_leases(), leases);
        assert_eq(net.dhcp_leases("52:54:00:00:00:08"), []);
        let lease = leases[0];
        assert_eq([lease.mac, lease.iface, lease.prefix, lease["type"]], ["52:54:00:00:00:07", "lab0", 24, "ipv4"]);
        assert(lease.ipaddr.starts_with("10.78.0."));
        let address = #{{ addr: lease.ipaddr, prefix: 24, "type": "ipv4" }};
        let wanted = #{{ hwaddr: lease.mac, addrs: [address] }};
        assert_eq(dom.interface_addresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE).vnet0, wanted);
        // libvirt takes from the host's table only what was confirmed, which the host does after 5 s.
        console.wait("tick 8", "4m");
        wanted.addrs[0].prefix = 0;
        try {{
            assert_eq(dom.interface_addresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP).vnet0, wanted);
        }} catch (err) {{
            assert(err.message.contains("wrong nlmsg len"), err.message);
            assert(err.hint.contains("VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE"));
            print("too old");
        }}
        assert(dom.interface_stats("vnet0").rx_packets > 0);
        dom.shutdown();
        dom.wait("shutoff", "30s");
        net.destroy();
        "#
    ));
    if printed.contains("too old") {
        skip("libvirt is too old to read the ARP table of this kernel");
    }
}

#[test]
fn a_network_is_changed_while_it_runs_and_for_its_next_start() {
    let Some(host) = NetHost::start() else { return };
    host.ok(&format!(
        r#"
        let conn = connect();
        let net = conn.network_define_xml("{LAB}");
        assert_eq(conn.wait_event(#{{ network: net }}, "10s", || net.create()).event, "started");
        let add = VIR_NETWORK_UPDATE_COMMAND_ADD_LAST;
        let host = "<host mac='52:54:00:00:00:07' name='web' ip='10.78.0.7'/>";
        net.update(add, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, host, VIR_NETWORK_UPDATE_AFFECT_LIVE);
        assert_eq(net.xml().get("ip/dhcp/host/@ip"), "10.78.0.7");
        assert(!net.xml(VIR_NETWORK_XML_INACTIVE).has("ip/dhcp/host"));
        let name = parse_xml("<host ip='10.78.0.9'><hostname>db</hostname></host>");
        net.update(add, VIR_NETWORK_SECTION_DNS_HOST, -1, name, VIR_NETWORK_UPDATE_AFFECT_CONFIG);
        assert(!net.xml().has("dns/host"));
        assert_eq(net.xml(VIR_NETWORK_XML_INACTIVE).get("dns/host/hostname"), "db");
        let delete = VIR_NETWORK_UPDATE_COMMAND_DELETE;
        net.update(delete, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, host);
        assert(!net.xml().has("ip/dhcp/host"));
        net.destroy();
        net.create();
        assert_eq(net.xml().get("dns/host/hostname"), "db");
        try {{
            net.set_metadata(VIR_NETWORK_METADATA_TITLE, "The lab", (), (), VIR_NETWORK_UPDATE_AFFECT_LIVE);
            assert_eq(net.metadata(VIR_NETWORK_METADATA_TITLE, ()), "The lab");
        }} catch (err) {{
            // libvirt has it since 9.7.
            assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
        }}
        net.undefine();
        assert(net.is_active() && !net.is_persistent());
        net.destroy();
        "#
    ));
}

#[test]
fn the_interfaces_of_the_host_are_those_that_the_system_has() {
    let Some(host) = NetHost::start() else { return };
    host.ok(&format!(
        r#"{THROWN}
        let conn = connect();
        let lo = conn.interface_lookup_by_name("lo");
        assert_eq([lo.name, lo.mac_string(), lo.to_string()], ["lo", "00:00:00:00:00:00", "Interface(lo)"]);
        assert(conn.list_all_interfaces().some(|iface| iface == lo));
        assert_eq(conn.list_interfaces().len() + conn.list_defined_interfaces().len(), conn.list_all_interfaces().len());
        let error = thrown(|| conn.interface_lookup_by_name("lo0"));
        assert_eq([error.code, error.hint], ["VIR_ERR_NO_INTERFACE", "did you mean `lo`?"]);
        "#
    ));
}

#[test]
fn a_list_of_networks_or_interfaces_is_a_table_for_people_and_data_for_programs() {
    let show = |code: &str| {
        virhai()
            .arg("-c")
            .arg("test:///default")
            .arg("-e")
            .arg(code)
            .ok()
    };
    assert_eq!(
        show("connect().list_all_networks()"),
        "Name     State   Autostart  Persistent  Bridge\n\
         default  active  no         yes         virbr0\n"
    );
    assert_eq!(
        show("connect().list_all_interfaces()"),
        "Name  State   MAC address\neth1  active  aa:bb:cc:dd:ee:ff\n"
    );
    let json = virhai()
        .arg("--json")
        .arg("-c")
        .arg("test:///default")
        .arg("-e")
        .arg("let c = connect(); [c.list_all_networks()[0], c.list_all_interfaces()[0]]")
        .ok();
    assert_eq!(
        json,
        "[{\"name\":\"default\",\"uuid\":\"dd8fe884-6c02-601e-7551-cca97df1c5df\"},{\"name\":\"eth1\"}]\n"
    );
}

#[test]
fn what_is_wrong_with_a_network_is_said_before_it_is_made() {
    let refused = |options: &str, why: &str| {
        let outcome = virhai()
            .arg("--no-check")
            .arg("-c")
            .arg("test:///default")
            .script(format!(
                "import \"std/network\" as network; let conn = connect(); let options = {options} + #{{ name: \"lan\" }}; \
                 for make in [|| network::create(conn, options), || network::ensure(conn, options)] {{ \
                   try {{ make.call(); throw \"not refused\"; }} catch (err) {{ \
                     print(err.message); }} }} \
                 assert_eq(conn.list_all_networks().len(), 1);"
            ))
            .ok();
        assert_eq!(outcome.matches(why).count(), 2, "{options}: {outcome}");
    };
    let own = |hosts: &str| format!("#{{ address: \"10.0.0.1/24\", hosts: [{hosts}] }}");
    let web = "#{ mac: \"52:54:00:00:00:01\", ip: \"10.0.0.4\", name: \"web\" }";
    for (options, why) in [
        (
            "#{ address: \"192.168.122.77/24\" }".to_owned(),
            "overlaps 192.168.122.0/24 of the network `default`, which runs on",
        ),
        (
            "#{ address: \"192.168.0.1/16\" }".to_owned(),
            "192.168.0.0/16 overlaps 192.168.122.0/24",
        ),
        (
            "#{ address: \"10.0.0.0/24\" }".to_owned(),
            "such as 10.0.0.1/24",
        ),
        (
            "#{ address: \"10.0.0.1\" }".to_owned(),
            "is written as \"192.168.100.1/24\"",
        ),
        (
            "#{ address: \"10.0.0.1/255.0.255.0\" }".to_owned(),
            "its ones must come first",
        ),
        (
            "#{ address: \"10.0.0.1/33\" }".to_owned(),
            "neither a prefix of 0 to 32 nor a netmask",
        ),
        (
            "#{ address: \"fd00::x/64\" }".to_owned(),
            "\"fd00::x\" is not an IP address",
        ),
        (
            "#{ address: \"10.0.0.1/24\", dhcp: [\"10.0.1.2\", \"10.0.1.9\"] }".to_owned(),
            "10.0.1.2 to 10.0.1.9 is not in 10.0.0.0/24",
        ),
        (
            "#{ address: \"10.0.0.1/24\", dhcp: [\"10.0.0.9\", \"10.0.0.2\"] }".to_owned(),
            "ends before it begins",
        ),
        (
            "#{ tftp: \"/srv/tftp\" }".to_owned(),
            "`tftp` needs `address`",
        ),
        ("#{ forward: \"natt\" }".to_owned(), "or (), not \"natt\""),
        (
            "#{ forward: \"bridge\", bridge: \"br0\", address: \"10.0.0.1/24\" }".to_owned(),
            "`address` cannot be combined with `forward: \"bridge\"`",
        ),
        (
            "#{ forward: (), dhcp: [\"10.0.0.4\", \"10.0.0.9\"] }".to_owned(),
            "`dhcp` needs `address`",
        ),
        (
            "#{ address: \"10.0.0.1/24\", dhcp: false, boot: \"x\" }".to_owned(),
            "`boot` cannot be combined with `dhcp: false`",
        ),
        (
            own("#{ mac: \"52:54:00:00:00:01\", ip: \"10.0.1.4\" }"),
            "10.0.1.4, which is not in 10.0.0.0/24",
        ),
        (
            own("#{ mac: \"52:54:00:00:00:01\", ip: \"10.0.0.1\" }"),
            "the network's own address",
        ),
        (
            own("#{ mac: \"52:54:00:00:01\", ip: \"10.0.0.4\" }"),
            "write it as 52:54:00:12:34:56",
        ),
        (
            own(&format!(
                "{web}, #{{ mac: \"52:54:00:00:00:01\", ip: \"10.0.0.5\" }}"
            )),
            "two hosts have the mac 52:54:00:00:00:01",
        ),
        (
            own(&format!(
                "{web}, #{{ mac: \"52:54:00:00:00:02\", ip: \"10.0.0.4\" }}"
            )),
            "two hosts have the ip 10.0.0.4",
        ),
        (
            own(&format!(
                "{web}, #{{ mac: \"52:54:00:00:00:02\", ip: \"10.0.0.5\", name: \"WEB\" }}"
            )),
            "two hosts have the name WEB",
        ),
        (own("#{ mc: \"a\", ip: \"10.0.0.4\" }"), "`mc`"),
    ] {
        refused(&options, why);
    }
}

#[test]
fn subnets_are_read_and_written_in_every_form() {
    let shown = virhai()
        .script(
            r#"import "std/subnet" as subnet;
            for text in ["192.168.100.1/24", "10.0.0.1/255.255.254.0", "fd00::1/64", "fd00:1:2::/48", "::1/128", "0.0.0.0/0", "fd00:0:0:1::9/60", "::ffff:1.2.3.4/96"] {
                let one = subnet::parse(text);
                print(`${subnet::name(one)} ${subnet::text(subnet::last(one))} ${subnet::text(subnet::step(one.address, 300))}`);
            }
            for text in ["1.2.3/24", "256.1.1.1/24", "01.2.3.4/8", "fd00:::1/64", "1:2:3:4:5:6:7/64", "::1::/3", "fd00::1/129", ""] {
                try { subnet::parse(text); throw "accepted"; } catch (err) { assert(err.message != "accepted", text); }
            }
            assert(subnet::overlaps(subnet::parse("10.0.0.1/24"), subnet::parse("10.0.0.200/25")));
            assert(!subnet::overlaps(subnet::parse("10.0.0.1/25"), subnet::parse("10.0.0.200/25")));
            assert(!subnet::overlaps(subnet::parse("0.0.0.0/0"), subnet::parse("::/0")));"#,
        )
        .ok();
    assert_eq!(
        shown,
        "192.168.100.0/24 192.168.100.255 192.168.101.45\n\
         10.0.0.0/23 10.0.1.255 10.0.1.45\n\
         fd00::/64 fd00::ffff:ffff:ffff:ffff fd00::12d\n\
         fd00:1:2::/48 fd00:1:2:ffff:ffff:ffff:ffff:ffff fd00:1:2::12c\n\
         ::1/128 ::1 ::12d\n\
         0.0.0.0/0 255.255.255.255 0.0.1.44\n\
         fd00::/60 fd00::f:ffff:ffff:ffff:ffff fd00:0:0:1::135\n\
         ::ffff:0:0/96 ::ffff:ffff:ffff ::ffff:102:430\n"
    );
}

#[test]
fn ensure_changes_a_running_network_and_keeps_what_others_added() {
    let Some(host) = NetHost::start() else { return };
    host.ok(
        r#"
        import "std/network" as network;
        let conn = connect();
        fn hosts(net, flags) { net.xml(flags).select("ip/dhcp/host/@ip") }
        let options = #{ name: "lan", forward: (), bridge: "virbr9", address: "192.168.150.1/24" };
        assert_eq(network::ensure(conn, options).changes, ["created"]);
        let net = conn.network_lookup_by_name("lan");
        net.update(VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1,
            "<host mac='52:54:00:c1:a3:7f' ip='192.168.150.100'/>", VIR_NETWORK_UPDATE_AFFECT_LIVE | VIR_NETWORK_UPDATE_AFFECT_CONFIG);
        options.hosts = [#{ mac: "52:54:00:c1:a3:80", name: "b", ip: "192.168.150.101" }];
        options.dhcp = ["192.168.150.50", "192.168.150.200"];
        options.xml = #{ ".": "<dns><host ip='192.168.150.9'><hostname>db</hostname></host></dns>" };
        assert(network::ensure(conn, options).changed);
        assert_eq(network::ensure(conn, options).changes, []);
        for flags in [0, VIR_NETWORK_XML_INACTIVE] {
            assert_eq(hosts(net, flags), ["192.168.150.100", "192.168.150.101"]);
            assert_eq(net.xml(flags).get("ip/dhcp/range/@start"), "192.168.150.50");
            assert_eq(net.xml(flags).get("dns/host/hostname"), "db");
        }

        // A change that needs a restart is reported each time, until it is in force.
        options.domain = "lab.test";
        let waits = "runs without domain until it is restarted";
        assert_eq(network::ensure(conn, options).changes, ["added domain", waits]);
        assert_eq(network::ensure(conn, options).changes, [waits]);
        assert_eq(network::ensure(conn, options + #{ restart: true }).changes, ["restarted"]);
        assert_eq(net.xml().get("domain/@name"), "lab.test");
        assert_eq(network::ensure(conn, options).changes, []);

        // A reservation that this one cannot be beside goes, and is named.
        let before = [net.xml(), net.xml(VIR_NETWORK_XML_INACTIVE)];
        options.hosts[0].ip = "192.168.150.100";
        try {
            all_or_nothing(|undo| { assert(network::ensure(conn, options).changed); throw "something later"; });
        } catch (err) { assert_eq(err.message, "something later"); }
        for number in 0..2 {
            let now = net.xml(if number == 0 { 0 } else { VIR_NETWORK_XML_INACTIVE });
            let key = |xml| { let all = xml.select("ip/dhcp/host").map(|host| `${host.get("@mac")} ${host.get("@ip")}`); all.sort(); all };
            assert_eq(key.call(now), key.call(before[number]));
        }
        let changes = network::ensure(conn, options).changes;
        assert(changes.contains("removed dhcp/host ip='192.168.150.100' mac='52:54:00:c1:a3:7f'"), changes.to_string());
        assert_eq(hosts(net, 0), ["192.168.150.100"]);

        // A change in the definition alone is applied to the running network.
        net.update(VIR_NETWORK_UPDATE_COMMAND_DELETE, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1,
            "<host mac='52:54:00:c1:a3:80' name='b' ip='192.168.150.100'/>", VIR_NETWORK_UPDATE_AFFECT_LIVE);
        assert_eq(network::ensure(conn, options).changes.len(), 1);
        assert_eq(hosts(net, 0), ["192.168.150.100"]);
        // An option that is not given leaves what is there.
        assert_eq(network::ensure(conn, #{ name: "lan" }).changes, []);
        let kept = network::ensure(conn, #{ name: "lan", hosts: [], keep_hosts: false });
        assert_eq(kept.changes.len(), 1);
        assert_eq(hosts(net, VIR_NETWORK_XML_INACTIVE), []);

        // Both families of addresses.
        let both = #{ name: "both", forward: "open", address: ["fd00::1/64", "10.9.0.1/255.255.254.0"],
            hosts: [#{ id: "0:1:2", ip: "fd00::7" }, #{ mac: "52:54:00:00:01:01", ip: "10.9.1.7" }] };
        let other = network::create(conn, both);
        assert_eq(hosts(other, 0), ["fd00::7", "10.9.1.7"]);
        assert_eq(other.xml().select("ip/@prefix"), ["64", "23"]);
        assert_eq(network::ensure(conn, both).changes, []);
        both.address = "10.9.0.1/24";
        both.hosts = [];
        let moved = network::ensure(conn, both + #{ restart: true }).changes;
        assert(moved.contains("removed dhcp/host ip='10.9.1.7' mac='52:54:00:00:01:01'"), moved.to_string());
        assert_eq(other.xml().select("ip/@prefix"), ["64", "24"]);
        "#,
    );
}
