//! Results of a session: runbooks and the history.

use super::quiet;
use crate::support::{Host, PROMPT, Prompt, virhai};

#[test]
fn a_session_is_saved_as_a_runbook_that_runs() {
    let mut prompt = quiet();
    let file = prompt.home.text("saved.rhai");
    for input in [
        "let dom = conn.lookup_by_name(\"test\")",
        "dom.state()",
        "dom.nosuch()",
        "print(`it was ${ans}`)",
        "fn shout(text) { text + \"?\" }",
        "fn shout(text) { text + \"!\" }",
        "dom.suspend()",
        "if dom.is_active() {\r    dom.resume()\r}",
        "shout(out(2))",
    ] {
        prompt.answers(input, "");
    }
    prompt.answers(&format!(":save {file}"), "wrote");
    let saved = std::fs::read_to_string(&file).expect("the runbook");
    let (head, body) = saved.split_once("\n\n").expect("a head and a body");
    assert!(
        head.starts_with("//! Saved from a session on test:///"),
        "{head}"
    );
    let expected = "let conn = connect();\n\n\
        let dom = conn.lookup_by_name(\"test\");\n\
        let value_2 = dom.state();\n\
        print(`it was ${value_2}`);\n\n\
        fn shout(text) { text + \"!\" }\n\n\
        dom.suspend();\n\n\
        if dom.is_active() {\n    dom.resume()\n}\n\n\
        shout(value_2);\n";
    assert_eq!(body, expected);
    virhai().arg("check").arg(&file).ok();
    let printed = virhai()
        .arg("run")
        .arg("-c")
        .arg(prompt.host.uri())
        .arg(&file)
        .ok();
    assert_eq!(printed, "it was running\nrunning!\n");
}

#[test]
fn a_file_is_overwritten_only_when_asked() {
    let mut prompt = quiet();
    let file = prompt
        .home
        .write("there.rhai", "// mine\n")
        .display()
        .to_string();
    prompt.answers(&format!(":save {file}"), "has run no inputs");
    prompt.answers("1 + 1", "2");
    prompt.answers(&format!(":save {file}"), "exists; `:save!");
    assert_eq!(std::fs::read_to_string(&file).expect("it"), "// mine\n");
    prompt.answers(&format!(":save! {file}"), "wrote");
    let saved = std::fs::read_to_string(&file).expect("it");
    assert!(saved.ends_with("\n1 + 1;\n"), "{saved}");
    prompt.answers(":save /no/such/folder/x.rhai", "cannot write");
}

#[test]
fn the_inputs_that_are_named_are_saved() {
    let mut prompt = quiet();
    for input in ["let a = 1", "let b = 2", "let c = a + b"] {
        prompt.answers(input, "");
    }
    let file = prompt.home.text("part.rhai");
    prompt.answers(&format!(":save {file} 2-3"), "wrote");
    let saved = std::fs::read_to_string(&file).expect("the runbook");
    assert!(saved.ends_with("let b = 2;\nlet c = a + b;\n"), "{saved}");
    assert!(!saved.contains("let a"), "{saved}");
    prompt.answers(&format!(":save! {file} 1"), "wrote");
    let saved = std::fs::read_to_string(&file).expect("the runbook");
    assert!(saved.ends_with("let a = 1;\n"), "{saved}");
    prompt.answers(
        ":save x.rhai 3-2",
        "its first number is larger than its last",
    );
    prompt.answers(":save x.rhai 70-80", "none of these inputs ran");
    assert!(!prompt.home.path("x.rhai").exists());
}

#[test]
fn a_file_is_loaded_as_if_it_were_typed() {
    let mut prompt = quiet();
    let file = prompt.home.write(
        "more.rhai",
        "#!/usr/bin/env -S virhai run\nfn thrice(x) { x * 3 }\nlet nine = thrice(3);\n// the end\n",
    );
    prompt.answers(&format!(":load {}", file.display()), "");
    prompt.answers("thrice(nine)", "27");
    prompt.answers(":load /no/such.rhai", "cannot read /no/such.rhai");
}

#[test]
fn the_last_input_is_edited_and_run() {
    let mut prompt = Prompt::open();
    let editor = prompt
        .home
        .write("editor", "#!/bin/sh\nsed -i 's/40/41/' \"$1\"\n");
    prompt.terminal.types("\x04");
    prompt.terminal.ends();
    let editor = format!("sh {}", editor.display());
    let mut terminal = Prompt::terminal(
        &prompt.host.uri(),
        &prompt.home,
        &[("EDITOR", &editor), ("VISUAL", ""), ("NO_COLOR", "1")],
    );
    terminal.types("40 + 1\r");
    terminal.shows("\n41\n");
    terminal.line_is(PROMPT);
    terminal.types(":edit\r");
    terminal.shows("\n41 + 1\n42\n");
    let file = prompt.home.write("other.rhai", "40 + 59");
    terminal.types(&format!(":edit {}\r", file.display()));
    terminal.shows("\n100\n");
}

#[test]
fn the_history_has_the_numbers_of_the_inputs() {
    let mut prompt = quiet();
    prompt.answers(":history", "has no inputs");
    prompt.answers("1 + 1", "2");
    prompt.answers("nosuch", "error");
    prompt.answers("for n in 0..2 {\r    print(n);\r}", "1");
    prompt.clears();
    prompt.terminal.types(":history\r");
    prompt.terminal.golden("history");
}
