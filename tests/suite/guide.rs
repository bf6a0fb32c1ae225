//! The README and the chapters of `docs/`: their examples run, their links lead somewhere, and the
//! options that they name exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::support::{Scratch, virhai};

/// Definitions for the examples and tables of calls.
const PRELUDE: &str = r#"
import "std/backup" as backup;
import "std/clone" as clone;
import "std/guest" as guest;
import "std/image" as image;
import "std/import_image" as import_image;
import "std/install" as install;
import "std/migration" as migration;
import "std/network" as network;
import "std/pool" as pool;
import "std/ready" as ready;
import "std/restore_point" as restore_point;
let conn = connect();
let dom = conn.lookup_by_name("web");
let net = conn.network_lookup_by_name("default");
let images = conn.storage_pool_lookup_by_name("default");
let vol = images.storage_vol_lookup_by_name("web.qcow2");
"#;

/// A script that an example imports.
const WEB: &str = "fn restart(dom) {\n    dom.stop();\n    dom.create();\n}\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of the guide, with their text.
fn pages() -> Vec<(PathBuf, String)> {
    let chapters = fs::read_dir(root().join("docs")).expect("docs/ exists");
    let mut paths: Vec<PathBuf> = chapters
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    paths.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name)));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("it can be read");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

fn events(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
}

/// The code blocks of a page that are marked with `info`.
fn examples(text: &str, info: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut wanted = false;
    for event in events(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(found))) if *found == *info => {
                wanted = true;
                examples.push(String::new());
            }
            Event::End(TagEnd::CodeBlock) => wanted = false,
            Event::Text(code) if wanted => {
                if let Some(example) = examples.last_mut() {
                    example.push_str(&code);
                }
            }
            _ => {}
        }
    }
    examples
}

/// The code in the columns of a page's tables with the heading `virhai`.
fn calls_in_tables(text: &str) -> Vec<String> {
    let mut calls = Vec::new();
    let (mut column, mut in_head, mut wanted) = (0, false, None);
    for event in events(text) {
        match event {
            Event::Start(Tag::Table(_)) => wanted = None,
            Event::Start(Tag::TableHead) => (column, in_head) = (0, true),
            Event::End(TagEnd::TableHead) => in_head = false,
            Event::Start(Tag::TableRow) => column = 0,
            Event::End(TagEnd::TableCell) => column += 1,
            Event::Text(text) if in_head && *text == *"virhai" => wanted = Some(column),
            Event::Code(code) if !in_head && wanted == Some(column) => calls.push(code.to_string()),
            _ => {}
        }
    }
    calls
}

/// Runs or checks each example marked with `info`, by `virhai` with `arguments`.
fn try_each(info: &str, arguments: &[&str]) {
    let scratch = Scratch::new();
    scratch.write("web.rhai", WEB);
    let mut tried = 0;
    for (page, text) in pages() {
        for example in examples(&text, info) {
            let script = scratch.write("example.rhai", &example);
            let run = arguments
                .iter()
                .fold(virhai(), |run, argument| run.arg(argument));
            let outcome = run.arg(script).run();
            assert_eq!(
                outcome.status,
                0,
                "{}:\n{example}\n{outcome}",
                page.display()
            );
            tried += 1;
        }
    }
    assert!(tried > 8, "only {tried} examples were found");
}

#[test]
fn every_example_of_the_guide_runs() {
    try_each("rhai", &["-c", "test:///default", "run"]);
}

#[test]
fn every_example_with_files_and_programs_runs() {
    for (page, text) in pages() {
        for example in examples(&text, "rhai files") {
            let scratch = Scratch::new();
            let mut run = virhai().without_grants().folder(scratch.path(""));
            for option in [
                "--allow-read=.",
                "--allow-write=.",
                "--allow-run=sort",
                "--allow-run=false",
            ] {
                run = run.arg(option);
            }
            let run = run.arg("-c").arg("test:///default");
            let outcome = run.script(example.as_str()).run();
            assert_eq!(
                outcome.status,
                0,
                "{}:\n{example}\n{outcome}",
                page.display()
            );
        }
    }
}

#[test]
fn every_example_for_a_real_host_passes_the_check() {
    try_each("rhai check", &["check", "--deny-warnings"]);
}

/// The options of the runbooks that are examples in `text`.
fn inputs(text: &str) -> Vec<String> {
    let scratch = Scratch::new();
    let runbooks = examples(text, "rhai check").into_iter();
    let runbooks = runbooks.filter(|example| example.contains("const INPUTS"));
    let helps = runbooks.map(|runbook| {
        let file = scratch.write("runbook.rhai", runbook);
        virhai().arg("run").arg(file).arg("--help").ok()
    });
    helps.flat_map(|help| options(&help)).collect()
}

