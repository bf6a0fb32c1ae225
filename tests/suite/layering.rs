//! The order of the folders, compared with the imports of the files.

mod circles;
mod imports;
mod script_text;

use std::path::Path;

use circles::circles;
use imports::{Module, Tree};
use script_text::{Reading, readings};

/// The most files that may use one another in a circle.
const MOST_IN_A_CIRCLE: usize = 3;

/// Permitted larger circles, each by one of its files and with its reason.
const VISITORS: &[(&str, &str)] = &[(
    "check::walk",
    "the walk over a script calls the rules, and they look at the state that it keeps",
)];

/// Files that search for signs of scripts in texts that are not scripts, and the kind of text.
const OTHER_TEXTS: &[(&str, &str)] = &[
    ("repl/prompt/prompt_string.rs", "`//` in URIs"),
    ("runtime/objects/uri/", "`//` in URIs"),
    ("runtime/api/web/client.rs", "`//` in URLs"),
    (
        "runtime/redact/",
        "secrets in text of every kind, also where it stops being a script",
    ),
    (
        "runtime/check/placeholders.rs",
        "`${` in the values of texts, which Rhai has read",
    ),
    ("runtime/xml/path.rs", "`//` in paths of XML"),
];

/// The folders of runtime/ in the order of CONTRIBUTING.md, the highest first.
fn order() -> Vec<String> {
    let text = std::fs::read_to_string("CONTRIBUTING.md").expect("the contributor guide");
    let (_, list) = text
        .split_once("Inside `runtime/`, from the top:")
        .expect("the guide lists the folders of runtime/");
    list.lines()
        .skip_while(|line| line.is_empty())
        .take_while(|line| line.starts_with("    "))
        .filter_map(|line| line.trim().split_once('/'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Uses of a folder above the user's own in `order`, or of no folder at all.
fn violations(tree: &Tree, order: &[String]) -> Vec<String> {
    let rank = |module: &Module| order.iter().position(|name| Some(name) == module.first());
    let mut found = Vec::new();
    for module in tree.modules().filter(|module| !module.is_empty()) {
        let Some(own) = rank(module) else {
            found.push(format!("{} is in no folder of the list", module.join("::")));
            continue;
        };
        let (files, through_the_root) = tree.uses(module);
        for used in files {
            if rank(used).is_some_and(|other| other < own) {
                let (module, used) = (module.join("::"), used.join("::"));
                found.push(format!("{module} uses {used}, which is above it"));
            }
        }
        for path in through_the_root {
            let (module, path) = (module.join("::"), path.join("::"));
            found.push(format!(
                "{module} uses crate::{path}, which the root re-exports"
            ));
        }
    }
    found
}

/// The circles that exceed the limit.
fn large_circles(tree: &Tree) -> Vec<Vec<String>> {
    let large = circles(tree).into_iter();
    large
        .filter(|circle| circle.len() > MOST_IN_A_CIRCLE)
        .map(|circle| circle.iter().map(|module| module.join("::")).collect())
        .collect()
}

fn none(offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

#[test]
fn each_folder_of_the_runtime_uses_only_those_below_it() {
    none(violations(&Tree::read(Path::new("runtime")), &order()));
}

#[test]
fn every_listed_folder_exists_and_every_folder_is_listed() {
    let mut listed = order();
    listed.sort();
    let entries = std::fs::read_dir("runtime").expect("the runtime's folder");
    let mut folders: Vec<String> = entries
        .map(|entry| entry.expect("an entry of it"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().display().to_string())
        .collect();
    folders.sort();
    assert_eq!(listed, folders);
}

#[test]
fn files_use_one_another_in_small_circles_only() {
    let tree = Tree::read(Path::new("runtime"));
    let mut unused: Vec<&str> = VISITORS.iter().map(|(file, _)| *file).collect();
    let mut offenders = Vec::new();
    for circle in large_circles(&tree) {
        match unused
            .iter()
            .position(|file| circle.iter().any(|one| one == file))
        {
            Some(at) => drop(unused.remove(at)),
            None => offenders.push(format!("{} files: {}", circle.len(), circle.join(", "))),
        }
    }
    none(offenders);
    assert!(unused.is_empty(), "no circles any more: {unused:?}");
}

#[test]
fn only_the_runtime_calls_libvirt_and_its_catalogue_does_not() {
    let runtime = Tree::read(Path::new("runtime"));
    let repl = Tree::read(Path::new("repl"));
    let calls = |tree: &Tree, module: &Module| {
        tree.uses_crate(module, "virt") || tree.uses_crate(module, "virt_sys")
    };
    let mut offenders = Vec::new();
    for module in repl.modules().filter(|module| calls(&repl, module)) {
        offenders.push(format!("repl::{}", module.join("::")));
    }
    for module in runtime
        .modules()
        .filter(|module| module.starts_with(&["catalog".into()]))
    {
        let (files, _) = runtime.uses(module);
        if calls(&runtime, module) || files.iter().any(|file| file[..1] == ["libvirt"]) {
            offenders.push(module.join("::"));
        }
    }
    none(offenders);
}

/// The places of `found` without an exception, and the exceptions without a place.
fn unexpected(found: Vec<Reading>, exceptions: &[(&str, &str)]) -> Vec<String> {
    let is_named = |name: &str, exception: &str| name.starts_with(exception);
    let unused = exceptions.iter().filter(|(exception, _)| {
        let mut files = found.iter();
        !files.any(|(name, _)| is_named(name, exception))
    });
    let unused: Vec<String> = unused
        .map(|(exception, _)| format!("{exception} is no exception any more"))
        .collect();
    let unnamed = found.into_iter().filter(|(name, _)| {
        let mut names = exceptions.iter();
        !names.any(|(exception, _)| is_named(name, exception))
    });
    unnamed
        .map(|(name, what)| format!("{name}: {what}"))
        .chain(unused)
        .collect()
}

#[test]
fn only_the_syntax_folder_reads_the_text_of_scripts() {
    let mut found = Vec::new();
    for root in ["runtime", "repl"] {
        let below = readings(Path::new(root)).into_iter();
        found.extend(below.map(|(name, what)| (format!("{root}/{name}"), what)));
    }
    none(unexpected(found, OTHER_TEXTS));
}

#[test]
fn a_planted_reader_of_script_text_is_found() {
    let (folder, _) = planted(&[
        ("lib.rs", ""),
        (
            "check.rs",
            "fn f(text: &str, name: &str) { text.find(\"fn \"); text.find(&format!(\"fn {name}(\")); text.split(\"import\"); }",
        ),
        (
            "prompt.rs",
            "fn f(text: &str) { text.starts_with(\"//!\"); text.matches('\\n').count(); text.encode_utf16().count(); }",
        ),
        (
            "words.rs",
            "const WORDS: &[&str] = &[\"let\", \"const\", \"fn\"];",
        ),
        ("lexer.rs", "use rhai::{TokenizeState, get_next_token};"),
        (
            "plain.rs",
            "fn f(text: &str) { text.find(\"find\"); text.split(\"://\"); text.rfind('\\n'); }",
        ),
        (
            "syntax/lexer.rs",
            "fn f(text: &str) { text.find(\"fn \"); }",
        ),
        (
            "tested.rs",
            "#[cfg(test)] mod tests { fn f(text: &str) { text.find(\"fn \"); } }",
        ),
    ]);
    let exceptions = [("plain.rs", ""), ("lexer.rs", "")];
    assert_eq!(
        unexpected(readings(folder.path()), &exceptions),
        [
            "check.rs: find(\"fn \")",
            "check.rs: find(\"fn {name}(\")",
            "check.rs: split(\"import\")",
            "prompt.rs: counts in UTF-16",
            "prompt.rs: matches(\"\\n\")",
            "prompt.rs: starts_with(\"//!\")",
            "words.rs: lists keywords: let, const, fn",
            "plain.rs is no exception any more",
        ]
    );
}

/// A source tree with these files.
fn planted(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
    let folder = tempfile::tempdir().expect("a folder for it");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has a parent")).expect("its folder");
        std::fs::write(path, text).expect("it is written");
    }
    let tree = Tree::read(folder.path());
    (folder, tree)
}

#[test]
fn a_planted_violation_is_found() {
    let (_folder, tree) = planted(&[
        ("lib.rs", "mod high; mod low; pub use high::Thing;"),
        (
            "high/mod.rs",
            "pub struct Thing; use crate::low::text::Text;",
        ),
        (
            "low/mod.rs",
            "pub mod text; pub mod grouped; pub mod relative; pub mod written; pub mod tested; pub mod rooted;",
        ),
        ("low/text.rs", "pub struct Text;"),
        (
            "low/grouped.rs",
            "use crate::{high::{self as above}, low::text};",
        ),
        (
            "low/relative.rs",
            "mod inner { use super::super::super::high::Thing; }",
        ),
        (
            "low/written.rs",
            "fn f() { println!(\"{:?}\", crate::high::Thing); }",
        ),
        (
            "low/tested.rs",
            "#[cfg(test)] mod tests { use crate::high::Thing; }",
        ),
        ("low/rooted.rs", "use crate::Thing;"),
        ("stray/mod.rs", ""),
    ]);
    let found = violations(&tree, &["high".into(), "low".into()]);
    assert_eq!(
        found,
        [
            "low::grouped uses high, which is above it",
            "low::relative uses high, which is above it",
            "low::rooted uses crate::Thing, which the root re-exports",
            "low::written uses high, which is above it",
            "stray is in no folder of the list",
        ]
    );
}

#[test]
fn a_planted_circle_is_found() {
    let three = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::c::C;"),
        ("c.rs", "use crate::a::A;"),
    ];
    assert!(large_circles(&planted(&three).1).is_empty());
    let four = [
        three[0],
        three[1],
        three[2],
        ("c.rs", "use super::d::D;"),
        ("d.rs", "fn f() { crate::a::g(); }"),
    ];
    assert_eq!(large_circles(&planted(&four).1), [["a", "b", "c", "d"]]);
}
