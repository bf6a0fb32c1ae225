//! Events of every kind that the hosts of these tests can cause.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;

use crate::support::{Daemon, Host, TestHost, agent_xml, succeeds, tiny_xml, virhai};

/// Functions for all scripts below.
const THROWN: &str = r#"
    fn thrown(action) {
        let error = ();
        try { action.call(); } catch (err) { error = err; }
        assert(error != (), "nothing was thrown");
        error
    }
"#;

fn on_test_host(script: &str) {
    let host = TestHost::new();
    virhai()
        .arg("-c")
        .arg(host.uri())
        .script(format!(
            "{THROWN} let conn = connect(); let same = conn; {script}"
        ))
        .ok();
}

#[test]
fn networks_and_pools_tell_of_their_lives() {
    on_test_host(
        r#"
        let xml = "<network><name>lab</name><bridge name='lab0'/></network>";
        let defined = conn.wait_event("network_lifecycle", "10s", || same.network_define_xml(xml));
        assert_eq([defined.network, defined.event], ["lab", "defined"]);
        let net = conn.network_lookup_by_name("lab");
        assert_eq(defined.uuid, net.uuid);
        assert_eq(conn.wait_event(#{ network: net }, "10s", || net.create()).event, "started");
        assert_eq(conn.wait_event(#{ network: "lab" }, "10s", || net.destroy()).event, "stopped");
        assert_eq(conn.wait_event(#{ network: net, event: "undefined" }, "10s", || net.undefine()).kind, "network_lifecycle");

        let xml = "<pool type='dir'><name>disks</name><target><path>/disks</path></target></pool>";
        let defined = conn.wait_event("storage_pool_lifecycle", "10s", || same.storage_pool_define_xml(xml));
        assert_eq([defined.storage_pool, defined.event], ["disks", "defined"]);
        let pool = conn.storage_pool_lookup_by_name("disks");
        assert_eq(conn.wait_event(#{ storage_pool: pool }, "10s", || pool.create()).event, "started");
        let refreshed = conn.wait_event(#{ kind: "storage_pool_refresh", storage_pool: pool }, "10s", || pool.refresh());
        assert_eq(refreshed.keys(), ["kind", "storage_pool", "time", "uuid"]);
        assert_eq([refreshed.storage_pool, refreshed.uuid], ["disks", pool.uuid]);
        assert_eq(conn.wait_event(#{ storage_pool: pool }, "10s", || pool.destroy()).event, "stopped");
        "#,
    );
}

#[test]
fn an_event_of_one_sort_of_object_is_not_taken_for_anothers() {
    on_test_host(
        r#"
        let dom = conn.lookup_by_name("test");
        let net = conn.network_define_xml("<network><name>test</name><bridge name='lab0'/></network>");
        let both = || { net.create(); dom.destroy(); };
        assert_eq(conn.wait_event(#{ domain: "test" }, "10s", both).detail, "destroyed");
        let either = [#{ network: net, event: "stopped" }, #{ domain: dom, event: "started" }];
        assert_eq(conn.wait_event(either, "10s", || dom.create()).kind, "lifecycle");
        assert_eq(conn.wait_event(either, "10s", || net.destroy()).kind, "network_lifecycle");
        "#,
    );
}

#[test]
fn a_field_that_no_event_has_is_answered_with_the_nearest() {
    on_test_host(
        r#"
        let kind = "network_lifecicle"; assert(thrown(|| same.wait_event(kind, 1)).hint.contains("network_lifecycle"));
        let filter = #{ network: "lab" }; filter["ev" + "nt"] = "started"; assert(thrown(|| same.wait_event(filter, 1)).hint.contains("event"));
        let error = thrown(|| same.wait_event("secret_lifecycle", 1));
        assert_eq([error.code, error.call], ["VIR_ERR_NO_SUPPORT", "virConnectSecretEventRegisterAny"]);
        "#,
    );
}

/// Kinds for which the installed libvirt may be too old, or may have no driver.
const MAY_LACK: &str = r#"["nic_mac_change", "vcpu_removed", "channel_lifecycle", "network_metadata_change",
    "node_device_lifecycle", "node_device_update"]"#;

#[test]
fn every_kind_can_be_waited_for() {
    let host = Daemon::start();
    host.ok(&format!(
        r#"{THROWN}
        let conn = connect();
        let kinds = thrown(|| conn.wait_event(["there is no such kind"][0], 0)).hint.split("the kinds are ")[1].split(", ");
        assert(kinds.len() > 30, kinds.to_string());
        for kind in kinds {{
            let error = thrown(|| conn.wait_event(kind, 0));
            let lacks = error.code in ["VIR_ERR_NO_SUPPORT", "VIR_ERR_INVALID_ARG"] && kind in {MAY_LACK};
            assert(error.code == "VIR_ERR_OPERATION_TIMEOUT" || lacks, `${{kind}}: ${{error}}`);
        }}
        "#
    ));
}

#[test]
fn a_linux_guest_causes_events_of_many_kinds() {
    let host = Daemon::start();
    let vnc = host.path("vnc");
    let graphics = format!("<graphics type='vnc' socket='{vnc}'/><memballoon model='virtio'/>");
    let xml = agent_xml(host.scratch(), "web", &graphics);
    host.ok(&format!(
        r#"
        let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        conn.wait_event(#{{ kind: "agent_lifecycle", state: "connected" }}, "4m", || dom.create());

        let event = conn.wait_event(#{{ kind: "balloon_change", domain: dom }}, "30s", || dom.set_memory("128MiB"));
        assert(event.memory_kib < 160 * 1024, event.to_string());

        let event = conn.wait_event("metadata_change", "10s",
            || dom.set_metadata(VIR_DOMAIN_METADATA_TITLE, "Web", (), (), 0));
        assert_eq([event.metadata, event.uri], ["title", ""]);

        let event = conn.wait_event("rtc_change", "30s", || dom.set_time(#{{ seconds: 1_000_000_000 }}));
        assert(event.utc_offset_s < -100_000_000, event.to_string());

        assert_eq(conn.wait_event("reboot", "4m", || dom.reset()).domain, "web");
        dom.destroy();
        "#
    ));
}

#[test]
fn a_viewer_of_the_screen_is_told_as_it_comes_and_goes() {
    let host = Daemon::start();
    let vnc = host.path("vnc");
    let xml = host.micro("counter", "web").replace(
        "<serial",
        &format!("<graphics type='vnc' socket='{vnc}'/><serial"),
    );
    let script = format!(
        r#"
        let conn = connect();
        conn.create_xml(`{xml}`);
        let seen = [];
        conn.wait_event(#{{ kind: "graphics", phase: "connect" }}, "60s", || print("now"));
        let event = conn.wait_event(#{{ kind: "graphics", phase: "disconnect" }}, "60s", || print("then"));
        print(event.auth_scheme);
        "#
    );
    let mut child = host
        .virhai()
        .arg("-e")
        .arg(script)
        .command()
        .spawn()
        .expect("it starts");
    let mut output = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut line = String::new();
    output.read_line(&mut line).expect("the script speaks");
    let mut viewer = UnixStream::connect(&vnc).expect("QEMU listens");
    let mut hello = [0; 12];
    viewer.read_exact(&mut hello).expect("QEMU speaks");
    // The protocol's version, no authentication, and a screen shared with others.
    viewer.write_all(&hello).expect("QEMU listens");
    viewer.write_all(&[1, 1]).expect("QEMU listens");
    output.read_line(&mut line).expect("the script speaks");
    drop(viewer);
    output.read_line(&mut line).expect("the script speaks");
    let errors = std::io::read_to_string(child.stderr.take().expect("it is a pipe"));
    assert!(
        child.wait().expect("it ends").success(),
        "{line} {errors:?}"
    );
}

#[test]
fn a_block_job_that_another_client_started_is_told_to_its_end() {
    let host = Daemon::start();
    let xml = host.micro("counter", "web");
    let (base, overlay) = (host.path("web.img"), host.path("overlay.qcow2"));
    host.scratch().write("overlay.qcow2", "");
    succeeds(
        Command::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b", &base])
            .arg(&overlay),
    );
    let xml = xml
        .replace("type='raw'", "type='qcow2'")
        .replace(&base, &overlay);
    let (uri, script) = (
        host.uri(),
        format!(
            r#"
            let conn = connect();
            conn.create_xml(`{xml}`);
            let event = conn.wait_event(#{{ kind: "block_job", status: "completed" }}, "60s", || print("now"));
            print(`${{event.domain}} ${{event.disk}} ${{event.job}}`);
            "#
        ),
    );
    let mut child = host
        .virhai()
        .arg("-e")
        .arg(script)
        .command()
        .spawn()
        .expect("it starts");
    let mut output = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut line = String::new();
    output.read_line(&mut line).expect("the script speaks");
    succeeds(Command::new("virsh").args(["-c", &uri, "blockpull", "web", "hda"]));
    output
        .read_line(&mut line)
        .expect("the script speaks again");
    assert_eq!(line, "now\nweb hda pull\n");
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_migration_tells_of_its_rounds_and_its_end() {
    let (here, there) = (Daemon::start(), Daemon::start());
    let xml = tiny_xml(here.scratch(), "web", "");
    let destination = there.uri();
    here.ok(&format!(
        r#"
        let conn = connect();
        let dest = connect("{destination}");
        let dom = conn.create_xml(`{xml}`);
        let move = || dom.migrate(dest, VIR_MIGRATE_LIVE, #{{ migrate_uri: "tcp://127.0.0.1" }});
        let event = conn.wait_event(["migration_iteration", "job_completed"], "60s", move);
        assert_eq(event.domain, "web");
        assert_eq(dest.num_of_domains(), 1);
        dest.lookup_by_name("web").destroy();
        "#
    ));
}

#[test]
fn a_secret_that_another_client_keeps_is_told() {
    let host = Daemon::start();
    let uuid = "7e1a0000-0000-4000-8000-0000000000aa";
    let xml = host.scratch().write(
        "secret.xml",
        format!(
            "<secret><uuid>{uuid}</uuid><usage type='volume'><volume>/disks/web.luks</volume></usage></secret>"
        ),
    );
    let script = r#"
        let conn = connect();
        for kind in ["secret_lifecycle", "secret_value_changed"] {
            let event = conn.wait_event(kind, "30s", || print("now"));
            print(`${event.secret} ${event.uuid}`);
        }
    "#;
    let mut child = host
        .virhai()
        .arg("-e")
        .arg(script)
        .command()
        .spawn()
        .expect("it starts");
    let output = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut lines = output
        .lines()
        .map(|line| line.expect("the script speaks text"));
    let uri = host.uri();
    let virsh = |words: &[&str]| {
        succeeds(Command::new("virsh").args(["-c", &uri]).args(words));
    };
    let told = format!("/disks/web.luks {uuid}");
    assert_eq!(lines.next().as_deref(), Some("now"));
    virsh(&["secret-define", xml.to_str().expect("paths are text")]);
    assert_eq!(lines.next().as_ref(), Some(&told));
    assert_eq!(lines.next().as_deref(), Some("now"));
    virsh(&["secret-set-value", uuid, "--base64", "c2VjcmV0"]);
    assert_eq!(lines.next().as_ref(), Some(&told));
    assert!(child.wait().expect("it ends").success());
}
