//! QEMU's guest agent, in a Linux guest.

use crate::support::{Daemon, Embed, Host, agent_xml, micro};

/// Functions for all scripts below. The wait for the agent allows a slow boot on a busy machine.
const THROWN: &str = r#"
    fn thrown(action) {
        let error = ();
        try { action.call(); } catch (err) { error = err; }
        assert(error != (), "nothing was thrown");
        error
    }
    fn boot(conn, xml) {
        let dom = conn.define_xml(xml);
        conn.wait_event(#{ kind: "agent_lifecycle", state: "connected" }, "4m", || dom.create());
        dom
    }
"#;

/// Runs a script with a guest `dom` whose agent is up.
fn with_agent(change: fn(String) -> String, script: &str) -> (Embed, String) {
    let host = Embed::new();
    let xml = change(agent_xml(host.scratch(), "web", ""));
    let printed = host.ok(&format!(
        "{THROWN} let conn = connect(); let dom = boot(conn, `{xml}`);\n{script}\ndom.destroy();"
    ));
    (host, printed)
}

#[test]
fn an_agent_that_comes_and_goes_is_told_by_events() {
    let host = Embed::new();
    let xml = agent_xml(host.scratch(), "web", "");
    host.ok(&format!(
        r#"
        let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        let came = conn.wait_event(#{{ kind: "agent_lifecycle", domain: dom }}, "4m", || dom.create());
        assert_eq([came.state, came.reason], ["disconnected", "domain_started"]);
        let came = conn.wait_event(#{{ kind: "agent_lifecycle", domain: dom }}, "4m");
        assert_eq([came.state, came.reason], ["connected", "channel"]);
        let gone = conn.wait_event(#{{ kind: "agent_lifecycle", state: "disconnected" }}, "4m",
            || dom.agent("guest-exec", #{{ path: "/bin/sh", arg: ["-c", "sleep 1; killall qemu-ga"] }}));
        assert_eq(gone.reason, "channel");
        dom.destroy();
        "#
    ));
}

/// A program runs in the guest; its output and exit status are returned.
const PROGRAM: &str = r#"
    let ran = dom.agent_exec(["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert_eq(ran, #{ exit_status: 3, signal: (), stdout: "out\n", stderr: "err\n", truncated: false });
    let ran = dom.agent_exec(["/bin/sh", "-c", "kill -9 $$"]);
    assert_eq([ran.exit_status, ran.signal], [(), 9]);
    let options = #{ input: "a\nb\n".to_blob(), env: #{ WHO: "web" } };
    assert_eq(dom.agent_exec(["/bin/sh", "-c", "wc -l; echo $WHO"], options).stdout, "2\nweb\n");
    assert_eq(dom.agent_exec(["/bin/echo", "$HOME", "a b"]).stdout, "$HOME a b\n");

    let error = thrown(|| dom.agent_exec(["/bin/sleep", "100"], #{ timeout: "200ms" }));
    assert_eq(error.code, "VIR_ERR_OPERATION_TIMEOUT");
    assert_eq(error.action, "run `/bin/sleep` in domain `web`");
    let pid = error.message.split(" ").pop();
    assert_eq(dom.agent_exec(["/bin/kill", pid]).exit_status, 0);

    assert(thrown(|| dom.agent_exec(["/no/such/program"])).message.contains("guest-exec"));
    assert(thrown(|| dom.agent_exec([])).message.contains("empty"));
    assert(thrown(|| dom.agent_exec([1])).message.contains("list of texts"));
    // An empty map, which the check before the run cannot follow.
    let options = #{};
    options["timout"] = 1;
    assert(thrown(|| dom.agent_exec(["/bin/true"], options)).hint.contains("timeout"));
"#;

/// A refusal of the agent is an error like any other.
const REFUSAL: &str = r#"
    let error = thrown(|| dom.agent("guest-frobnicate"));
    assert_eq(error.action, "run `guest-frobnicate` of the agent of domain `web`");
    assert_eq(error.call, "virDomainQemuAgentCommand");
    assert(error.message.contains("guest-frobnicate"), error.message);
    let error = thrown(|| dom.agent("guest-file-open", #{ path: "/no/such/file" }));
    assert(error.message.contains("/no/such/file"), error.message);
    assert(thrown(|| dom.agent("guest-sync")).message.contains("id"));
    // The agent is well after all of that.
    assert_eq(dom.agent("guest-sync", #{ id: 1234567890123 }), 1234567890123);
"#;

/// The agent's nested report about the guest.
const DESCRIPTION: &str = r#"
    let info = dom.guest_info();
    assert(info.os.kernel_release.contains("."), info.to_string());
    assert_eq(info.user, []);
    assert_eq(info.timezone.offset_s, 0);
    let fs = info.fs[0];
    assert_eq([fs.mountpoint, fs.name, fs.disk[0].alias], ["/mnt", "vda", "vda"]);
    assert(fs.total_bytes > 8_000_000);
    assert_eq(dom.guest_info(VIR_DOMAIN_GUEST_INFO_TIMEZONE).keys(), ["timezone"]);
    assert_eq(dom.fs_info(), [#{ mountpoint: "/mnt", name: "vda", fstype: "ext4", devices: ["vda"] }]);

    assert_eq(dom.guest_vcpus(), #{ vcpus: "0-1", online: "0-1", offlinable: "1" });
    dom.set_guest_vcpus("1", false);
    assert_eq(dom.guest_vcpus().online, "0");
    assert_eq(dom.agent_exec(["/bin/nproc"]).stdout, "1\n");
    dom.set_guest_vcpus("1", true);
    assert_eq(dom.guest_vcpus().online, "0-1");

    let cards = dom.interface_addresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT);
    assert(cards.lo.addrs.is_empty() || cards.lo.addrs[0].addr == "127.0.0.1", cards.to_string());
"#;

/// A frozen file system holds its writers until it is thawed.
const FREEZE: &str = r#"
    assert_eq(dom.fs_freeze(), 1);
    assert_eq(dom.agent("guest-fsfreeze-status"), "frozen");
    // Meanwhile the agent accepts only the thaw.
    assert(thrown(|| dom.agent("guest-exec", #{ path: "/bin/true" })).message.contains("guest-exec"));
    assert_eq(dom.fs_thaw(), 1);
    assert_eq(dom.agent("guest-fsfreeze-status"), "thawed");
    assert_eq(dom.fs_freeze(["/mnt"]), 1);
    assert_eq(dom.fs_thaw((), 0), 1);
    dom.fs_trim();
    dom.fs_trim((), "64KiB");
    assert_eq(dom.agent_exec(["/bin/sh", "-c", "echo kept >/mnt/file; cat /mnt/file"]).stdout, "kept\n");
"#;

/// Passwords and keys are set in the guest.
const ACCOUNTS: &str = r#"
    dom.set_user_password("root", "secret");
    dom.set_user_password("web", "$6$salt$hash", VIR_DOMAIN_PASSWORD_ENCRYPTED);
    assert_eq(dom.agent_exec(["/bin/grep", "^web:", "/etc/shadow"]).stdout.split(":")[1], "$6$salt$hash");
    dom.authorized_ssh_keys_set("root", ["ssh-ed25519 AAAA me", "ssh-ed25519 BBBB you"]);
    dom.authorized_ssh_keys_set("root", ["ssh-ed25519 AAAA me"], VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE);
    assert_eq(dom.authorized_ssh_keys_get("root"), ["ssh-ed25519 BBBB you"]);
    let file = dom.agent_exec(["/bin/cat", "/root/.ssh/authorized_keys"]).stdout;
    assert_eq(file.split("\n")[0], "ssh-ed25519 BBBB you");
    assert(thrown(|| dom.authorized_ssh_keys_get("nemo")).message.contains("nemo"));
"#;

/// The agent sets the clock of its guest and turns it off.
const CLOCK: &str = r#"
    dom.set_time(#{ seconds: 1_000_000_000 });
    let now = dom.get_time().seconds;
    assert(now >= 1_000_000_000 && now < 1_000_000_100, now.to_string());
    let year = dom.agent_exec(["/bin/date", "-u", "+%Y"]);
    assert_eq(year.stdout, "2001\n");
    dom.agent_exec(["/bin/date", "-s", "2020-01-01 00:00"]);
    dom.set_time(#{}, VIR_DOMAIN_TIME_SYNC);
    assert_eq(dom.agent_exec(["/bin/date", "-u", "+%Y"]).stdout, "2001\n");
    assert(dom.hostname(VIR_DOMAIN_GET_HOSTNAME_AGENT) != "");
    let stopped = dom.stop(#{ shutdown: 0, agent: "4m", destroy: false });
    assert_eq([stopped.by, stopped.reason], ["agent", "shutdown"]);
    dom.create();
"#;

/// One guest for all requests, since each boot takes seconds of processor time.
#[test]
fn every_request_to_the_agent_takes_effect_in_the_guest() {
    let scripts = [PROGRAM, REFUSAL, DESCRIPTION, FREEZE, ACCOUNTS, CLOCK];
    let (host, _) = with_agent(
        |xml| xml.replace("<vcpu>1</vcpu>", "<vcpu>2</vcpu>"),
        &scripts.map(|script| format!("{{{script}}}")).concat(),
    );
    let console = host.console("web");
    for told in [
        "password of root: 6 characters",
        "password of web: hashed 12 characters",
        "shutdown -h",
    ] {
        assert!(console.contains(told), "{told}: {console}");
    }
}

#[test]
fn a_guest_without_an_agent_says_what_it_lacks() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    let channel =
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";
    let deaf = xml
        .replace("<name>web", "<name>deaf")
        .replace("<serial", &format!("{channel}<serial"));
    host.ok(&format!(
        r#"{THROWN}
        let conn = connect();
        let dom = conn.create_xml(`{xml}`);
        let error = thrown(|| dom.agent("guest-ping"));
        assert_eq(error.code, "VIR_ERR_ARGUMENT_UNSUPPORTED");
        assert(error.hint.contains("org.qemu.guest_agent.0"));
        dom.destroy();
        let dom = conn.create_xml(`{deaf}`);
        let error = thrown(|| dom.agent_exec(["/bin/true"]));
        assert_eq(error.code, "VIR_ERR_AGENT_UNRESPONSIVE");
        assert(error.hint.contains("qemu-guest-agent"));
        "#
    ));
}

#[test]
fn an_agent_that_does_not_answer_is_given_up() {
    let host = Daemon::start();
    let xml = agent_xml(host.scratch(), "web", "");
    host.ok(&format!(
        r#"{THROWN}
        let conn = connect();
        let dom = boot(conn, `{xml}`);
        let console = dom.open_console();
        let halt = "sleep 1; killall -STOP qemu-ga; echo AGENT-HALTED >/dev/console";
        dom.agent("guest-exec", #{{ path: "/bin/sh", arg: ["-c", halt] }});
        console.wait("AGENT-HALTED", "4m");
        let error = thrown(|| dom.agent("guest-ping", #{{}}, "1s"));
        // libvirt 10.0 has the one word, others have the other.
        assert(["VIR_ERR_AGENT_COMMAND_TIMEOUT", "VIR_ERR_AGENT_UNRESPONSIVE"].contains(error.code), error.code);
        let error = thrown(|| dom.agent_exec(["/bin/true"]));
        assert_eq(error.code, "VIR_ERR_AGENT_UNRESPONSIVE");
        dom.destroy();
        "#
    ));
}

#[test]
fn a_guest_goes_to_sleep_through_its_agent_and_is_woken() {
    with_agent(
        |xml| {
            xml.replace(
                "<features>",
                "<pm><suspend-to-mem enabled='yes'/></pm><features>",
            )
        },
        r#"
        let slept = conn.wait_event(#{ kind: "pm_suspend", domain: dom }, "4m",
            || dom.pm_suspend_for_duration(VIR_NODE_SUSPEND_TARGET_MEM, 0));
        assert_eq(dom.wait("pmsuspended", "10s").state, "pmsuspended");
        conn.wait_event(#{ kind: "pm_wakeup", domain: dom }, "4m", || dom.pm_wakeup());
        assert_eq(dom.wait("running", "10s").reason, "wakeup");

        // A guest that sleeps is woken to be asked.
        import "std/ready" as ready;
        ready::wait_for(dom, #{ agent: true, timeout: "4m" });
        dom.pm_suspend_for_duration(VIR_NODE_SUSPEND_TARGET_MEM, 0);
        dom.wait("pmsuspended", "10s");
        let stopped = dom.stop(#{ shutdown: "4m", agent: 0, destroy: false });
        assert_eq([stopped.by, stopped.reason, stopped.resumed], ["shutdown", "shutdown", true]);
        dom.create();
        "#,
    );
}

#[test]
fn a_program_that_does_not_end_holds_no_script_longer_than_it_may() {
    let host = Daemon::start();
    let xml = agent_xml(host.scratch(), "web", "");
    host.ok(&format!("{THROWN} boot(connect(), `{xml}`);"));
    let sleep =
        r#"connect().lookup_by_name("web").agent_exec(["/bin/sleep", "600"], #{ timeout: "10m" })"#;
    let began = std::time::Instant::now();
    let run = host.virhai().arg("--timeout").arg("2s");
    run.arg("-e").arg(sleep).fails(124);
    assert!(
        began.elapsed().as_secs() < 10,
        "the time limit ends the wait"
    );
    host.ok(r#"assert_eq(connect().lookup_by_name("web").agent("guest-ping"), #{});"#);
}

#[test]
fn a_guest_that_dies_takes_its_program_with_it() {
    let host = Daemon::start();
    let xml = agent_xml(host.scratch(), "web", "");
    host.ok(&format!(
        r#"{THROWN}
        let dom = boot(connect(), `{xml}`);
        let error = thrown(|| dom.agent_exec(["/sbin/shutdown", "-h"], #{{ timeout: "4m" }}));
        // libvirt's code depends on what it notices first: the agent's end, its channel's, or QEMU's.
        assert_eq(error.call, "virDomainQemuAgentCommand");
        assert(!error.lost_connection);
        assert_eq(dom.wait("shutoff", "30s").reason, "shutdown");
        "#
    ));
}

/// `hold(dom, seconds)` makes the guest keep its CD drive open, which locks the tray; `open` is the
/// XML of the drive without its medium.
const CD: &str = r#"
    fn hold(dom, seconds) {
        // Ubuntu's kernel does not lock a drive that is open, unless it is told to.
        // The redirections are a subshell's, which saves no copies of what they replace: with one of
        // those the program's output would not end before the sleep does.
        let held = `echo 1 >/proc/sys/dev/cdrom/lock; (sleep ${seconds}) </dev/sr0 >/dev/null 2>&1 & until [ "$(readlink /proc/$!/fd/0)" = /dev/sr0 ]; do sleep 0.1; done; jobs`;
        assert(dom.agent_exec(["/bin/sh", "-c", held]).stdout.contains("Running"));
    }
    let iso = || dom.xml().get("devices/disk[@device='cdrom']/source/@file", ());
    let open = dom.xml().select("devices/disk[@device='cdrom']")[0];
    open.remove("source");
    open.remove("backingStore");
    open = open.to_string();
"#;

fn with_cd(xml: String) -> String {
    let iso = micro("hello.iso");
    let drive = format!(
        "<disk type='file' device='cdrom'><source file='{}'/><target dev='hdc' bus='ide'/><readonly/></disk>",
        iso.display()
    );
    xml.replace("<channel", &format!("{drive}<channel"))
}

#[test]
fn a_medium_is_taken_out_once_the_guest_unlocks_its_drive() {
    with_agent(
        with_cd,
        &format!("{CD} hold(dom, 2); dom.update_device(open); assert_eq(iso.call(), ());"),
    );
}

#[test]
fn a_medium_that_the_guest_keeps_locked_stays_and_the_hint_names_the_flag() {
    with_agent(
        with_cd,
        &format!(
            r#"{CD}
            hold(dom, 60);
            let error = thrown(|| dom.update_device(open));
            assert(error.hint.contains("VIR_DOMAIN_DEVICE_MODIFY_FORCE"), error.hint);
            assert(iso.call() != ());
            dom.update_device(open, VIR_DOMAIN_DEVICE_MODIFY_FORCE | VIR_DOMAIN_AFFECT_LIVE);
            assert_eq(iso.call(), ());"#
        ),
    );
}
