//! The display of long waits: for hosts, for calls and for guests.

use std::os::unix::net::UnixListener;

use nix::sys::signal::Signal;

use crate::support::{Daemon, Embed, Host, Scratch, Terminal, virhai};

const SLEEP: &str = "print(\"begun\"); sleep(3.5); print(\"done\"); sleep(0.1)";

/// The program on a terminal, with a home of its own.
fn terminal(home: &Scratch, args: &[&str]) -> Terminal {
    let run = virhai().env("HOME", home.path("")).env("NO_COLOR", "1");
    let run = args.iter().fold(run, |run, arg| run.arg(arg));
    Terminal::start(&run.command())
}

#[test]
fn a_long_wait_is_told_on_a_terminal_only_and_its_row_goes_away() {
    let home = Scratch::new();
    let mut shown = terminal(&home, &["-c", "test:///default", "-e", SLEEP]);
    let mut quiet = terminal(&home, &["-q", "-c", "test:///default", "-e", SLEEP]);
    let piped = |verbose: &str| virhai().arg(verbose).arg("-e").arg(SLEEP).run();
    let (plain, verbose) = std::thread::scope(|scope| {
        let plain = scope.spawn(|| piped("--color=never"));
        let verbose = scope.spawn(|| piped("-v"));
        shown.waits_for("sleep for 3s 500ms");
        assert!(shown.screen().text().starts_with("begun\nwaiting"));
        (plain.join(), verbose.join())
    });
    assert_eq!(shown.ends(), 0);
    assert_eq!(shown.screen().text(), "begun\ndone");
    assert_eq!(quiet.ends(), 0);
    assert_eq!(quiet.screen().text(), "begun\ndone");
    assert!(!String::from_utf8_lossy(quiet.raw()).contains("waiting"));
    let plain = plain.expect("the thread ends");
    assert_eq!(
        (plain.stdout.as_str(), plain.stderr.as_str()),
        ("begun\ndone\n", "")
    );
    let verbose = verbose.expect("the thread ends");
    assert_eq!(verbose.stdout, "begun\ndone\n");
    let told = "waiting: sleep for 3s 500ms\n";
    assert_eq!(verbose.stderr.matches(told).count(), 1, "{verbose}");
}

#[test]
fn a_call_that_takes_long_is_told_with_its_object_and_host() {
    let daemon = Daemon::start();
    daemon.ok(
        "connect().define_xml(`<domain type='qemu'><name>web</name><memory>32768</memory>\
        <os><type arch='x86_64' machine='pc'>hvm</type></os></domain>`);",
    );
    let mut terminal = Terminal::start(&daemon.virhai().env("NO_COLOR", "1").command())
        .replacing(daemon.uri(), "URI");
    let prompt = "qemu:session> ";
    terminal.line_is(prompt);
    terminal.types("let dom = conn.lookup_by_name(\"web\")\r");
    terminal.until("it ran", |screen| {
        screen.text().contains("\"web\")\n") && screen.cursor_line() == prompt.trim()
    });
    terminal.types("conn.set_keep_alive(0, 0)\r");
    terminal.until("it ran", |screen| {
        screen.text().contains("(0, 0)\n") && screen.cursor_line() == prompt.trim()
    });
    daemon.signal(Signal::SIGSTOP);
    terminal.types("dom.set_autostart(true); `it is ${dom.autostart()}`\r");
    terminal.until("the call is told", |screen| {
        let row = screen.cursor_line();
        row.starts_with("waiting ") && row.contains(" s: ") && row.contains("domain `web`")
    });
    daemon.signal(Signal::SIGCONT);
    terminal.shows("\nit is true\n");
    terminal.line_is(prompt);
    assert!(!terminal.screen().text().contains("waiting"));
}

#[test]
fn a_silent_host_keeps_nobody_from_the_prompt() {
    let home = Scratch::new();
    let socket = home.path("silent");
    let _silent = UnixListener::bind(&socket).expect("the socket is new");
    let uri = format!("qemu+unix:///session?socket={}", socket.display());
    let mut terminal = terminal(&home, &["--connect-timeout", "7s", "-c", &uri]);
    terminal.waits_for("connect to qemu+unix:///session");
    terminal.shows("\n`conn` will be its connection; `:connect URI` opens another host\n");
    terminal.line_is("virhai> ");
    terminal.types("40 + 2\r");
    terminal.shows("\n42\n");
    terminal.line_is("virhai> ");
    terminal.types("let typed = ");
    terminal.shows("no answer within 7s");
    terminal.line_is("virhai> let typed =");
    terminal.types("7; typed\r");
    terminal.shows("\n7\n");
    let text = terminal.screen().text();
    assert!(!text.contains("https://libvirt.org/uri.html"), "{text}");
    assert!(!text.contains(" s: connect"), "{text}");
    // The prompt waits for a host that `:connect` names, and Ctrl-C ends that wait.
    terminal.types(&format!(":connect {uri}\r"));
    terminal.waits_for("connect to qemu+unix:///session");
    terminal.types("\x03");
    terminal.shows("error: interrupted");
    terminal.line_is("virhai> ");
    let text = terminal.screen().text();
    assert!(
        !text.contains("note:") && !text.contains(" s: connect"),
        "{text}"
    );
    terminal.types(":connect test:///default\r");
    terminal.line_is("test> ");
}

