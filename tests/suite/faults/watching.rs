//! Watching a host whose daemon dies and comes back.

use std::io::{BufRead, BufReader, Lines, Read};
use std::process::{Child, ChildStdout};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::daemon::Dialogue;
use crate::suite::ssh::run_as;
use crate::support::{Daemon, Host, Scratch, SshServer, end_qemu};

/// `virhai events` in the background.
struct Watcher {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watcher {
    /// Starts it, and waits until it gets events.
    fn start(host: &Daemon, arguments: &[&str]) -> Self {
        let run = host.virhai().arg("-v").arg("events");
        let run = arguments
            .iter()
            .fold(run, |run, argument| run.arg(argument));
        let mut child = run.command().spawn().expect("it starts");
        let mut said = BufReader::new(child.stderr.take().expect("it is a pipe"));
        let mut line = String::new();
        said.read_line(&mut line).expect("it says that it watches");
        assert!(line.starts_with("watching qemu+unix:///"), "{line:?}");
        child.stderr = Some(said.into_inner());
        let lines = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
        Self { child, lines }
    }

    /// The next line that has `text`.
    fn line(&mut self, text: &str) -> String {
        let found = self.lines.by_ref().map_while(Result::ok);
        let mut found = found.skip_while(|line| !line.contains(text));
        found.next().unwrap_or_else(|| panic!("no line has {text}"))
    }

    /// Interrupts it; returns its exit status.
    fn stop(mut self) -> Option<i32> {
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT);
        let mut rest = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            let _ = stderr.read_to_string(&mut rest);
        }
        self.child.wait().expect("it ends").code()
    }
}

