//! The rows about storage pools and their volumes.

use std::fmt::Write;
use std::fs::File;

use crate::support::{Daemon, Host, Scratch, virhai};

use super::report;
use super::rows::{self, Row};
use super::script::mismatches;

/// Code that reaches a state and returns the pool.
pub fn state(label: &str) -> Option<&'static str> {
    let body = match label.strip_prefix("pool:")? {
        "undefined_stale_handle" => {
            "let pool = conn.storage_pool_define_xml(px()); pool.undefine(); pool"
        }
        "inactive_persistent" => "conn.storage_pool_define_xml(px())",
        "active_persistent" => "let pool = conn.storage_pool_define_xml(px()); pool.create(); pool",
        "active_transient" => "conn.storage_pool_create_xml(px())",
        "active_with_volume" => {
            "let pool = conn.storage_pool_define_xml(px());
             pool.create(); pool.create_xml(vx(\"v1\")); pool"
        }
        _ => return None,
    };
    Some(body)
}

/// Code of an operation; its value is in the table's words.
pub fn operation(label: &str) -> Option<&'static str> {
    of_pools(label).or_else(|| of_volumes(label))
}

fn of_pools(label: &str) -> Option<&'static str> {
    let body = match label {
        "storagePoolCreateXML(same)" => "conn.storage_pool_create_xml(px())",
        "storagePoolCreateXML(same name, other uuid)" => {
            "conn.storage_pool_create_xml(px(\"relpool\", OTHER))"
        }
        "storagePoolCreateXML(other name+uuid, same path)" => {
            "conn.storage_pool_create_xml(px(\"relpool2\", OTHER))"
        }
        "storagePoolDefineXML(same)" => "conn.storage_pool_define_xml(px())",
        "storagePoolDefineXML(same name, other uuid)" => {
            "conn.storage_pool_define_xml(px(\"relpool\", OTHER))"
        }
        "storagePoolDefineXML(other name+uuid, same path)" => {
            "conn.storage_pool_define_xml(px(\"relpool2\", OTHER))"
        }
        "create(0)" => "pool.create(0)",
        "create(0) with missing directory" => {
            "if !pool.is_active() { pool.delete(); } pool.create(0)"
        }
        "build(0)" => "pool.build(0)",
        "destroy()" => "pool.destroy()",
        "delete(0)" => "pool.delete(0)",
        "undefine()" => "pool.undefine()",
        "refresh(0)" => "pool.refresh(0)",
        "setAutostart(1)" => "pool.set_autostart(true)",
        "info()" => "#{ inactive: 0, running: 2 }[pool.info().state]",
        "isActive()" => "if pool.is_active() { 1 } else { 0 }",
        "XMLDesc(0)" => "if pool.xml_desc(0) != \"\" { \"True\" }",
        _ => return None,
    };
    Some(body)
}

fn of_volumes(label: &str) -> Option<&'static str> {
    let body = match label {
        "listVolumes()" => "`[${pool.list_volumes().map(|name| `'${name}'`).join(\", \")}]`",
        "createXML(vol raw)" => "pool.create_xml(vx(\"v2\"), 0).name()",
        "createXML(vol qcow2)" => "pool.create_xml(vx(\"v3\", 1048576, \"qcow2\", 0), 0).name()",
        "createXML(vol existing name v1)" => "pool.create_xml(vx(\"v1\"), 0).name()",
        "createXML(vol with slash)" => "pool.create_xml(vx(\"../x\"), 0).name()",
        "createXML(vol capacity 1 EiB)" => {
            "pool.create_xml(vx(\"big\", 1152921504606846976, \"raw\", 0), 0).name()"
        }
        "createXML(vol alloc > disk)" => {
            "pool.create_xml(vx(\"big2\", 1125899906842624, \"raw\", 1125899906842624), 0).name()"
        }
        "storageVolLookupByName(v1)" => "pool.storage_vol_lookup_by_name(\"v1\").name()",
        "storageVolLookupByName(nope)" => "pool.storage_vol_lookup_by_name(\"nope\").name()",
        "v1.delete(0)" => "pool.storage_vol_lookup_by_name(\"v1\").delete(0)",
        "v1.resize(2 MiB)" => "pool.storage_vol_lookup_by_name(\"v1\").resize(\"2MiB\", 0)",
        "v1.resize(512 KiB, shrink without flag)" => {
            "pool.storage_vol_lookup_by_name(\"v1\").resize(\"512KiB\", 0)"
        }
        "v1.wipe(0)" => "pool.storage_vol_lookup_by_name(\"v1\").wipe(0)",
        "v1.info()" => {
            "let info = pool.storage_vol_lookup_by_name(\"v1\").info();
             `[${#{ file: 0 }[info.type]}, ${info.capacity_bytes}, ${info.allocation_bytes}]`"
        }
        // The test driver has no files, and no downloads.
        "v1.path exists on disk" => {
            "let vol = pool.storage_vol_lookup_by_name(\"v1\");
             try { vol.download(0, 1); return \"True\"; } catch (err) {}
             \"False\""
        }
        "clone v1 -> v9" => {
            "pool.create_xml_from(vx(\"v9\"), pool.storage_vol_lookup_by_name(\"v1\"), 0).name()"
        }
        _ => return None,
    };
    Some(body)
}

