//! The runner: input, output and exit status.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::process::Child;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Daemon, Host, Outcome, Run, Scratch, Terminal, TestHost, micro, virhai};

/// A run of the code `code`.
fn code(code: &str) -> Run {
    virhai().arg("-e").arg(code)
}

#[test]
fn the_result_of_a_script_is_printed() {
    assert_eq!(code("40 + 2").ok(), "42\n");
}

#[test]
fn the_script_sees_its_arguments() {
    let scratch = Scratch::new();
    let file = scratch.write("echo.rhai", "print(args.join(\",\"));");
    assert_eq!(
        virhai().arg("run").arg(&file).arg("a").arg("-b").ok(),
        "a,-b\n"
    );
    assert_eq!(
        virhai().arg(&file).arg("a").arg("--json").ok(),
        "a,--json\n"
    );
    assert_eq!(
        virhai().arg("run").arg("-").arg("x").script("args[0]").ok(),
        "x\n"
    );
    assert_eq!(code("args").arg("x").arg("y").ok(), "x\ny\n");
}

#[test]
fn a_script_on_standard_input_needs_no_argument() {
    assert_eq!(virhai().arg("-").script("1 + 1").ok(), "2\n");
    assert_eq!(virhai().arg("run").arg("-").script("1 + 1").ok(), "2\n");
}

#[test]
fn a_shebang_line_counts_as_a_line() {
    let scratch = Scratch::new();
    let file = scratch.write("tool.rhai", "#!/usr/bin/env -S virhai run\n\nnope();\n");
    let outcome = virhai().arg("run").arg(&file).fails(3);
    assert!(outcome.stderr.contains("tool.rhai:3:1"), "{outcome}");
    let outcome = virhai().arg("--no-check").arg("run").arg(&file).fails(1);
    assert!(outcome.stderr.contains("tool.rhai:3:1"), "{outcome}");
    let file = scratch.write("broken.rhai", "#!/usr/bin/env -S virhai run\nlet x = ;\n");
    let outcome = virhai().arg("run").arg(&file).fails(3);
    assert!(outcome.stderr.contains("broken.rhai:2:9"), "{outcome}");
}

#[test]
fn the_exit_status_tells_how_it_ended() {
    code("1").run().expect_status(0);
    code("throw 1").run().expect_status(1);
    code("1 + ").run().expect_status(3);
    code("import \"missing\" as m;").run().expect_status(3);
    code("connect(\"test:///no/such/file.xml\")")
        .run()
        .expect_status(4);
    code("connect(\"nonsense:///\")").run().expect_status(4);
    code("loop {}")
        .arg("--timeout")
        .arg("200ms")
        .run()
        .expect_status(124);
    virhai().arg("--no-such-option").run().expect_status(2);
    virhai().arg("no-such-file.rhai").run().expect_status(2);
    virhai().arg("run").run().expect_status(2);
    virhai()
        .arg("run")
        .arg("-e")
        .arg("1")
        .arg("x.rhai")
        .run()
        .expect_status(2);
    code("1")
        .arg("--timeout")
        .arg("soon")
        .run()
        .expect_status(2);
}

#[test]
fn a_script_can_choose_its_exit_status() {
    for (script, status) in [
        ("exit()", 0),
        ("exit(0)", 0),
        ("exit(7); throw 1", 7),
        ("fn leave() { exit(8) } leave()", 8),
        ("try { exit(9) } catch { }", 9),
        ("[1].map(|x| exit(10))", 10),
        ("parallel([1], 1, |x| exit(11))", 11),
        ("exit(256)", 1),
        ("exit(\"well\")", 1),
    ] {
        let outcome = code(script).run();
        assert_eq!(outcome.status, status, "{script}: {outcome}");
        assert_eq!(outcome.stdout, "", "{script}");
    }
}

#[test]
fn an_imported_script_can_end_the_whole() {
    let scratch = Scratch::new();
    scratch.write("leave.rhai", "fn now() { exit(5) }");
    scratch.write("gone.rhai", "exit(6);");
    let script = "import \"leave\" as leave; leave::now();";
    assert_eq!(
        virhai()
            .folder(scratch.path(""))
            .script(script)
            .run()
            .status,
        5
    );
    let script = "import \"gone\" as gone; throw 1;";
    assert_eq!(
        virhai()
            .folder(scratch.path(""))
            .script(script)
            .run()
            .status,
        6
    );
}