/// A process that a failed test left behind would reconnect again and again.
impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_subscription_knows_all_states_after_its_daemon_was_killed_and_restarted() {
    let mut host = Daemon::start();
    let xml = host.micro("counter", "web");
    let idle = xml.replace("<name>web<", "<name>idle<");
    let mut plain = Watcher::start(&host, &["lifecycle,domain=web", "--reconnect"]);
    let mut json = Watcher::start(&host, &["lifecycle", "connection_close", "--json"]);
    let mut script = Dialogue::of(
        host.virhai(),
        &format!(
            r#"
            let conn = connect();
            let events = conn.events(["lifecycle", "connection_close"], #{{ reconnect: true }});
            let dying = conn.events("lifecycle");
            let dom = conn.define_xml(`{xml}`);
            dom.create();
            conn.define_xml(`{idle}`);
            let known = [];
            while known.len() < 3 {{
                let event = events.next("30s");
                if event.event in ["defined", "started"] {{ known.push(`${{event.domain}} ${{event.event}}`); }}
            }}
            print(known);
            let event = events.next("60s");
            while event.kind == "lifecycle" {{ event = events.next("60s"); }}
            print(`${{event.kind}} ${{event.reason}}`);
            let before = dying.drain().len();
            try {{ dying.next("10s"); }} catch (err) {{ print(`${{before > 2}} ${{err.lost_connection}}`); }}
            let gap = events.next("60s");
            print(`${{gap.kind}} ${{gap.gap_s > 0.0}}`);
            // The daemon may only find out after its first answers that the guest is gone.
            while gap.changes.is_empty() {{ gap = events.next("60s"); }}
            assert_eq(gap.changes.len(), 1);
            let change = gap.changes[0];
            print(`${{change.domain}} ${{change.uuid == dom.uuid}} ${{change.before}} ${{change.after}}`);
            // The script's own connection is there again as well.
            print(dom.state());
            while conn.list_all_domains().len() > 1 {{ sleep("20ms"); }}
            dom.undefine();
            let last = events.next("30s");
            while last.domain != "web" || last.event != "undefined" {{ last = events.next("30s"); }}
            print(`${{last.domain}} ${{last.event}}`);
            "#
        ),
    );
    script.says(r#"["web defined", "web started", "idle defined"]"#);
    assert!(
        plain
            .line("event=started")
            .contains(" lifecycle domain=web event=started detail=booted")
    );
    let started = json.line("\"started\"");
    for part in [
        "\"kind\":\"lifecycle\"",
        "\"domain\":\"web\"",
        "\"uuid\":\"",
        "\"time\":\"20",
    ] {
        assert!(started.contains(part), "{started}");
    }
    host.kill();
    end_qemu(host.scratch());
    script.says("connection_close eof");
    script.says("true true");
    assert!(json.line("connection_close").contains("\"reason\":\"eof\""));
    // It runs without `--reconnect`.
    assert_eq!(json.child.wait().expect("it ends").code(), Some(1));
    host.launch();
    script.says("gap true");
    script.says("web true running shutoff");
    script.says("shutoff");
    plain.line(" gap ");
    let change = plain.line(" change domain");
    assert!(
        change.ends_with("domain=web before=running after=shutoff"),
        "{change}"
    );
    // Now that the watcher has seen the guest, the script may remove it.
    host.ok("connect().lookup_by_name(\"idle\").undefine();");
    script.says("web undefined");
    let (status, errors) = script.ends();
    assert_eq!(status, Some(0), "{errors}");
    plain.line("event=undefined");
    assert_eq!(plain.stop(), Some(130));
    let late = host
        .virhai()
        .arg("events")
        .arg("--timeout")
        .arg("100ms")
        .run();
    assert_eq!((late.status, late.stdout.as_str()), (0, ""), "{late}");
    let wrong = host.virhai().arg("events").arg("livecycle").run();
    assert_eq!(wrong.status, 2, "{wrong}");
    assert!(
        wrong.stderr.contains("did you mean \"lifecycle\"?"),
        "{wrong}"
    );
}

#[test]
fn a_subscription_over_ssh_continues_after_a_broken_line_and_after_a_frozen_daemon() {
    let host = Daemon::start();
    let Some(server) = SshServer::start(&host) else {
        return;
    };
    let xml = host.micro("counter", "web");
    let home = Scratch::new();
    let code = format!(
        r#"
        let conn = connect();
        let other = connect("test:///default");
        let calm = other.events("lifecycle");
        let events = conn.events(["lifecycle", "connection_close"], #{{ reconnect: true }});
        let dom = conn.define_xml(`{xml}`);
        dom.create();
        while events.next("30s").event != "started" {{}}
        print("running");
        let event = events.next("60s");
        while event.kind != "connection_close" {{ event = events.next("60s"); }}
        print(event.kind);
        let gap = events.next("60s");
        while gap.changes.is_empty() {{ gap = events.next("60s"); }}
        let change = gap.changes[0];
        print(`${{gap.kind}} ${{gap.changes.len()}} ${{change.domain}} ${{change.before == ()}} ${{change.after}}`);
        print(dom.state());
        // Until the daemon is frozen, and its silence is noticed.
        try {{
            loop {{ conn.list_all_domains(); sleep("50ms"); }}
        }} catch (err) {{
            print(err.lost_connection);
        }}
        other.lookup_by_name("test").destroy();
        print(calm.next("5s").event);
        let kinds = [];
        let is_off = false;
        while !is_off {{
            let event = events.next("60s");
            if !(event.kind in kinds) {{ kinds.push(event.kind); }}
            if event.kind == "gap" {{
                is_off = event.changes.some(|change| change.domain == "web" && change.after == "shutoff");
            }} else if event.kind == "lifecycle" {{
                is_off = event.domain == "web" && event.event == "stopped";
            }}
        }}
        print(`${{"connection_close" in kinds}} ${{"gap" in kinds}} ${{dom.state()}}`);
        dom.undefine();
        let last = events.next("30s");
        while last.event != "undefined" {{ last = events.next("30s"); }}
        print(`${{last.domain}} ${{last.event}}`);
        "#
    );
    let program = run_as(false, &home).arg("-c").arg(server.uri(false));
    let mut script = Dialogue::of(program.arg("--allow-connect").arg("test:///default"), &code);
    script.says("running");
    // The connection breaks, and can be reopened only after another guest has been defined.
    server.signal(Signal::SIGSTOP);
    SshServer::signal_sessions(&server.sessions(), Signal::SIGKILL);
    script.says("connection_close");
    let idle = xml.replace("<name>web<", "<name>idle<");
    host.ok(&format!("connect().define_xml(`{idle}`);"));
    server.signal(Signal::SIGCONT);
    script.says("gap 1 idle true shutoff");
    script.says("running");
    host.signal(Signal::SIGSTOP);
    end_qemu(host.scratch());
    script.says("true");
    script.says("stopped");
    host.signal(Signal::SIGCONT);
    script.says("true true shutoff");
    script.says("web undefined");
    let (status, errors) = script.ends();
    assert_eq!(status, Some(0), "{errors}\n{}", server.log());
}

#[test]
fn a_subscription_brings_back_a_connection_that_was_lost_for_calls_alone() {
    let host = Daemon::start();
    let Some(server) = SshServer::start(&host) else {
        return;
    };
    let home = Scratch::new();
    let code = r#"
        let conn = connect();
        print("connected");
        while conn.list_all_domains().is_empty() { sleep("20ms"); }
        let dom = conn.lookup_by_name("web");
        let events = conn.events(["lifecycle", "connection_close"], #{ reconnect: true });
        print("watching");
        try {
            loop { conn.list_all_domains(); sleep("20ms"); }
        } catch (err) {
            print(err.lost_connection);
        }
        print(events.next("60s").kind);
        let gap = events.next("60s");
        print(`${gap.kind} ${gap.changes.len()}`);
        print(dom.state());
        dom.undefine();
        let last = events.next("30s");
        print(`${last.domain} ${last.event}`);
    "#;
    let program = run_as(false, &home).arg("-c").arg(server.uri(false));
    let mut script = Dialogue::of(program, code);
    script.says("connected");
    let of_calls = server.sessions();
    let xml = host.micro("counter", "web");
    host.ok(&format!("connect().define_xml(`{xml}`);"));
    script.says("watching");
    SshServer::signal_sessions(&of_calls, Signal::SIGKILL);
    script.says("true");
    script.says("connection_close");
    script.says("gap 0");
    script.says("shutoff");
    script.says("web undefined");
    let (status, errors) = script.ends();
    assert_eq!(status, Some(0), "{errors}\n{}", server.log());
}
