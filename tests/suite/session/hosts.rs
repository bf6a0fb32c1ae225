//! Connections of a session.

use super::quiet;
use crate::support::{Daemon, Host, Prompt, Scratch, Terminal, TestHost, virhai};

#[test]
fn the_prompt_tells_the_host_and_whether_it_is_for_reading_only() {
    let home = Scratch::new();
    let command = virhai()
        .arg("--readonly")
        .arg("-c")
        .arg("test:///default")
        .env("HOME", home.path(""))
        .env("NO_COLOR", "1")
        .command();
    let mut terminal = Terminal::start(&command);
    terminal.line_is("test [ro]> ");
    terminal.types("conn.close()\r");
    terminal.line_is("test [ro] [closed]> ");
}

#[test]
fn without_a_connection_there_is_a_prompt_all_the_same() {
    let home = Scratch::new();
    let command = virhai()
        .arg("-c")
        .arg("qemu+unix:///session?socket=/no/such/socket")
        .env("HOME", home.path(""))
        .env("NO_COLOR", "1")
        .command();
    let mut terminal = Terminal::start(&command);
    terminal.line_is("virhai> ");
    assert!(terminal.screen().text().contains("error[VIR_ERR_"));
    terminal.types(":connect\r");
    terminal.shows("no host is connected; connect to one with `:connect URI`");
    terminal.types(":connect test:///default\r");
    terminal.line_is("test> ");
    terminal.types("conn.list_all_domains().len()\r");
    terminal.shows("\n1\n");
}

#[test]
fn a_command_that_fails_shows_no_code_that_nobody_typed() {
    let mut prompt = quiet();
    prompt.answers(":connect foo", "error");
    let text = prompt.terminal.screen().text();
    assert!(!text.contains("let conn"), "{text}");
    assert!(!text.contains("-->"), "{text}");
    prompt.answers(":quit now", "`:quit` takes no more arguments");
    prompt.terminal.types(":exit\r");
    assert_eq!(prompt.terminal.ends(), 0);
}

#[test]
fn several_hosts_are_open_at_once() {
    let other = TestHost::with(
        "<domain type='test'><name>other</name><memory>1024</memory><os><type>hvm</type></os></domain>",
    );
    let Prompt {
        terminal,
        host: _host,
        home: _home,
    } = quiet();
    let mut terminal = terminal.replacing(other.uri(), "test:///OTHER");
    terminal.types(&format!(":connect {} ro\r", other.uri()));
    terminal.line_is("conn2 test [ro]> ");
    terminal.types("conn.list_all_domains()[0].name\r");
    terminal.shows("\nother\n");
    terminal.line_is("conn2 test [ro]> ");
    terminal.types(":switch conn1\r");
    terminal.line_is("conn1 test> ");
    terminal.types("conn.list_all_domains()[0].name + conn2.list_all_domains()[0].name\r");
    terminal.shows("\ntestother\n");
    terminal.line_is("conn1 test> ");
    terminal.types(":switch nosuch\r");
    terminal.shows("`nosuch` is not a connection; connections: `conn1`, `conn2`");
    terminal.line_is("conn1 test> ");
    terminal.types(":connect\r");
    terminal.shows("conn2  ro    open");
    terminal.line_is("conn1 test> ");
    terminal.types(":disconnect conn2\r");
    terminal.line_is("test> ");
    terminal.types(":connect\r");
    terminal.golden("connections");
}

#[test]
fn a_lost_connection_is_told_at_once_and_stands_in_the_prompt() {
    let mut daemon = Daemon::start();
    let mut terminal = Terminal::start(&daemon.virhai().env("NO_COLOR", "1").command());
    terminal.line_is("qemu:session> ");
    terminal.types("let typed = ");
    terminal.line_is("qemu:session> let typed =");
    daemon.kill();
    terminal.shows("the connection is lost; `:reconnect` opens another");
    terminal.line_is("qemu:session> let typed =");
    terminal.types("6 * 7; typed\r");
    terminal.shows("\n42\n");
    terminal.line_is("qemu:session [lost]> ");
    daemon.launch();
    terminal.types(":reconnect\r");
    terminal.line_is("qemu:session> ");
    terminal.types("conn.list_all_domains().len()\r");
    terminal.shows("\n0\n");
}

#[test]
fn a_connection_whose_events_are_shown_is_really_closed() {
    let daemon = Daemon::start();
    let xml = daemon.micro("counter", "web");
    let file = daemon.scratch().write(
        "guest.rhai",
        format!("conn.create_xml(`{xml}`, VIR_DOMAIN_START_AUTODESTROY);"),
    );
    let mut terminal = Terminal::start(&daemon.virhai().env("NO_COLOR", "1").command());
    terminal.line_is("qemu:session> ");
    terminal.types(&format!(":load {}\r", file.display()));
    // Only the end of its connection ends the guest.
    terminal.shows("domain `web` started: booted");
    terminal.line_is("qemu:session> ");
    terminal.types(":disconnect\r");
    terminal.line_is("qemu:session [closed]> ");
    let wait = "let conn = connect(); \
        for dom in conn.list_all_domains() { dom.wait(\"shutoff\", \"10s\"); } \
        conn.list_all_domains().len()";
    assert_eq!(daemon.ok(wait), "0\n");
}

/// A folder with a list of two hosts, of which one does not answer.
fn fleet(home: &Scratch) -> crate::support::Run {
    let node = "<node><domain type='test'><name>w&#x202e;b</name><memory>1024</memory><os><type>hvm</type></os></domain></node>";
    let node = home.write("one.xml", node);
    let hosts = format!(
        "[hosts]\nlab1 = {{ uri = 'test://{}', groups = ['lab'] }}\nlab2 = {{ uri = 'test:///no/such/file', groups = ['lab'] }}\n",
        node.display()
    );
    home.write("virhai.toml", hosts);
    virhai()
        .folder(home.path(""))
        .arg("--allow-read")
        .arg(home.path(""))
        .env("HOME", home.path(""))
        .env("NO_COLOR", "1")
        .unprivileged()
}

#[test]
fn named_hosts_are_listed_with_their_guests_and_completed() {
    let home = Scratch::new();
    let run = fleet(&home).arg("-c").arg("test:///default");
    let mut terminal = Terminal::start(&run.command());
    terminal.resize(40, 120);
    terminal.line_is("test> ");
    terminal.types(":hosts\r");
    terminal.until("both hosts are there", |screen| {
        let text = screen.text();
        let row = |name: &str| {
            text.lines()
                .find(|line| line.starts_with(name))
                .unwrap_or_default()
                .to_owned()
        };
        row("lab1").contains("answers") && row("lab2").contains("no answer")
    });
    terminal.types(":list la\t1");
    terminal.types("\r");
    terminal.shows("w<U+202E>b");
    terminal.types(":list\r");
    terminal.shows("test  running");
    terminal.types(":connect lab1\r");
    terminal.shows("/one.xml)");
}