#[test]
fn values_of_every_kind_become_json() {
    let host = TestHost::new();
    for (script, json) in [
        ("()", "null"),
        ("true", "true"),
        ("42", "42"),
        ("1.5", "1.5"),
        ("'x'", "\"x\""),
        ("\"a \\\"b\\\" \\n\"", "\"a \\\"b\\\" \\n\""),
        ("[1, [2], ()]", "[1,[2],null]"),
        ("#{ a: 1, b: #{ c: [] } }", "{\"a\":1,\"b\":{\"c\":[]}}"),
        ("blob(2, 1)", "[1,1]"),
        (
            "connect().list_all_domains()",
            "[{\"id\":1,\"memory_kib\":2097152,\"name\":\"test\",\"state\":\"running\",\"uuid\":\"6695eb01-f6a4-8304-79aa-97f2502e193f\",\"vcpus\":2}]",
        ),
        ("connect().uri.starts_with(\"test:///\")", "true"),
    ] {
        let printed = code(script).arg("--json").arg("-c").arg(host.uri()).ok();
        assert_eq!(printed, format!("{json}\n"), "{script}");
    }
}

#[test]
fn an_error_becomes_json_too() {
    let host = TestHost::new();
    let script = "\nconnect().lookup_by_name(\"none\")";
    let outcome = virhai()
        .arg("--json")
        .arg("-c")
        .arg(host.uri())
        .script(script)
        .fails(1);
    let json: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON on stdout");
    let error = &json["error"];
    assert_eq!(error["at"]["line"], 2, "{json}");
    assert_eq!(error["libvirt"]["code"], "VIR_ERR_NO_DOMAIN", "{json}");
    assert_eq!(error["libvirt"]["call"], "virDomainLookupByName", "{json}");
    let outcome = code("let x = ;").arg("--json").fails(3);
    let json: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON on stdout");
    assert_eq!(json["error"]["at"]["column"], 9, "{json}");
}

#[test]
fn standard_output_has_only_what_was_asked_for() {
    let outcome = code("print(1); 2").arg("--json").run();
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("2\n", "1\n")
    );
    let outcome = code("print(1); 2").arg("-q").run();
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("1\n", "")
    );
    let outcome = code("2").arg("-v").run();
    assert_eq!(outcome.stdout, "2\n");
    assert!(
        outcome.stderr.contains("libvirt") && outcome.stderr.contains("status 0"),
        "{outcome}"
    );
    let outcome = code("throw \"no\"").run();
    assert_eq!(outcome.stdout, "");
    let caught = "try { connect(\"test:///none.xml\") } catch { } ()";
    let outcome = code(caught).run();
    // The XML library of older distributions prints its own message about a missing file.
    let own = |line: &&str| !line.starts_with("I/O warning");
    assert_eq!(outcome.stdout, "");
    assert_eq!(outcome.stderr.lines().find(own), None);
}

#[test]
fn colour_is_used_where_it_is_wanted() {
    let coloured = |run: Run| run.run().stderr.contains("\x1b[");
    assert!(!coloured(code("nope()")), "standard error is no terminal");
    assert!(coloured(code("nope()").arg("--color").arg("always")));
    assert!(coloured(
        code("nope()").arg("--color=always").env("NO_COLOR", "1")
    ));
    assert!(!coloured(code("nope()").arg("--color=never")));
    code("1").arg("--color=purple").run().expect_status(2);
}

#[test]
fn a_terminal_gets_colour_unless_no_color_is_set() {
    let shown = |no_color: &str| {
        let command = code("nope()").env("NO_COLOR", no_color).command();
        let mut terminal = Terminal::start(&command);
        assert_eq!(terminal.ends(), 3);
        terminal.screen().style_of("there is no function")
    };
    assert_ne!(shown(""), "");
    assert_eq!(shown("1"), "");
}