#[test]
fn a_host_that_answers_late_becomes_conn() {
    let daemon = Daemon::start();
    daemon.signal(Signal::SIGSTOP);
    let mut terminal = Terminal::start(&daemon.virhai().env("NO_COLOR", "1").command());
    terminal.shows("\n`conn` will be its connection; `:connect URI` opens another host\n");
    terminal.line_is("virhai> ");
    terminal.types("conn");
    daemon.signal(Signal::SIGCONT);
    terminal.shows("`conn` is the connection");
    terminal.line_is("virhai> conn");
    terminal.types(".list_all_domains().len()\r");
    terminal.shows("\n0\n");
    terminal.line_is("qemu:session> ");
}

#[test]
fn the_progress_of_a_block_job_is_a_row_and_a_report_shows_the_guest_of_a_failed_step() {
    let host = Embed::new();
    let disk = host.scratch().write("data.img", "data\n".repeat(1 << 20));
    let devices = format!(
        "<disk type='file'><source file='{}'/><target dev='hdb' bus='ide'/></disk>\
         <video><model type='vga'/></video><serial",
        disk.display()
    );
    // libvirt takes a name that would reorder the row.
    let guest = host.micro("counter", "w\u{202e}eb");
    let guest = guest.replacen("<serial", &devices, 1);
    let (copy, report) = (host.path("copy.img"), host.path("run.json"));
    let script = format!(
        r#"let conn = connect();
        let dom = conn.create_xml(`{guest}`);
        let console = dom.open_console();
        console.wait("MG:c=", "30s");
        print("begun");
        conn.wait_event(#{{ kind: "block_job", domain: dom, disk: "hdb", status: "ready" }}, "60s", || {{
            dom.block_copy("hdb", `<disk type="file"><driver type="raw"/><source file="{copy}"/></disk>`,
                #{{ bandwidth: "1MiB" }}, VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB)
        }});
        print("done");
        step("change", || {{
            dom.block_job_abort("hdb", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT);
            all_or_nothing(|undo| {{
                undo.push(|| dom.destroy());
                throw "no luck";
            }});
        }});"#
    );
    let run = host.virhai().env("NO_COLOR", "1").arg("--report");
    let run = run.arg(&report).arg("-e").arg(&script);
    let mut terminal = Terminal::sized(&run.command(), 24, 150);
    terminal.until("the progress is shown", |screen| {
        let row = screen.cursor_line();
        row.starts_with("the job of disk `hdb` of domain `w<U+202E>eb` on qemu:///embed")
            && row.contains(" MiB of 5.0 MiB, ")
            && row.contains("/s, ")
            && row.ends_with(" left")
    });
    assert_eq!(terminal.ends(), 1, "{}", terminal.screen().text());
    let text = terminal.screen().text();
    assert!(
        text.starts_with("begun\ndone\nchange: begins\nchange: failed after"),
        "{text}"
    );
    assert!(!text.contains(" %, "), "{text}");
    let raw = String::from_utf8_lossy(terminal.raw()).into_owned();
    assert!(!raw.contains('\u{202e}'), "{raw}");
    assert!(raw.matches(" %, ").count() >= 2, "{raw}");

    let report = std::fs::read_to_string(report).expect("the report is there");
    let report: serde_json::Value = serde_json::from_str(&report).expect("it is JSON");
    let step = &report["steps"][0];
    assert_eq!(step["state"], "failed", "{report}");
    let change = &step["definitions"][0];
    assert_eq!(change["call"], "virDomainBlockJobAbort", "{report}");
    let differences = change["differences"].as_array().expect("it is an array");
    let file =
        |one: &&serde_json::Value| one["path"] == "devices/disk[target/@dev='hdb']/source/@file";
    let differs = differences.iter().find(file).expect("the file differs");
    assert!(
        differs["to"]
            .as_str()
            .is_some_and(|to| to.ends_with("/copy.img")),
        "{report}"
    );
    // This data is from before the undo, which destroys the guest.
    let guest = &step["guests"][0];
    let console = guest["console"].as_str().expect("the run has opened it");
    assert!(console.contains("MG:c="), "{report}");
    let screen = guest["screen"].as_str().expect("the guest has a screen");
    assert!(
        screen.starts_with("iVBORw0KGgo"),
        "it is a PNG file: {screen}"
    );
}
