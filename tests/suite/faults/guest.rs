//! Guests whose QEMU dies or freezes, and saves without enough room on the disk.

use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Daemon, Host, SmallDisk};

/// The QEMU of the guest `name`.
pub(super) fn qemu(host: &Daemon, name: &str) -> Pid {
    let file = host
        .scratch()
        .path(format!("run/libvirt/qemu/run/{name}.pid"));
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    Pid::from_raw(text.trim().parse().expect("a pid"))
}

/// A process that is frozen for as long as this lives.
pub(super) struct Frozen(Pid);

impl Frozen {
    pub(super) fn new(pid: Pid) -> Self {
        kill(pid, Signal::SIGSTOP).expect("it can be frozen");
        Self(pid)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGCONT);
    }
}

#[test]
fn calls_to_a_frozen_guest_starve_nothing_else() {
    let host = Daemon::start();
    let (frozen, well) = (host.micro("hang", "frozen"), host.micro("counter", "well"));
    host.ok(&format!(
        "let conn = connect(); conn.create_xml(`{frozen}`); conn.create_xml(`{well}`);"
    ));
    let still = Frozen::new(qemu(&host, "frozen"));
    let began = Instant::now();
    // Five calls hang, on the one connection; the wait and another connection do not.
    let outcome = host
        .virhai()
        .arg("--timeout")
        .arg("10s")
        .script(
            r#"
            let conn = connect();
            let frozen = conn.lookup_by_name("frozen");
            let well = conn.lookup_by_name("well");
            parallel([1, 2, 3, 4, 5, "wait", "other"], 7, |what| {
                if what == "wait" {
                    sleep("1s");
                    well.wait(["running", "paused"], "5s");
                    print("the wait ends");
                } else if what == "other" {
                    sleep("1s");
                    connect().lookup_by_name("well").suspend();
                    print("another connection works");
                } else {
                    frozen.suspend();
                }
            });
            "#,
        )
        .fails(124);
    assert!(outcome.stdout.contains("the wait ends"), "{outcome}");
    assert!(
        outcome.stdout.contains("another connection works"),
        "{outcome}"
    );
    assert!(began.elapsed().as_secs() < 60, "{outcome}");
    drop(still);
    host.ok(r#"for dom in connect().list_all_domains() { dom.destroy(); }"#);
}

#[test]
fn a_guest_whose_qemu_is_killed_in_a_call_fails_it_and_nothing_else() {
    let host = Daemon::start();
    let xml = host.micro("hang", "web");
    host.ok(&format!("connect().define_xml(`{xml}`).create();"));
    let pid = qemu(&host, "web");
    let frozen = Frozen::new(pid);
    let call = host.virhai().arg("-e").arg(
        r#"try { connect().lookup_by_name("web").suspend(); print("no error") } catch (err) { print(err.code) }"#,
    );
    let child = call.command().spawn().expect("it starts");
    // The call is under way once libvirt has its job on the domain.
    host.ok(
        r#"let dom = connect().lookup_by_name("web"); while dom.control_info().state == "ok" { sleep("10ms"); }"#,
    );
    kill(pid, Signal::SIGKILL).expect("it can be killed");
    drop(frozen);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.starts_with("VIR_ERR_"),
        "{said}"
    );
    host.ok(
        r#"assert_eq(connect().lookup_by_name("web").wait("shutoff", "30s").reason, "crashed");"#,
    );
}

#[test]
fn a_save_that_does_not_fit_leaves_the_guest_running_and_no_file() {
    let Some(small) = SmallDisk::mount("64k") else {
        return;
    };
    let host = Daemon::start();
    let (xml, path) = (host.micro("counter", "web"), small.path("web.save"));
    host.ok(&format!(
        r#"
        let dom = connect().create_xml(`{xml}`);
        dom.open_console().wait("MG:c=", "30s");
        try {{ dom.save("{}"); assert(false, "it was saved"); }}
        catch (err) {{ assert_eq(err.code, "VIR_ERR_OPERATION_FAILED"); }}
        // 45: it runs on, and tells that it was stopped for the save.
        assert_eq(dom.state_reason(), #{{ state: "running", reason: "save_canceled" }});
        dom.open_console().wait("MG:c=", "30s");
        dom.destroy();
        "#,
        path.display()
    ));
    assert!(!path.exists(), "the part of the save is removed");
}