#[test]
fn the_version_names_libvirt_as_compiled_and_as_running() {
    let printed = virhai().arg("--version").ok();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], format!("virhai {}", env!("CARGO_PKG_VERSION")));
    assert!(
        lines[1].starts_with("libvirt ") && lines[1].contains("built with"),
        "{printed}"
    );
}

#[test]
fn readonly_holds_for_every_connection() {
    let host = TestHost::new();
    for open in ["connect()", &format!("connect(\"{}\")", host.uri())] {
        let script = format!("{open}.lookup_by_name(\"test\").destroy()");
        let outcome = code(&script)
            .arg("-c")
            .arg(host.uri())
            .arg("--readonly")
            .fails(1);
        assert!(
            outcome.stderr.contains("VIR_ERR_OPERATION_DENIED"),
            "{outcome}"
        );
    }
}

#[test]
fn the_option_wins_over_the_environment() {
    let (one, two) = (TestHost::new(), TestHost::new());
    let asked = || code("connect().uri").env("LIBVIRT_DEFAULT_URI", one.uri());
    assert_eq!(asked().ok().trim_end(), one.uri());
    assert_eq!(asked().arg("-c").arg(two.uri()).ok().trim_end(), two.uri());
    let named = code(&format!("connect(\"{}\").uri", two.uri()));
    assert_eq!(named.arg("-c").arg(one.uri()).ok().trim_end(), two.uri());
}

/// Starts `run`, does `act` once the script has printed `ready`, and waits for the end.
fn once_ready(run: &Run, act: impl FnOnce(&Child)) -> (Outcome, Duration) {
    let mut child = run.command().spawn().expect("the program can be started");
    drop(child.stdin.take());
    let mut stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("the output is text");
    assert_eq!(line, "ready\n");
    let began = Instant::now();
    act(&child);
    let (mut rest, mut stderr) = (String::new(), String::new());
    stdout
        .read_to_string(&mut rest)
        .expect("the output is text");
    let errors = child.stderr.take().expect("standard error is a pipe");
    BufReader::new(errors)
        .read_to_string(&mut stderr)
        .expect("the output is text");
    let status = child.wait().expect("the program can be waited for");
    let status = status.code().unwrap_or(-1);
    (
        Outcome {
            status,
            stdout: rest,
            stderr,
        },
        began.elapsed(),
    )
}

fn interrupt(child: &Child) {
    std::thread::sleep(Duration::from_millis(100));
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("the program runs");
}

#[test]
fn an_interrupt_stops_whatever_a_script_does() {
    let host = TestHost::new();
    for script in [
        "loop {}",
        "sleep(60)",
        "sleep(60.0)",
        "sleep(\"1m\")",
        "try { sleep(60) } catch { sleep(60) }",
        "connect().lookup_by_name(\"test\").wait(\"shutoff\", \"1m\")",
        "connect().wait_event(\"lifecycle\", \"1m\")",
        "parallel([1, 2], 2, |x| sleep(60))",
        "[1].map(|x| loop {})",
    ] {
        let run = code(&format!("print(\"ready\"); {script}"))
            .arg("-c")
            .arg(host.uri());
        let (outcome, time) = once_ready(&run, interrupt);
        assert_eq!(outcome.status, 130, "{script}: {outcome}");
        assert!(time < Duration::from_secs(3), "{script}: {time:?}");
    }
}

#[test]
fn an_attempt_to_reach_a_silent_port_keeps_to_its_time_and_can_be_interrupted() {
    // A listener whose queue is full does not answer.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    let second = Duration::from_secs(1);
    let queue: Vec<_> = std::iter::from_fn(|| TcpStream::connect_timeout(&address, second).ok())
        .take(100_000)
        .collect();
    let run = |timeout: &str| {
        let script = format!(
            "print(\"ready\"); tcp_answers(\"127.0.0.1\", {}, \"{timeout}\")",
            address.port()
        );
        virhai().arg("--allow-net").arg("*").arg("-e").arg(script)
    };
    let (outcome, _) = once_ready(&run("100ms"), |_| ());
    assert_eq!((outcome.status, outcome.stdout.as_str()), (0, "false\n"));
    let (outcome, time) = once_ready(&run("10m"), interrupt);
    assert_eq!(outcome.status, 130, "{outcome}");
    assert!(time < Duration::from_secs(30), "{time:?}");
    drop(queue);
}

