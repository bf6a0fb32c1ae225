//! libvirt's constants, compared with its published API.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use virhai::catalog::first_sentence;
use virhai::constants::{self, Words};

use crate::support::{golden, skip, succeeds, virhai};

/// The libvirt that the tables of names were made from.
const TABLE: [u32; 3] = [11, 3, 0];

/// libvirt's libraries in pkg-config: the variable with the path of the API file, without `_api`,
/// and the module that defines it.
pub const LIBRARIES: [(&str, &str); 4] = [
    ("libvirt", "libvirt"),
    ("libvirt_qemu", "libvirt"),
    ("libvirt_lxc", "libvirt"),
    ("libvirt_admin", "libvirt-admin"),
];

/// A constant as an API file describes it.
struct Published {
    name: String,
    group: String,
    value: String,
    is_text: bool,
    version: Vec<u32>,
    info: String,
}

/// A function as an API file describes it.
pub struct PublishedFunction<'a> {
    pub name: &'a str,
    pub version: &'a str,
    /// Each parameter that scripts give as a number: its name and its description.
    parameters: Vec<(&'a str, &'a str)>,
}

/// The published API of the library `name` of this libvirt, one of [`LIBRARIES`].
pub fn api(name: &str) -> String {
    let (_, module) = LIBRARIES
        .into_iter()
        .find(|(library, _)| *library == name)
        .expect("it is one of libvirt's libraries");
    let path = pkg_config(&format!("--variable={name}_api"), module);
    std::fs::read_to_string(path.trim()).expect("libvirt's development files are installed")
}

/// The answer of pkg-config about `module`.
fn pkg_config(option: &str, module: &str) -> String {
    let asked = succeeds(Command::new("pkg-config").args([option, module]));
    String::from_utf8(asked.stdout).expect("pkg-config prints text")
}

/// The published API of all libraries of this libvirt.
pub fn whole_api() -> String {
    LIBRARIES.map(|(name, _)| api(name)).concat()
}

/// The version of the libvirt at hand.
pub fn version() -> Vec<u32> {
    let version = pkg_config("--modversion", "libvirt");
    let parts = version.trim().split('.');
    parts.map_while(|part| part.parse().ok()).collect()
}

/// Every function in the text of API files.
pub fn functions(api: &str) -> Vec<PublishedFunction<'_>> {
    let mut found: Vec<PublishedFunction> = Vec::new();
    // The parameters of a function type belong to no function.
    let mut within = false;
    for element in api.split('<') {
        if element.starts_with("function ") {
            within = true;
            found.push(PublishedFunction {
                name: attribute(element, "name").expect("functions have names"),
                version: attribute(element, "version").unwrap_or_default(),
                parameters: Vec::new(),
            });
        } else if element.starts_with("functype ") {
            within = false;
        } else if element.starts_with("arg ") {
            let kind = attribute(element, "type").unwrap_or_default();
            let (Some(function), true, false) = (found.last_mut(), within, kind.contains('*'))
            else {
                continue;
            };
            function.parameters.push((
                attribute(element, "name").expect("parameters have names"),
                attribute(element, "info").unwrap_or_default(),
            ));
        }
    }
    found
}

/// The names of the enumerations in the text of API files.
fn enumerations(api: &str) -> HashSet<&str> {
    let elements = api.split('<');
    elements
        .filter(|element| element.starts_with("enum "))
        .filter_map(|element| attribute(element, "type"))
        .collect()
}

/// The attribute `name` of the element that `text` begins with.
pub fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let element = text.split('<').next()?;
    let (_, rest) = element.split_once(&format!(" {name}='"))?;
    rest.split('\'').next()
}

/// Text of XML in one line, with its character references resolved.
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
        // The description of a macro is in a separate element.
        let info = match elements.get(index + 1) {
            Some(&"info>") => elements.get(index + 2).copied().unwrap_or_default(),
            next => next
                .and_then(|next| next.strip_prefix("info>"))
                .unwrap_or_default(),
        };
        let info = info.trim_start_matches("![CDATA[");
        let name = attribute(element, "name").expect("constants have names");
        let text = attribute(element, "string");
        let number = attribute(element, "value").or_else(|| attribute(element, "raw"));
        let function = attribute(element, "params").is_some();
        if !name.starts_with("VIR_") || function {
            continue;
        }
        let Some(value) = text.or(number) else {
            continue;
        };
        let version = attribute(element, "version").unwrap_or_default().split('.');
        found.push(Published {
            name: name.to_owned(),
            group: match (attribute(element, "type"), text) {
                (Some(group), _) => group.to_owned(),
                (None, Some(_)) => String::new(),
                (None, None) => "macro".to_owned(),
            },
            value: value.to_owned(),
            is_text: text.is_some(),
            version: version.map_while(|part| part.parse().ok()).collect(),
            info: plain(attribute(element, "info").unwrap_or(info)),
        });
    }
    // The greatest number of an enumeration, called `..._LAST`, counts its constants.
    let number = |it: &Published| it.value.parse::<i64>().ok();
    let mut most: HashMap<String, i64> = HashMap::new();
    for constant in &found {
        let most = most.entry(constant.group.clone()).or_insert(i64::MIN);
        *most = number(constant).unwrap_or(i64::MIN).max(*most);
    }
    found.retain(|it| {
        let counts = number(it).is_none_or(|number| Some(&number) == most.get(&it.group));
        !it.name.ends_with("_LAST") || it.is_text || !counts
    });
    found
}

