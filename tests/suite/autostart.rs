//! Guests that start with their host, and guests that end with their client.

use std::io::{BufRead, BufReader, Write};

use crate::support::{Daemon, Host, skip};

/// Makes the daemon's next start the first one after a boot of its host.
fn reboot_host(daemon: &mut Daemon) {
    daemon.kill();
    let marker = daemon.scratch().path("run/libvirt/qemu/run/autostarted");
    std::fs::remove_file(&marker).unwrap_or_else(|error| panic!("{}: {error}", marker.display()));
    daemon.launch();
}

#[test]
fn a_saved_guest_with_autostart_goes_on_when_its_host_boots() {
    let mut host = Daemon::start();
    let xml = host.micro("counter", "web");
    host.ok(&format!(
        r#"
        let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        dom.set_autostart(true);
        dom.create();
        dom.open_console().wait("MG:c=", "30s");
        dom.managed_save();
        "#
    ));
    // 77: a restart of the daemon alone is not a boot of the host.
    host.kill();
    host.launch();
    host.ok(r#"
        let dom = connect().lookup_by_name("web");
        assert(dom.autostart());
        assert_eq(dom.state(), "shutoff");
        assert(dom.has_managed_save_image());
        "#);
    reboot_host(&mut host);
    host.ok(r#"
        let dom = connect().lookup_by_name("web");
        dom.wait("running", "60s");
        assert_eq(dom.state_reason(), #{ state: "running", reason: "restored" });
        assert(!dom.has_managed_save_image());
        dom.open_console().wait("MG:c=", "30s");
        dom.set_autostart(false);
        dom.destroy();
        "#);
    assert_eq!(
        host.console("web").matches("MG:up").count(),
        1,
        "the guest booted once"
    );
    reboot_host(&mut host);
    host.ok(r#"assert_eq(connect().lookup_by_name("web").state(), "shutoff");"#);
}

#[test]
fn autostart_once_is_for_one_boot_of_the_host() {
    let mut host = Daemon::start();
    let xml = host.micro("counter", "web");
    let has_it = host.ok(&format!(
        r#"
        let dom = connect().define_xml(`{xml}`);
        let has_it = true;
        try {{
            dom.set_autostart_once(true);
            assert(dom.autostart_once());
        }} catch (err) {{
            assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
            has_it = false;
        }}
        assert(!dom.autostart());
        has_it
        "#
    ));
    if has_it.trim() == "false" {
        skip("autostart for one boot needs libvirt 11.2");
        return;
    }
    reboot_host(&mut host);
    host.ok(r#"
        let dom = connect().lookup_by_name("web");
        dom.wait("running", "60s");
        assert(!dom.autostart_once());
        dom.destroy();
        "#);
    reboot_host(&mut host);
    host.ok(r#"assert_eq(connect().lookup_by_name("web").state(), "shutoff");"#);
}

#[test]
fn a_guest_bound_to_its_client_ends_when_that_is_killed() {
    let host = Daemon::start();
    let bound = host.micro("counter", "bound");
    let defined = host.micro("counter", "defined");
    let free = host.micro("counter", "free");
    let script = format!(
        r#"
        let conn = connect();
        conn.create_xml(`{bound}`, VIR_DOMAIN_START_AUTODESTROY);
        conn.define_xml(`{defined}`).create(VIR_DOMAIN_START_AUTODESTROY);
        conn.create_xml(`{free}`);
        print("started");
        sleep("1h");
        "#
    );
    let mut child = host
        .virhai()
        .script(script.clone())
        .command()
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("standard input is a pipe");
    input
        .write_all(script.as_bytes())
        .expect("the script is read");
    drop(input);
    let mut line = String::new();
    let output = child.stdout.take().expect("standard output is a pipe");
    BufReader::new(output)
        .read_line(&mut line)
        .expect("the script speaks");
    assert_eq!(line, "started\n");
    // 15: the client crashes.
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    host.ok(r#"
        let conn = connect();
        for dom in conn.list_all_domains() {
            if dom.name == "bound" { dom.wait("undefined", "60s"); }
        }
        let defined = conn.lookup_by_name("defined");
        assert_eq(defined.wait("shutoff", "60s").gone, false);
        assert(defined.is_persistent());
        // 17: without the flag it outlives its client.
        let free = conn.lookup_by_name("free");
        assert_eq(free.state(), "running");
        assert_eq(conn.list_all_domains().map(|dom| dom.name).len(), 2);
        free.destroy();
        "#);
}