const HELPERS: &str = r#"
fn vx(name) { vx(name, 1048576, "raw", 0) }
fn vx(name, capacity, format, allocation) {
    `<volume><name>${name}</name><capacity>${capacity}</capacity>
     <allocation>${allocation}</allocation><target><format type='${format}'/></target></volume>`
}

fn find(conn, name) {
    try { return conn.storage_pool_lookup_by_name(name); } catch (err) {}
}

fn state_of(conn) {
    let pool = find(conn, "relpool");
    if pool == () { return "undefined"; }
    let active = pool.is_active();
    let persistent = pool.is_persistent();
    let seen = [
        if active { "active" } else { "inactive" },
        if persistent { "persistent" } else { "transient" },
    ];
    if persistent && pool.autostart() { seen.push("autostart"); }
    if active { seen.push(`vols=${pool.num_of_volumes()}`); }
    seen.join(",")
}

fn clean(conn) {
    for name in ["relpool", "relpool2"] {
        let pool = find(conn, name);
        if pool == () { continue; }
        if pool.is_active() { pool.destroy(); }
        try { pool.undefine(); } catch (err) {}
    }
}

fn attempt(number, conn, pool, operation) {
    let told = ["ok", "", "", "", ""];
    try {
        let value = operation.call(conn, pool);
        told[3] = switch type_of(value) {
            "()" => "0",
            "StoragePool" => "virStoragePool",
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

/// The script that runs `rows`, each with a folder of its own in `folder`.
pub fn script(folder: &str, rows: &[(usize, &Row)]) -> String {
    let mut text = HELPERS.to_owned();
    for (index, row) in rows {
        let reach = state(row.state).expect("every state has its words");
        let body = operation(row.operation).expect("every operation has its words");
        let with_path = |body: &str| {
            let body = body.replace("px()", "px(\"relpool\", MINE)");
            let body = body.replace("MINE)", &format!("\"{}\", \"{folder}/{index}\")", uuid(1)));
            body.replace("OTHER)", &format!("\"{}\", \"{folder}/{index}\")", uuid(2)))
        };
        let _ = writeln!(text, "fn reach_{index}(conn) {{ {} }}", with_path(reach));
        let _ = writeln!(text, "fn do_{index}(conn, pool) {{ {} }}", with_path(body));
    }
    text.push_str(
        "fn px(name, uuid, path) {
            `<pool type='dir'><name>${name}</name><uuid>${uuid}</uuid>
             <target><path>${path}</path></target></pool>`
        }\n",
    );
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

fn uuid(number: usize) -> String {
    format!("7e1a0000-0000-4000-8000-0000000000d{number}")
}

/// The rows of `driver` that concern pools.
pub fn rows_of<'a>(all: &'a [Row], driver: &str) -> Vec<(usize, &'a Row)> {
    let of_pools = |row: &Row| row.driver == driver && row.concerns_pools();
    all.iter()
        .enumerate()
        .filter(|(_, row)| of_pools(row))
        .collect()
}

#[test]
fn the_test_driver_does_to_pools_what_the_table_says() {
    let all = rows::all();
    let rows = rows_of(&all, "test");
    assert_eq!(rows.len(), 165);
    let scratch = Scratch::new();
    let node = scratch.write("node.xml", "<node/>");
    let outcome = virhai()
        .arg("-c")
        .arg(format!("test://{}", node.display()))
        .script(script(&scratch.text("pools"), &rows))
        .run();
    let ending = format!("status {}, {}", outcome.status, outcome.stderr);
    report(&mismatches("", &rows, &outcome.stdout, &ending), rows.len());
}

#[test]
fn folders_do_as_pools_what_the_table_says() {
    let all = rows::all();
    let mut rows = rows_of(&all, "qemu");
    assert_eq!(rows.len(), 165);
    let host = Daemon::start();
    host.scratch().folder("pools");
    // The table was measured on a disk; on tmpfs, a sparse file of 1 EiB is possible.
    let large = File::create(host.path("large")).and_then(|file| file.set_len(1 << 60));
    if large.is_ok() {
        rows.retain(|(_, row)| row.operation != "createXML(vol capacity 1 EiB)");
    }
    for (index, _) in &rows {
        host.scratch().folder(&format!("pools/{index}"));
    }
    let outcome = host
        .virhai()
        .script(script(&host.path("pools"), &rows))
        .run();
    let ending = format!("status {}, {}", outcome.status, outcome.stderr);
    report(&mismatches("", &rows, &outcome.stdout, &ending), rows.len());
}
