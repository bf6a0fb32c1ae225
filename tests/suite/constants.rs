//! libvirt's constants, held against its published API.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use virhai::catalog::first_sentence;
use virhai::constants::{self, Words};

use crate::support::{golden, skip, succeeds, virhai};

/// The libvirt that the table of names was made from.
const TABLE: [u32; 3] = [11, 3, 0];

/// A constant as `libvirt-api.xml` tells of it.
struct Published {
    name: String,
    value: String,
    is_text: bool,
    version: Vec<u32>,
    info: String,
}

/// What the libvirt at hand publishes of its library `name`, `libvirt` or `libvirt_qemu`.
pub fn api(name: &str) -> String {
    let path = pkg_config(&format!("--variable={name}_api"));
    std::fs::read_to_string(path.trim()).expect("libvirt's development files are installed")
}

/// What pkg-config answers about libvirt.
fn pkg_config(option: &str) -> String {
    let asked = succeeds(Command::new("pkg-config").args([option, "libvirt"]));
    String::from_utf8(asked.stdout).expect("pkg-config prints text")
}

/// The attribute `name` of the element that `text` begins with.
pub fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let element = text.split('<').next()?;
    let (_, rest) = element.split_once(&format!(" {name}='"))?;
    rest.split('\'').next()
}

/// Text of XML in one line, without its character references.
fn plain(text: &str) -> String {
    let text = text
        .replace("]]>", "")
        .replace("&apos;", "'")
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace("&#10;", " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn published(api: &str) -> Vec<Published> {
    let mut found = Vec::new();
    let elements: Vec<&str> = api.split('<').collect();
    for (index, element) in elements.iter().enumerate() {
        if !element.starts_with("enum ") && !element.starts_with("macro ") {
            continue;
        }
        // A macro has what is said of it in an element of its own.
        let next = elements
            .get(index + 1)
            .and_then(|next| next.strip_prefix("info>"));
        let info = next.unwrap_or_default();
        let name = attribute(element, "name").expect("constants have names");
        let text = attribute(element, "string");
        let number = attribute(element, "value").or_else(|| attribute(element, "raw"));
        let function = attribute(element, "params").is_some();
        let sentinel = name.ends_with("_LAST") && element.starts_with("enum ");
        if !name.starts_with("VIR_") || function || sentinel {
            continue;
        }
        let Some(value) = text.or(number) else {
            continue;
        };
        let version = attribute(element, "version").unwrap_or_default().split('.');
        found.push(Published {
            name: name.to_owned(),
            value: value.to_owned(),
            is_text: text.is_some(),
            version: version.map_while(|part| part.parse().ok()).collect(),
            info: plain(attribute(element, "info").unwrap_or(info)),
        });
    }
    found
}

/// `runtime/constants/published.txt` as the libvirt at hand has it.
fn derived(api: &str) -> String {
    let version: Vec<String> = TABLE.iter().map(ToString::to_string).collect();
    let mut lines = vec![format!(
        "# From libvirt-api.xml of libvirt {}",
        version.join(".")
    )];
    for element in api.split('<') {
        if element.starts_with("function ") {
            let name = attribute(element, "name").expect("functions have names");
            lines.push(format!("{name}\t"));
        }
    }
    for Published { name, info, .. } in published(api) {
        lines.push(format!("{name}\t{}", first_sentence(&info)));
    }
    lines[1..].sort();
    lines.join("\n") + "\n"
}

#[test]
fn what_libvirt_says_of_its_constants_is_as_it_publishes_it() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/runtime/constants/published.txt"
    );
    let here = pkg_config("--modversion");
    if here.trim() != "11.3.0" {
        skip(format!(
            "the sentences are those of libvirt 11.3.0, and this is {}",
            here.trim()
        ));
        return;
    }
    let derived = derived(&api("libvirt"));
    golden(Path::new(path), &derived);
    assert_eq!(
        constants::sentence("VIR_DOMAIN_START_PAUSED"),
        Some("Launch guest in paused state")
    );
}

/// The number that a C expression of sums, names and comments comes to.
fn number(expression: &str, names: &HashMap<&str, &str>) -> Option<i64> {
    let bare = expression.split("/*").next()?.replace(['(', ')', 'L'], "");
    // Taking away all `L` spoils names, which are looked up as they were.
    if let Some(other) = names.get(expression.trim()) {
        return number(other, names);
    }
    bare.split('+')
        .map(|part| part.trim().parse::<i64>().ok())
        .sum()
}

