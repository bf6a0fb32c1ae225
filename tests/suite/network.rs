//! Networks: what the test driver does with them, and what real ones do with guests.

use crate::support::{Host, NetHost, TestHost, tiny_xml, virhai};

/// What every script below may use.
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

#[test]
fn a_guest_gets_an_address_that_its_network_its_host_and_it_itself_tell() {
    let Some(host) = NetHost::start() else { return };
    let card = "<interface type='network'><source network='lab'/><mac address='52:54:00:00:00:07'/>\
                <model type='virtio'/></interface>";
    let xml = tiny_xml(host.scratch(), "web", card).replace("quiet", "quiet dhcp");
    host.ok(&format!(
        r#"
        let conn = connect();
        let net = conn.network_define_xml("{LAB}");
        net.create();
        let dom = conn.create_xml(`{xml}`);
        let console = dom.open_console();
        console.wait("VIRHAI-GUEST-UP", "60s");
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
        console.wait("tick 8", "60s");
        wanted.addrs[0].prefix = 0;
        assert_eq(dom.interface_addresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP).vnet0, wanted);
        assert(dom.interface_stats("vnet0").rx_packets > 0);
        dom.shutdown();
        dom.wait("shutoff", "30s");
        net.destroy();
        "#
    ));
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
