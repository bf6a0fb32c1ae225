//! Waits for impossible events: they end at once with the reason.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Daemon, Host, SmallDisk, micro};

/// Far less than the waits below would take.
const SOON: Duration = Duration::from_secs(40);

const THROWN: &str = r#"
    fn thrown(action) {
        let error = ();
        try { action.call(); } catch (err) { error = err; }
        if error == () { throw "nothing was thrown"; }
        error
    }
"#;

/// The QEMU of the guest `name`.
fn qemu(host: &Daemon, name: &str) -> Pid {
    let file = host
        .scratch()
        .path(format!("run/libvirt/qemu/run/{name}.pid"));
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    Pid::from_raw(text.trim().parse().expect("a pid"))
}

/// A guest `web` that an I/O error paused: its disk is on a file system without room.
fn with_io_error(test: impl FnOnce(&Daemon)) {
    let Some(small) = SmallDisk::mount("64k") else {
        return;
    };
    let disk = small.path("disk.img");
    let image = std::fs::File::create(&disk).expect("the disk is the test's own");
    image.set_len(1 << 20).expect("a hole takes no room");
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    std::fs::set_permissions(&disk, readable).expect("the disk is the test's own");
    let _ = std::fs::write(small.path("filler"), vec![1; 1 << 20]);
    let host = Daemon::start();
    let kernel = host
        .scratch()
        .copy(&micro("installer.kernel"), "installer.kernel");
    let xml = format!(
        "<domain type='qemu'><name>web</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>\
         <os><type arch='x86_64' machine='pc'>hvm</type><kernel>{}</kernel></os><features><acpi/></features>\
         <devices><disk type='file' device='disk'><driver name='qemu' type='raw' cache='none' error_policy='stop'/>\
         <source file='{}'/><target dev='hda' bus='ide'/></disk><serial type='pty'/></devices></domain>",
        kernel.display(),
        disk.display()
    );
    host.ok(&format!(
        r#"let dom = connect().define_xml(`{xml}`); dom.create();
        let now = dom.wait("paused", "60s"); assert_eq(now.reason, "ioerror");"#
    ));
    let began = Instant::now();
    test(&host);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn a_wait_for_shutoff_ends_at_once_for_a_guest_that_an_io_error_paused() {
    with_io_error(|host| {
        host.ok(&format!(
            r#"{THROWN}
            let dom = connect().lookup_by_name("web");
            for states in ["shutoff", ["shutoff", "crashed"], "undefined", "pmsuspended"] {{
                let error = thrown(|| dom.wait(states, "10m"));
                assert_eq(error.code, "VIR_ERR_OPERATION_INVALID");
                assert(error.message.contains("paused (ioerror)"), error.message);
                assert(error.hint.contains("resume()"), error.hint);
            }}
            assert_eq(dom.wait(["paused", "shutoff"], "10m").reason, "ioerror");
            // Another client may mend it and let it go on.
            assert_eq(thrown(|| dom.wait("running", "500ms")).code, "VIR_ERR_OPERATION_TIMEOUT");
            "#
        ));
    });
}

#[test]
fn other_waits_end_at_once_for_a_guest_that_an_io_error_paused() {
    with_io_error(|host| {
        host.ok(&format!(
            r#"{THROWN}
            import "std/ready" as ready;
            let dom = connect().lookup_by_name("web");
            let console = dom.open_console();
            let error = thrown(|| console.wait("login:", "10m"));
            assert_eq(error.code, "VIR_ERR_OPERATION_INVALID");
            assert(error.message.contains("paused (ioerror)"), error.message);
            let ladders = [#{{ agent: true, timeout: "10m" }}, #{{ console: "login:", timeout: "10m" }}];
            for ladder in ladders {{
                let error = thrown(|| ready::wait_for(dom, ladder));
                assert(error.message.contains("paused (ioerror)"), error.message);
            }}
            // `stop` loses no time with requests that the guest does not hear, and pulls no plug unless told to.
            let error = thrown(|| dom.stop());
            assert_eq(error.code, "VIR_ERR_OPERATION_INVALID");
            assert(error.message.contains("cannot be asked to shut down: it is paused (ioerror)"), error.message);
            assert(error.hint.contains("resume()") && error.hint.contains("force: true"), error.hint);
            assert_eq(dom.state_reason(), #{{ state: "paused", reason: "ioerror" }});
            let stopped = dom.stop(#{{ force: true }});
            assert_eq([stopped.by, stopped.state, stopped.asked], ["destroy", "shutoff", []]);
            assert(stopped.not_asked.shutdown.contains("ioerror"), `${{stopped.not_asked}}`);
            assert(stopped.seconds < 30.0, `${{stopped.seconds}}`);
            "#
        ));
    });
}

#[test]
fn a_stop_without_destroy_names_the_failure_that_paused_the_guest() {
    with_io_error(|host| {
        host.ok(&format!(
            r#"{THROWN}
            let dom = connect().lookup_by_name("web");
            let error = thrown(|| dom.stop(#{{ destroy: false }}));
            assert(error.message.contains("paused (ioerror)"), error.message);
            "#
        ));
    });
}

#[test]
fn a_wait_sees_the_io_error_that_comes_while_it_waits() {
    with_io_error(|host| {
        // It writes again, and fails again.
        host.ok(&format!(
            r#"{THROWN}
            let dom = connect().lookup_by_name("web");
            dom.resume();
            let error = thrown(|| dom.wait("shutoff", "10m"));
            assert(error.message.contains("paused (ioerror)"), error.message);
            "#
        ));
    });
}

#[test]
fn a_wait_for_paused_ends_at_once_for_a_guest_whose_qemu_was_killed() {
    let host = Daemon::start();
    let xml = host.micro("hang", "web");
    host.ok(&format!("connect().define_xml(`{xml}`).create();"));
    kill(qemu(&host, "web"), Signal::SIGKILL).expect("it can be killed");
    let began = Instant::now();
    host.ok(&format!(
        r#"{THROWN}
        let dom = connect().lookup_by_name("web");
        assert_eq(dom.wait("shutoff", "30s").reason, "crashed");
        for states in [["paused"], ["paused", "pmsuspended"], "crashed"] {{
            let error = thrown(|| dom.wait(states, "10m"));
            assert_eq(error.code, "VIR_ERR_OPERATION_INVALID");
            assert(error.message.contains("shutoff (crashed)"), error.message);
            assert(error.hint.contains("create()"), error.hint);
        }}
        // Another client may start it.
        let states = parallel(["wait", "start"], 2, |what| {{
            if what == "wait" {{ return dom.wait("running", "60s").state; }}
            sleep("300ms");
            dom.create();
        }});
        assert_eq(states[0], "running");
        "#
    ));
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn waits_end_when_qemu_is_killed_under_them() {
    let host = Daemon::start();
    let xml = host.micro("hang", "web");
    host.ok(&format!("connect().define_xml(`{xml}`).create();"));
    let script = format!(
        r#"{THROWN}
        let conn = connect();
        let dom = conn.lookup_by_name("web");
        let errors = parallel(["state", "block", "device", "several"], 4, |what| thrown(|| switch what {{
            "state" => dom.wait("paused", "10m"),
            "block" => conn.wait_event(#{{ kind: "block_job", domain: dom, status: "ready" }}, "10m", || print("waits")),
            "device" => conn.wait_event(#{{ kind: "device_removed", domain: dom }}, "10m"),
            _ => conn.wait_event([#{{ kind: "block_job", domain: dom }}, #{{ kind: "job_completed", domain: dom }}], "10m"),
        }}).to_string());
        for error in errors {{ assert(error.contains("shutoff (crashed)"), error); }}
        "#
    );
    let pid = qemu(&host, "web");
    let mut child = host
        .virhai()
        .arg("-e")
        .arg(&script)
        .command()
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("standard output is a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("text");
    std::thread::sleep(Duration::from_millis(500));
    let began = Instant::now();
    kill(pid, Signal::SIGKILL).expect("it can be killed");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn waits_for_a_transient_guest_that_is_gone_end_at_once() {
    let host = Daemon::start();
    let xml = host.micro("hang", "web");
    let began = Instant::now();
    host.ok(&format!(
        r#"{THROWN}
        let conn = connect();
        let dom = conn.create_xml(`{xml}`);
        dom.destroy();
        for states in ["running", "paused"] {{
            let error = thrown(|| dom.wait(states, "10m"));
            assert_eq(error.code, "VIR_ERR_NO_DOMAIN");
            assert(error.hint.contains("gone"), error.hint);
        }}
        for kind in ["device_removed", "agent_lifecycle", "io_error"] {{
            let error = thrown(|| conn.wait_event(#{{ kind: kind, domain: dom }}, "10m"));
            assert(error.message.contains("the domain is gone"), error.message);
        }}
        // Somebody may create it again.
        assert_eq(thrown(|| conn.wait_event(#{{ event: "started", domain: dom }}, "1500ms")).code, "VIR_ERR_OPERATION_TIMEOUT");
        "#
    ));
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn an_event_sent_at_the_end_of_the_guest_is_not_missed() {
    let host = Daemon::start();
    let xml = host.micro("hang", "web");
    let file = host.scratch().path("web.save");
    host.ok(&format!(
        r#"let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        dom.create();
        let event = conn.wait_event(#{{ kind: "job_completed", domain: dom }}, "60s", || dom.save("{}"));
        assert_eq([event.kind, event.operation], ["job_completed", "save"]);
        // A guest that is off may be started by another client, and then do what is waited for.
        let error = ();
        try {{ conn.wait_event(#{{ kind: "reboot", domain: dom }}, "1500ms"); }} catch (err) {{ error = err; }}
        assert_eq(error.code, "VIR_ERR_OPERATION_TIMEOUT");
        "#,
        file.display()
    ));
}
