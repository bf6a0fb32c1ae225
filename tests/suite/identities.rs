//! Compares the decisions of `std/identity` with libvirt's schema: every part of a guest has a treatment in a clone.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::support::{Host, TestHost, golden};

/// Types of libvirt's schema that name something outside of the guest, or the guest itself.
const RESOURCES: &[&str] = &[
    "absFilePath",
    "filePath",
    "absDirPath",
    "dirPath",
    "UUID",
    "PortNumber",
    "uniMacAddr",
    "macAddr",
    "deviceName",
    "wwn",
    "ipAddr",
    "ipv4Addr",
    "ipv6Addr",
    "addrIPorName",
    "hostName",
    "dnsName",
];

/// An element of the schema.
#[derive(Default, Clone)]
struct Node {
    tag: String,
    name: String,
    children: Vec<Node>,
}

fn read(path: &Path) -> Node {
    let text = std::fs::read_to_string(path).expect("libvirt has its schema");
    let mut reader = Reader::from_str(&text);
    let mut open = vec![Node::default()];
    loop {
        let event = reader.read_event().expect("the schema is XML");
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                let attribute = |key: &str| {
                    let found = start.try_get_attribute(key).ok().flatten();
                    found.map(|found| found.value.into_owned())
                };
                let node = Node {
                    tag: start.local_name().as_ref().to_owned(),
                    name: attribute("name").unwrap_or_default(),
                    children: Vec::new(),
                };
                match event {
                    Event::Start(_) => open.push(node),
                    _ => open
                        .last_mut()
                        .expect("the root is open")
                        .children
                        .push(node),
                }
            }
            Event::End(_) => {
                let done = open.pop().expect("it was opened");
                open.last_mut()
                    .expect("the root is open")
                    .children
                    .push(done);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    open.remove(0)
}

#[derive(Default)]
struct Schema {
    definitions: BTreeMap<String, Vec<Node>>,
    /// The path of each element below `domain`, and in `resources` of those that name a resource.
    elements: BTreeSet<String>,
    resources: BTreeSet<String>,
}

impl Schema {
    fn read() -> Self {
        let mut schema = Self::default();
        let folder = Path::new("/usr/share/libvirt/schemas");
        let files = std::fs::read_dir(folder)
            .expect("libvirt has its schema")
            .flatten();
        let mut files: Vec<_> = files.map(|entry| entry.path()).collect();
        // Other files define the same names differently.
        files.sort_by_key(|path| !path.ends_with("domaincommon.rng"));
        for file in &files {
            let mut found: BTreeMap<String, Vec<Node>> = BTreeMap::new();
            let mut open = vec![read(file)];
            while let Some(node) = open.pop() {
                match node.tag.as_str() {
                    "define" => found.entry(node.name.clone()).or_default().push(node),
                    _ => open.extend(node.children),
                }
            }
            for (name, definition) in found {
                schema.definitions.entry(name).or_insert(definition);
            }
        }
        let start = schema
            .definitions
            .get("domain")
            .cloned()
            .unwrap_or_default();
        for node in &start {
            schema.walk(node, &mut Vec::new(), &mut vec!["domain".into()]);
        }
        schema
    }

    fn walk(&mut self, node: &Node, path: &mut Vec<String>, within: &mut Vec<String>) {
        for child in &node.children {
            match child.tag.as_str() {
                "element" => {
                    if path.len() > 6 || path.contains(&child.name) {
                        continue;
                    }
                    path.push(child.name.clone());
                    self.elements.insert(path[1..].join("/"));
                    self.walk(child, path, within);
                    path.pop();
                }
                "attribute" => {
                    path.push(format!("@{}", child.name));
                    self.walk(child, path, within);
                    path.pop();
                }
                "ref" => {
                    if RESOURCES.contains(&child.name.as_str()) {
                        self.resources.insert(path[1..].join("/"));
                    }
                    if within.contains(&child.name) {
                        continue;
                    }
                    within.push(child.name.clone());
                    for definition in self
                        .definitions
                        .get(&child.name)
                        .cloned()
                        .unwrap_or_default()
                    {
                        self.walk(&definition, path, within);
                    }
                    within.pop();
                }
                _ => self.walk(child, path, within),
            }
        }
    }
}

/// A path without its conditions and the prefixes of names.
fn plain(path: &str) -> String {
    let mut depth = 0;
    let bare: String = path
        .chars()
        .filter(|letter| {
            depth += i32::from(*letter == '[');
            let keep = depth == 0;
            depth -= i32::from(*letter == ']');
            keep
        })
        .collect();
    let steps = bare
        .split('/')
        .map(|step| step.rsplit(':').next().unwrap_or(step));
    steps.collect::<Vec<_>>().join("/")
}

const DECISIONS: &str = "import \"std/identity\" as identity; for row in identity::decisions() { print(`${row.treatment}\t${row.path}\t${row?.why ?? \"\"}`) }";

/// The table in the README of the recipes is written by this test.
#[test]
fn the_readme_of_the_recipes_has_the_table_of_decisions() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib/README.md");
    let readme = std::fs::read_to_string(&file).expect("it is there");
    let (begin, end) = (
        "<!-- what follows is written by the tests -->\n",
        "<!-- until here -->\n",
    );
    let (before, rest) = readme.split_once(begin).expect("the table has its place");
    let (_, after) = rest.split_once(end).expect("the table has an end");
    let mut groups: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for line in TestHost::new().ok(DECISIONS).lines() {
        let [treatment, path, why] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let paths = groups.entry((treatment.into(), why.into())).or_default();
        paths.push(format!("`{path}`"));
    }
    let mut table = String::from("| treatment | parts | reason |\n|---|---|---|\n");
    for ((treatment, why), paths) in groups {
        let _ = writeln!(table, "| {treatment} | {} | {why} |", paths.join(", "));
    }
    let wanted = format!("{before}{begin}{table}{end}{after}");
    golden(&file, &wanted);
}

#[test]
fn everything_in_the_schema_of_a_guest_is_decided() {
    let printed = TestHost::new().ok(DECISIONS);
    let rows: Vec<(String, String)> = printed
        .lines()
        .filter_map(|line| {
            let mut parts = line.split('\t');
            Some((parts.next()?.to_owned(), plain(parts.next()?)))
        })
        .collect();
    let schema = Schema::read();
    assert!(schema.resources.len() > 60 && schema.elements.len() > 500);
    let mut undecided = String::new();
    for path in &schema.elements {
        let wanted = match path.split('/').collect::<Vec<_>>()[..] {
            ["devices", _] => true,
            [""] => false,
            [top] => top != "devices",
            _ => false,
        };
        if wanted && !rows.iter().any(|(_, row)| row == path) {
            let _ = writeln!(undecided, "{path}");
        }
    }
    for path in &schema.resources {
        // Bus addresses, labels, and the parts of disks, host devices and their images.
        if [
            "/address/",
            "/seclabel",
            "devices/disk/",
            "devices/hostdev/",
        ]
        .iter()
        .any(|part| path.contains(part))
        {
            continue;
        }
        let decided = rows.iter().any(|(treatment, row)| {
            let within = path
                .strip_prefix(row.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            let whole = if row.starts_with("devices/") { 2 } else { 1 };
            // The treatment "shared" of a whole device does not decide about a resource in it.
            within && (treatment != "shared" || row.split('/').count() > whole || path == row)
        });
        if !decided {
            let _ = writeln!(undecided, "{path}");
        }
    }
    assert!(
        undecided.is_empty(),
        "`std/identity` decides nothing about\n{undecided}"
    );
}
