//! Damaged scripts, and damaged messages of the language server: nothing panics, nothing hangs.

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use virhai::catalog::Catalog;
use virhai::check::Checker;
use virhai::engine::{self, Limits};
use virhai::{Imports, Session, SessionOptions};

use super::large_scripts::thread_time;
use crate::support::virhai;

/// Pseudo-random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).expect("it is small")
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

fn rounds(short: usize, long: usize) -> usize {
    match std::env::var_os("VIRHAI_TEST_ALL") {
        Some(_) => long,
        None => short,
    }
}

const TOKENS: [&str; 72] = [
    "let ",
    "const ",
    "fn ",
    "if ",
    "else ",
    "while ",
    "loop ",
    "for ",
    " in ",
    "switch ",
    "try ",
    "catch ",
    "throw ",
    "return ",
    "import ",
    "export ",
    " as ",
    "private ",
    "do ",
    "until ",
    "continue",
    "break",
    "true",
    "()",
    "a",
    "b",
    "conn",
    "dom",
    "x.y",
    "global::",
    "this",
    "_",
    "VIR_DOMAIN_START_PAUSED",
    "VIR_X",
    "1",
    "0x",
    "1e999",
    "99999999999999999999",
    "\"t\"",
    "\"",
    "`${",
    "`",
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    "#{",
    "|a|",
    "||",
    ";",
    ",",
    ".",
    "?.",
    "??",
    ":",
    "::",
    "=",
    "==",
    "=>",
    "+=",
    "..",
    "!",
    "&&",
    "/*",
    "*/",
    "//\n",
    "\n",
    "\\",
    "\u{1}",
    "\u{202e}é",
];

const PROGRAM: &str = "import \"std/guest\" as guest;\nconst A = #{ x: 1 };\nfn f(a, b) { if a > b { a } else { global::A.x } }\nlet conn = connect(\"test:///default\");\nlet dom = conn.lookup_by_name(\"test\");\nlet list = [1, 2].map(|n| n + f(n, 2));\nfor (item, i) in list { switch item { 1 => print(`${i}`), _ if item > 2 => dom.destroy(), _ => () } }\ntry { dom.create(VIR_DOMAIN_START_PAUSED); } catch (err) { print(err.code) }\nlet m = #{ a: || list.len(), \"b c\": 2 };\nm.a.call();\ndom.wait(\"running\");\n";

fn script(random: &mut Random) -> String {
    let mut text: Vec<char> = match random.below(3) {
        0 => (0..random.below(60))
            .flat_map(|_| random.of(&TOKENS).chars())
            .collect(),
        _ => PROGRAM.chars().collect(),
    };
    for _ in 0..random.below(8) {
        let at = random.below(text.len());
        let end = (at + 1 + random.below(20)).min(text.len());
        match random.below(4) {
            0 => drop(text.drain(at.min(end)..end)),
            1 => drop(text.splice(at..at, random.of(&TOKENS).chars()).count()),
            2 => {
                let copied = text[at.min(end)..end].to_vec();
                text.splice(at..at, copied);
            }
            _ => drop(
                text.splice(at.min(end)..end, random.of(&TOKENS).chars())
                    .count(),
            ),
        }
    }
    text.into_iter().collect()
}

#[test]
fn random_scripts_are_checked_without_a_panic_or_a_hang() {
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    let catalog = Catalog::new(&engine);
    let checker = Checker::new(&engine, &catalog);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut clean = 0;
    for _ in 0..rounds(600, 30_000) {
        let text = script(&mut random);
        let began = Instant::now();
        let imports = Imports::default();
        let found = checker.check(&imports, "main.rhai", &text);
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{:?}: {text}",
            began.elapsed()
        );
        clean += usize::from(found.iter().all(|finding| finding.code.id() != "syntax"));
        for finding in found {
            assert!(
                finding.span.line > 0 && finding.span.width > 0,
                "{finding:?}\n{text}"
            );
        }
    }
    assert!(clean > 0, "no script compiled");
}

