//! A session at the prompt, on its own terminal: commands, values, hosts and results.

mod hosts;
mod interrupts;
mod runbooks;
mod top;
mod values;

use crate::support::{Daemon, Host, PROMPT, Prompt, Terminal, TestHost};

/// A prompt that shows only results: no versions, no connection, no events.
fn quiet() -> Prompt {
    let mut prompt = Prompt::open();
    prompt.answers(":events off", "");
    prompt.clears();
    prompt
}

#[test]
fn help_lists_the_commands() {
    let mut prompt = quiet();
    prompt.terminal.resize(30, 80);
    prompt.terminal.types(":help\r");
    prompt.terminal.golden("help");
}

#[test]
fn a_name_with_a_question_mark_is_explained() {
    let mut prompt = quiet();
    prompt.terminal.resize(800, 100);
    prompt.answers("let dom = conn.lookup_by_name(\"test\")", "");
    prompt.answers("dom?", "dom: Domain = Domain(test)");
    prompt.answers("?lookup_by_uuid_string", "virDomainLookupByUUIDString");
    prompt.answers("dom.undefine?", "virDomainUndefine");
    prompt.answers(":help VIR_DOMAIN_START_PAUSED", "VIR_DOMAIN_START_PAUSED");
    prompt.answers(":help Connection", "Connection");
    prompt.answers(":help :save", ":save FILE");
    prompt.answers("lokup_by_name?", "did you mean `lookup_by_name`?");
    prompt.answers(":halp", "did you mean `:help`?");
}

#[test]
fn methods_are_listed_without_running_anything() {
    let mut prompt = quiet();
    prompt.terminal.resize(500, 100);
    prompt.answers(
        ":methods conn.lookup_by_name(\"nemo\")",
        "xml_desc(flags: int) -> string",
    );
    prompt.answers(":methods StorageVol", "wipe()");
    prompt.answers(":methods nosuch", "is unknown until it runs");
}

#[test]
fn destroying_calls_are_asked_about_first() {
    let mut prompt = quiet();
    prompt.answers("let dom = conn.lookup_by_name(\"test\")", "");
    prompt.clears();
    prompt.terminal.types("dom.destroy()\r");
    prompt.terminal.line_is("destroy domain `test`? [y/N]");
    prompt.terminal.types("n\r");
    prompt.terminal.shows("\nnot run");
    prompt.terminal.line_is(PROMPT);
    prompt
        .terminal
        .types("conn.lookup_by_name(\"test\").destroy()\r");
    prompt.terminal.line_is("destroy `test`? [y/N]");
    prompt.terminal.types("\x03");
    prompt.terminal.line_is(PROMPT);
    prompt
        .terminal
        .types("for d in conn.list_all_domains() { d.destroy() }\r");
    prompt.terminal.line_is("really call `destroy`? [y/N]");
    prompt.terminal.types("\r");
    prompt.terminal.line_is(PROMPT);
    prompt.terminal.types("dom.state()\r");
    prompt.terminal.shows("\nrunning");
    prompt.terminal.line_is(PROMPT);
    prompt.terminal.types("dom.destroy()\r");
    prompt.terminal.line_is("destroy domain `test`? [y/N]");
    prompt.terminal.types("y\r");
    prompt.terminal.line_is(PROMPT);
    prompt.terminal.types("dom.state()\r");
    prompt.terminal.shows("\nshutoff");
    prompt.terminal.golden("confirm");
    prompt.clears();
    // The name of the object confirms as well, also of a variable that the input declares.
    prompt
        .terminal
        .types("let d = conn.lookup_by_name(\"test\"); d.create(); d.destroy(); d.undefine()\r");
    prompt
        .terminal
        .line_is("destroy `test`, undefine `test`? [y/N]");
    prompt.terminal.types("best\r");
    prompt.terminal.shows("\nnot run");
    prompt.terminal.line_is(PROMPT);
    prompt.terminal.types("d.destroy(); d.undefine()\r");
    prompt
        .terminal
        .line_is("really call `destroy` and `undefine`? [y/N]");
    prompt.terminal.types("\r");
    prompt.terminal.line_is(PROMPT);
    prompt.terminal.types("dom.undefine()\r");
    prompt.terminal.line_is("undefine domain `test`? [y/N]");
    prompt.terminal.types("test\r");
    prompt.terminal.line_is(PROMPT);
    prompt.answers("conn.list_all_domains()", "[]");
}

#[test]
fn what_destroys_nothing_is_not_asked_about() {
    let mut prompt = quiet();
    prompt.answers("let list = [1, 2]; list.remove(0)", "1");
    prompt.answers(
        "let xml = parse_xml(\"<a b='1'/>\"); xml.remove(\"@b\"); xml",
        "<a/>",
    );
    prompt.answers("fn gone(d) { d.destroy() }", "");
    prompt.answers(":confirm off", "");
    prompt.answers("conn.lookup_by_name(\"test\").destroy()", "");
    prompt.answers("conn.lookup_by_name(\"test\").state()", "shutoff");
}

#[test]
fn events_are_shown_above_what_is_typed() {
    let mut prompt = Prompt::open();
    prompt.answers("let dom = conn.lookup_by_name(\"test\")", "");
    prompt.answers("dom.suspend()", "domain `test` suspended: paused");
    prompt.answers(":events off", "");
    prompt.answers("dom.resume(); dom.suspend()", "");
    prompt.answers(":events on", "");
    prompt.terminal.types("dom.resume()\rlet half = ");
    prompt.terminal.shows("domain `test` resumed: unpaused");
    prompt.terminal.line_is(&format!("{PROMPT}let half ="));
    prompt.terminal.types("1; half + 1\r");
    prompt.terminal.shows("\n2\n");
}

#[test]
fn what_others_do_is_shown_above_an_input_of_several_rows() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::start(&daemon.virhai().env("NO_COLOR", "1").command());
    let prompt = "qemu:session> ";
    terminal.line_is(prompt);
    terminal.types("\"before\"\r");
    terminal.shows("\nbefore\n");
    terminal.line_is(prompt);
    let long = format!("{prompt}let text = \"{}", "x".repeat(100));
    terminal.types(&long[prompt.len()..]);
    let whole = |text: &str| text.replace('\n', "").ends_with(&long);
    terminal.until("the input is whole", |screen| whole(&screen.text()));
    daemon.ok(
        "connect().define_xml(`<domain type='qemu'><name>idle</name><memory>32768</memory>\
        <os><type arch='x86_64' machine='pc'>hvm</type></os></domain>`).undefine()",
    );
    terminal.until("both events are above the input", |screen| {
        let text = screen.text();
        text.contains("before")
            && text.contains("domain `idle` defined: added")
            && text.contains("domain `idle` undefined: removed")
            && whole(&text)
    });
}

#[test]
fn a_dumb_terminal_works() {
    let mut prompt = Prompt::on(TestHost::new(), &[("TERM", "dumb")]);
    prompt
        .terminal
        .types("conn.lookup_by_name(\"test\").state()\r");
    prompt.terminal.shows("running");
    prompt.terminal.types("conn.nosuch()\r");
    prompt.terminal.shows("error: there is no function");
    prompt.terminal.types(":history\r");
    prompt.terminal.shows("2 ! conn.nosuch()");
    assert!(!prompt.terminal.screen().text().contains('\x1b'));
}
