//! Snapshots of running guests: their content, and repeated returns to them.

use std::process::Command;

use crate::support::{Embed, Host, succeeds};

/// A host with the guest `counter` on a qcow2 disk, whose count scripts read.
struct Lab {
    host: Embed,
    xml: String,
}

const HELPERS: &str = r#"
fn value(console) {
    console.wait("MG:c=0x", "30s");
    parse_int(console.wait("\n", "30s").sub_string(0, 8), 16)
}
fn thrown(action) { try { action.call(); } catch (err) { return err.code; } "nothing" }
"#;

impl Lab {
    fn new() -> Self {
        let host = Embed::new();
        let raw = host.micro("counter", "web");
        let (image, disk) = (host.path("web.img"), host.path("web.qcow2"));
        succeeds(Command::new("qemu-img").args(["convert", "-q", "-O", "qcow2", &image, &disk]));
        let disk_of_all = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        std::fs::set_permissions(&disk, disk_of_all).expect("the file is ours");
        let xml = raw
            .replace("type='raw'", "type='qcow2'")
            .replace(&image, &disk);
        Self { host, xml }
    }

    /// Runs a script with the running guest as `dom`, and its console as `console`.
    fn ok(&self, script: &str) -> String {
        self.host.ok(&format!(
            "{HELPERS}
            let conn = connect();
            let dom = conn.define_xml(`{}`);
            dom.create(VIR_DOMAIN_START_PAUSED);
            let console = dom.open_console();
            dom.resume();
            console.wait(\"MG:up\", \"30s\");
            value(console);
            {script}",
            self.xml
        ))
    }

    fn image(&self, name: &str) -> serde_json::Value {
        let mut info = Command::new("qemu-img");
        info.args(["info", "-U", "--output=json", &self.host.path(name)]);
        let output = succeeds(&mut info);
        serde_json::from_slice(&output.stdout).expect("qemu-img tells in JSON")
    }
}

#[test]
fn a_guest_goes_back_to_a_snapshot_with_its_memory_any_number_of_times() {
    let lab = Lab::new();
    lab.ok(r#"
        let snap = dom.snapshot_create_xml("<domainsnapshot><name>then</name></domainsnapshot>");
        assert_eq([snap.name, dom.snapshot_num(), snap.is_current()], ["then", 1, true]);
        console.read();
        let then = value(console);
        for round in 0..3 {
            let later = then;
            while later < then + 32 { later = value(console); }
            dom.revert_to_snapshot(snap);
            assert_eq(dom.state(), "running");
            console = dom.open_console((), VIR_DOMAIN_CONSOLE_FORCE);
            let back = value(console);
            // It counts on from where it was, and has not booted again.
            assert(back > 0 && back <= then + 16, `${then}, ${later}, ${back}`);
        }
        dom.revert_to_snapshot(snap, VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED);
        assert_eq(dom.state(), "paused");
        assert_eq(dom.snapshot_current(), snap);
        dom.destroy();
        // From the dead, too.
        dom.revert_to_snapshot(snap, VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING);
        assert_eq(dom.state(), "running");
        dom.destroy();
        assert_eq(thrown(|| dom.undefine()), "VIR_ERR_OPERATION_INVALID");
        snap.delete();
        assert(!dom.has_current_snapshot());
        dom.undefine();
    "#);
    let said = lab.host.console("web");
    assert_eq!(said.matches("MG:up").count(), 1, "it booted once: {said}");
    assert!(lab.image("web.qcow2").get("snapshots").is_none());
}

#[test]
fn a_snapshot_of_the_disks_alone_has_the_guest_go_on_in_a_new_file() {
    let lab = Lab::new();
    let over = lab.host.path("over.qcow2");
    lab.ok(&format!(
        r#"
        let flags = VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC;
        let snap = dom.snapshot_create_xml(xml("domainsnapshot", #{{
            name: "disks",
            disks: #{{ disk: #{{ "@name": "hda", "@snapshot": "external", source: #{{ "@file": "{over}" }} }} }},
        }}), flags);
        assert(dom.xml_desc().contains("{over}"));
        value(console);
        assert(snap.get_xml_desc().contains("<memory snapshot='no'/>"));
        // Later writes are merged into the image below, and the guest returns to it.
        snap.delete(VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY);
        conn.wait_event(#{{ kind: "block_job", domain: dom, status: "ready" }}, "30s",
            || dom.block_commit("hda", (), (), 0, VIR_DOMAIN_BLOCK_COMMIT_ACTIVE));
        assert_eq(dom.block_job_info("hda").type, "active_commit");
        conn.wait_event(#{{ kind: "block_job", domain: dom, status: "completed" }}, "30s",
            || dom.block_job_abort("hda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT));
        assert_eq(dom.block_job_info("hda").type, "none");
        assert(!dom.xml_desc().contains("{over}"));
        value(console);
        dom.destroy();
        "#
    ));
    let below = lab.image("over.qcow2")["backing-filename"].clone();
    let below = below.as_str().unwrap_or_default();
    assert!(below.ends_with("web.qcow2"), "{below}");
}

#[test]
fn memory_can_be_kept_in_a_file_beside_the_disks() {
    let lab = Lab::new();
    let (memory, over) = (lab.host.path("web.memory"), lab.host.path("over.qcow2"));
    lab.ok(&format!(
        r#"
        let snap = dom.snapshot_create_xml(xml("domainsnapshot", #{{
            name: "all",
            memory: #{{ "@snapshot": "external", "@file": "{memory}" }},
            disks: #{{ disk: #{{ "@name": "hda", "@snapshot": "external", source: #{{ "@file": "{over}" }} }} }},
        }}));
        assert_eq(dom.state(), "running");
        let then = value(console);
        while value(console) < then + 32 {{}}
        try {{
            dom.revert_to_snapshot(snap);
            console = dom.open_console((), VIR_DOMAIN_CONSOLE_FORCE);
            let back = value(console);
            assert(back > 0 && back <= then + 16, `${{then}}, ${{back}}`);
        }} catch (err) {{
            // libvirt can since 9.9.
            if err.code != "VIR_ERR_CONFIG_UNSUPPORTED" {{ throw err; }}
        }}
        dom.destroy();
        "#
    ));
    assert!(std::path::Path::new(&memory).exists());
}

