//! Hosts behind a real `sshd`, for root and for an ordinary user.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{
    Daemon, Run, Scratch, SshServer, Terminal, path_with_ssh, skip, ssh_clients, ssh_uri, virhai,
};

/// The users that virhai runs as: an ordinary one, and root where the tests run as root.
fn users() -> Vec<bool> {
    match nix::unistd::geteuid().is_root() {
        true => vec![false, true],
        false => {
            skip("only root can see how root fares");
            vec![false]
        }
    }
}

pub(super) fn run_as(root: bool, home: &Scratch) -> Run {
    let run = virhai()
        .env("HOME", home.path(""))
        .env("NO_COLOR", "1")
        // No agent and no graphical question.
        .env("PATH", path_with_ssh(home))
        .env("SSH_AUTH_SOCK", "")
        .env("DISPLAY", "");
    match root {
        true => run,
        false => run.unprivileged(),
    }
}

/// The existing folders of scripts for `ssh`.
fn script_folders() -> Vec<std::ffi::OsString> {
    let files = std::fs::read_dir("/tmp").expect("it can be read").flatten();
    let names = files.map(|file| file.file_name());
    names
        .filter(|name| name.to_string_lossy().starts_with("virhai-ssh."))
        .collect()
}

/// Waits until no `ssh` connects to `port`.
fn until_no_client(port: u16) {
    let until = Instant::now() + Duration::from_secs(10);
    while ssh_clients(port) > 0 {
        assert!(Instant::now() < until, "an `ssh` is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_host_over_ssh_answers_and_survives_ctrl_c() {
    let daemon = Daemon::start();
    let Some(server) = SshServer::start(&daemon) else {
        return;
    };
    for root in users() {
        let home = Scratch::new();
        let uri = server.uri(root);
        let script =
            "let c = connect(); print(c.list_all_domains().len()); print(c.get_uri() == c.uri)";
        let told = run_as(root, &home).arg("-c").arg(&uri).script(script).run();
        assert_eq!(told.stdout, "0\ntrue\n", "{told}\n{}", server.log());
        let command = run_as(root, &home).arg("-c").arg(&uri).command();
        let mut terminal = Terminal::start(&command);
        let prompt = "127.0.0.1> ";
        terminal.line_is(prompt);
        for (number, call) in [
            "sleep(\"1h\")",
            "conn.wait_event(\"lifecycle\", \"1h\")",
            "loop { conn.list_all_domains() }",
        ]
        .iter()
        .enumerate()
        {
            terminal.types(&format!("print(\"going {number}\"); {call}\r"));
            terminal.shows(&format!("\ngoing {number}"));
            terminal.types("\x03");
            terminal.until("it is interrupted", |screen| {
                screen.text().matches("error: interrupted").count() == number + 1
            });
            terminal.line_is(prompt);
        }
        terminal.types("`alive: ${conn.is_alive()}, ${conn.list_all_domains().len()} guests`\r");
        terminal.shows("alive: true, 0 guests");
        terminal.line_is(prompt);
        terminal.types("\x04");
        assert_eq!(terminal.ends(), 0);
        until_no_client(server.port());
    }
}

#[test]
fn ctrl_c_at_the_password_question_ends_it_and_leaves_the_terminal_as_it_was() {
    let daemon = Daemon::start();
    let Some(server) = SshServer::start(&daemon) else {
        return;
    };
    let uri = server.uri_without_key();
    let before = script_folders();
    for root in users() {
        let home = Scratch::new();
        let command = run_as(root, &home)
            .arg("-c")
            .arg(&uri)
            .arg("-e")
            .arg("connect()")
            .command();
        let mut terminal = Terminal::start(&command);
        terminal.shows("password:");
        assert!(!terminal.echoes());
        terminal.types("\x03");
        assert_eq!(terminal.ends(), 130, "{}", terminal.screen().text());
        assert!(terminal.echoes());
        until_no_client(server.port());

        let mut terminal = Terminal::start(&run_as(root, &home).arg("-c").arg(&uri).command());
        terminal.shows("password:");
        terminal.types("\x03");
        terminal.line_is("virhai> ");
        until_no_client(server.port());
        terminal.types("40 + 2\r");
        terminal.shows("virhai> 40 + 2\n42\n");
    }
    // Other tests that open hosts make such folders as well.
    let until = Instant::now() + Duration::from_secs(10);
    let left = || {
        let folders = script_folders().into_iter();
        folders.filter(|folder| !before.contains(folder)).count()
    };
    while left() > 0 {
        assert!(Instant::now() < until, "{:?} is left", script_folders());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_ssh_server_that_says_nothing_is_given_up_and_no_ssh_is_left() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has ports");
    let port = silent.local_addr().expect("it is bound").port();
    for root in users() {
        let home = Scratch::new();
        let outcome = run_as(root, &home)
            .arg("--connect-timeout")
            .arg("1s")
            .arg("-c")
            .arg(ssh_uri(port))
            .arg("-e")
            .arg("connect()")
            .run();
        assert_eq!(outcome.status, 4, "{outcome}");
        assert!(outcome.stderr.contains("no answer within 1s"), "{outcome}");
        until_no_client(port);
        let mut terminal =
            Terminal::start(&run_as(root, &home).arg("-c").arg(ssh_uri(port)).command());
        terminal.shows("\nwaiting: connect to qemu+ssh://");
        assert_eq!(ssh_clients(port), 1);
        terminal.types("\x03");
        terminal.shows("\nerror: interrupted");
        terminal.line_is("virhai> ");
        until_no_client(port);
    }
}

#[test]
fn a_call_to_a_server_that_froze_is_told_and_abandoned_by_ctrl_c() {
    let daemon = Daemon::start();
    let Some(server) = SshServer::start(&daemon) else {
        return;
    };
    let home = Scratch::new();
    let uri = server.uri(false);
    let mut terminal = Terminal::start(&run_as(false, &home).arg("-c").arg(uri).command());
    let prompt = "127.0.0.1> ";
    terminal.line_is(prompt);
    SshServer::signal_sessions(&server.sessions(), Signal::SIGSTOP);
    terminal.types("conn.list_all_domains()\r");
    terminal.waits_for("list domains on qemu+ssh://");
    terminal.types("\x03");
    terminal.shows("\nstopping; interrupt again to abandon the input");
    terminal.types("\x03");
    terminal.shows("the input was abandoned; its outcome is unknown");
    terminal.line_is(prompt);
    terminal.types("40 + 2\r");
    terminal.shows("\n42\n");
    SshServer::signal_sessions(&server.sessions(), Signal::SIGCONT);
    terminal.types("conn.list_all_domains().len()\r");
    terminal.shows("\n0\n");
}