#[test]
fn every_call_in_the_phrasebook_passes_the_check() {
    let scratch = Scratch::new();
    let calls: Vec<String> = pages()
        .iter()
        .flat_map(|(_, text)| calls_in_tables(text))
        .collect();
    assert!(calls.len() > 60, "only {} calls were found", calls.len());
    let statement = |call: &String| match call.starts_with("try ") {
        true => format!("{call}\n"),
        // `type_of` also accepts calls without a result, and no result is unused.
        false => format!("print(type_of({call}));\n"),
    };
    let statements: String = calls.iter().map(statement).collect();
    let text = format!("{PRELUDE}{statements}");
    let script = scratch.write("calls.rhai", text);
    let outcome = virhai().arg("check").arg(script).run();
    assert_eq!(outcome.status, 0, "{outcome}");
}

/// The links of a page to files of the repository: the file, and the anchor in it.
fn links(text: &str) -> Vec<(String, Option<String>)> {
    let target = |event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    };
    let inside = |url: &String| !url.contains("://");
    let split = |url: String| match url.split_once('#') {
        Some((file, place)) => (file.to_owned(), Some(place.to_owned())),
        None => (url, None),
    };
    events(text)
        .filter_map(target)
        .filter(inside)
        .map(split)
        .collect()
}

/// The anchors of the headings, as GitHub derives them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in events(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => anchors.extend(heading.take()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    let keep = |c: char| c.is_alphanumeric() || c == ' ' || c == '-';
                    let kept = text
                        .to_lowercase()
                        .chars()
                        .filter(|&c| keep(c))
                        .collect::<String>();
                    heading.push_str(&kept.replace(' ', "-"));
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let id = html
                    .split("id=\"")
                    .nth(1)
                    .and_then(|rest| rest.split('"').next());
                anchors.extend(id.map(str::to_owned));
            }
            _ => {}
        }
    }
    anchors
}

#[test]
fn every_link_of_the_guide_leads_somewhere() {
    let mut broken = Vec::new();
    for (page, text) in pages() {
        for (file, place) in links(&text) {
            let path = match file.as_str() {
                "" => page.clone(),
                _ => page.with_file_name("").join(&file),
            };
            let there = match &place {
                None => path.exists(),
                Some(place) => {
                    fs::read_to_string(&path).is_ok_and(|text| anchors(&text).contains(place))
                }
            };
            if !there {
                broken.push(format!(
                    "{}: {file}#{}",
                    page.display(),
                    place.unwrap_or_default()
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The long options of virhai that a text names.
fn options(text: &str) -> BTreeSet<String> {
    let option = |word: &str| {
        let name = word.strip_prefix("--")?;
        let keep = |c: char| c.is_ascii_lowercase() || c == '-';
        let name: String = name.chars().take_while(|&c| keep(c)).collect();
        // `--allow-...` stands for several.
        (!name.is_empty() && !name.ends_with('-')).then_some(name)
    };
    text.split(|c: char| c.is_whitespace() || "`,()[|".contains(c))
        .filter_map(option)
        .collect()
}

#[test]
fn every_option_in_the_guide_exists() {
    let help = [
        "run",
        "resume",
        "show",
        "prune",
        "twin",
        "check",
        "test",
        "doc",
        "prompt",
        "lsp",
        "top",
        "definitions",
        "events",
    ];
    let mut known: BTreeSet<String> = help
        .iter()
        .map(|command| virhai().arg(command).arg("--help").run())
        .flat_map(|outcome| options(&outcome.stdout))
        .collect();
    known.extend(["help".to_owned(), "version".to_owned()]);
    let mut unknown = Vec::new();
    for (page, text) in pages() {
        // These pages name options of other programs.
        if page.ends_with("from-virsh.md") || page.ends_with("CONTRIBUTING.md") {
            continue;
        }
        let mut known = known.clone();
        known.extend(inputs(&text));
        let mut in_table = false;
        for event in events(&text) {
            match event {
                Event::Start(Tag::Table(_)) => in_table = page.ends_with("README.md"),
                Event::End(TagEnd::Table) => in_table = false,
                Event::Code(code) if !in_table => {
                    let missing = options(&code)
                        .into_iter()
                        .filter(|name| !known.contains(name));
                    unknown.extend(missing.map(|name| format!("{}: --{name}", page.display())));
                }
                _ => {}
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}
