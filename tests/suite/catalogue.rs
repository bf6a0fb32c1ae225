//! Conventions that every function of the API keeps.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use virhai::catalog::{self, Function};
use virhai::engine::{self, Limits};
use virhai::names::{snake_case, without_variant};
use virhai::spec::{Type, options_place};
use virhai::syntax::outline::Outline;
use virhai::{Imports, Session, SessionOptions};

use super::constants::{attribute, version, whole_api};

/// libvirt-python's methods, one per line: `Class.method C-function`, or `-` for a method that
/// calls no C function.
const PYTHON: &str = include_str!("../data/libvirt_python.txt");

pub fn functions() -> Vec<Function> {
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    catalog::functions(&engine)
}

/// The function as messages of this test show it.
fn shown(function: &Function) -> String {
    format!("{}({})", function.name, function.taken())
}

fn none(offenders: Vec<String>, what: &str) {
    assert!(
        offenders.is_empty(),
        "{what}:\n  {}",
        offenders.join("\n  ")
    );
}

/// Functions for all values that Rhai calls itself: they have no libvirt-python name.
fn is_conversion(function: &Function) -> bool {
    matches!(
        function.name.as_str(),
        "to_string" | "to_debug" | "==" | "!="
    )
}

/// Words on the fence of an example besides `rhai`: the host that the test of examples uses.
const TAGS: &[&str] = &[
    "", "admin", "daemon", "root", "qemu", "agent", "migrate", "pool",
];

#[test]
fn every_function_is_documented_and_has_an_example() {
    let mut offenders = Vec::new();
    for function in functions() {
        let mut lines = function.docs.lines();
        let first = lines.next().unwrap_or_default();
        let begins = first
            .chars()
            .next()
            .is_some_and(|letter| letter.is_uppercase() || "`l".contains(letter));
        let prose = function.docs.split("```").next().unwrap_or_default();
        let sentence = prose.split("\n\n").next().unwrap_or_default();
        if !begins || !sentence.trim_end().ends_with(['.', ':']) {
            offenders.push(format!(
                "{} has no first sentence: {sentence:?}",
                shown(&function)
            ));
        }
        if function.examples().is_empty() {
            offenders.push(format!("{} has no example", shown(&function)));
        }
        for (tag, _) in function.examples() {
            if !TAGS.contains(&tag.as_str()) {
                offenders.push(format!(
                    "{}: nothing runs examples of kind {tag}",
                    shown(&function)
                ));
            }
        }
        let last = lines.last().unwrap_or_default();
        let calls = last.starts_with("Calls vir") && last.ends_with('.');
        if !calls && last != "Calls no libvirt function." {
            offenders.push(format!(
                "{} does not end with what it calls: {last:?}",
                shown(&function)
            ));
        }
    }
    none(
        offenders,
        "functions that a reader cannot learn from their documentation",
    );
}

#[test]
fn every_libvirt_function_that_scripts_reach_has_a_class_with_a_time_limit_or_none() {
    let classified: BTreeSet<&str> = virhai::classified_calls().collect();
    let mut offenders = Vec::new();
    for function in functions() {
        for call in function.calls().filter(|call| !classified.contains(call)) {
            offenders.push(format!("{}: {call}", shown(&function)));
        }
    }
    none(
        offenders,
        "functions whose calls have no class in runtime/objects/call_class.rs",
    );
}

#[test]
fn every_libvirt_function_that_the_sources_of_the_api_name_has_a_class() {
    let classified: BTreeSet<&str> = virhai::classified_calls().collect();
    let exported = whole_api();
    let known: BTreeSet<&str> = exported
        .split('<')
        .filter(|element| element.starts_with("function "))
        .filter_map(|element| attribute(element, "name"))
        .collect();
    let sources = ["runtime/api", "runtime/objects"].map(walkdir::WalkDir::new);
    let sources = sources.into_iter().flatten();
    let mut offenders = Vec::new();
    for source in sources.map(|entry| entry.expect("the sources can be read")) {
        if source.path().extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(source.path()).expect("a source is text");
        let names = text.split('"').filter(|word| known.contains(word));
        for call in names.filter(|name| !classified.contains(name)) {
            offenders.push(format!("{}: {call}", source.path().display()));
        }
    }
    none(
        offenders,
        "functions that have no class in runtime/objects/call_class.rs",
    );
}

