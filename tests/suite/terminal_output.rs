//! Text from guests, hosts and scripts does not control a terminal, and reaches a pipe unchanged.

use crate::support::{Host, PROMPT, Prompt, Run, Scratch, Terminal, TestHost, virhai};

/// A name that XML allows, with a C1 `CSI 2J`, a direction override and a delete character.
const NAME: &str = "evil\u{9b}2Jx\u{202e}y\u{7f}z";
const NAME_SHOWN: &str = "evil<U+009B>2Jx<U+202E>y␡z";

/// Sets the clipboard, the title and clears the screen.
const TEXT: &str = "a\x1b]52;c;aGFja2Vk\x07b\x1b]0;owned\x07c\x1b[2Jd\u{9b}2Je\u{202e}f\x1b[8mg";
const TEXT_SHOWN: &str = "a␛]52;c;aGFja2Vk␇b␛]0;owned␇c␛[2Jd<U+009B>2Je<U+202E>f␛[8mg";

/// `TEXT` as a literal of a script.
fn literal() -> String {
    TEXT.chars()
        .map(|letter| match letter {
            ' '..='~' => letter.to_string(),
            _ => format!("\\u{:04x}", u32::from(letter)),
        })
        .collect()
}

fn hostile_host() -> TestHost {
    TestHost::with(&format!(
        "<domain type='test'><name>{NAME}</name><title>{NAME}</title><memory>8192</memory>\
         <os><type>hvm</type></os></domain>"
    ))
}

fn on_terminal(run: &Run) -> Terminal {
    Terminal::sized(&run.command(), 24, 200)
}

/// Panics if a control sequence of the hostile text has reached the terminal.
fn assert_harmless(raw: &[u8]) {
    let text = String::from_utf8_lossy(raw);
    for hostile in [
        "\x1b]52", "\x1b]0", "\x1b[2Jd", "\x1b[8m", "\u{9b}", "\u{202e}", "\u{7f}", "\u{9d}",
    ] {
        assert!(
            !text.contains(hostile),
            "{hostile:?} reached the terminal: {text:?}"
        );
    }
}

fn ends_harmlessly(run: Run, shown: &[&str]) {
    let mut terminal = on_terminal(&run);
    terminal.ends();
    assert_harmless(terminal.raw());
    let text = String::from_utf8_lossy(terminal.raw()).into_owned();
    for shown in shown {
        assert!(text.contains(shown), "it does not show {shown:?}: {text:?}");
    }
}

#[test]
fn control_characters_that_a_script_prints_are_shown_and_not_executed() {
    let text = literal();
    for code in [
        format!("print(\"{text}\")"),
        format!("debug(\"{text}\")"),
        format!("note(\"{text}\")"),
        format!("\"{text}\""),
        format!("[\"{text}\", \"x\"]"),
        format!("#{{ key: \"{text}\", inner: #{{ deep: \"{text}\" }} }}"),
        format!("[#{{ key: \"{text}\" }}, #{{ key: \"b\" }}]"),
        format!("throw \"{text}\""),
        format!("throw #{{ message: \"{text}\", hint: \"{text}\" }}"),
        format!("\"<a>{text}</a>\""),
    ] {
        for color in ["always", "never"] {
            let run = virhai().arg("--color").arg(color).arg("-e").arg(&code);
            let shown: &[&str] = match (code.starts_with("debug"), color) {
                // As a literal of a script.
                (true, _) => &["a\\u{1b}]52;c;aGFja2Vk\\u{7}"],
                (_, "never") => &[TEXT_SHOWN],
                _ => &["␛]52;c;aGFja2Vk␇"],
            };
            ends_harmlessly(run, shown);
        }
    }
}

#[test]
fn a_pipe_gets_every_byte() {
    let code = format!("print(\"{}\"); note(\"{0}\"); \"{0}\"", literal());
    let outcome = virhai().arg("-e").arg(&code).run();
    assert_eq!(outcome.stdout, format!("{TEXT}\n{TEXT}\n"), "{outcome}");
    assert_eq!(outcome.stderr, format!("{TEXT}\n"), "{outcome}");
}

