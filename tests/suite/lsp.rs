//! The language server, as an editor talks to it: messages over its standard input and output.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout};

use serde_json::{Value, json};

use crate::support::{Scratch, virhai};

/// An editor with a folder of its own.
struct Editor {
    folder: Scratch,
    server: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    asked: i64,
}

impl Editor {
    fn start() -> Self {
        let folder = Scratch::new();
        let mut server = virhai()
            .arg("lsp")
            .arg("--stdio")
            .env("HOME", folder.folder("home"))
            .command()
            .env_remove("XDG_CACHE_HOME")
            .stderr(std::process::Stdio::inherit())
            .spawn()
            .expect("it starts");
        let input = server.stdin.take();
        let output = BufReader::new(server.stdout.take().expect("it is a pipe"));
        let mut editor = Self {
            folder,
            server,
            input,
            output,
            asked: 0,
        };
        let answer = editor.ask("initialize", json!({ "capabilities": {} }));
        assert_eq!(answer["serverInfo"]["name"], "virhai");
        editor.tell("initialized", json!({}));
        editor
    }

    fn uri(&self, file: &str) -> String {
        format!("file://{}", self.folder.text(file))
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let input = self.input.as_mut().expect("it is open");
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("the server reads");
        input.flush().expect("the server reads");
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request, and returns the server's result.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        let answer = self.try_ask(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    fn try_ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.read();
            if message["id"] == id {
                return message;
            }
        }
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).expect("the server writes");
            assert!(!line.is_empty(), "the server ended");
            if line == "\r\n" {
                break;
            }
            if let Some(number) = line.strip_prefix("Content-Length: ") {
                length = number.trim().parse().expect("a number");
            }
        }
        let mut text = vec![0; length];
        self.output
            .read_exact(&mut text)
            .expect("the server writes");
        serde_json::from_slice(&text).expect("it is JSON")
    }

    /// Opens `file` with `text`, and returns its findings.
    fn open(&mut self, file: &str, text: &str) -> Vec<Value> {
        let uri = self.uri(file);
        let document = json!({ "uri": uri, "languageId": "rhai", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        self.problems(file, 1)
    }

    fn change(&mut self, file: &str, version: i32, text: &str) -> Vec<Value> {
        let document = json!({ "uri": self.uri(file), "version": version });
        let changes = json!([{ "text": text }]);
        self.tell(
            "textDocument/didChange",
            json!({ "textDocument": document, "contentChanges": changes }),
        );
        self.problems(file, version)
    }

    /// The findings in the version `version` of `file`.
    fn problems(&mut self, file: &str, version: i32) -> Vec<Value> {
        loop {
            let message = self.read();
            if message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == self.uri(file)
                && message["params"]["version"] == version
            {
                let found = message["params"]["diagnostics"].as_array();
                return found.expect("it is a list").clone();
            }
        }
    }

    /// Asks about the place behind `before` in the file's text.
    fn ask_behind(&mut self, method: &str, file: &str, text: &str, before: &str) -> Value {
        let end = text.find(before).expect("it is in the text") + before.len();
        let line = text[..end].matches('\n').count();
        let begin = text[..end].rfind('\n').map_or(0, |newline| newline + 1);
        let character = text[begin..end].encode_utf16().count();
        let place = json!({ "line": line, "character": character });
        let document = json!({ "uri": self.uri(file) });
        let mut asked = json!({ "textDocument": document, "position": place });
        match method {
            "textDocument/references" => asked["context"] = json!({ "includeDeclaration": true }),
            "textDocument/rename" => asked["newName"] = json!("guest"),
            _ => {}
        }
        self.ask(method, asked)
    }

    fn leave(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        let status = self.server.wait().expect("it ends");
        assert_eq!(status.code(), Some(0));
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_mistake_is_shown_while_it_is_typed_and_goes_once_it_is_mended() {
    let mut editor = Editor::start();
    let found = editor.open(
        "web.rhai",
        "let é🦀 = connect().lokup_by_name(\"web\");\nprint(é🦀);\n",
    );
    // The crab is not allowed in a name.
    assert_eq!(found.len(), 1, "{found:?}");
    let found = editor.change(
        "web.rhai",
        2,
        "/* é🦀 */ connect().lokup_by_name(\"web\").create();\n",
    );
    assert_eq!(found[0]["code"], "unknown-method", "{found:?}");
    assert_eq!(found[0]["severity"], 1);
    assert_eq!(found[0]["source"], "virhai");
    assert!(
        found[0]["message"]
            .as_str()
            .is_some_and(|it| it.contains("lookup_by_name"))
    );
    // The crab counts as two UTF-16 units.
    assert_eq!(
        found[0]["range"]["start"],
        json!({ "line": 0, "character": 20 })
    );
    assert_eq!(
        found[0]["range"]["end"],
        json!({ "line": 0, "character": 33 })
    );
    let asked = json!({
        "textDocument": { "uri": editor.uri("web.rhai") },
        "range": found[0]["range"],
        "context": { "diagnostics": found },
    });
    let fixes = editor.ask("textDocument/codeAction", asked);
    assert_eq!(fixes[0]["title"], "Replace with lookup_by_name", "{fixes}");
    let edit = &fixes[0]["edit"]["changes"][editor.uri("web.rhai")][0];
    assert_eq!(edit["newText"], "lookup_by_name", "{fixes}");
    assert_eq!(edit["range"], found[0]["range"], "{fixes}");
    let found = editor.change(
        "web.rhai",
        3,
        "connect().lookup_by_name(\"web\").create();\n",
    );
    assert_eq!(found, Vec::<Value>::new());
    editor.leave();
}

#[test]
fn what_a_name_stands_for_is_told_under_the_cursor() {
    let mut editor = Editor::start();
    let text = "import \"std/guest\" as guest;\n/// Starts all of them.\nfn start_all(conn) { conn }\nlet dom = connect().lookup_by_name(\"web\");\ndom.create(VIR_DOMAIN_START_PAUSED);\nguest::remove(dom);\nstart_all(1);\nguest::create(dom.connect(), #{ name: \"a\", disks: [#{ bus: \"sata\" }] });\n";
    editor.open("web.rhai", text);
    for (behind, told) in [
        ("dom.crea", "Boots this domain"),
        ("VIR_DOMAIN_START_PAU", "virDomainCreateFlags"),
        ("guest::rem", "Removes `dom`"),
        ("std/gue", "Guests: domains together with"),
        ("\nstart_a", "Starts all of them."),
        ("connect().look", "-> Domain"),
        ("#{ nam", "`name`: string, required: name of the guest"),
        ("[#{ bu", "\"virtio\" | \"sata\""),
    ] {
        let hover = editor.ask_behind("textDocument/hover", "web.rhai", text, behind);
        let shown = hover["contents"]["value"].as_str().unwrap_or_default();
        assert!(shown.contains(told), "{behind}: {hover}");
    }
    let nothing = editor.ask_behind("textDocument/hover", "web.rhai", text, "let dom =");
    assert_eq!(nothing, Value::Null);
    editor.leave();
}

#[test]
fn what_can_be_written_is_offered_by_type_without_a_host() {
    let mut editor = Editor::start();
    editor.folder.write("lab.rhai", "fn boot(conn) { conn }\n");
    let text = "import \"lab\" as lab;\nlet dom = connect(\"qemu+ssh://nowhere/system\").lookup_by_name(\"web\");\ndom.manag\nlab::\n";
    editor.open("web.rhai", text);
    let labels = |answer: &Value| -> Vec<String> {
        let items = answer.as_array().expect("it is a list");
        let texts = items
            .iter()
            .map(|item| item["textEdit"]["newText"].as_str());
        texts
            .map(|text| text.unwrap_or_default().to_owned())
            .collect()
    };
    let answer = editor.ask_behind("textDocument/completion", "web.rhai", text, "dom.manag");
    let offered = labels(&answer);
    assert!(
        offered.iter().any(|it| it.starts_with("managed_save")),
        "{offered:?}"
    );
    assert!(
        !offered.iter().any(|it| it.starts_with("lookup")),
        "{offered:?}"
    );
    assert!(
        answer[0]["documentation"]["value"]
            .as_str()
            .is_some_and(|docs| !docs.is_empty())
    );
    let answer = editor.ask_behind("textDocument/completion", "web.rhai", text, "lab::");
    assert!(labels(&answer)[0].starts_with("boot"), "{answer}");
    editor.leave();
}

#[test]
fn the_parameters_of_a_call_are_shown_while_it_is_typed() {
    let mut editor = Editor::start();
    let text = "let conn = connect();\nconn.define_xml(\"<domain/>\", \n";
    editor.open("web.rhai", text);
    let help = editor.ask_behind(
        "textDocument/signatureHelp",
        "web.rhai",
        text,
        "<domain/>\", ",
    );
    assert_eq!(help["activeParameter"], 1, "{help}");
    let active = usize::try_from(help["activeSignature"].as_u64().expect("a number"));
    let shown = &help["signatures"][active.expect("it is small")]["label"];
    assert_eq!(
        *shown, "define_xml(xml: string | Xml, flags: int) -> Domain",
        "{help}"
    );
    editor.leave();
}

#[test]
fn a_variable_is_found_and_renamed_in_its_function_alone() {
    let mut editor = Editor::start();
    let text = "let dom = 1;\nfn f(dom) { dom }\nprint(dom);\n";
    editor.open("web.rhai", text);
    let lines = |places: &Value| -> Vec<u64> {
        let places = places.as_array().expect("a list").iter();
        let line = |place: &Value| place["range"]["start"]["line"].as_u64();
        places.filter_map(line).collect()
    };
    let mut ask = |method: &str, behind: &str| {
        editor.ask_behind(&format!("textDocument/{method}"), "web.rhai", text, behind)
    };
    assert_eq!(lines(&ask("references", "print(do")), [0, 2]);
    assert_eq!(lines(&ask("documentHighlight", "f(do")), [1, 1]);
    let defined = ask("definition", "print(do");
    assert_eq!(
        defined[0]["range"]["start"],
        json!({ "line": 0, "character": 4 })
    );
    assert_eq!(ask("references", "prin"), json!(null));
    let edits = ask("rename", "f(do")["changes"].clone();
    let edits = edits.as_object().and_then(|files| files.values().next());
    let edits = edits.expect("edits of the file");
    assert_eq!(lines(edits), [1, 1]);
    assert_eq!(edits[0]["newText"], "guest");
    editor.leave();
}

#[test]
fn definitions_are_found_here_in_imported_files_and_in_the_standard_library() {
    let mut editor = Editor::start();
    editor
        .folder
        .write("lab.rhai", "// é\n\nfn boot(conn) { conn }\n");
    let text = "import \"lab\" as lab;\nimport \"std/guest\" as guest;\nfn own() { 1 }\nlab::boot(own());\nguest::create(1, #{});\n";
    editor.open("web.rhai", text);
    let mut place = |behind: &str| {
        let answer = editor.ask_behind("textDocument/definition", "web.rhai", text, behind);
        let uri = answer[0]["uri"].as_str().unwrap_or_default().to_owned();
        (uri, answer[0]["range"]["start"].clone())
    };
    let (uri, start) = place("lab::boo");
    assert!(uri.ends_with("/lab.rhai"), "{uri}");
    assert_eq!(start, json!({ "line": 2, "character": 3 }));
    let (uri, start) = place("(ow");
    assert!(uri.ends_with("/web.rhai"), "{uri}");
    assert_eq!(start, json!({ "line": 2, "character": 3 }));
    let (uri, _) = place("import \"la");
    assert!(uri.ends_with("/lab.rhai"), "{uri}");
    let (uri, start) = place("guest::crea");
    let copy = uri.strip_prefix("file://").expect("it is a file");
    let copy = std::fs::read_to_string(Path::new(copy)).expect("it can be read");
    let line = usize::try_from(start["line"].as_u64().expect("a number")).expect("small");
    assert!(
        copy.lines()
            .nth(line)
            .is_some_and(|line| line.starts_with("fn create("))
    );
    editor.leave();
}

#[test]
fn an_imported_file_counts_as_it_is_in_the_editor() {
    let mut editor = Editor::start();
    editor.folder.write("lab.rhai", "fn boot(conn) { conn }\n");
    let text = "import \"lab\" as lab;\nlab::boot(1);\n";
    assert_eq!(editor.open("web.rhai", text), Vec::<Value>::new());
    editor.open("lab.rhai", "fn start(conn) { conn }\n");
    let found = editor.change("web.rhai", 2, text);
    assert_eq!(found[0]["code"], "unknown-function", "{found:?}");
    // A file that does not compile has a finding where it is imported.
    editor.change("lab.rhai", 2, "fn start(conn) {\n");
    let found = editor.change("web.rhai", 3, text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["range"]["start"]["line"], 0, "{found:?}");
    editor.leave();
}

#[test]
fn a_change_checks_the_changed_text_and_those_that_import() {
    let mut editor = Editor::start();
    for number in 0..20 {
        editor.open(&format!("{number}.rhai"), "let _a = 1;");
    }
    editor.open("lab.rhai", "fn boot(conn) { conn }\n");
    editor.open("web.rhai", "import \"lab\" as lab;\nlab::boot(1);\n");
    let document = json!({ "uri": editor.uri("lab.rhai"), "version": 2 });
    let changes = json!([{ "text": "fn start(conn) { conn }\n" }]);
    let changed = json!({ "textDocument": document, "contentChanges": changes });
    editor.tell("textDocument/didChange", changed);
    let mut told = [editor.read(), editor.read()].map(|told| told["params"]["uri"].to_string());
    told.sort();
    assert!(told[0].contains("lab.rhai"), "{told:?}");
    assert!(told[1].contains("web.rhai"), "{told:?}");
    // The next message is the answer to a request: no other file gets new findings.
    editor.send(&json!({ "jsonrpc": "2.0", "id": 99, "method": "shutdown" }));
    assert_eq!(editor.read()["id"], 99);
}

#[test]
fn functions_are_listed_and_bad_requests_leave_the_server_alive() {
    let mut editor = Editor::start();
    let document = json!({ "uri": "untitled:Untitled-1", "languageId": "rhai", "version": 1, "text": "fn one() {}\nfn two() {" });
    editor.tell("textDocument/didOpen", json!({ "textDocument": document }));
    let asked = json!({ "textDocument": { "uri": "untitled:Untitled-1" } });
    let symbols = editor.ask("textDocument/documentSymbol", asked);
    let names: Vec<&Value> = symbols
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["one", "two"]);
    let answer = editor.try_ask("textDocument/hover", json!({ "position": "nonsense" }));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    let answer = editor.try_ask("no/such", json!({}));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    let unknown = json!({ "textDocument": { "uri": "file:///no/such.rhai" }, "position": { "line": 9, "character": 9 } });
    assert_eq!(editor.ask("textDocument/hover", unknown), Value::Null);
    editor.tell("$/cancelRequest", json!({ "id": 1 }));
    editor.leave();
}

#[test]
fn a_server_whose_editor_is_gone_ends() {
    let mut editor = Editor::start();
    drop(editor.input.take());
    let status = editor.server.wait().expect("it ends");
    assert_eq!(status.code(), Some(1));
}
