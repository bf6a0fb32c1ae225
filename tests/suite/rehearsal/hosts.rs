//! Rehearsals of real hosts: the host does not change, and the run is compared with its plan.

use crate::support::{Embed, Host, Scratch, virhai};

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
        assert_eq([dom.state_reason().state, dom.state_reason().reason, dom.os_type()], ["paused", "user", "hvm"]);
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
fn calls_that_need_an_agent_fail_as_on_the_host_where_it_is_missing() {
    let host = Embed::new();
    let channel =
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";
    let [db, web, off] = ["db", "web", "off"].map(|name| host.micro("counter", name));
    let web = web.replace("</devices>", &format!("{channel}</devices>"));
    host.ok(&format!(
        "let conn = connect(); conn.define_xml(`{db}`).create(); conn.define_xml(`{web}`).create(); conn.define_xml(`{off}`);"
    ));
    let script = r#"
        let calls = [
            |dom| dom.fs_freeze(), |dom| dom.fs_thaw(), |dom| dom.fs_trim(), |dom| dom.fs_info(), |dom| dom.guest_info(),
            |dom| dom.get_time(), |dom| dom.set_time(#{ seconds: 1 }), |dom| dom.hostname(VIR_DOMAIN_GET_HOSTNAME_AGENT),
            |dom| dom.set_user_password("root", "secret"), |dom| dom.agent_exec(["/bin/true"]),
            |dom| dom.authorized_ssh_keys_get("root"), |dom| dom.guest_vcpus(), |dom| dom.set_guest_vcpus("1", false),
        ];
        for name in ["db", "web", "off"] {
            let dom = connect().lookup_by_name(name);
            let codes = [];
            for call in calls { try { call.call(dom); codes.push("done"); } catch (err) { codes.push(err.code); } }
            print(codes);
        }
    "#;
    let rehearsed = host.virhai().arg("--rehearse").script(script).ok();
    let real = host.ok(script);
    let plan = rehearsed.strip_prefix(&real);
    assert!(
        plan.is_some_and(|plan| !plan.contains("not rehearsed")),
        "{rehearsed}\n{real}"
    );
    assert!(real.contains("VIR_ERR_AGENT_UNRESPONSIVE"), "{real}");
    host.ok("for dom in connect().list_all_domains() { if dom.is_active() { dom.destroy(); } }");
}

#[test]
fn the_answers_of_an_agent_are_not_rehearsed() {
    let scratch = Scratch::new();
    let node = "<node><domain type='test'><name>web</name><memory>8192</memory><os><type>hvm</type></os><devices>\
        <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices></domain></node>";
    let uri = format!("test://{}", scratch.write("node.xml", node).display());
    let twin = scratch.path("lab.twin");
    virhai().arg("-q").arg("twin").arg(&uri).arg(&twin).ok();
    // libvirt's test driver has no state of channels.
    let saved = std::fs::read_to_string(&twin).expect("it was saved");
    let told = saved.replace(
        "name='org.qemu.guest_agent.0'",
        "name='org.qemu.guest_agent.0' state='connected'",
    );
    assert_ne!(told, saved);
    scratch.write("lab.twin", told);
    let script = "let dom = connect().lookup_by_name(\"web\"); print(dom.fs_freeze()); print(dom.fs_thaw());\n\
                  dom.hostname(VIR_DOMAIN_GET_HOSTNAME_AGENT);";
    let script = scratch.write("ask.rhai", script);
    let run = virhai().arg("-c").arg(&uri).arg("run").arg("--against");
    let outcome = run.arg(&twin).arg(script).fails(1);
    for part in [
        "0\n0\n",
        "virDomainFSFreeze: only the guest knows its file systems",
        "virDomainGetHostname: not rehearsed: only the agent in the guest knows the answer",
        "ask.rhai:2",
    ] {
        assert!(outcome.stdout.contains(part), "{part}: {outcome}");
    }
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

#[test]
fn a_run_after_its_plan_can_be_undone() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    let script = format!(
        "all_or_nothing(|undo| undo.step(|| connect().define_xml(`{xml}`), |dom| dom.undefine()));"
    );
    let state = host.path("state");
    let run = || host.virhai().env("XDG_STATE_HOME", &state);
    run().script(script).done_with_plan();
    host.ok(r#"assert_eq(connect().list_all_domains().len(), 1)"#);
    let undone = run().first_arg("--yes").arg("undo").run();
    assert_eq!(undone.status, 0, "{undone}");
    assert!(!undone.stdout.contains("Plan"), "{undone}");
    host.ok("assert_eq(connect().list_all_domains(), [])");
}
