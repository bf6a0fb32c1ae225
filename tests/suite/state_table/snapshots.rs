//! Scripts for the table's labels about snapshots and block jobs.

/// Code that reaches a state and returns the domain.
pub fn state(label: &str) -> Option<&'static str> {
    let body = match label {
        "shutoff_with_snapshot" => {
            "let dom = conn.define_xml(xml()); dom.snapshot_create_xml(snapshot(\"s0\")); dom"
        }
        "running_with_snapshot" => {
            "let dom = conn.define_xml(xml()); dom.create();
             dom.snapshot_create_xml(snapshot(\"s0\")); dom"
        }
        _ => return None,
    };
    Some(body)
}

/// Code of an operation.
pub fn operation(label: &str) -> Option<&'static str> {
    let body = match label {
        "snapshotCreateXML(0)" => "dom.snapshot_create_xml(snapshot(\"s1\"), 0).name",
        "snapshotCreateXML(memory external)" => {
            "let memory = `<memory snapshot='external' file='${path}.memory'/></domainsnapshot>`;
             let xml = snapshot(\"s1\");
             xml.replace(\"</domainsnapshot>\", memory);
             dom.snapshot_create_xml(xml, 0).name"
        }
        "snapshotCreateXML(HALT)" => {
            "dom.snapshot_create_xml(snapshot(\"s1\"), VIR_DOMAIN_SNAPSHOT_CREATE_HALT).name"
        }
        "snapshotCreateXML(DISK_ONLY)" => {
            "dom.snapshot_create_xml(snapshot(\"s1\"), VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY).name"
        }
        "revertToSnapshot(s0)" => "dom.revert_to_snapshot(dom.snapshot_lookup_by_name(\"s0\"), 0)",
        "revertToSnapshot(s0,RUNNING)" => {
            "dom.revert_to_snapshot(dom.snapshot_lookup_by_name(\"s0\"),
                 VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING)"
        }
        "revertToSnapshot(s0,PAUSED)" => {
            "dom.revert_to_snapshot(dom.snapshot_lookup_by_name(\"s0\"),
                 VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED)"
        }
        "snapshot s0 delete" => "dom.snapshot_lookup_by_name(\"s0\").delete(0)",
        "hasCurrentSnapshot()" => "bit(dom.has_current_snapshot())",
        "blockJobInfo(vda)" => "dom.block_job_info(\"vda\")",
        _ => return None,
    };
    Some(body)
}

/// Functions for the code above.
pub const HELPERS: &str = r#"
fn snapshot(name) { `<domainsnapshot><name>${name}</name></domainsnapshot>` }
"#;