#[test]
fn every_libvirt_function_that_the_documentation_names_exists() {
    let api = whole_api();
    let known: BTreeSet<&str> = api
        .split('<')
        .filter(|element| element.starts_with("function ") || element.starts_with("functype "))
        .filter_map(|element| attribute(element, "name"))
        .collect();
    assert!(known.len() > 400, "libvirt-api.xml is understood");
    // Functions of a newer libvirt are looked up when they are called.
    let here = version();
    let newer = |call: &str| {
        let version = virhai::constants::version_of(call)?;
        let parts: Vec<u32> = version
            .split('.')
            .map_while(|part| part.parse().ok())
            .collect();
        Some(parts > here)
    };
    let mut offenders = Vec::new();
    for function in functions() {
        let unknown = |call: &&str| !known.contains(call) && newer(call) != Some(true);
        for call in function.calls().filter(unknown) {
            offenders.push(format!("{}: {call}", shown(&function)));
        }
    }
    none(offenders, "functions that libvirt does not have");
}

/// libvirt-python's methods as `(class, method, C function)`.
pub fn python() -> Vec<(&'static str, &'static str, &'static str)> {
    PYTHON
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, call) = line.split_once(' ').expect("a line has two names");
            let (class, method) = name.split_once('.').expect("a method has a class");
            (class, method, call)
        })
        .collect()
}

/// The name in scripts for a method of libvirt-python.
pub fn expected_name(method: &str) -> String {
    without_variant(&snake_case(method)).to_owned()
}

/// The name in scripts for a function of the admin API, by the rules of libvirt-python, which lacks that API: only the
/// connection's methods keep a leading `Get`.
fn admin_name(call: &str) -> Option<String> {
    let method = call.strip_prefix("virAdm")?;
    let of_part = ["Server", "Client"]
        .iter()
        .find_map(|class| method.strip_prefix(class))
        .map(|method| method.strip_prefix("Get").unwrap_or(method));
    let method = of_part.or_else(|| method.strip_prefix("Connect"))?;
    Some(expected_name(method))
}

#[test]
fn a_name_for_a_libvirt_call_is_libvirt_pythons() {
    let mut expected: HashMap<&str, BTreeSet<String>> = HashMap::new();
    for (_, method, call) in python() {
        expected
            .entry(call)
            .or_default()
            .insert(expected_name(method));
    }
    let is_python = |call: &str, name: &str| {
        // A UUID as bytes is read from its text, by the `...String` function.
        let calls = [call, call.trim_end_matches("String")];
        calls
            .iter()
            .filter_map(|call| expected.get(call))
            .any(|names| names.contains(name))
    };
    let mut offenders = Vec::new();
    for function in functions() {
        let calls: Vec<&str> = function.calls().collect();
        // A function that makes several calls is a convenience of virhai, with its own name.
        if let [call] = calls[..]
            && !function.property
            && !is_conversion(&function)
            && !OWN_NAMES.contains(&function.name.as_str())
            && !is_python(call, &function.name)
            && admin_name(call).as_deref() != Some(&function.name)
        {
            offenders.push(format!("{} calls {call}", shown(&function)));
        }
    }
    none(offenders, "names that libvirt-python does not have");
}

/// Functions without a method in libvirt-python.
const OWN_NAMES: &[&str] = &[
    // `libvirt.open` and its variants, which are functions and not methods.
    "connect",
    "connect_read_only",
    "connect_auth",
    "connect_admin",
    "connect_host",
    "get_version",
    // It makes a call only for its reply, which arrives after all earlier events.
    "drain",
    // Names of libvirt-python, here with a newer C function than libvirt-python calls.
    "list_domains_id",
    "list_defined_domains",
    "list_storage_pools",
    "list_defined_storage_pools",
    "list_volumes",
    "list_networks",
    "list_defined_networks",
    "list_interfaces",
    "list_secrets",
    "list_nw_filters",
    "list_defined_interfaces",
    "snapshot_list_names",
    "list_children_names",
    // Scripts wait for events that libvirt-python passes to callbacks.
    "wait",
    "wait_closed",
    "wait_event",
    // These take and return values instead of JSON.
    "agent",
    "agent_exec",
    // In libvirt-python, a stream is an object with many calls.
    "read",
    "write",
    "send_all",
    "recv_all",
    // A stream and a callback in libvirt-python.
    "upload_file",
    "download_file",
    "checksum",
    // A list of two numbers in libvirt-python.
    "state_reason",
    // `XMLDesc`, already parsed.
    "xml",
    // `UUID`, where `uuid` is the text.
    "uuid_bytes",
];

