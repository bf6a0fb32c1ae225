//! A picture of a host, to find the changes of a recipe.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use walkdir::WalkDir;

use crate::support::Host;

/// Reads the objects of a host as a map of texts; `conn` is the connection to it.
pub const SCRIPT: &str = include_str!("picture.rhai");

/// Folders of a host that hold libvirt's own files and the test's, not the recipe's.
const OWN: [&str; 9] = [
    "run", "config", "cache", "data", "home", "lib", "log", "root", "sweep",
];

/// The objects of a host, and the files beside it, each under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture(BTreeMap<String, String>);

impl Picture {
    /// Reads `host` with a run of the program.
    pub fn of(host: &impl Host) -> Self {
        let answer = host
            .virhai()
            .arg("--json")
            .script(format!("let conn = connect();\n{SCRIPT}"))
            .ok();
        let known = serde_json::from_str(&answer).expect("the picture is JSON");
        let mut picture = Self::from_map(known);
        picture.add_files(&host.scratch().path(""));
        picture
    }

    /// The result of the script.
    pub fn from_map(known: BTreeMap<String, String>) -> Self {
        let steady = |(name, text): (String, String)| (name, steady(&text));
        Self(known.into_iter().map(steady).collect())
    }

    fn add_files(&mut self, folder: &Path) {
        let walk = WalkDir::new(folder).into_iter().filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() != 1 || !OWN.contains(&name.as_ref())
        });
        for entry in walk.flatten().filter(|entry| entry.file_type().is_file()) {
            let path = entry.path();
            if path.extension().is_some_and(|kind| kind == "console") {
                continue;
            }
            let content = std::fs::read(path).unwrap_or_default();
            let mut hasher = DefaultHasher::new();
            content.hash(&mut hasher);
            let seen = format!("{} bytes, hash {:x}", content.len(), hasher.finish());
            self.0.insert(format!("file {}", path.display()), seen);
        }
    }

    /// The differences in `after`, in words; empty if there are none.
    pub fn difference(&self, after: &Self) -> Vec<String> {
        let gone = self.0.iter().filter_map(|(name, text)| {
            let now = after.0.get(name);
            (now != Some(text)).then(|| match now {
                None => format!("{name} is gone"),
                Some(now) => format!("{name} changed:{}", changed_lines(text, now)),
            })
        });
        let new = after
            .0
            .iter()
            .filter(|(name, _)| !self.0.contains_key(*name));
        let new = new.map(|(name, text)| {
            let text: String = text.chars().take(200).collect();
            format!("{name} is new: {text}")
        });
        gone.chain(new).collect()
    }
}

/// The lines that differ, as `diff` shows them.
fn changed_lines(before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    let changes = diff.iter_all_changes();
    let changes = changes.filter(|change| change.tag() != similar::ChangeTag::Equal);
    changes
        .map(|change| format!("\n    {}{}", change.tag(), change.value().trim_end()))
        .collect()
}

/// XML without the parts that differ each time a guest is started: its number and those of its
/// images, terminals and sockets. libvirt 10 keeps the element of metadata that it has emptied.
fn steady(xml: &str) -> String {
    let mut text = xml.replace("  <metadata/>\n", "");
    for (before, after) in [
        (" id='", "'"),
        (" index='", "'"),
        ("/dev/pts/", "'"),
        ("/domain-", "-"),
        ("/channel/", "-"),
    ] {
        text = without(&text, before, after);
    }
    text
}

/// `text` without the digits between `before` and `after`.
fn without(text: &str, before: &str, after: &str) -> String {
    let mut parts = text.split(before);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(before);
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        kept.push_str(if rest.starts_with(after) { rest } else { part });
    }
    // An attribute that is not always there.
    kept.replace(" index=''", "").replace(" id=''", "")
}
