//! Scripts for the table's labels.
//!
//! The body of a function of `conn`, `dom` and `path`, a save file of the row, reaches a state or runs an operation.
//! The result of an operation is in the table's words.

/// Code that reaches a state and returns the domain.
pub fn state(label: &str) -> Option<&'static str> {
    let body = match label {
        "undefined_stale_handle" => "let dom = conn.define_xml(xml()); dom.undefine(); dom",
        "shutoff" => "conn.define_xml(xml())",
        "running_persistent" => "let dom = conn.define_xml(xml()); dom.create(); dom",
        "running_transient" => "conn.create_xml(xml(), 0)",
        "paused_persistent" => "let dom = conn.define_xml(xml()); dom.create(); dom.suspend(); dom",
        "paused_transient" => "let dom = conn.create_xml(xml(), 0); dom.suspend(); dom",
        "paused_at_start_persistent" => {
            "let dom = conn.define_xml(xml()); dom.create(VIR_DOMAIN_START_PAUSED); dom"
        }
        "saved_to_file_persistent" => {
            "let dom = conn.define_xml(xml()); dom.create(); dom.save(path); dom"
        }
        "saved_to_file_transient" => "let dom = conn.create_xml(xml(), 0); dom.save(path); dom",
        "managed_saved" => {
            "let dom = conn.define_xml(xml()); dom.create(); dom.managed_save(0); dom"
        }
        "managed_saved_while_paused" => {
            "let dom = conn.define_xml(xml()); dom.create(); dom.suspend(); dom.managed_save(0); dom"
        }
        "running_autodestroy_transient" => "conn.create_xml(xml(), VIR_DOMAIN_START_AUTODESTROY)",
        "running_autodestroy_persistent" => {
            "let dom = conn.define_xml(xml()); dom.create(VIR_DOMAIN_START_AUTODESTROY); dom"
        }
        "shutoff_autostart" => "let dom = conn.define_xml(xml()); dom.set_autostart(true); dom",
        _ => return super::snapshots::state(label),
    };
    Some(body)
}

/// Code of an operation.
pub fn operation(label: &str) -> Option<&'static str> {
    start(label)
        .or_else(|| run_control(label))
        .or_else(|| save(label))
        .or_else(|| migrate(label))
        .or_else(|| look(label))
        .or_else(|| super::snapshots::operation(label))
}

fn start(label: &str) -> Option<&'static str> {
    let body = match label {
        // For a state that cannot be reached, the table has this row.
        "(setup)" => "()",
        "createXML(0)" => "conn.create_xml(xml(), 0)",
        "createXML(START_PAUSED)" => "conn.create_xml(xml(), VIR_DOMAIN_START_PAUSED)",
        "createXML(START_AUTODESTROY)" => "conn.create_xml(xml(), VIR_DOMAIN_START_AUTODESTROY)",
        "createXML(START_VALIDATE)" => "conn.create_xml(xml(), VIR_DOMAIN_START_VALIDATE)",
        "createXML(same name, other uuid)" => {
            "conn.create_xml(guest(guest_name(), other(), 32), 0)"
        }
        "createXML(other name, same uuid)" => {
            "conn.create_xml(guest(guest_name() + \"-2\", uuid(), 32), 0)"
        }
        "create()" => "dom.create()",
        "createWithFlags(START_PAUSED)" => "dom.create(VIR_DOMAIN_START_PAUSED)",
        "createWithFlags(START_AUTODESTROY)" => "dom.create(VIR_DOMAIN_START_AUTODESTROY)",
        "createWithFlags(START_FORCE_BOOT)" => "dom.create(VIR_DOMAIN_START_FORCE_BOOT)",
        "createWithFlags(START_BYPASS_CACHE)" => "dom.create(VIR_DOMAIN_START_BYPASS_CACHE)",
        "defineXML(same)" => "conn.define_xml(xml())",
        "defineXML(changed memory)" => "conn.define_xml(guest(guest_name(), uuid(), 48))",
        "defineXMLFlags(DEFINE_VALIDATE)" => "conn.define_xml(xml(), VIR_DOMAIN_DEFINE_VALIDATE)",
        "defineXML(same name, other uuid)" => "conn.define_xml(guest(guest_name(), other(), 32))",
        "defineXML(other name, same uuid)" => {
            "conn.define_xml(guest(guest_name() + \"-2\", uuid(), 32))"
        }
        "undefine()" => "dom.undefine()",
        "undefineFlags(MANAGED_SAVE)" => "dom.undefine(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)",
        "undefineFlags(SNAPSHOTS_METADATA)" => {
            "dom.undefine(VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)"
        }
        "undefineFlags(NVRAM)" => "dom.undefine(VIR_DOMAIN_UNDEFINE_NVRAM)",
        "undefineFlags(MANAGED_SAVE|SNAPSHOTS_METADATA|CHECKPOINTS_METADATA|NVRAM|TPM)" => {
            "dom.undefine(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
                | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
                | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
                | VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_TPM)"
        }
        "rename(new)" => "dom.rename(guest_name() + \"-ren\")",
        "rename(same)" => "dom.rename(guest_name())",
        "rename(empty)" => "dom.rename(\"\")",
        "rename(a/b)" => "dom.rename(\"a/b\")",
        _ => return None,
    };
    Some(body)
}

