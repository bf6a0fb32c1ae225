//! Waiting for guests, and stopping them reliably.

use std::io::{BufRead, BufReader};

use crate::support::{Daemon, Host, TestHost, virhai};

fn on_test_host(script: &str) {
    let host = TestHost::new();
    let begin = "let conn = connect(); let dom = conn.lookup_by_name(\"test\");";
    virhai()
        .arg("-c")
        .arg(host.uri())
        .script(format!("{begin}{script}"))
        .ok();
}

/// Functions for all scripts below.
const THROWN: &str = r#"
    fn thrown(action) {
        let error = ();
        try { action.call(); } catch (err) { error = err; }
        assert(error != (), "nothing was thrown");
        error
    }
"#;

#[test]
fn a_wait_for_what_is_already_so_ends_at_once() {
    on_test_host(
        r#"
        assert_eq(dom.wait("running", 0).state, "running");
        dom.destroy();
        assert_eq(dom.wait(["paused", "shutoff"], 0), #{ state: "shutoff", reason: "destroyed", gone: false });
        "#,
    );
}

#[test]
fn a_wait_in_vain_says_what_it_waited_for_and_saw_last() {
    on_test_host(&format!(
        r#"{THROWN}
        let error = thrown(|| dom.wait(["shutoff", "crashed"], "50ms"));
        assert_eq(error.code, "VIR_ERR_OPERATION_TIMEOUT");
        assert(error.message.contains("50ms"), error.message);
        assert(error.message.contains("shutoff or crashed"), error.message);
        assert(error.message.contains("running"), error.message);
        "#
    ));
}

#[test]
fn a_state_or_an_event_that_does_not_exist_is_answered_with_the_nearest() {
    on_test_host(&format!(
        r#"{THROWN}
        let word = "shut" + "of"; assert(thrown(|| dom.wait(word, 1)).hint.contains("shutoff"));
        assert(thrown(|| dom.wait([], 1)).message.contains("empty"));
        let number = parse_json("5"); assert(thrown(|| dom.wait(number, 1)).message.contains("state"));
        let time = "soon"; assert(thrown(|| dom.wait("running", time)).message.contains("duration"));
        let word = "lifecicle"; assert(thrown(|| conn.wait_event(word, 1)).hint.contains("lifecycle"));
        let filter = #{{}}; filter["ev" + "nt"] = "stopped"; assert(thrown(|| conn.wait_event(filter, 1)).hint.contains("event"));
        "#
    ));
}

#[test]
fn an_event_is_caught_that_its_action_causes_at_once() {
    on_test_host(
        r#"
        let event = conn.wait_event(#{ event: "suspended", domain: "test" }, "10s", || dom.suspend());
        assert_eq(event.kind, "lifecycle");
        assert_eq(event.detail, "paused");
        assert_eq(event.uuid, dom.uuid);
        "#,
    );
}

#[test]
fn a_wait_does_not_ask_again_and_again() {
    let host = TestHost::new();
    let wait = virhai()
        .arg("-c")
        .arg(host.uri())
        .arg("-e")
        .arg("try { connect().lookup_by_name(\"test\").wait(\"shutoff\", \"1500ms\") } catch {}")
        .command();
    // The shell reports the processor time of this child alone, whatever other tests run at the
    // same time.
    let output = std::process::Command::new("bash")
        .args(["-c", "TIMEFORMAT='%U %S'; time \"$@\"", "bash"])
        .arg(wait.get_program())
        .args(wait.get_args())
        .output()
        .expect("there is a shell");
    let told = String::from_utf8_lossy(&output.stderr);
    let used: f64 = told
        .split_whitespace()
        .map(|seconds| seconds.parse::<f64>().expect("two figures"))
        .sum();
    assert!(
        used < 1.0,
        "a second and a half of waiting costs far less than a second of work: {used}"
    );
}

#[test]
fn the_end_of_a_transient_guest_is_its_outcome() {
    let host = Daemon::start();
    let off = host.micro("poweroff", "off");
    let unplugged = host.micro("counter", "unplugged");
    let crashed = host.micro("counter", "crashed");
    host.ok(&format!(
        r#"{THROWN}
        let conn = connect();
        let off = conn.create_xml(`{off}`, VIR_DOMAIN_START_PAUSED);
        let ends = parallel(["wait", "go"], 2, |what| if what == "wait" {{ off.wait("shutoff", "60s") }} else {{ sleep("100ms"); off.resume(); #{{}} }});
        assert_eq(ends[0].reason, "shutdown");
        off.wait("undefined", "30s");
        assert_eq(conn.list_all_domains().len(), 0);

        let dom = conn.create_xml(`{unplugged}`);
        let ends = parallel(["wait", "go"], 2, |what| if what == "wait" {{ dom.wait("undefined", "60s") }} else {{ sleep("100ms"); dom.destroy(); #{{}} }});
        assert_eq(ends[0], #{{ state: "undefined", reason: "destroyed", gone: true }});
        // A domain that is gone can never run again.
        assert_eq(thrown(|| dom.wait("running", "30s")).code, "VIR_ERR_NO_DOMAIN");
        "#
    ));
    host.ok(&format!("connect().create_xml(`{crashed}`);"));
    let pid = std::fs::read_to_string(host.scratch().path("run/libvirt/qemu/run/crashed.pid"))
        .expect("its pid file");
    let pid = nix::unistd::Pid::from_raw(pid.trim().parse().expect("a pid"));
    // The first wait subscribes to events, since QEMU may die before the second wait.
    let script = r#"
        let dom = connect().lookup_by_name("crashed");
        dom.wait("running", "30s");
        print("watching");
        let end = dom.wait(["shutoff", "crashed"], "60s");
        print(end.reason);
    "#;
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
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("QEMU can be killed");
    output
        .read_line(&mut line)
        .expect("the script speaks again");
    assert_eq!(
        line, "watching\nfailed\n",
        "libvirt's word for a QEMU that died"
    );
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_guest_that_does_not_listen_is_unplugged_or_left_as_asked() {
    let host = Daemon::start();
    let hang = host.micro("hang", "hang");
    host.ok(&format!(
        r#"{THROWN}
        let conn = connect();
        let dom = conn.create_xml(`{hang}`);
        let error = thrown(|| dom.stop(#{{ shutdown: "500ms", agent: "1s", destroy: false }}));
        assert_eq(error.code, "VIR_ERR_OPERATION_TIMEOUT");
        assert_eq(dom.state(), "running");
        let stopped = dom.stop(#{{ shutdown: "500ms", agent: "1s" }});
        assert_eq(stopped.by, "destroy");
        assert_eq(stopped.gone, true);
        let wrong = #{{}};
        wrong["shutdwon"] = 1;
        assert(thrown(|| dom.stop(wrong)).hint.contains("shutdown"));
        "#
    ));
}

#[test]
fn a_guest_that_turns_power_off_into_a_boot_is_named_as_the_cause() {
    let host = Daemon::start();
    let xml = host.micro("counter", "web").replace(
        "<on_poweroff>destroy</on_poweroff>",
        "<on_poweroff>restart</on_poweroff>",
    );
    host.ok(&format!(
        r#"{THROWN}
        let dom = connect().create_xml(`{xml}`);
        dom.open_console().wait("MG:c=", "30s");
        // 41, 32: its own power-off is a reboot.
        dom.shutdown();
        let error = thrown(|| dom.wait("shutoff", "3s"));
        assert(error.hint.contains("on_poweroff"), error.hint);
        dom.destroy();
        "#
    ));
}