#[test]
fn nested_and_long_scripts_are_checked_without_a_panic_or_a_hang() {
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    let catalog = Catalog::new(&engine);
    let deep = std::thread::Builder::new().stack_size(virhai::stack_size());
    let work = move || {
        let checker = Checker::new(&engine, &catalog);
        let check = |text: &str| {
            let began = thread_time();
            let _ = checker.check(&Imports::default(), "main.rhai", text);
            let (took, begin) = (thread_time() - began, text.get(..20).unwrap_or(text));
            let bytes = text.len();
            assert!(took < Duration::from_secs(20), "{begin} {bytes}: {took:?}");
        };
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{", "}"),
            ("#{a:", "}"),
            ("|x|", ""),
            ("if true {", "}"),
            ("!", ""),
            ("-", ""),
            ("`${", "}`"),
            ("f(", ")"),
            ("a.", ""),
            ("a[", "]"),
            ("a + ", ""),
            ("fn f() {", "}"),
            ("switch 1 { 1 => ", "}"),
            ("try {", "} catch {}"),
            ("/*", "*/"),
            ("a ?? ", ""),
            ("a::", ""),
            ("x = ", ""),
            ("return ", ""),
        ] {
            for depth in [40, 200, 20_000] {
                check(&format!("{}1{}", open.repeat(depth), close.repeat(depth)));
                check(&open.repeat(depth));
                check(&close.repeat(depth));
            }
        }
        for line in [
            "let a = ",
            "let a = [",
            "a.b(|x| ",
            "f(1, [",
            "f(#{ a: ",
            "x.y[0].z(",
            "for x in [",
            "private fn g(",
            "fn f() { }\n",
            "let = 1;\n",
            "a b c\n",
            "f((;\n",
            "let f = |x| x + 1;\n",
            "switch x { 1 => 2, _ => 3 }\n",
            "try { f() } catch (e) { print(e.code) }\n",
            "let conn = connect(); conn.lookup_by_name(\"a\").info();\n",
        ] {
            check(&line.repeat(20_000));
        }
    };
    deep.spawn(work)
        .expect("a thread can be started")
        .join()
        .expect("nothing panics");
}

/// Messages of an editor, from which damaged messages are made.
fn messages() -> Vec<String> {
    let document = "\"textDocument\":{\"uri\":\"file:///tmp/none/a.rhai\"}";
    let place = "\"position\":{\"line\":3,\"character\":9}";
    let text = serde_json::Value::from(PROGRAM).to_string();
    let opened = format!(
        "\"textDocument\":{{\"uri\":\"file:///tmp/none/a.rhai\",\"languageId\":\"rhai\",\"version\":1,\"text\":{text}}}"
    );
    let changed = format!(
        "\"textDocument\":{{\"uri\":\"file:///tmp/none/a.rhai\",\"version\":2}},\"contentChanges\":[{{\"text\":{text}}}]"
    );
    let mut all = vec![
        format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{{{opened}}}}}"
        ),
        format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didChange\",\"params\":{{{changed}}}}}"
        ),
        format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didClose\",\"params\":{{{document}}}}}"
        ),
    ];
    for method in [
        "completion",
        "hover",
        "signatureHelp",
        "definition",
        "documentSymbol",
    ] {
        all.push(format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"textDocument/{method}\",\"params\":{{{document},{place}}}}}"
        ));
    }
    all
}

fn framed(text: &[u8]) -> Vec<u8> {
    let mut frame = format!("Content-Length: {}\r\n\r\n", text.len()).into_bytes();
    frame.extend(text);
    frame
}

/// Sends `input` to a server of its own; returns its status and all that it said.
fn serve(input: Vec<u8>) -> (Option<i32>, String, String) {
    let mut server = virhai()
        .arg("lsp")
        .command()
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = server.stdin.take().expect("it is a pipe");
    // A server that has ended reads no more.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let mut stderr = server.stderr.take().expect("it is a pipe");
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stderr.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let pid = nix::unistd::Pid::from_raw(server.id().cast_signed());
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        let late = ended.recv_timeout(Duration::from_secs(100))
            == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
        if late {
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::SIGKILL);
        }
    });
    let mut said = Vec::new();
    let mut stdout = server.stdout.take().expect("it is a pipe");
    stdout.read_to_end(&mut said).expect("it can be read");
    let status = server.wait().expect("it can be waited for");
    drop(done);
    let _ = (guard.join(), writer.join());
    let errors = errors.join().expect("it ends");
    (
        status.code(),
        String::from_utf8_lossy(&said).into_owned(),
        errors,
    )
}

