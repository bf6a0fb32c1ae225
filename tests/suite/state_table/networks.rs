//! The rows about networks.

use std::fmt::Write;

use crate::support::{Host, NetHost, Scratch, virhai};

use super::report;
use super::rows::{self, Row};
use super::script::mismatches;

/// Code that reaches a state and returns the network.
pub fn state(label: &str) -> Option<&'static str> {
    let body = match label.strip_prefix("network:")? {
        "undefined_stale_handle" => "let net = conn.network_define_xml(nx()); net.undefine(); net",
        "inactive_persistent" => "conn.network_define_xml(nx())",
        "active_persistent" => "let net = conn.network_define_xml(nx()); net.create(); net",
        "active_transient" => "conn.network_create_xml(nx())",
        _ => return None,
    };
    Some(body)
}

/// Code of an operation; its value is in the table's words.
pub fn operation(label: &str) -> Option<&'static str> {
    let body = match label {
        "networkCreateXML(same)" => "conn.network_create_xml(nx())",
        "networkCreateXML(same name, other uuid)" => {
            "conn.network_create_xml(nx(\"relnet\", other()))"
        }
        "networkCreateXML(other name, same uuid)" => {
            "conn.network_create_xml(nx(\"relnet2\", mine()))"
        }
        "networkCreateXML(other name+uuid, same bridge)" => {
            "conn.network_create_xml(nx(\"relnet2\", other()))"
        }
        "networkDefineXML(same)" => "conn.network_define_xml(nx())",
        "networkDefineXML(same name, other uuid)" => {
            "conn.network_define_xml(nx(\"relnet\", other()))"
        }
        "networkDefineXML(other name, same uuid)" => {
            "conn.network_define_xml(nx(\"relnet2\", mine()))"
        }
        "create()" => "net.create()",
        "destroy()" => "net.destroy()",
        "undefine()" => "net.undefine()",
        "setAutostart(1)" => "net.set_autostart(true)",
        "autostart()" => "if net.autostart() { 1 } else { 0 }",
        "bridgeName()" => "net.bridge_name()",
        "DHCPLeases()" => "net.dhcp_leases()",
        "XMLDesc(0)" => "if net.xml_desc(0) != \"\" { \"True\" }",
        "XMLDesc(INACTIVE)" => "if net.xml_desc(VIR_NETWORK_XML_INACTIVE) != \"\" { \"True\" }",
        "isActive()" => "if net.is_active() { 1 } else { 0 }",
        "name()" => "net.name()",
        "update(add dns host,LIVE)" => {
            "net.update(VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_DNS_HOST, -1,
                \"<host ip='10.78.0.9'><hostname>x</hostname></host>\", VIR_NETWORK_UPDATE_AFFECT_LIVE)"
        }
        "update(add dhcp host,CONFIG)" => {
            "net.update(VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1,
                \"<host mac='52:54:00:00:00:09' ip='10.78.0.9'/>\", VIR_NETWORK_UPDATE_AFFECT_CONFIG)"
        }
        _ => return None,
    };
    Some(body)
}

const HELPERS: &str = r#"
fn mine() { "7e1a0000-0000-4000-8000-0000000000d1" }
fn other() { "7e1a0000-0000-4000-8000-0000000000d2" }
fn nx() { nx("relnet", mine()) }
fn nx(name, uuid) {
    `<network><name>${name}</name><uuid>${uuid}</uuid><bridge name='relbr0'/>
     <ip address='10.78.0.1' netmask='255.255.255.0'>
     <dhcp><range start='10.78.0.2' end='10.78.0.20'/></dhcp></ip></network>`
}

fn find(conn, name) {
    try { return conn.network_lookup_by_name(name); } catch (err) {}
}

fn state_of(conn) {
    let net = find(conn, "relnet");
    if net == () { return "undefined"; }
    let persistent = net.is_persistent();
    let seen = [
        if net.is_active() { "active" } else { "inactive" },
        if persistent { "persistent" } else { "transient" },
    ];
    if persistent && net.autostart() { seen.push("autostart"); }
    seen.join(",")
}

fn clean(conn) {
    for name in ["relnet", "relnet2"] {
        let net = find(conn, name);
        if net == () { continue; }
        if net.is_active() { net.destroy(); }
        try { net.undefine(); } catch (err) {}
    }
}

fn attempt(number, conn, net, operation) {
    let told = ["ok", "", "", "", ""];
    try {
        let value = operation.call(conn, net);
        told[3] = switch type_of(value) {
            "()" => "0",
            "Network" => "virNetwork",
            _ => value.to_string(),
        };
    } catch (err) {
        told[0] = "error";
        told[1] = err.code ?? "(no libvirt error)";
        told[4] = err.to_string();
        told[4].replace("\n", " ");
    }
    told[2] = state_of(conn);
    told.insert(0, number);
    print(told.join("\t"));
}
"#;

/// The script that runs `rows`.
pub fn script(rows: &[(usize, &Row)]) -> String {
    let mut text = HELPERS.to_owned();
    for (index, row) in rows {
        let reach = state(row.state).expect("every state has its words");
        let body = operation(row.operation).expect("every operation has its words");
        let _ = writeln!(text, "fn reach_{index}(conn) {{ {reach} }}");
        let _ = writeln!(text, "fn do_{index}(conn, net) {{ {body} }}");
    }
    let numbers: Vec<usize> = rows.iter().map(|(index, _)| *index).collect();
    let _ = writeln!(
        text,
        "for row in {numbers:?} {{
            let conn = connect();
            clean(conn);
            attempt(row, conn, Fn(\"reach_\" + row).call(conn), Fn(\"do_\" + row));
            clean(conn);
            conn.close();
        }}"
    );
    text
}

/// The rows of `driver` that concern networks.
pub fn rows_of<'a>(all: &'a [Row], driver: &str) -> Vec<(usize, &'a Row)> {
    let of_networks = |row: &Row| row.driver == driver && row.concerns_networks();
    all.iter()
        .enumerate()
        .filter(|(_, row)| of_networks(row))
        .collect()
}

#[test]
fn the_test_driver_does_to_networks_what_the_table_says() {
    let all = rows::all();
    let rows = rows_of(&all, "test");
    assert_eq!(rows.len(), 80);
    let scratch = Scratch::new();
    let node = scratch.write("node.xml", "<node/>");
    let outcome = virhai()
        .arg("-c")
        .arg(format!("test://{}", node.display()))
        .script(script(&rows))
        .run();
    let ending = format!("status {}, {}", outcome.status, outcome.stderr);
    report(&mismatches("", &rows, &outcome.stdout, &ending), rows.len());
}

#[test]
fn bridges_do_as_networks_what_the_table_says() {
    let Some(host) = NetHost::start() else { return };
    let all = rows::all();
    let rows = rows_of(&all, "qemu");
    assert_eq!(rows.len(), 80);
    let outcome = host.virhai().script(script(&rows)).run();
    let ending = format!("status {}, {}", outcome.status, outcome.stderr);
    report(&mismatches("", &rows, &outcome.stdout, &ending), rows.len());
}