fn run_control(label: &str) -> Option<&'static str> {
    let body = match label {
        "suspend()" => "dom.suspend()",
        "resume()" => "dom.resume()",
        "shutdown()" => "dom.shutdown()",
        "shutdownFlags(ACPI_POWER_BTN)" => "dom.shutdown(VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)",
        "shutdownFlags(GUEST_AGENT)" => "dom.shutdown(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)",
        "reboot(0)" => "dom.reboot(0)",
        "reset(0)" => "dom.reset(0)",
        "destroy()" => "dom.destroy()",
        "destroyFlags(GRACEFUL)" => "dom.destroy(VIR_DOMAIN_DESTROY_GRACEFUL)",
        "setAutostart(1)" => "dom.set_autostart(true)",
        "setAutostart(0)" => "dom.set_autostart(false)",
        "pMWakeup()" => "dom.pm_wakeup(0)",
        "abortJob()" => "dom.abort_job()",
        "setMemory(16MiB)" => "dom.set_memory(16384)",
        "setMetadata(desc,CONFIG)" => {
            "dom.set_metadata(VIR_DOMAIN_METADATA_DESCRIPTION, \"hi\", (), (), VIR_DOMAIN_AFFECT_CONFIG)"
        }
        "setMetadata(desc,LIVE)" => {
            "dom.set_metadata(VIR_DOMAIN_METADATA_DESCRIPTION, \"hi\", (), (), VIR_DOMAIN_AFFECT_LIVE)"
        }
        "coreDump()" => "dom.core_dump(path + \".core\", 0)",
        "sendKey()" => "dom.send_key(VIR_KEYCODE_SET_LINUX, 10, [28], 0)",
        "injectNMI()" => "dom.inject_nmi(0)",
        _ => return None,
    };
    Some(body)
}

