//! Methods that other programs have: the error names what a script calls instead, and that exists.

use crate::support::{Scratch, virhai};

/// The objects whose methods the scripts below call.
const OBJECTS: &str = r#"
let conn = connect("test:///default");
let dom = conn.lookup_by_name("test");
let pool = conn.storage_pool_lookup_by_name("default-pool");
let vol = pool.storage_vol_lookup_by_name("a.img");
let net = conn.network_lookup_by_name("default");
let xml = parse_xml("<a/>");
"#;

/// Imports and variables that the advice uses.
const NAMES: &str = r#"
import "std/address" as address;
import "std/backup" as backup;
import "std/clone" as clone;
import "std/guest" as guest;
import "std/image" as image;
import "std/network" as network;
import "std/pool" as pool;
import "std/ready" as ready;
import "std/restore_point" as restore_point;
fn all(conn, dom, pool, vol, net, name, path, options, xml, value, text, bytes, size, number, snapshot, arguments) {
"#;

/// Methods on an object, and a part of the advice on each.
const METHODS: &[(&str, &[(&str, &str)])] = &[
    (
        "conn",
        &[
            ("get_domain", "`conn.lookup_by_name(name)`"),
            ("get_domain_by_name", "`lookup_by_name`"),
            ("list_domains", "`conn.list_all_domains()`"),
            ("list_all_vms", "`conn.list_all_domains()`"),
            ("create_vm", "`guest::create(conn, options)`"),
            ("get_pool", "`conn.storage_pool_lookup_by_name(name)`"),
            ("lookup_pool_by_name", "`storage_pool_lookup_by_name`"),
            ("list_pools", "`conn.list_all_storage_pools()`"),
            ("create_pool", "`pool::create(conn, options)`"),
            ("lookup_network_by_name", "`network_lookup_by_name`"),
            ("create_network", "`network::create(conn, options)`"),
            ("list_volumes", "`pool.list_all_volumes()`"),
            ("lookup_volume_by_path", "`storage_vol_lookup_by_path`"),
            ("create_volume", "`image::create(conn, options)`"),
            ("host_info", "`conn.get_info()`"),
            ("list_ifaces", "`conn.list_all_interfaces()`"),
            ("node_devices", "`conn.list_all_devices()`"),
            ("create_secret", "`conn.secret_define_xml(xml)`"),
            ("get_stats", "`conn.get_all_domain_stats()`"),
        ],
    ),
    (
        "dom",
        &[
            ("kill", "`dom.destroy()`"),
            ("powerOff", "`dom.destroy()`"),
            ("power_on", "`dom.create()`"),
            ("run", "`dom.agent_exec("),
            ("pause", "`dom.suspend()`"),
            ("unpause", "`dom.resume()`"),
            ("remove", "`guest::remove(dom)`"),
            ("is_running", "`dom.state() == \"running\"`"),
            ("exists", "`guest::find(conn, name)`"),
            ("to_xml", "`dom.xml()`"),
            ("redefine", "`dom.edit(|xml| xml.set(path, value))`"),
            ("get_memory", "`dom.info().memory_kib`"),
            ("set_mem", "`dom.set_memory(size)`"),
            ("set_cpus", "`dom.set_vcpus(number)`"),
            ("get_vcpus", "`dom.info().vcpus`"),
            ("set_name", "`dom.rename(name)`"),
            ("take_snapshot", "`restore_point::make(dom, name)`"),
            ("revert", "`dom.revert_to_snapshot(snapshot)`"),
            ("list_snapshots", "`dom.list_all_snapshots()`"),
            (
                "delete_snapshot",
                "`dom.snapshot_lookup_by_name(name).delete()`",
            ),
            ("disks", "`guest::volumes(dom)`"),
            ("nics", "`address::of(dom)`"),
            ("mac", "`dom.xml().get(\"devices/interface/mac/@address\")`"),
            ("insert_cd", "`dom.update_device(xml)`"),
            ("serial", "`dom.open_console()`"),
            ("vnc_port", "`dom.xml().get(\"devices/graphics/@port\")`"),
            ("clone", "`clone::of(dom, #{ name: \"copy\" })`"),
            ("backup", "`backup::make(dom, options)`"),
            ("save_to", "`dom.save(path)`"),
            ("stats", "`conn.domain_list_get_stats([dom])`"),
            ("title", "`dom.metadata(VIR_DOMAIN_METADATA_TITLE, ())`"),
            (
                "set_title",
                "`dom.set_metadata(VIR_DOMAIN_METADATA_TITLE, text, (), (), 0)`",
            ),
            ("wait_until", "`ready::wait_for(dom, options)`"),
            ("ips", "`address::of(dom)`"),
            ("scp", "`dom.agent(\"guest-file-open\", arguments)`"),
        ],
    ),
    (
        "pool",
        &[
            ("volumes", "`pool.list_all_volumes()`"),
            ("get_volume", "`pool.storage_vol_lookup_by_name(name)`"),
            ("create_volume", "`pool.create_xml(xml)`"),
            (
                "delete_volume",
                "`pool.storage_vol_lookup_by_name(name).delete()`",
            ),
            ("stop", "`pool.destroy()`"),
            ("remove", "`pool.undefine()`"),
            ("path", "`pool.xml().get(\"target/path\")`"),
            ("free", "`pool.info().available_bytes`"),
            ("running", "`pool.is_active()`"),
            (
                "upload",
                "`pool.storage_vol_lookup_by_name(name).upload(bytes)`",
            ),
        ],
    ),
    (
        "vol",
        &[
            ("size", "`vol.info().capacity_bytes`"),
            ("used", "`vol.info().allocation_bytes`"),
            ("copy", "`image::copy(vol, name)`"),
            ("format", "`image::format(vol)`"),
            ("read", "`vol.download_file(path)`"),
            ("write", "`vol.upload(bytes)`"),
            ("backing", "`vol.xml().get(\"backingStore/path\", ())`"),
            ("pool", "`vol.storage_pool_lookup_by_volume()`"),
        ],
    ),
    (
        "net",
        &[
            ("leases", "`net.dhcp_leases()`"),
            ("state", "`net.is_active()`"),
            ("stop", "`net.destroy()`"),
            ("up", "`net.create()`"),
            ("is_up", "`net.is_active()`"),
            ("bridge", "`net.bridge_name()`"),
            ("add_host", "`network::ensure(conn, options)`"),
            ("delete", "`network::remove(conn, name)`"),
        ],
    ),
    (
        "xml",
        &[
            ("find", "`select`"),
            ("findall", "`select`"),
            ("xpath", "`select`"),
            ("getElementsByTagName", "`select`"),
            ("text", "`get`"),
            ("attrib", "`attributes`"),
            ("append", "`insert`"),
            ("set_attribute", "`set`"),
            ("tostring", "`to_string`"),
            ("name", "`name` is a property"),
        ],
    ),
];

/// The findings on `script`, each with its help.
fn findings(script: &str) -> String {
    let scratch = Scratch::new();
    let path = scratch.write("script.rhai", script);
    let outcome = virhai().arg("check").arg(path).run();
    format!("{}{}", outcome.stdout, outcome.stderr)
}

#[test]
fn methods_of_other_programs_are_answered_with_calls_that_exist() {
    let mut code = std::collections::BTreeSet::new();
    for (object, methods) in METHODS {
        let calls: String = methods
            .iter()
            .map(|(name, _)| format!("{object}.{name}();\n"))
            .collect();
        let found = findings(&format!("{OBJECTS}{calls}"));
        let found: Vec<&str> = found.split("error[").skip(1).collect();
        assert_eq!(found.len(), methods.len(), "{found:#?}");
        for ((name, wanted), found) in methods.iter().zip(found) {
            let help = found.split("= help: ").nth(1).unwrap_or_default();
            assert!(help.contains(wanted), "{object}.{name}: {found}");
            code.extend(help.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    let calls: String = code
        .iter()
        .filter(|code| code.contains('(') || code.contains('.'))
        .map(|code| format!("{code};\n"))
        .collect();
    let found = findings(&format!("{NAMES}{calls}}}"));
    assert!(!found.contains("error["), "{found}");
    assert!(calls.lines().count() > 60, "{calls}");
}

#[test]
fn a_method_of_another_kind_of_object_is_not_suggested() {
    for call in [
        "dom.get_size()",
        "vol.get_time()",
        "xml.send_all(1)",
        "dom.list_vms()",
        "conn.checkpoint()",
    ] {
        let found = findings(&format!("{OBJECTS}{call};"));
        assert!(found.contains("error["), "{found}");
        let finding = found.split("error[").nth(1).expect("there is an error");
        assert!(!finding.contains("did you mean"), "{found}");
    }
}
