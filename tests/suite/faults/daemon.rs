//! Daemons that die, freeze and come back in the middle of a call.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, ChildStdout};

use nix::sys::signal::Signal;

use crate::support::{Daemon, Host, Run};

/// A script that tells the test when it is ready, and continues at the test's request.
pub(super) struct Dialogue {
    child: Child,
    _input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Dialogue {
    fn start(host: &Daemon, code: &str) -> Self {
        Self::of(host.virhai(), code)
    }

    pub(super) fn of(run: Run, code: &str) -> Self {
        let mut child = run
            .arg("-e")
            .arg(code)
            .command()
            .spawn()
            .expect("it starts");
        let input = child.stdin.take().expect("standard input is a pipe");
        let output = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        Self {
            child,
            _input: input,
            output,
        }
    }

    /// The next line that the script prints.
    pub(super) fn line(&mut self) -> String {
        let mut said = String::new();
        self.output.read_line(&mut said).expect("the script speaks");
        said
    }

    pub(super) fn says(&mut self, line: &str) {
        let said = self.line();
        if said.trim_end() != line {
            let mut errors = String::new();
            let stderr = self
                .child
                .stderr
                .as_mut()
                .expect("standard error is a pipe");
            let _ = stderr.read_to_string(&mut errors);
            panic!("the script said {said:?} instead of {line:?}\n{errors}");
        }
    }

    fn ends_well(self) {
        let (status, errors) = self.ends();
        assert_eq!(status, Some(0), "{errors}");
    }

    /// Waits for the end; returns the status and standard error.
    pub(super) fn ends(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("it ends");
        let mut errors = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            let _ = stderr.read_to_string(&mut errors);
        }
        (status.code(), errors)
    }
}

#[test]
fn a_daemon_that_dies_in_a_wait_is_a_lost_connection_and_can_be_opened_again() {
    let mut host = Daemon::start();
    let xml = host.micro("counter", "web");
    host.ok(&format!("connect().create_xml(`{xml}`);"));
    let mut script = Dialogue::start(
        &host,
        r#"
        let conn = connect();
        let dom = conn.lookup_by_name("web");
        dom.wait("running", "10s");
        print("waiting");
        try { dom.wait("shutoff", "60s"); print("no error") } catch (err) { print(err.lost_connection) }
        try { dom.state(); print("no error") } catch (err) { print(err.lost_connection) }
        print(conn.is_alive());
        conn.close();
        "#,
    );
    script.says("waiting");
    host.kill();
    script.says("true");
    script.says("true");
    script.says("false");
    script.ends_well();
    // The guest outlived its daemon, and the next one finds it.
    host.launch();
    host.takes_over("web");
    host.ok(r#"
        let dom = connect().lookup_by_name("web");
        assert_eq(dom.state(), "running");
        dom.open_console().wait("MG:c=", "30s");
        dom.destroy();
        "#);
}

#[test]
fn a_daemon_that_dies_in_a_call_leaves_its_outcome_unknown_and_says_so() {
    let mut host = Daemon::start();
    let (xml, path) = (host.micro("hammer", "web"), host.path("web.save"));
    let mut script = Dialogue::start(
        &host,
        &format!(
            r#"
            let conn = connect();
            let dom = conn.create_xml(`{xml}`);
            dom.migrate_set_max_speed(1, 0);
            print("saving");
            try {{ dom.save("{path}"); print("saved") }} catch (err) {{ print(err.lost_connection); print(err.hint) }}
            "#
        ),
    );
    script.says("saving");
    let witness = r#"let dom = connect().lookup_by_name("web"); while dom.job_info().type == "none" { sleep("10ms"); }"#;
    // A save may have ended before the other client looks; the daemon is killed in any case.
    let _ = host
        .virhai()
        .arg("--timeout")
        .arg("5s")
        .arg("-e")
        .arg(witness)
        .run();
    host.kill();
    let mut said = String::new();
    script
        .output
        .read_line(&mut said)
        .expect("the script speaks");
    assert!(["true\n", "saved\n"].contains(&said.as_str()), "{said}");
}

#[test]
fn a_frozen_daemon_is_given_up_by_keepalive() {
    let host = Daemon::start();
    let mut script = Dialogue::start(
        &host,
        r#"
        let conn = connect();
        conn.set_keep_alive(1, 3);
        print("ready");
        let began = timestamp();
        let lost = ();
        while lost == () && began.elapsed < 60.0 {
            try { conn.get_capabilities(); } catch (err) { lost = err.lost_connection; }
        }
        print(lost);
        try { conn.get_hostname(); print("no error") } catch (err) { print(err.lost_connection) }
        print(conn.is_alive());
        "#,
    );
    script.says("ready");
    host.signal(Signal::SIGSTOP);
    script.says("true");
    script.says("true");
    script.says("false");
    host.signal(Signal::SIGCONT);
    script.ends_well();
}
