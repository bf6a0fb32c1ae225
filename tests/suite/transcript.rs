//! The session that `docs/prompt.md` shows: from no knowledge of the API to a runbook that passes
//! its check, its test and its run. `UPDATE=1` rewrites it.

use std::path::Path;

use crate::support::{PROMPT, Scratch, Terminal, golden, virhai};

const BEGIN: &str = "<!-- what follows is written by the tests -->\n```console\n";
const END: &str = "```\n<!-- until here -->\n";

/// The test of the runbook, which the user writes.
const TEST: &str = r#"import "restart" as lab;

fn test_a_guest_runs_after_its_restart() {
    let dom = connect().lookup_by_name("test");
    assert_eq(lab::restart(dom), "running");
}
"#;

/// A terminal with a prompt without events, which would come at unpredictable times.
fn prompt(home: &Scratch) -> Terminal {
    let mut command = virhai()
        .arg("-c")
        .arg("test:///default")
        .env("HOME", home.path(""))
        .env("NO_COLOR", "1")
        .folder(home.path(""))
        .command();
    command.env_remove("XDG_STATE_HOME").env_remove("INPUTRC");
    let mut terminal = Terminal::sized(&command, 120, 110);
    ready(&mut terminal);
    terminal.types(":events off\r");
    terminal.until("events are off", |screen| {
        screen.text().contains(":events off\n") && at_prompt(&screen.cursor_line())
    });
    terminal.types("\x0c");
    terminal.until("the screen is empty", |screen| screen.cursor().0 == 0);
    terminal
}

fn at_prompt(line: &str) -> bool {
    line == PROMPT.trim_end()
}

fn ready(terminal: &mut Terminal) {
    terminal.until("the prompt is back", |screen| {
        at_prompt(&screen.cursor_line())
    });
}

/// Types a line, and waits until the prompt is back below `shown`.
fn types(terminal: &mut Terminal, line: &str, shown: &str) {
    terminal.types(&format!("{line}\r"));
    terminal.until(&format!("it answers {shown:?}"), |screen| {
        let text = screen.text();
        let typed = text.rfind(line.trim()).map_or("", |at| &text[at..]);
        typed.contains(shown) && typed.contains('\n') && at_prompt(&screen.cursor_line())
    });
}

/// Types the beginning of a line and Tab, and waits for the completion `shown`.
fn completes(terminal: &mut Terminal, typed: &str, shown: &str) {
    terminal.types(&format!("{typed}\t"));
    terminal.shows(shown);
}

/// The output of the session, which leaves files in `home`.
fn session(home: &Scratch) -> String {
    let mut terminal = prompt(home);
    completes(&mut terminal, "conn.list_all", "list_all_storage_pools");
    types(&mut terminal, "domains()", "running");
    types(&mut terminal, "let dom = conn.lookup_by_name(\"test\")", "");
    types(&mut terminal, "dom.stop?", "virDomainShutdown");
    types(&mut terminal, "print(dom.stop().by)", "shutdown");
    types(&mut terminal, "dom.start()", "did you mean `create`?");
    types(&mut terminal, "dom.create(); dom.state()", "running");
    for line in [
        "fn restart(dom) {",
        "    dom.stop();",
        "    dom.create();",
        "    dom.state()",
    ] {
        terminal.types(&format!("{line}\r"));
        terminal.until("the input goes on", |screen| {
            screen.text().contains(line) && screen.cursor_line().is_empty()
        });
    }
    types(&mut terminal, "}", "");
    types(&mut terminal, "restart(dom)", "running");
    types(&mut terminal, ":save restart.rhai", "restart.rhai");
    let text = terminal.screen().text();
    let text = text.trim_end().trim_end_matches(PROMPT.trim_end());
    terminal.types("\x04");
    assert_eq!(terminal.ends(), 0);
    text.trim_end().to_owned()
}

/// The output of a shell command, which must succeed.
fn shell(home: &Scratch, args: &[&str]) -> String {
    let run = virhai().folder(home.path("")).env("NO_COLOR", "1");
    let outcome = args.iter().fold(run, |run, arg| run.arg(arg)).run();
    assert_eq!(outcome.status, 0, "{outcome}");
    let shown = format!("{}{}", outcome.stdout, outcome.stderr);
    format!("$ virhai {}\n{}\n", args.join(" "), shown.trim_end())
}

fn file(home: &Scratch, name: &str) -> String {
    let text = std::fs::read_to_string(home.path(name)).expect("it is there");
    format!("$ cat {name}\n{}\n", text.trim_end())
}

/// The text without the times that tests took.
fn without_times(text: &str) -> String {
    let mut plain = String::new();
    for line in text.lines() {
        let line = match (line.find(" ("), line.strip_suffix(" s)"), line.find(" in ")) {
            (Some(at), Some(_), _) => format!("{} (0.03 s)", &line[..at]),
            (_, _, Some(at)) if line.ends_with(" s") => format!("{} in 0.04 s", &line[..at]),
            _ => line.to_owned(),
        };
        plain += &line;
        plain.push('\n');
    }
    plain
}

#[test]
fn the_session_of_the_guide_ends_in_a_runbook_that_passes() {
    let home = Scratch::new();
    let mut text = format!("$ virhai -c test:///default\n{}\n", session(&home));
    text += &file(&home, "restart.rhai");
    text += &shell(&home, &["check", "restart.rhai"]);
    home.write("restart_test.rhai", TEST);
    text += &file(&home, "restart_test.rhai");
    text += &shell(&home, &["test"]);
    text += &shell(&home, &["-c", "test:///default", "run", "restart.rhai"]);
    let text = without_times(&text);

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/prompt.md");
    let page = std::fs::read_to_string(&path).expect("it is there");
    let begin = page.find(BEGIN).expect("the page has the session") + BEGIN.len();
    let end = begin + page[begin..].find(END).expect("the session has an end");
    let whole = format!("{}{text}{}", &page[..begin], &page[end..]);
    golden(&path, &whole);
}