fn begins() -> Vec<u8> {
    let mut input = framed(b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"capabilities\":{}}}");
    input.extend(framed(
        b"{\"jsonrpc\":\"2.0\",\"method\":\"initialized\",\"params\":{}}",
    ));
    input
}

fn ends() -> Vec<u8> {
    let mut input = framed(b"{\"jsonrpc\":\"2.0\",\"id\":\"last\",\"method\":\"shutdown\"}");
    input.extend(framed(b"{\"jsonrpc\":\"2.0\",\"method\":\"exit\"}"));
    input
}

#[test]
fn damaged_messages_do_not_end_the_language_server() {
    let mut random = Random(0x1234_5678_9abc_def1);
    let all = messages();
    // Each server gets many: a start costs more than a message.
    for _ in 0..rounds(3, 40) {
        let mut input = begins();
        for _ in 0..150 {
            let mut bytes = all[random.below(all.len())].clone().into_bytes();
            for _ in 0..random.below(4) {
                let at = random.below(bytes.len());
                match random.below(5) {
                    0 => drop(bytes.remove(at)),
                    1 => bytes.insert(at, u8::try_from(random.below(256)).expect("it is a byte")),
                    2 => bytes.truncate(at.max(1)),
                    3 => {
                        let piece = random.of(&[
                            "null",
                            "-1",
                            "99999999999",
                            "[]",
                            "{}",
                            "\"\"",
                            "\\ud800",
                        ]);
                        bytes.splice(at..at, piece.bytes());
                    }
                    _ => {
                        let end = (at + random.below(20)).min(bytes.len());
                        bytes.drain(at..end);
                    }
                }
                if bytes.is_empty() {
                    bytes.push(b' ');
                }
            }
            input.extend(framed(&bytes));
        }
        input.extend(ends());
        let (status, said, errors) = serve(input);
        assert_eq!(status, Some(0), "{errors}\n{said}");
        assert!(said.contains("\"id\":\"last\""), "{said}");
        assert!(!errors.contains("panicked"), "{errors}");
    }
}

#[test]
fn broken_frames_end_the_language_server_with_a_message() {
    for (input, why) in [
        (
            "Content-Length: 18446744073709551615\r\n\r\n{}",
            "exceeds|more than the limit",
        ),
        (
            "Content-Length: 99999999999\r\n\r\n{}",
            "more than the limit",
        ),
        (
            "Content-Length: 18446744073709551616\r\n\r\n{}",
            "is not a length",
        ),
        ("Content-Length: -1\r\n\r\n{}", "is not a length"),
        ("Content-Length: 100\r\n\r\n{}", "ends within a message"),
        ("nonsense\r\n\r\n", "is not a header"),
        ("A: b\r\n\r\n", "no `Content-Length`"),
    ] {
        for before in [Vec::new(), begins()] {
            let (status, said, errors) = serve([before, input.as_bytes().to_vec()].concat());
            assert_eq!(status, Some(1), "{input:?}: {errors}");
            let wanted = why.split('|').next_back().expect("there is one");
            assert!(
                errors.contains(wanted) && said.contains(wanted),
                "{input:?}: {errors}\n{said}"
            );
        }
    }
    let mut random = Random(0xdead_beef_cafe_f00d);
    for _ in 0..rounds(8, 200) {
        let length = random.below(3_000);
        let mut input = begins();
        let frame = framed(messages()[0].as_bytes());
        match random.below(2) {
            0 => input.extend(
                (0..length).map(|_| u8::try_from(random.below(256)).expect("it is a byte")),
            ),
            _ => input.extend(&frame[random.below(30)..frame.len() - random.below(30)]),
        }
        let (status, _, errors) = serve(input);
        assert_eq!(status, Some(1), "{errors}");
        assert!(!errors.contains("panicked"), "{errors}");
    }
}

#[test]
fn a_message_that_is_not_json_is_answered_and_the_next_is_served() {
    let mut input = framed(b"{\"jsonrpc\":");
    input.extend(framed(b"[1, 2]"));
    input.extend(framed(b"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":7}"));
    input.extend(begins());
    input.extend(ends());
    let (status, said, errors) = serve(input);
    assert_eq!(status, Some(0), "{errors}");
    for part in [
        "-32700",
        "-32600",
        "\"id\":5",
        "\"id\":0",
        "\"id\":\"last\"",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