#[test]
fn every_constant_that_libvirt_publishes_has_its_value_in_a_script() {
    let api = api("libvirt");
    let published = published(&api);
    assert!(published.len() > 1000, "libvirt-api.xml is understood");
    let names: HashMap<&str, &str> = published
        .iter()
        .map(|it| (it.name.as_str(), it.value.as_str()))
        .collect();
    let (mut missing, mut script) = (Vec::new(), String::from("let wrong = [];\n"));
    for constant in &published {
        let Published { name, value, .. } = constant;
        if constants::lookup(name).is_none() {
            if constant.version.as_slice() <= TABLE.as_slice() {
                missing.push(name);
            }
            continue;
        }
        let expected = match constant.is_text {
            true => format!("{value:?}"),
            false => number(value, &names).expect(name).to_string(),
        };
        script.push_str(&format!(
            "if {name} != {expected} {{ wrong.push(`{name} is ${{{name}}}, not {expected}`); }}\n"
        ));
    }
    assert!(missing.is_empty(), "the table lacks {missing:#?}");
    script.push_str("wrong");
    assert_eq!(virhai().arg("--json").script(script).ok(), "[]\n");
}

#[test]
fn the_words_for_states_are_libvirts_names() {
    let expected = [
        "nostate",
        "running",
        "blocked",
        "paused",
        "shutdown",
        "shutoff",
        "crashed",
        "pmsuspended",
    ];
    assert_eq!(words("virDomainState", "VIR_DOMAIN_"), expected);
}

#[test]
fn the_words_for_reasons_are_libvirts_names() {
    let running = words("virDomainRunningReason", "VIR_DOMAIN_RUNNING_");
    let expected = "unknown booted migrated restored from_snapshot unpaused migration_canceled \
                    save_canceled wakeup crashed postcopy postcopy_failed";
    assert_eq!(running.join(" "), expected);
    let paused = words("virDomainPausedReason", "VIR_DOMAIN_PAUSED_");
    let expected = "unknown user migration save dump ioerror watchdog from_snapshot \
                    shutting_down snapshot crashed starting_up postcopy postcopy_failed api_error";
    assert_eq!(paused.join(" "), expected);
    let shutoff = words("virDomainShutoffReason", "VIR_DOMAIN_SHUTOFF_");
    let expected = "unknown shutdown destroyed crashed migrated saved failed from_snapshot daemon";
    assert_eq!(shutoff.join(" "), expected);
    let shutdown = words("virDomainShutdownReason", "VIR_DOMAIN_SHUTDOWN_");
    assert_eq!(shutdown, ["unknown", "user"]);
    let crashed = words("virDomainCrashedReason", "VIR_DOMAIN_CRASHED_");
    assert_eq!(crashed, ["unknown", "panicked"]);
}

fn words(group: &'static str, prefix: &'static str) -> Vec<String> {
    Words::new(group, prefix)
        .all()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn which_constants_a_parameter_takes_is_as_libvirt_publishes_it() {
    let api = api("libvirt");
    let elements = || api.split('<');
    let enumerations: HashSet<&str> = elements()
        .filter(|element| element.starts_with("enum "))
        .filter_map(|element| attribute(element, "type"))
        .collect();
    let mut function = "";
    let mut published: HashMap<(&str, &str), BTreeSet<&str>> = HashMap::new();
    for element in elements() {
        if element.starts_with("function ") {
            function = attribute(element, "name").expect("functions have names");
        } else if element.starts_with("arg ") {
            let name = attribute(element, "name").expect("parameters have names");
            let words = attribute(element, "info").unwrap_or_default();
            let words = words.split(|letter: char| !letter.is_alphanumeric());
            let named = words.filter(|word| enumerations.contains(word)).collect();
            published.insert((function, name), named);
        }
    }
    let mut offenders = Vec::new();
    for (call, parameter, known) in constants::parameters() {
        let known: BTreeSet<&str> = known.iter().copied().collect();
        match published.get(&(call, parameter)) {
            // Not every text names what it means, and an older libvirt has not all of them.
            Some(named) if !named.is_empty() && *named != known => {
                offenders.push(format!("{call} {parameter}: {named:?}, not {known:?}"));
            }
            _ => {}
        }
    }
    assert!(published.len() > 1000, "libvirt-api.xml is understood");
    assert!(offenders.is_empty(), "{offenders:#?}");
}
