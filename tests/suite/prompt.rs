//! The prompt, through a real pseudo-terminal.

use std::process::Stdio;
use std::time::Duration;

use expectrl::process::unix::{PtyStream, UnixProcess};
use expectrl::{Eof, Expect, Session};

use crate::support::{Scratch, TestHost, virhai};

/// A prompt on a host of its own, with a history of its own.
struct Prompt {
    session: Session<UnixProcess, PtyStream>,
    _host: TestHost,
    _home: Scratch,
}

/// A prompt on `uri` whose history is below `home`.
fn spawn(uri: &str, home: &Scratch) -> Session<UnixProcess, PtyStream> {
    let mut command = virhai()
        .arg("-c")
        .arg(uri)
        .env("HOME", home.path(""))
        .command();
    command
        .env_remove("XDG_STATE_HOME")
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    command
        .stdin(Stdio::inherit())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit());
    let mut session = Session::spawn(command).expect("the prompt starts");
    session.set_expect_timeout(Some(Duration::from_secs(20)));
    session.expect("virhai> ").expect("the prompt shows");
    session
}

impl Prompt {
    fn open() -> Self {
        let (host, home) = (TestHost::new(), Scratch::new());
        let session = spawn(&host.uri(), &home);
        Self {
            session,
            _host: host,
            _home: home,
        }
    }

    fn types(&mut self, text: &str) {
        self.session.send(text).expect("the prompt takes keys");
    }

    /// Types a line and waits for what it shows.
    fn answers(&mut self, line: &str, shown: &str) {
        self.types(&format!("{line}\r"));
        self.sees(shown);
        self.sees("virhai> ");
    }

    fn sees(&mut self, text: &str) {
        if let Err(error) = self.session.expect(text) {
            panic!("the prompt never showed {text:?}: {error}");
        }
    }
}

#[test]
fn variables_functions_constants_and_ans_are_kept() {
    let mut prompt = Prompt::open();
    prompt.answers("let dom = conn.lookup_by_name(\"test\")", "\n");
    prompt.answers("dom.state()", "running");
    prompt.answers("ans + \"!\"", "running!");
    prompt.answers("fn twice(x) { x * 2 }", "\n");
    prompt.answers("const HALF = 21", "\n");
    prompt.answers("twice(HALF)", "42");
    prompt.answers("fn twice(x) { x * 3 }", "\n");
    prompt.answers("twice(HALF)", "63");
}

#[test]
fn imports_are_kept() {
    let mut prompt = Prompt::open();
    prompt.answers("import \"std/guest\" as guest;", "\n");
    prompt.answers(
        "guest::remove(conn.lookup_by_name(\"test\")); conn.list_all_domains().len()",
        "0",
    );
}

#[test]
fn an_input_goes_on_until_it_is_whole() {
    let mut prompt = Prompt::open();
    prompt.types("let total = 0;\r");
    prompt.sees("virhai> ");
    prompt.types("for n in 1..4 {\r    total += n;\r}\r");
    prompt.sees("virhai> ");
    prompt.answers("total", "6");
}

#[test]
fn domains_are_shown_as_a_table() {
    let mut prompt = Prompt::open();
    prompt.types("conn.list_all_domains()\r");
    prompt.sees("Id  Name  State    Memory   Vcpus");
    prompt.sees("test  running");
}

#[test]
fn ctrl_c_stops_a_loop_and_a_wait_and_keeps_the_session() {
    let mut prompt = Prompt::open();
    prompt.answers("let dom = conn.lookup_by_name(\"test\")", "\n");
    for endless in ["loop {}", "sleep(\"1h\")", "dom.wait(\"shutoff\", \"1h\")"] {
        prompt.types(&format!("print(\"going\"); {endless}\r"));
        prompt.sees("going\r\n");
        prompt.types("\x03");
        prompt.sees("interrupted");
        prompt.sees("virhai> ");
        prompt.answers("dom.state()", "running");
    }
}

#[test]
fn ctrl_c_at_the_prompt_drops_the_line_only() {
    let mut prompt = Prompt::open();
    prompt.types("nonsense that is dropped");
    prompt.types("\x03");
    prompt.sees("virhai> ");
    prompt.answers("1 + 1", "2");
}

#[test]
fn errors_look_as_in_the_runner() {
    let mut prompt = Prompt::open();
    prompt.types("conn.lookup_by_name(\"nemo\")\r");
    prompt.sees("error[VIR_ERR_NO_DOMAIN]: cannot look up domain `nemo`");
    prompt.sees("help:");
    prompt.answers("conn.dumpxml()", "help");
}

#[test]
fn a_failure_inside_an_earlier_function_shows_that_input() {
    let mut prompt = Prompt::open();
    prompt.answers("fn look(c) { c.lookup_by_name(\"nemo\") }", "\n");
    prompt.types("look(conn)\r");
    prompt.sees("fn look(c) { c.lookup_by_name(\"nemo\") }");
    prompt.sees("in `look`, called here");
}

#[test]
fn exit_and_ctrl_d_end_the_session() {
    let mut prompt = Prompt::open();
    prompt.types("\x04");
    prompt.session.expect(Eof).expect("Ctrl-D ends the prompt");
    let mut prompt = Prompt::open();
    prompt.types("exit(3)\r");
    prompt.session.expect(Eof).expect("exit ends the prompt");
}

#[test]
fn the_history_outlives_the_session() {
    let home = Scratch::new();
    let mut first = spawn("test:///default", &home);
    first.send("6 * 7\r").expect("keys");
    first.expect("42").expect("the value");
    first.expect("virhai> ").expect("the prompt again");
    first.send("\x04").expect("keys");
    first.expect(Eof).expect("the end");
    let mut second = spawn("test:///default", &home);
    second.send("\x1b[A").expect("keys");
    second
        .expect("6 * 7")
        .expect("the line of the session before");
}