#[test]
fn an_interrupt_aborts_a_long_libvirt_call_and_the_guest_runs_on() {
    let (here, there) = (Daemon::start(), Daemon::start());
    let kernel = here
        .scratch()
        .copy(&micro("hammer.kernel"), "hammer.kernel");
    let xml = format!(
        "<domain type='qemu'><name>web</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>\
         <os><type arch='x86_64' machine='pc'>hvm</type><kernel>{}</kernel></os></domain>",
        kernel.display()
    );
    let script = format!(
        "let dest = connect(\"{}\"); let dom = connect().create_xml(`{xml}`); print(\"ready\"); \
         dom.migrate(dest, VIR_MIGRATE_LIVE, #{{ migrate_uri: \"tcp://127.0.0.1\", bandwidth: 1 }});",
        there.uri()
    );
    let (outcome, time) = once_ready(&here.virhai().arg("-e").arg(script), |child| {
        std::thread::sleep(Duration::from_secs(2));
        interrupt(child);
    });
    assert_eq!(outcome.status, 130, "{outcome}");
    assert!(time < Duration::from_secs(25), "{time:?}");
    assert_eq!(
        here.ok("connect().lookup_by_name(\"web\").state()"),
        "running\n"
    );
}

#[test]
fn a_second_interrupt_leaves_at_once() {
    let daemon = Daemon::start();
    let script = "let conn = connect(); print(\"ready\"); loop { conn.get_capabilities(); }";
    let (outcome, time) = once_ready(&daemon.virhai().arg("-e").arg(script), |child| {
        daemon.signal(Signal::SIGSTOP);
        interrupt(child);
        interrupt(child);
    });
    assert_eq!(outcome.status, 130, "{outcome}");
    assert!(time < Duration::from_secs(2), "{time:?}");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let run = code("print(\"ready\"); for i in range(0, 100_000) { print(i); } 1");
    let mut child = run.command().spawn().expect("the program can be started");
    drop(child.stdout.take());
    let output = child
        .wait_with_output()
        .expect("the program can be waited for");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""));
}

#[test]
fn a_syntax_error_three_imports_deep_is_found_before_anything_connects() {
    let scratch = Scratch::new();
    scratch.write(
        "main.rhai",
        "let conn = connect();\nimport \"one\" as one;\n",
    );
    scratch.write("one.rhai", "import \"two\" as two;\n");
    scratch.write("two.rhai", "import \"three\" as three;\n");
    scratch.write("three.rhai", "fn f() {\n  let x = ;\n}\n");
    let socket = scratch.path("sock");
    let listener = UnixListener::bind(&socket).expect("the folder is ours");
    listener
        .set_nonblocking(true)
        .expect("sockets can be asked");
    let uri = format!("qemu+unix:///session?socket={}", socket.display());
    let outcome = virhai()
        .arg("-c")
        .arg(uri)
        .arg(scratch.path("main.rhai"))
        .fails(3);
    for place in [
        "three.rhai:2:11",
        "two.rhai:1:8",
        "one.rhai:1:8",
        "main.rhai:2:8",
    ] {
        assert!(outcome.stderr.contains(place), "{place}: {outcome}");
    }
    assert!(listener.accept().is_err(), "nothing connected");
}

impl Outcome {
    fn expect_status(&self, status: i32) {
        assert_eq!(self.status, status, "{self}");
    }
}

#[test]
fn output_that_is_lost_is_a_failure_and_a_reader_who_left_is_none() {
    let full = || {
        std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("every Linux has it")
    };
    for code in ["print(1)", "1 + 1"] {
        let status = virhai()
            .arg("-e")
            .arg(code)
            .command()
            .stdout(full())
            .stderr(full())
            .status()
            .expect("it starts");
        assert_eq!(status.code(), Some(1), "{code}");
    }
}

#[test]
fn the_time_limit_counts_while_standard_input_does_not_end() {
    let run = virhai().arg("--timeout=300ms").arg("run").arg("-");
    let mut child = run.command().spawn().expect("the program starts");
    let input = child.stdin.take();
    assert_eq!(child.wait().expect("it ends").code(), Some(124));
    drop(input);
}