fn save(label: &str) -> Option<&'static str> {
    let body = match label {
        "save(path)" => "dom.save(path + \"2\")",
        "save(same path again)" => "dom.save(path)",
        "saveFlags(path,SAVE_PAUSED)" => "dom.save(path + \"2\", (), VIR_DOMAIN_SAVE_PAUSED)",
        "saveFlags(path,SAVE_RUNNING)" => "dom.save(path + \"2\", (), VIR_DOMAIN_SAVE_RUNNING)",
        "saveFlags(path,dxml,0)" => {
            "let xml = dom.xml_desc(VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_SECURE);
             xml.replace(\"</name>\", \"</name><description>changed</description>\");
             dom.save(path + \"2\", xml, 0)"
        }
        "save(unwritable dir)" => "dom.save(\"/nonexistent-dir/x.sav\")",
        "save(relative path)" => "dom.save(\"relsm-relative.sav\")",
        "restore(path)" => "conn.restore(path)",
        "restoreFlags(SAVE_PAUSED)" => "conn.restore(path, (), VIR_DOMAIN_SAVE_PAUSED)",
        "restoreFlags(SAVE_RUNNING)" => "conn.restore(path, (), VIR_DOMAIN_SAVE_RUNNING)",
        "restore(missing file)" => "conn.restore(path + \".missing\")",
        "restore twice (destroy between)" => "conn.restore(path).destroy(); conn.restore(path)",
        "saveImageGetXMLDesc(path)" => "truth(conn.save_image_get_xml_desc(path, 0) != \"\")",
        "managedSave(0)" => "dom.managed_save(0)",
        "managedSave(SAVE_PAUSED)" => "dom.managed_save(VIR_DOMAIN_SAVE_PAUSED)",
        "managedSave(SAVE_RUNNING)" => "dom.managed_save(VIR_DOMAIN_SAVE_RUNNING)",
        "managedSaveRemove(0)" => "dom.managed_save_remove(0)",
        "hasManagedSaveImage(0)" => "bit(dom.has_managed_save_image(0))",
        "managedSaveGetXMLDesc(0)" => "truth(dom.managed_save_get_xml_desc(0) != \"\")",
        "managedSave(0) then create()" => "dom.managed_save(0); dom.create()",
        _ => return None,
    };
    Some(body)
}

fn migrate(label: &str) -> Option<&'static str> {
    let body = match label {
        "migrate(LIVE)" => {
            "let dest = destination();
             moved(dest, dom.migrate(dest, VIR_MIGRATE_LIVE, (), port(), 0))"
        }
        "migrate(0)" => {
            "let dest = destination(); moved(dest, dom.migrate(dest, 0, (), port(), 0))"
        }
        "migrate(LIVE|PAUSED)" => {
            "let dest = destination();
             moved(dest, dom.migrate(dest, VIR_MIGRATE_LIVE | VIR_MIGRATE_PAUSED, (), port(), 0))"
        }
        "migrate(LIVE|PERSIST_DEST|UNDEFINE_SOURCE)" => {
            "let dest = destination();
             let flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
             moved(dest, dom.migrate(dest, flags, (), port(), 0))"
        }
        "migrate(OFFLINE|PERSIST_DEST)" => {
            "let dest = destination();
             let flags = VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST;
             moved(dest, dom.migrate(dest, flags, (), port(), 0))"
        }
        "migrate(LIVE,dname)" => {
            "let dest = destination();
             moved(dest, dom.migrate(dest, VIR_MIGRATE_LIVE, guest_name() + \"-dst\", port(), 0))"
        }
        "migrate(LIVE,bandwidth=10)" => {
            "let dest = destination();
             moved(dest, dom.migrate(dest, VIR_MIGRATE_LIVE, (), port(), 10))"
        }
        "migrateToURI(PEER2PEER|LIVE)" => {
            "dom.migrate_to_uri(destination_uri(), VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_LIVE, (), 0)"
        }
        "migrateToURI(PEER2PEER|TUNNELLED)" => {
            "let flags = VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_TUNNELLED | VIR_MIGRATE_LIVE;
             dom.migrate_to_uri(destination_uri(), flags, (), 0)"
        }
        "migrateToURI(0, not p2p)" => "dom.migrate_to_uri(destination_uri(), 0, (), 0)",
        "migrate3(LIVE,params)" => {
            "let dest = destination();
             let options = #{ migrate_uri: port(), bandwidth: 100 };
             moved(dest, dom.migrate(dest, options, VIR_MIGRATE_LIVE))"
        }
        _ => return None,
    };
    Some(body)
}

fn look(label: &str) -> Option<&'static str> {
    let body = match label {
        "autostart()" => "bit(dom.autostart())",
        "name()" => "dom.name()",
        "ID()" => "if dom.id() > 0 { \"id\" } else { dom.id() }",
        "state()" => {
            "let now = dom.state_reason();
             let states = #{ running: 1, paused: 3, shutoff: 5 };
             let reasons = #{ unknown: 0, booted: 1, user: 1, saved: 5 };
             `[${states[now.state]}, ${reasons[now.reason]}]`"
        }
        "info()" => "#{ running: 1, paused: 3, shutoff: 5 }[dom.info().state]",
        "isActive()" => "bit(dom.is_active())",
        "isPersistent()" => "bit(dom.is_persistent())",
        "isUpdated()" => "bit(dom.is_updated())",
        "XMLDesc(0)" => "truth(dom.xml_desc(0).contains(guest_name()))",
        "XMLDesc(INACTIVE)" => {
            "truth(dom.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains(guest_name()))"
        }
        "jobInfo()" => "#{ none: 0 }[dom.job_info().type]",
        "memoryStats()" => "truth(!dom.memory_stats().is_empty())",
        "controlInfo()" => {
            "let info = dom.control_info();
             assert_eq(info.state, \"ok\");
             `[0, 0, ${info.state_time_ms}]`"
        }
        "hostname()" => "dom.hostname(0)",
        "getTime()" => "truth(!dom.get_time().is_empty())",
        _ => return None,
    };
    Some(body)
}

/// Functions for the code above.
pub const HELPERS: &str = r#"
fn xml() { guest(guest_name(), uuid(), 32) }
fn bit(truth) { if truth { "1" } else { "0" } }
fn truth(truth) { if truth { "True" } else { "False" } }
fn destination() { connect(destination_uri()) }
fn moved(dest, dom) {
    assert_eq(type_of(dom), "Domain");
    let seen = "new domain on destination: " + state_of(dest);
    dest.close();
    seen
}

fn find(conn, called) {
    try { return conn.lookup_by_name(called); } catch (err) {}
}

// As the table writes it: state and reason, then what else holds of the domain.
fn state_of(conn) {
    let seen = [];
    for suffix in ["", "-ren", "-dst"] {
        let dom = find(conn, guest_name() + suffix);
        if dom == () { continue; }
        let now = dom.state_reason();
        let text = `${now.state}(${now.reason}),`;
        text += if dom.is_persistent() { "persistent" } else { "transient" };
        if holds(dom, |d| d.has_managed_save_image()) { text += ",managedsave"; }
        let snapshots = number(dom, |d| d.snapshot_num());
        if snapshots > 0 { text += `,snapshots=${snapshots}`; }
        if holds(dom, |d| d.autostart()) { text += ",autostart"; }
        seen.push(if suffix == "" { text } else { `${guest_name()}${suffix}:${text}` });
    }
    if seen.is_empty() { "undefined" } else { seen.join(";") }
}

fn number(dom, asks) {
    try { return asks.call(dom); } catch (err) {}
    0
}

fn holds(dom, asks) {
    try { return asks.call(dom); } catch (err) {}
    false
}

fn clean(conn) {
    for suffix in ["", "-ren", "-dst", "-2"] {
        let dom = find(conn, guest_name() + suffix);
        if dom == () { continue; }
        try { dom.set_autostart(false); } catch (err) {}
        try { dom.destroy(); } catch (err) {}
        let flags = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
        try { dom.undefine(flags); } catch (err) {}
    }
}

fn tell(number, outcome, err, after, returned) {
    let code = "";
    let message = "";
    if err != () {
        code = err.code ?? "(no libvirt error)";
        message = err.message;
    }
    message.replace("\n", " ");
    print([number, outcome, code, after, returned, message].join("\t"));
}

// Does `operation` and tells what came of it; returns the state afterwards.
fn attempt(number, conn, dom, path, operation) {
    let outcome = "ok";
    let failure = ();
    let returned = "";
    try {
        returned = operation.call(conn, dom, path);
        returned = switch type_of(returned) {
            "()" => "0",
            "Domain" => "virDomain",
            _ => returned.to_string(),
        };
    } catch (err) {
        outcome = "error";
        failure = err;
    }
    let after = state_of(conn);
    tell(number, outcome, failure, after, returned);
    after
}
"#;
