//! Findings of `virhai check`, and code that must have none.
//!
//! The scripts in `tests/data/check/broken/` have the expected findings below the line concerned: `//  ^^^ error[code]:
//! message; hint`. The carets may be left out, and the text may end early. The scripts in `valid/` must have no
//! finding, and run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rhai::Engine;
use serde_json::Value;
use virhai::catalog::{self, Catalog};
use virhai::check::{Checker, Code, Finding};
use virhai::engine::{self, Limits};
use virhai::files::scripts_below;
use virhai::{Imports, Session, SessionOptions};

use crate::support::{Scratch, virhai};

fn engine() -> Engine {
    let session = Session::new(SessionOptions::default());
    engine::build(&session, &Limits::default(), Imports::default())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The scripts right in `folder`.
fn scripts(folder: &str) -> Vec<PathBuf> {
    let folder = root().join(folder);
    let below = scripts_below(&folder).map(|found| found.expect("scripts can be listed"));
    let files: Vec<PathBuf> = below
        .filter(|path| path.parent() == Some(&folder))
        .collect();
    assert!(!files.is_empty(), "{} has scripts", folder.display());
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("scripts are text")
}

/// The findings in the file `path` and its imports.
fn found(checker: &Checker, path: &Path) -> Vec<Finding> {
    let folder = path.parent().expect("it is in a folder").to_owned();
    let imports = Imports::new([folder]);
    checker.check(&imports, &path.display().to_string(), &read(path))
}

/// A finding in the form of the expectations in scripts.
fn shown(finding: &Finding) -> String {
    let hint = match &finding.hint {
        Some(hint) => format!("; {hint}"),
        None => String::new(),
    };
    let severity = finding.severity.word();
    format!("{severity}[{}]: {}{hint}", finding.code, finding.message)
}

/// An expected finding below a line: the column and width of the carets, and the text.
type Expected = (usize, Option<(usize, usize)>, String);

fn expected(text: &str) -> Vec<Expected> {
    let mut expected = Vec::new();
    let mut line = 0;
    for (index, content) in text.lines().enumerate() {
        let comment = content.trim_start().strip_prefix("//");
        let told = comment.map(|rest| rest.trim_start_matches([' ', '^']));
        let told = told.filter(|told| told.starts_with("error[") || told.starts_with("warning["));
        let Some(told) = told else {
            line = index + 1;
            continue;
        };
        let width = content.matches('^').count();
        let column = content
            .find('^')
            .map(|at| content[..at].chars().count() + 1);
        let carets = column.map(|column| (column, width));
        expected.push((line, carets, told.to_owned()));
    }
    expected
}

#[test]
fn each_broken_script_has_the_findings_that_it_tells_of() {
    let engine = engine();
    let catalog = Catalog::new(&engine);
    let checker = Checker::new(&engine, &catalog);
    let mut wrong = String::new();
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for path in scripts("tests/data/check/broken") {
        let mut by_file: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        by_file.insert(path.display().to_string(), Vec::new());
        for finding in found(&checker, &path) {
            *codes.entry(finding.code.id()).or_default() += 1;
            by_file
                .entry(finding.file.clone())
                .or_default()
                .push(finding);
        }
        for (file, findings) in by_file {
            let mut expected = expected(&read(Path::new(&file)));
            for finding in &findings {
                let span = finding.span;
                let fits = |(line, carets, told): &Expected| {
                    *line == span.line
                        && carets.is_none_or(|carets| carets == (span.column, span.width))
                        && shown(finding).starts_with(told.as_str())
                };
                match expected.iter().position(fits) {
                    Some(index) => drop(expected.remove(index)),
                    None => wrong.push_str(&format!(
                        "{file}:{}:{} not told of:\n//{}{} {}\n",
                        span.line,
                        span.column,
                        " ".repeat(span.column.saturating_sub(3)),
                        "^".repeat(span.width),
                        shown(finding)
                    )),
                }
            }
            for (line, carets, told) in expected {
                wrong.push_str(&format!("{file}:{line} not found: {carets:?} {told}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    let unseen: Vec<&str> = Code::ALL
        .iter()
        .map(|code| code.id())
        .filter(|id| !codes.contains_key(id))
        .collect();
    assert!(unseen.is_empty(), "no script shows {unseen:?}");
    assert!(codes.values().sum::<usize>() >= 60, "{codes:?}");
}

/// Fails with all findings in `scripts`, which are pairs of a name and a text, unless there are
/// none.
fn none(scripts: impl Iterator<Item = (String, String)>, roots: &[PathBuf]) {
    let engine = engine();
    let catalog = Catalog::new(&engine);
    let checker = Checker::new(&engine, &catalog);
    let mut wrong = String::new();
    for (name, text) in scripts {
        let imports = Imports::new(roots.iter().cloned());
        for finding in checker.check(&imports, &name, &text) {
            let (line, column) = (finding.span.line, finding.span.column);
            let shown = shown(&finding);
            wrong.push_str(&format!("{}:{line}:{column}: {shown}\n", finding.file));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn with_texts(paths: Vec<PathBuf>) -> impl Iterator<Item = (String, String)> {
    paths
        .into_iter()
        .map(|path| (path.display().to_string(), read(&path)))
}

#[test]
fn nothing_is_found_in_scripts_to_copy() {
    none(with_texts(scripts("scripts")), &[root().join("scripts")]);
}

#[test]
fn nothing_is_found_in_the_standard_library() {
    // Under the names that scripts import, the calls from one recipe to another are not checked.
    none(with_texts(scripts("stdlib")), &[]);
}

#[test]
fn nothing_is_found_in_the_examples_of_the_documentation() {
    let engine = engine();
    let functions = catalog::functions(&engine);
    let examples = functions.iter().flat_map(|function| {
        let examples = function.examples().into_iter();
        examples.map(|(_, code)| (function.name.clone(), code))
    });
    none(examples, &[]);
}

#[test]
fn nothing_is_found_in_valid_scripts() {
    let folder = root().join("tests/data/check/valid");
    none(with_texts(scripts("tests/data/check/valid")), &[folder]);
}

#[test]
fn valid_scripts_run() {
    for path in scripts("tests/data/check/valid") {
        let outcome = virhai()
            .arg("-c")
            .arg("test:///default")
            .arg("run")
            .arg(&path)
            .run();
        assert_eq!(outcome.status, 0, "{}: {outcome}", path.display());
    }
}

const BROKEN: &str = "let dom = connect().lookup_by_name(\"test\");\ndom.shutdwon();\n";
const DOUBTFUL: &str =
    "let dom = connect().lookup_by_name(\"test\");\nlet spare = 1;\ndom.state()\n";

#[test]
fn a_script_with_an_error_is_not_run() {
    let outcome = virhai()
        .arg("-c")
        .arg("nonsense:///nowhere")
        .script(format!("print(\"before\");\n{BROKEN}"))
        .fails(3);
    assert_eq!(outcome.stdout, "");
    assert!(
        outcome.stderr.contains("did you mean `shutdown`?"),
        "{outcome}"
    );
    assert!(
        outcome.stderr.contains(" --> standard input:3:5"),
        "{outcome}"
    );
    let code = virhai().arg("-e").arg("nope()").fails(3);
    assert!(code.stderr.contains("error[unknown-function]"), "{code}");
}

#[test]
fn a_check_can_be_left_out() {
    let run = || virhai().arg("-c").arg("test:///default").arg("--no-check");
    let outcome = run().script(BROKEN).fails(1);
    assert!(
        outcome
            .stderr
            .contains("there is no function `shutdwon(Domain)`"),
        "{outcome}"
    );
}

#[test]
fn warnings_are_shown_where_more_is_asked_for_and_stop_nothing() {
    let run = || virhai().arg("-c").arg("test:///default");
    let outcome = run().script(DOUBTFUL).run();
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    let outcome = run().arg("-v").script(DOUBTFUL).run();
    assert_eq!(outcome.status, 0);
    assert!(
        outcome.stderr.contains("warning[unused-variable]"),
        "{outcome}"
    );
}

#[test]
fn what_cannot_be_known_is_no_finding_when_it_is_run() {
    let script = "let f = \"shut\" + \"down\";\nlet map = #{};\nmap[f] = |x| x + 1;\n\
                  assert_eq(map.shutdown(1), 2);\neval(\"let made = 5;\");\nassert_eq(made, 5);\n";
    virhai().script(script).ok();
}

#[test]
fn the_exit_status_of_a_check_tells_errors_from_warnings() {
    let scratch = Scratch::new();
    let broken = scratch.write("broken.rhai", BROKEN);
    let doubtful = scratch.write("doubtful.rhai", DOUBTFUL);
    let check = |path: &Path| virhai().arg("check").arg(path);
    let outcome = check(&broken).fails(3);
    assert!(
        outcome
            .stderr
            .contains("1 script checked: 1 error, 0 warnings"),
        "{outcome}"
    );
    assert_eq!(check(&doubtful).run().status, 0);
    check(&doubtful).arg("--deny-warnings").fails(3);
    check(&scratch.path("missing.rhai")).fails(2);
    check(&scratch.folder("empty")).fails(2);
    virhai().arg("check").fails(2);
}

#[test]
fn a_folder_is_checked_with_all_below_it_and_what_is_imported_once() {
    let scratch = Scratch::new();
    scratch.write("lib/part.rhai", "fn f() { nope() }\n");
    scratch.write("one.rhai", "import \"lib/part\" as part;\npart::f();\n");
    scratch.write("two.rhai", "import \"lib/part\" as part;\npart::f();\n");
    scratch.write(".hidden/three.rhai", "nope();\n");
    let outcome = virhai().arg("check").arg(scratch.path("")).fails(3);
    assert_eq!(
        outcome.stderr.matches("error[unknown-function]").count(),
        1,
        "{outcome}"
    );
    assert!(
        outcome.stderr.contains("3 scripts checked: 1 error"),
        "{outcome}"
    );
}

#[test]
fn findings_are_data_for_other_programs() {
    let scratch = Scratch::new();
    let broken = scratch.write("broken.rhai", BROKEN);
    let outcome = virhai().arg("check").arg("--json").arg(&broken).fails(3);
    assert_eq!(outcome.stderr, "");
    let data: Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
    let finding = &data["findings"][0];
    assert_eq!(finding["code"], "unknown-method");
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["span"]["line"], 2);
    assert_eq!(finding["span"]["column"], 5);
    assert_eq!(finding["span"]["width"], 8);
    assert_eq!(finding["hint"], "did you mean `shutdown`?");
    let outcome = virhai().arg("--json").arg("run").arg(&broken).fails(3);
    let data: Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
    assert_eq!(data["error"]["at"]["line"], 2);
    assert_eq!(data["error"]["code"], "unknown-method");
}

#[test]
fn code_hosts_get_sarif() {
    let scratch = Scratch::new();
    scratch.write("a b/broken.rhai", BROKEN);
    let run = || {
        virhai()
            .folder(scratch.path(""))
            .arg("check")
            .arg("a b/broken.rhai")
    };
    let outcome = run().arg("--sarif").fails(3);
    let data: Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
    assert_eq!(data["version"], "2.1.0");
    let run_of = &data["runs"][0];
    let rules = run_of["tool"]["driver"]["rules"]
        .as_array()
        .expect("it has rules");
    assert_eq!(rules.len(), Code::ALL.len());
    let result = &run_of["results"][0];
    let rule = result["ruleIndex"].as_u64().expect("it has an index") as usize;
    assert_eq!(rules[rule]["id"], result["ruleId"]);
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b/broken.rhai");
    assert_eq!(place["region"]["startLine"], 2);
    assert_eq!(place["region"]["endColumn"], 13);
    assert_eq!(
        run().arg("--format").arg("sarif").fails(3).stdout,
        outcome.stdout
    );
}

#[test]
fn an_error_in_an_imported_file_shows_the_way_there() {
    let scratch = Scratch::new();
    scratch.write("two.rhai", "fn f() { nope() }\n");
    scratch.write("one.rhai", "import \"two\" as two;\nfn g() { two::f() }\n");
    let main = scratch.write("main.rhai", "import \"one\" as one;\none::g();\n");
    let outcome = virhai().arg("check").arg(main).fails(3);
    for part in [
        "two.rhai:1:10",
        "one.rhai:1:8",
        "main.rhai:1:8",
        "imported here",
    ] {
        assert!(outcome.stderr.contains(part), "{part} in {outcome}");
    }
}

/// Random combinations of parts of scripts, most of which make no sense.
#[test]
fn scripts_that_were_damaged_are_checked_without_a_panic() {
    let engine = engine();
    let catalog = Catalog::new(&engine);
    let checker = Checker::new(&engine, &catalog);
    let mut texts: Vec<String> = Vec::new();
    for folder in [
        "tests/data/check/broken",
        "tests/data/check/valid",
        "scripts",
        "stdlib",
    ] {
        texts.extend(scripts(folder).iter().map(|path| read(path)));
    }
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).expect("it is small")
    };
    let rounds = if std::env::var_os("VIRHAI_TEST_ALL").is_some() {
        20_000
    } else {
        400
    };
    let mut compiled = 0;
    for _ in 0..rounds {
        let mut lines: Vec<String> = texts[random(texts.len())]
            .lines()
            .map(str::to_owned)
            .collect();
        for _ in 0..=random(3) {
            let other = &texts[random(texts.len())];
            let donor: Vec<&str> = other.lines().collect();
            let at = random(lines.len());
            match random(5) {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, donor[random(donor.len())].to_owned()),
                2 => lines[at] = donor[random(donor.len())].to_owned(),
                3 => {
                    let mut words: Vec<&str> =
                        lines[at].split_inclusive([' ', '.', '(', ',']).collect();
                    if words.len() > 1 {
                        words.remove(random(words.len()));
                    }
                    lines[at] = words.concat();
                }
                _ => {
                    let to = random(lines.len());
                    lines.swap(at, to);
                }
            }
            if lines.is_empty() {
                break;
            }
        }
        let text = lines.join("\n");
        compiled += usize::from(engine.compile(&text).is_ok());
        let imports = Imports::new([root().join("tests/data/check/broken")]);
        for finding in checker.check(&imports, "main.rhai", &text) {
            assert!(
                finding.span.line > 0 && finding.span.width > 0,
                "{finding:?}\n{text}"
            );
        }
    }
    assert!(
        compiled > rounds / 10,
        "only {compiled} of {rounds} meant something"
    );
}

/// The codes of the findings in `text`, each with its line.
fn codes_by_line(checker: &Checker, text: &str) -> Vec<(usize, &'static str)> {
    let findings = checker.check(&Imports::default(), "main.rhai", text);
    let findings = findings.iter();
    findings
        .map(|finding| (finding.span.line, finding.code.id()))
        .collect()
}

#[test]
fn a_syntax_error_does_not_hide_other_findings() {
    let engine = engine();
    let catalog = Catalog::new(&engine);
    let checker = Checker::new(&engine, &catalog);
    let wrong = "connect().list_all_domain();";
    for (text, line_of_error) in [
        ("let dom = connect().lookup_by_name(\n", 2),
        ("let options = #{ name: \"web\", disks: [\n", 2),
        ("print(1)\n", 2),
        ("let a = 1 2;\n", 1),
        ("let a = \"open;\n", 1),
        ("import \"std/guest\" guest;\n", 1),
        ("fn f(x) {\n    let y = x +;\n    y\n}\n", 2),
        ("fn f(x {\n    x\n}\n", 1),
        ("if 1 > {\n    print(1);\n}\n", 4),
        ("let a = 1;;\nlet ü = ;\nlet b = a +;\n", 2),
        ("[1].map(|x| {\n    let y = x +;\n    y\n});\n", 2),
        (") }\n", 1),
    ] {
        let script = format!("{text}{wrong}");
        let found = codes_by_line(&checker, &script);
        let line = script.lines().count();
        assert_eq!(found[0].1, "syntax", "{script}: {found:?}");
        assert_eq!(found[0].0, line_of_error, "{script}: {found:?}");
        assert_eq!(found[1..], [(line, "unknown-method")], "{script}");
    }
}

#[test]
fn a_syntax_error_is_not_the_cause_of_other_findings() {
    let engine = engine();
    let catalog = Catalog::new(&engine);
    let checker = Checker::new(&engine, &catalog);
    for text in [
        "let dom = ;\nprint(dom);",
        "let dom = connect().lookup_by_name(;\ndom.create();",
        "fn f(x) { x +; }\nf(1);",
        "fn f(x {\n    print(x);\n}\nf(1);",
        "import \"std/guest\" guest;\nguest::remove(connect().lookup_by_name(\"web\"));",
        "let a = 1;\nprint(a;",
        "let list = [1, 2;\nfor item in list { print(item); }",
        "let options = #{\n    name: \"web\"\n    memory: \"1GiB\",\n};\nprint(options);",
        "{ ( [",
        "}}}",
        "\"",
        "/*",
        "let x = `${`;",
    ] {
        let found = codes_by_line(&checker, text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].1, "syntax", "{text}: {found:?}");
    }
}

#[test]
fn an_unreadable_script_does_not_keep_the_others_from_being_checked() {
    let folder = Scratch::new();
    std::os::unix::fs::symlink("nowhere", folder.path("a.rhai")).expect("links can be made");
    folder.write("b.rhai", "let x = ;");
    let check = |name: &str| virhai().arg("check").arg(folder.path(name)).run();
    let both = check("");
    assert_eq!(both.status, 3, "{both}");
    for part in [
        "cannot read",
        "a.rhai: No such file",
        "b.rhai:1",
        "1 script checked: 1 error",
    ] {
        assert!(both.stderr.contains(part), "{part}: {both}");
    }
    // Leaves the wrong name itself out.
    assert!(!both.stderr.contains("did you mean"), "{both}");
    folder.write("b.rhai", "1 + 1");
    assert_eq!(check("").status, 2);
    let none = check("a.rhai");
    assert_eq!(none.status, 2, "{none}");
    assert!(!none.stderr.contains("checked"), "{none}");
}