#[test]
fn names_follow_the_rule() {
    let cases = [
        ("createXML", "create_xml"),
        ("lookupByName", "lookup_by_name"),
        ("lookupByUUIDString", "lookup_by_uuid_string"),
        ("XMLDesc", "xml_desc"),
        ("OSType", "os_type"),
        ("getCPUStats", "get_cpu_stats"),
        ("fSInfo", "fs_info"),
        ("pMWakeup", "pm_wakeup"),
        ("injectNMI", "inject_nmi"),
        ("createWithFlags", "create"),
        ("shutdownFlags", "shutdown"),
        ("defineXMLFlags", "define_xml"),
        ("migrateToURI3", "migrate_to_uri"),
    ];
    for (python, name) in cases {
        assert_eq!(expected_name(python), name, "{python}");
    }
}

/// Every Rust file below `folder`, with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)
            .expect("the sources are at hand")
            .flatten()
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("sources are text");
                files.push((path, text));
            }
        }
    }
    assert!(!files.is_empty(), "{folder} has sources");
    files
}

/// The lines of code below `folder` that contain one of `words` as a whole word.
fn lines_with(folder: &str, words: &[&str]) -> Vec<String> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let has = |line: &str, word: &str| {
        line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back().is_some_and(is_word);
            let after = line[at + word.len()..].chars().next().is_some_and(is_word);
            !before && !after
        })
    };
    let mut found = Vec::new();
    for (path, text) in sources(folder) {
        for (number, line) in text.lines().enumerate() {
            let comment = line.trim_start().starts_with("//");
            if !comment && words.iter().any(|word| has(line, word)) {
                found.push(format!(
                    "{}:{}: {}",
                    path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    found
}

#[test]
fn unsafe_code_stands_only_where_libvirt_is_wrapped() {
    // The content policy of a page uses this word to allow its own styles.
    let is_code = |line: &String| line.replace("'unsafe-inline'", "").contains("unsafe");
    let outside = |line: &String| !line.contains("/runtime/libvirt/");
    let mut offenders: Vec<String> = lines_with("runtime", &["unsafe"])
        .into_iter()
        .filter(outside)
        .filter(is_code)
        .collect();
    offenders.extend(lines_with("repl", &["unsafe"]));
    none(offenders, "unsafe code outside of runtime/libvirt");
}

#[test]
fn only_the_binary_prints() {
    let words = [
        "println", "eprintln", "print!", "eprint", "dbg", "stdout(", "stderr(",
    ];
    none(lines_with("runtime", &words), "the library prints");
}

/// Adds the text of the recipe at `path` and of all that it imports to `texts`, without declarations of options.
fn add_text(texts: &mut HashMap<String, String>, path: &str) {
    if texts.contains_key(path) {
        return;
    }
    let (_, text) = Imports::default().source(None, path).expect("it is there");
    let declares = |line: &&str| line.contains(": #{ type: ") || line.contains(": #{ words: ");
    let lines: Vec<&str> = text.lines().filter(|line| !declares(line)).collect();
    texts.insert(path.to_owned(), lines.join("\n"));
    let imports = Outline::of(&text).imports.into_iter();
    for path in imports.filter_map(|import| import.path) {
        add_text(texts, &path);
    }
}

#[test]
fn every_option_of_a_recipe_is_declared_and_used() {
    let mut offenders = Vec::new();
    let recipes = catalog::recipes();
    let texts: Vec<HashMap<String, String>> = recipes
        .iter()
        .map(|recipe| {
            let mut texts = HashMap::new();
            add_text(&mut texts, &recipe.path);
            texts
        })
        .collect();
    for recipe in &recipes {
        // Its own text, and those of the recipes that hand options to it.
        let users = texts
            .iter()
            .filter(|texts| texts.contains_key(&recipe.path));
        let text: String = users.flat_map(HashMap::values).cloned().collect();
        for function in &recipe.functions {
            let shown = format!("{}::{}", recipe.path, function.name);
            let named = virhai::spec::options_line(&function.docs);
            let last = function.parameters.last().map(String::as_str);
            match (&named, &function.options) {
                (None, _) if last == Some("options") => {
                    offenders.push(format!("{shown} has no line `Options: NAME.`"));
                }
                (Some(name), None) => {
                    offenders.push(format!("{shown}: nothing declares {name}"));
                }
                _ => {}
            }
        }
        for function in recipe.offered().filter(|_| !recipe.internal) {
            let typed = function.takes.iter().take_while(|ty| **ty != Type::Unknown);
            // What stands behind options is a closure.
            let all = match function.options {
                Some(_) => options_place(&function.docs, function.parameters.len()) + 1,
                None => function.parameters.len(),
            };
            if let Some(name) = function.parameters[..all].get(typed.count()) {
                let shown = format!("{}::{}", recipe.path, function.name);
                offenders.push(format!("{shown} has no `Takes: TYPE.` for `{name}`"));
            }
        }
        let options = recipe
            .functions
            .iter()
            .flat_map(|function| &function.options);
        let specs = options.flat_map(virhai::spec::Spec::with_nested);
        // Rust functions read all options that they declare.
        for spec in specs.filter(|spec| !spec.file.is_empty()) {
            for key in &spec.keys {
                let is_end = |letter: char| !letter.is_alphanumeric() && letter != '_';
                // Options with a place in XML are written by `write_options`.
                let is_read = || {
                    let name = format!(".{}", key.name);
                    let mut found = text.match_indices(&name);
                    found.any(|(at, found)| text[at + found.len()..].starts_with(is_end))
                        || text.contains(&format!("\"{}\"", key.name))
                };
                if key.xml.is_none() && !is_read() {
                    offenders.push(format!(
                        "{} declares `{}`, which nothing reads",
                        spec.name, key.name
                    ));
                }
                if key.help.is_empty() {
                    offenders.push(format!("`{}` of {} has no help", key.name, spec.name));
                }
            }
        }
    }
    offenders.sort();
    offenders.dedup();
    none(offenders, "options of recipes");
}

#[test]
fn every_recipe_checks_its_declared_result() {
    let mut offenders = Vec::new();
    let mut texts = HashMap::new();
    for recipe in catalog::recipes() {
        add_text(&mut texts, &recipe.path);
    }
    for recipe in catalog::recipes() {
        for function in &recipe.functions {
            for spec in function.returns.specs() {
                let path = spec.file.trim_end_matches(".rhai");
                let alias = path.rsplit('/').next().unwrap_or_default();
                let own = texts.get(path).map_or("", String::as_str);
                let here = own.contains(&format!(".as_declared(global::{})", spec.name));
                let there = format!(".as_declared({alias}::{})", spec.name);
                if !here && !texts.values().any(|text| text.contains(&there)) {
                    let shown = format!("{}::{}", recipe.path, function.name);
                    offenders.push(format!(
                        "{shown} returns {}, which nothing checks",
                        spec.name
                    ));
                }
            }
        }
    }
    none(offenders, "results of recipes");
}

#[test]
fn every_declaration_of_a_recipe_is_right() {
    let sources = virhai::declarations::of_imports(&Imports::default());
    let mut offenders = Vec::new();
    let mut count = 0;
    for recipe in catalog::recipes() {
        let file = format!("{}.rhai", recipe.path);
        let constants =
            virhai::declarations::Sources::constants(&sources, &file).expect("it is there");
        for name in constants.specs() {
            count += 1;
            if let Err(why) = virhai::declarations::declared(&sources, &file, name) {
                offenders.push(format!("{file}: {name}: {why}"));
            }
        }
    }
    assert!(count > 20, "{count}");
    none(offenders, "declarations of options");
}
