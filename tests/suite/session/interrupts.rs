//! An interrupt stops the running input, and typed text for a program is not taken for an interrupt.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Daemon, Host, PROMPT, Prompt, Terminal, TestHost, virhai};

#[test]
fn ctrl_c_in_a_pager_is_the_pagers() {
    let pager = "cat >/dev/null; trap 'echo caught; exit 0' INT; echo paging; sleep 20 & wait";
    let mut prompt = Prompt::on(TestHost::new(), &[("PAGER", pager), ("NO_COLOR", "1")]);
    prompt
        .terminal
        .types("let list = []; for n in 0..100 { list.push(n) } list\r");
    prompt.terminal.shows("\npaging");
    prompt.terminal.types("\x03");
    prompt.terminal.shows("caught");
    prompt.terminal.line_is(PROMPT);
    assert!(!prompt.terminal.screen().text().contains("stopping"));
    prompt.answers("1 + 1", "2");
}

#[test]
fn piped_input_is_one_script_with_a_scripts_status() {
    let host = TestHost::new();
    let piped = |script: &str| {
        virhai()
            .arg("-c")
            .arg(host.uri())
            .arg("-")
            .script(script)
            .run()
    };
    let good = piped(
        "let conn = connect();\nlet dom = conn.lookup_by_name(\"test\");\ndom.destroy();\ndom.state()",
    );
    assert_eq!(
        (good.status, good.stdout.as_str()),
        (0, "shutoff\n"),
        "nothing is asked: {good}"
    );
    assert_eq!(
        piped("1;\nconnect().lookup_by_name(\"nemo\");\n3").status,
        1
    );
    assert_eq!(piped("let = 5").status, 3);
    assert_eq!(piped("exit(7)").status, 7);
}

/// A terminal with a prompt that reaches `daemon` through a fake `ssh` on this machine, and the
/// URI.
fn over_ssh(daemon: &Daemon) -> (Terminal, String) {
    let run = daemon.path("run");
    // The fake `ssh` runs the remote command itself, as the other machine's `sshd` would.
    let ssh = format!(
        "#!/bin/sh\nfor last; do :; done\nexport XDG_RUNTIME_DIR={run}\nexec sh -c \"$last\"\n"
    );
    let ssh = daemon.scratch().write("my ssh", ssh);
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&ssh, mode).expect("the file is ours");
    let ssh = ssh.display().to_string().replace(' ', "%20");
    let uri = format!("qemu+ssh://far.example/session?mode=legacy&command={ssh}");
    let command = virhai()
        .unprivileged()
        .env("HOME", daemon.path("home"))
        .env("NO_COLOR", "1")
        .arg("-c")
        .arg(&uri)
        .command();
    (Terminal::start(&command), uri)
}

#[test]
fn ctrl_c_stops_what_runs_and_leaves_the_tunnel_of_ssh_alone() {
    let daemon = Daemon::start();
    let (mut terminal, uri) = over_ssh(&daemon);
    let prompt = "far.example> ";
    terminal.line_is(prompt);
    terminal.types(&format!(
        "conn.uri == \"{uri}\" && conn.get_uri() == conn.uri\r"
    ));
    terminal.shows("\ntrue\n");
    terminal.line_is(prompt);
    for (number, endless) in ["sleep(\"1h\")", "conn.wait_event(\"lifecycle\", \"1h\")"]
        .iter()
        .enumerate()
    {
        terminal.types(&format!("print(\"going {number}\"); {endless}\r"));
        terminal.shows(&format!("\ngoing {number}"));
        terminal.types("\x03");
        terminal.until("it is interrupted", |screen| {
            screen.text().matches("error: interrupted").count() == number + 1
        });
        terminal.line_is(prompt);
    }
    terminal.types("`alive: ${conn.is_alive()}, ${conn.list_all_domains().len()} guests`\r");
    terminal.shows("alive: true, 0 guests");
}

#[test]
fn a_prompt_that_is_told_to_end_does_so() {
    let mut prompt = Prompt::open();
    prompt.terminal.types("let half = ");
    prompt.terminal.line_is(&format!("{PROMPT}let half ="));
    let pid = prompt.terminal.pid();
    nix::sys::signal::kill(pid, nix::sys::signal::SIGTERM).expect("it runs");
    assert_eq!(prompt.terminal.ends(), 128 + 15);
}
