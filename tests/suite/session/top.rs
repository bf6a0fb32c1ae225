//! The live view of guests.

use super::quiet;
use crate::support::{Daemon, Host, PROMPT, Prompt, Scratch, Terminal, TestHost, virhai};

fn top(host: &TestHost, home: &Scratch) -> Terminal {
    let command = virhai()
        .arg("top")
        .arg("-c")
        .arg(host.uri())
        .env("HOME", home.path(""))
        .env("NO_COLOR", "1")
        .command();
    Terminal::start(&command).replacing(host.uri(), "test:///HOST")
}

#[test]
fn the_view_lists_the_guests_and_leaves_by_q() {
    let (host, home) = (TestHost::new(), Scratch::new());
    let mut terminal = top(&host, &home);
    terminal.shows("1 of 1 guests running");
    terminal.golden_text("top");
    terminal.types("q");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn a_terminal_that_shrinks_is_drawn_anew() {
    let (host, home) = (TestHost::new(), Scratch::new());
    let mut terminal = top(&host, &home);
    terminal.shows("1 of 1 guests running");
    terminal.resize(4, 24);
    terminal.until("the keys are on the last row", |screen| {
        screen
            .text()
            .lines()
            .nth(3)
            .is_some_and(|row| row.starts_with("q quits"))
    });
    terminal.shows("test");
    terminal.types("\x03");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn a_view_that_is_told_to_end_gives_the_terminal_back() {
    let (host, home) = (TestHost::new(), Scratch::new());
    let mut terminal = top(&host, &home);
    terminal.shows("1 of 1 guests running");
    nix::sys::signal::kill(terminal.pid(), nix::sys::signal::SIGTERM).expect("it runs");
    assert_eq!(terminal.ends(), 128 + 15);
    assert_eq!(terminal.screen().text(), "");
}

#[test]
fn a_session_goes_on_behind_the_view() {
    let mut prompt = quiet();
    prompt.answers("let kept = 6 * 7", "");
    prompt.terminal.types(":top\r");
    prompt.terminal.shows("1 of 1 guests running");
    prompt.terminal.types("q");
    prompt.terminal.hides("1 of 1 guests");
    prompt.terminal.line_is(PROMPT);
    prompt.answers("kept", "42");
    prompt.answers(":top nope", "error: the list of hosts is empty;");
}

#[test]
fn without_a_terminal_or_a_host_the_view_says_so() {
    let host = TestHost::new();
    let outcome = virhai().arg("top").arg("-c").arg(host.uri()).fails(1);
    assert!(
        outcome.stderr.contains("the view needs a terminal"),
        "{outcome}"
    );
    let outcome = virhai()
        .arg("top")
        .arg("-c")
        .arg("qemu+unix:///session?socket=/no/such/socket")
        .fails(4);
    assert!(outcome.stderr.contains("/no/such/socket"), "{outcome}");
    let mut prompt = Prompt::on(TestHost::new(), &[("TERM", "dumb")]);
    prompt.terminal.types(":top\r");
    prompt.terminal.shows("the view needs a terminal");
}

#[test]
fn the_view_of_a_group_has_the_hosts_and_names_one_that_does_not_answer() {
    let home = Scratch::new();
    let node = home.write("one.xml", "<node><domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain></node>");
    home.write(
        "hosts.ini",
        format!(
            "[lab]\nlab1 virhai_uri=test://{}\nlab2 virhai_uri=test:///no/such/file\n",
            node.display()
        ),
    );
    let run = |pattern: &str| {
        let run = virhai()
            .folder(home.path(""))
            .arg("--allow-read")
            .arg(home.path(""))
            .arg("--inventory")
            .arg("hosts.ini");
        run.arg("top")
            .arg(pattern)
            .env("HOME", home.path(""))
            .env("NO_COLOR", "1")
    };
    let mut terminal = Terminal::start(&run("lab").command());
    // A host that is not opened yet has no row.
    terminal.until("both hosts have a row", |screen| {
        let text = screen.text();
        let rows: Vec<&str> = text.lines().skip(2).collect();
        let [failed, answers, ..] = rows[..] else {
            return false;
        };
        text.starts_with("lab: 1 of 1 guests running, 1 of 2 hosts answer")
            && failed.starts_with("lab2         ")
            && failed.contains("/no/such/file")
            && answers.starts_with("lab1         web  ")
    });
    terminal.types("q");
    assert_eq!(terminal.ends(), 0);
    let wrong = run("lob").fails(1);
    assert!(
        wrong
            .stderr
            .contains("no host and no group is called `lob`"),
        "{wrong}"
    );
}

#[test]
fn a_guest_that_runs_takes_some_of_a_processor() {
    let daemon = Daemon::start();
    let xml = daemon.micro("counter", "web");
    daemon.ok(&format!("connect().create_xml(`{xml}`)"));
    let mut terminal = Terminal::start(&daemon.virhai().arg("top").env("NO_COLOR", "1").command());
    terminal.until(
        "a guest with a share of a processor, memory and a disk",
        |screen| {
            let text = screen.text();
            let row: Vec<&str> = text
                .lines()
                .find(|line| line.starts_with("web "))
                .map_or_else(Vec::new, |row| row.split_whitespace().collect());
            let figure = |column: usize| {
                row.get(column)
                    .is_some_and(|cell| cell.parse::<f64>().is_ok())
            };
            figure(1) && row.get(2) == Some(&"running") && figure(3) && figure(5)
        },
    );
    terminal.types("q");
    assert_eq!(terminal.ends(), 0);
}