#[test]
fn control_characters_in_guest_names_are_shown_in_tables_maps_and_errors() {
    let host = hostile_host();
    for (code, shown) in [
        ("connect().list_all_domains()", NAME_SHOWN),
        ("connect().list_all_domains()[0]", NAME_SHOWN),
        ("connect().list_all_domains()[0].name", NAME_SHOWN),
        ("#{ dom: connect().list_all_domains()[0] }", NAME_SHOWN),
        (
            "[#{ dom: connect().list_all_domains()[0].name, n: 1 }]",
            NAME_SHOWN,
        ),
        (
            "print(connect().list_all_domains()[0].xml_desc())",
            NAME_SHOWN,
        ),
        ("connect().list_all_domains()[0].xml()", "<U+202E>"),
        ("connect().list_all_domains()[0].create()", NAME_SHOWN),
    ] {
        let run = host
            .virhai()
            .arg("--color")
            .arg("always")
            .arg("-e")
            .arg(code);
        ends_harmlessly(run, &[shown]);
    }
}

#[test]
fn table_columns_are_aligned_by_the_visible_text() {
    let run = virhai()
        .arg("-e")
        .arg("[#{ a: \"\\u001b[2J\\u202e\", b: 1 }, #{ a: \"plain\", b: 2 }]");
    let mut terminal = on_terminal(&run);
    terminal.ends();
    let text = terminal.screen().text();
    let columns: Vec<Option<usize>> = text
        .lines()
        .map(|line| {
            line.char_indices()
                .filter(|(_, letter)| letter.is_ascii())
                .count()
        })
        .map(Some)
        .collect();
    assert_eq!(columns.len(), 3, "{text}");
    let ends: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
    assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
}

#[test]
fn control_characters_in_names_are_shown_at_the_prompt() {
    let host = hostile_host();
    for colors in [&[][..], &[("NO_COLOR", "1")][..]] {
        let home = Scratch::new();
        let mut terminal = Prompt::terminal(&host.uri(), &home, colors);
        terminal.types("conn.list_all_domains()\r");
        terminal.shows("evil<U+009B>2J");
        // The name is completed as an escape of the language.
        terminal.types("let dom = conn.lookup_by_name(\"ev\t");
        terminal.shows("lookup_by_name(\"evil");
        terminal.types(")\r");
        terminal.types("dom.destroy()\r");
        terminal.shows("destroy domain `evil<U+009B>2J");
        terminal.types("y\r");
        terminal.shows("stopped");
        terminal.types(&format!("print(\"{}\")\r", "\\u001b]52;c;AA\\u0007"));
        terminal.shows("␛]52;c;AA␇");
        terminal.types(":history\r");
        terminal.shows("dom.destroy()");
        terminal.types(":quit\r");
        terminal.ends();
        assert_harmless(terminal.raw());
    }
    let _ = PROMPT;
}

#[test]
fn control_characters_in_names_are_shown_in_the_live_view() {
    let host = hostile_host();
    let home = Scratch::new();
    let command = virhai()
        .arg("top")
        .arg("-c")
        .arg(host.uri())
        .env("HOME", home.path(""))
        .command();
    let mut terminal = Terminal::sized(&command, 24, 120);
    terminal.shows("evil<U+009B>");
    terminal.types("q");
    assert_eq!(terminal.ends(), 0);
    assert_harmless(terminal.raw());
}

#[test]
fn control_characters_in_scripts_are_shown_by_test_and_check() {
    let scratch = Scratch::new();
    let text = literal();
    let test = format!("fn test_it() {{ print(\"{text}\"); throw \"{text}\"; }}");
    scratch.write("a_test.rhai", test);
    scratch.write("bad.rhai", format!("nope(\"{TEXT}\"); // {TEXT}\n"));
    for color in ["always", "never"] {
        let run = || virhai().folder(scratch.path("")).arg("--color").arg(color);
        ends_harmlessly(run().arg("test").arg("a_test.rhai"), &["␛]52;c;aGFja2Vk␇"]);
        ends_harmlessly(
            run().arg("check").arg("bad.rhai"),
            &["there is no function"],
        );
        ends_harmlessly(run().arg("bad.rhai"), &["there is no function"]);
    }
}

#[test]
fn the_colours_of_virhai_still_work() {
    let run = virhai()
        .arg("--color")
        .arg("always")
        .arg("-e")
        .arg("throw \"x\"");
    let mut terminal = on_terminal(&run);
    terminal.ends();
    let text = String::from_utf8_lossy(terminal.raw()).into_owned();
    assert!(text.contains("\x1b[1m\x1b[91merror\x1b[0m"), "{text:?}");
}