#[test]
fn a_snapshot_that_is_another_domains_or_nearly_right_is_told() {
    let lab = Lab::new();
    lab.ok(r#"
        let snap = dom.snapshot_create_xml("<domainsnapshot><name>before-upgrade</name></domainsnapshot>");
        let other = dom.xml(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
        other.set("name", "other");
        other.remove("uuid");
        other = conn.define_xml(other);
        assert_eq(thrown(|| other.revert_to_snapshot(snap)), "VIR_ERR_INVALID_ARG");
        try { dom.snapshot_lookup_by_name("before-upgarde"); assert(false, "there is none"); }
        catch (err) {
            assert_eq(err.code, "VIR_ERR_NO_DOMAIN_SNAPSHOT");
            assert_eq(err.hint, "did you mean `before-upgrade`?");
        }
        assert_eq(thrown(|| snap.get_parent()), "VIR_ERR_NO_DOMAIN_SNAPSHOT");
        dom.destroy();
        other.undefine();
        snap.delete();
        assert_eq(thrown(|| snap.delete()), "VIR_ERR_NO_DOMAIN_SNAPSHOT");
    "#);
}

#[test]
fn a_disk_is_copied_while_the_guest_runs_and_the_copy_is_whole() {
    let lab = Lab::new();
    let copy = lab.host.path("copy.qcow2");
    lab.ok(&format!(
        r#"
        let copy = xml("disk", #{{ "@type": "file", driver: #{{ "@type": "qcow2" }}, source: #{{ "@file": "{copy}" }} }});
        conn.wait_event(#{{ kind: "block_job", domain: dom, status: "ready" }}, "30s",
            || dom.block_copy("hda", copy, #{{}}, VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB));
        let job = dom.block_job_info("hda");
        assert_eq([job.type, job.done], ["copy", job.total]);
        dom.block_job_set_speed("hda", 100);
        conn.wait_event(#{{ kind: "block_job", domain: dom, status: "canceled" }}, "30s",
            || dom.block_job_abort("hda"));
        // It went on in its own disk.
        assert(!dom.xml_desc().contains("{copy}"));
        value(console);
        dom.destroy();
        "#
    ));
    succeeds(Command::new("qemu-img").args(["compare", "-q", &lab.host.path("web.qcow2"), &copy]));
}
