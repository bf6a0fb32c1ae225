//! Rehearsals of real hosts: the host does not change, and the run is compared with its plan.

use crate::support::{Embed, Host};

/// The objects of a host, in a form that can be compared.
const LOOK: &str = r#"
    let conn = connect();
    for dom in conn.list_all_domains() { print(`${dom.name} ${dom.state()} ${dom.autostart()} ${dom.xml_desc(VIR_DOMAIN_XML_INACTIVE)}`); }
"#;

#[test]
fn a_rehearsal_reads_a_real_host_and_does_not_change_it() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    let defined = format!("let dom = connect().define_xml(`{xml}`); dom.create(); dom.suspend();");
    host.ok(&defined);
    let before = host.ok(LOOK);
    let script = r#"
        let conn = connect();
        assert_eq(conn.get_type(), "QEMU");
        assert(conn.uri.starts_with("qemu:///embed"));
        assert(conn.get_capabilities().contains("hvm"));
        let dom = conn.lookup_by_name("web");
        assert_eq(dom.state(), "paused");
        dom.destroy();
        dom.undefine();
        let made = conn.define_xml(`<domain type="qemu"><name>new</name><memory>32768</memory><os><type arch="x86_64" machine="pc">hvm</type></os></domain>`);
        assert(made.xml().get("os/type/@machine").starts_with("pc-i440fx"));
        assert(made.xml().get("devices/emulator").contains("qemu"));
        made.create();
    "#;
    let rehearsed = host
        .virhai()
        .arg("--json")
        .arg("--rehearse")
        .script(script)
        .ok();
    assert_eq!(
        super::entries(&rehearsed),
        [
            "stopped domain web:8",
            "deleted domain web:9",
            "created domain new:10",
            "started domain new:13",
        ]
    );
    assert_eq!(host.ok(LOOK), before);
}

#[test]
fn a_run_is_compared_with_its_plan() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    let script = format!(
        r#"
        let dom = connect().define_xml(`{xml}`);
        dom.set_autostart(true);
        dom.create(VIR_DOMAIN_START_PAUSED);
        dom.resume();
        dom.managed_save();
        dom.create();
        dom.suspend();
        dom.save("{save}");
        dom.connect().restore("{save}");
        assert_eq(dom.state(), "paused");
        dom.destroy();
        dom.undefine();
        "#,
        save = host.path("web.save")
    );
    let run = host
        .virhai()
        .arg("--plan-first")
        .arg("--yes")
        .arg("--allow-write")
        .arg(host.path(""))
        .script(script);
    let told = run.ok();
    assert!(told.contains("The run made the planned changes."), "{told}");
}