/// `runtime/constants/constants.txt` as the libvirt at hand has it: by enumeration and value.
fn derived_constants(api: &str) -> String {
    let published = published(api);
    let names = values(&published);
    let mut text = head();
    let mut lines = BTreeMap::new();
    for (index, constant) in published.iter().enumerate() {
        let number = match constant.is_text {
            true => 0,
            false => number(&constant.value, &names).expect(&constant.name),
        };
        lines.insert((constant.group.as_str(), number, index), constant);
    }
    for ((group, number, _), constant) in lines {
        let value = match constant.is_text {
            true => constant.value.clone(),
            false => number.to_string(),
        };
        let sentence = first_sentence(&constant.info);
        let _ = writeln!(text, "{}\t{group}\t{value}\t{sentence}", constant.name);
    }
    text
}

/// `runtime/constants/functions.txt` as the libvirt at hand has it: by name.
fn derived_functions(api: &str) -> String {
    let enumerations = enumerations(api);
    let mut lines = BTreeSet::new();
    for function in functions(api) {
        let mut line = format!("{}\t{}", function.name, function.version);
        for (name, info) in &function.parameters {
            let named = named(info, &enumerations);
            if !named.is_empty() || *name == "flags" {
                let _ = write!(line, "\t{name}={}", named.join(" "));
            }
        }
        lines.insert(line);
    }
    lines
        .into_iter()
        .fold(head(), |text, line| text + line.as_str() + "\n")
}

/// The enumerations that the description of a parameter names.
fn named<'a>(info: &'a str, enumerations: &HashSet<&str>) -> Vec<&'a str> {
    let words = info.split(|letter: char| !letter.is_alphanumeric());
    let mut named: Vec<&str> = words.filter(|word| enumerations.contains(word)).collect();
    named.sort_unstable();
    named.dedup();
    named
}

/// The first line of the derived tables.
fn head() -> String {
    let version = TABLE.map(|part| part.to_string()).join(".");
    format!("# From the API files of libvirt {version}, by the tests of suite::constants\n")
}

#[test]
fn the_tables_of_constants_and_functions_are_those_that_libvirt_publishes() {
    if version() != TABLE {
        skip(format!(
            "the tables are those of libvirt 11.3.0, and this is {:?}",
            version()
        ));
        return;
    }
    let api = whole_api();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runtime/constants");
    golden(&folder.join("constants.txt"), &derived_constants(&api));
    golden(&folder.join("functions.txt"), &derived_functions(&api));
    assert_eq!(
        constants::sentence("VIR_DOMAIN_START_PAUSED"),
        Some("Launch guest in paused state")
    );
    assert_eq!(
        constants::version_of("virDomainSetThrottleGroup"),
        Some("11.2.0")
    );
}

/// The values of constants by their names.
fn values(published: &[Published]) -> HashMap<&str, &str> {
    let each = published.iter();
    each.map(|it| (it.name.as_str(), it.value.as_str()))
        .collect()
}

/// The value of a C expression of sums, names and comments.
fn number(expression: &str, names: &HashMap<&str, &str>) -> Option<i64> {
    let bare = expression.split("/*").next()?.replace(['(', ')', 'L'], "");
    // Removing every `L` damages names, so names are looked up in the original text.
    if let Some(other) = names.get(expression.trim()) {
        return number(other, names);
    }
    bare.split('+')
        .map(|part| part.trim().parse::<i64>().ok())
        .sum()
}

#[test]
fn every_constant_that_libvirt_publishes_has_its_value_in_a_script() {
    let api = whole_api();
    let published = published(&api);
    assert!(published.len() > 1000, "the API files are understood");
    let names = values(&published);
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
    let api = whole_api();
    let enumerations = enumerations(&api);
    let functions = functions(&api);
    let mut offenders = Vec::new();
    for function in &functions {
        for (parameter, info) in &function.parameters {
            let named: BTreeSet<&str> = named(info, &enumerations).into_iter().collect();
            let known = constants::enumerations(function.name, parameter);
            let known: Option<BTreeSet<&str>> = known.map(|known| known.iter().copied().collect());
            // Not every description names its enumeration, and an older libvirt lacks some
            // enumerations.
            if !named.is_empty()
                && known
                    .as_ref()
                    .is_some_and(|known| !known.is_superset(&named))
            {
                offenders.push(format!(
                    "{} {parameter}: {named:?}, not {known:?}",
                    function.name
                ));
            }
        }
    }
    assert!(functions.len() > 500, "the API files are understood");
    assert!(offenders.is_empty(), "{offenders:#?}");
}
