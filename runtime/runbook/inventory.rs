//! Lists of hosts in Ansible's formats: YAML, INI, and the JSON of an inventory program.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::data::Format;
use crate::run::hosts::{Fleet, NamedHost};

/// The maximum depth of groups in groups.
const DEEPEST: usize = 32;

/// The maximum number of ranges in a name, and of hosts that the name stands for.
const MOST_RANGES: usize = 8;
const MOST_IN_A_NAME: usize = 10_000;

/// A group as it is read.
#[derive(Debug, Default)]
struct Group {
    hosts: Vec<String>,
    children: Vec<String>,
    vars: Map<String, Value>,
}

/// The content of an inventory, before hosts get the variables of their groups.
#[derive(Debug, Default)]
struct Inventory {
    /// The names in the order of the file.
    names: Vec<String>,
    vars: BTreeMap<String, Map<String, Value>>,
    groups: BTreeMap<String, Group>,
}

/// The hosts in the inventory `text`. `ending`, the end of the file name, is the format: `yaml`, `yml` or `json`; all
/// others are INI.
///
/// # Errors
///
/// The text is not an inventory, or the address of a host is not valid in a URI.
pub fn read(text: &str, ending: &str) -> Result<Fleet, String> {
    let inventory = match ending {
        "yaml" | "yml" => {
            let value = Format::Yaml.parse(text)?;
            Inventory::of_yaml(&value)?
        }
        "json" => {
            let value = Format::Json.parse(text)?;
            Inventory::of_json(&value)?
        }
        _ => Inventory::of_ini(text)?,
    };
    inventory.check_groups()?;
    inventory.fleet()
}

impl Inventory {
    fn host(&mut self, name: &str) -> &mut Map<String, Value> {
        if !self.vars.contains_key(name) {
            self.names.push(name.to_owned());
        }
        self.vars.entry(name.to_owned()).or_default()
    }

    fn group(&mut self, name: &str) -> &mut Group {
        self.groups.entry(name.to_owned()).or_default()
    }

    /// `all: {hosts: {...}, children: {...}, vars: {...}}`, or groups alone.
    fn of_yaml(value: &Value) -> Result<Self, String> {
        let mut inventory = Self::default();
        let groups = value.as_object().ok_or("it is not a map of groups")?;
        for (name, group) in groups {
            inventory.yaml_group(name, group, 0)?;
        }
        Ok(inventory)
    }

    fn yaml_group(&mut self, name: &str, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("the group `{name}` is nested too deeply"));
        }
        let empty = Map::new();
        let members = match value {
            Value::Null => &empty,
            value => value
                .as_object()
                .ok_or_else(|| format!("the group `{name}` is not a map"))?,
        };
        let part = |key: &str| match members.get(key) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map.clone()),
            Some(_) => Err(format!("`{key}` of the group `{name}` is not a map")),
        };
        for (pattern, vars) in part("hosts")? {
            for host in expanded(&pattern)? {
                if let Some(vars) = vars.as_object() {
                    self.host(&host).extend(vars.clone());
                } else {
                    self.host(&host);
                }
                self.group(name).hosts.push(host);
            }
        }
        let vars = part("vars")?;
        self.group(name).vars.extend(vars);
        for (child, value) in part("children")? {
            self.group(name).children.push(child.clone());
            self.yaml_group(&child, &value, depth + 1)?;
        }
        Ok(())
    }

    /// The output of an inventory program with `--list`.
    fn of_json(value: &Value) -> Result<Self, String> {
        let mut inventory = Self::default();
        let groups = value.as_object().ok_or("it is not a map of groups")?;
        let texts = |value: Option<&Value>| -> Vec<String> {
            let list = value.and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        for (name, group) in groups.iter().filter(|(name, _)| *name != "_meta") {
            // An old form: a group is the list of its hosts.
            let hosts = match group {
                Value::Array(_) => texts(Some(group)),
                group => texts(group.get("hosts")),
            };
            for host in &hosts {
                inventory.host(host);
            }
            let children = texts(group.get("children"));
            let vars = group.get("vars").and_then(Value::as_object).cloned();
            let own = inventory.group(name);
            own.hosts.extend(hosts);
            own.children.extend(children);
            own.vars.extend(vars.unwrap_or_default());
        }
        let vars = value.pointer("/_meta/hostvars").and_then(Value::as_object);
        for (host, vars) in vars.into_iter().flatten() {
            let vars = vars.as_object().cloned().unwrap_or_default();
            inventory.host(host).extend(vars);
        }
        Ok(inventory)
    }

    /// Sections `[group]`, `[group:children]` and `[group:vars]`, and a host with its variables in each line.
    fn of_ini(text: &str) -> Result<Self, String> {
        let mut inventory = Self::default();
        let (mut section, mut kind) = ("ungrouped".to_owned(), "hosts");
        let mut children = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            let wrong = |why: &str| format!("line {}: {why}", index + 1);
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(head) = line.strip_prefix('[') {
                let head = head
                    .strip_suffix(']')
                    .ok_or_else(|| wrong("`]` is missing"))?;
                let (name, what) = head.split_once(':').unwrap_or((head, "hosts"));
                kind = match what {
                    "hosts" => "hosts",
                    "children" => "children",
                    "vars" => "vars",
                    _ => {
                        return Err(wrong(
                            "the section is not [group], [group:children] or [group:vars]",
                        ));
                    }
                };
                name.clone_into(&mut section);
                inventory.group(name);
                continue;
            }
            match kind {
                "children" => {
                    children.push((index, line));
                    inventory.group(&section).children.push(line.to_owned());
                }
                "vars" => {
                    let (name, value) = line
                        .split_once('=')
                        .ok_or_else(|| wrong("`=` is missing"))?;
                    let value = ini_value(value.trim());
                    let vars = &mut inventory.group(&section).vars;
                    vars.insert(name.trim().to_owned(), value);
                }
                _ => {
                    let mut words = ini_words(line).into_iter();
                    let pattern = words.next().unwrap_or_default();
                    let mut vars = Map::new();
                    for word in words {
                        let (name, value) = word
                            .split_once('=')
                            .ok_or_else(|| wrong("`=` is missing"))?;
                        vars.insert(name.to_owned(), ini_value(value));
                    }
                    for host in expanded(&pattern).map_err(|why| wrong(&why))? {
                        inventory.host(&host).extend(vars.clone());
                        inventory.group(&section).hosts.push(host);
                    }
                }
            }
        }
        let is_missing = |child: &str| {
            !inventory.groups.contains_key(child) && !["all", "ungrouped"].contains(&child)
        };
        match children.into_iter().find(|(_, child)| is_missing(child)) {
            Some((index, child)) => Err(format!(
                "line {}: the group `{child}` has no section",
                index + 1
            )),
            None => Ok(inventory),
        }
    }

    /// Fails if a group contains itself.
    fn check_groups(&self) -> Result<(), String> {
        let mut done = HashSet::new();
        let mut path = Vec::new();
        self.groups
            .keys()
            .try_for_each(|name| self.follow(name, &mut path, &mut done))
    }

    /// Follows the children of the group `name`, which is below the groups of `path`; `done` has those without a circle.
    fn follow<'a>(
        &'a self,
        name: &'a str,
        path: &mut Vec<&'a str>,
        done: &mut HashSet<&'a str>,
    ) -> Result<(), String> {
        if let Some(at) = path.iter().position(|own| *own == name) {
            path.push(name);
            let circle = path[at..].join("` > `");
            return Err(format!("the group `{name}` contains itself: `{circle}`"));
        }
        if done.contains(name) {
            return Ok(());
        }
        if path.len() > DEEPEST {
            return Err(format!("the group `{name}` is nested too deeply"));
        }
        path.push(name);
        let children = self.groups.get(name).map(|group| &group.children);
        children
            .into_iter()
            .flatten()
            .try_for_each(|child| self.follow(child, path, done))?;
        path.pop();
        done.insert(name);
        Ok(())
    }

    /// The groups that `host` is in, the widest first.
    fn groups_of(&self, host: &str) -> Vec<&str> {
        let own = self
            .groups
            .iter()
            .filter(|(_, group)| group.hosts.iter().any(|name| name == host));
        let mut found: Vec<&str> = own.map(|(name, _)| name.as_str()).collect();
        let mut index = 0;
        while index < found.len() {
            let child = found[index];
            for (name, group) in &self.groups {
                if group.children.iter().any(|own| own == child) && !found.contains(&name.as_str())
                {
                    found.push(name);
                }
            }
            index += 1;
        }
        found.reverse();
        found
    }

    fn fleet(&self) -> Result<Fleet, String> {
        let mut fleet = Fleet::default();
        self.groups.keys().for_each(|name| fleet.add_group(name));
        for name in &self.names {
            let groups = self.groups_of(name);
            let mut vars = Map::new();
            if let Some(all) = self.groups.get("all") {
                vars.extend(all.vars.clone());
            }
            for group in &groups {
                vars.extend(
                    self.groups
                        .get(*group)
                        .map(|group| group.vars.clone())
                        .unwrap_or_default(),
                );
            }
            vars.extend(self.vars.get(name).cloned().unwrap_or_default());
            let uri = uri(name, &vars)?;
            fleet.add(NamedHost {
                name: name.clone(),
                uri,
                groups: groups
                    .into_iter()
                    .filter(|group| !["all", "ungrouped"].contains(group))
                    .map(str::to_owned)
                    .collect(),
                vars: vars
                    .into_iter()
                    .filter(|(name, _)| !name.starts_with("ansible_") && name != "virhai_uri")
                    .collect(),
            });
        }
        Ok(fleet)
    }
}

/// The URI of the host `name`: `virhai_uri`, or QEMU on the host in Ansible's variables.
fn uri(name: &str, vars: &Map<String, Value>) -> Result<String, String> {
    let var = |name: &str| match vars.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    if let Some(uri) = var("virhai_uri") {
        return Ok(uri);
    }
    if var("ansible_connection").as_deref() == Some("local") {
        return Ok("qemu:///system".into());
    }
    let host = var("ansible_host").unwrap_or_else(|| name.to_owned());
    let user = var("ansible_user").map_or_else(String::new, |user| format!("{user}@"));
    let port = var("ansible_port").map_or_else(String::new, |port| format!(":{port}"));
    let plain = |text: &str| {
        text.chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "._-:@[]".contains(letter))
    };
    if ![&host, &user, &port].into_iter().all(|text| plain(text)) {
        return Err(format!(
            "the address of the host `{name}` is not valid in a URI: give the URI with `virhai_uri`"
        ));
    }
    let host = match host.contains(':') && !host.starts_with('[') {
        true => format!("[{host}]"),
        false => host,
    };
    Ok(format!("qemu+ssh://{user}{host}{port}/system"))
}

/// The hosts of a name with ranges: `web[01:20]`, `db[a:c]`, `rack[1:4]-[1:9]`.
fn expanded(pattern: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("`{pattern}` is not a range of hosts such as web[1:20]");
    let mut parts = pattern.split('[');
    let mut hosts = vec![parts.next().unwrap_or_default().to_owned()];
    for (index, part) in parts.enumerate() {
        let (range, after) = part.split_once(']').ok_or_else(wrong)?;
        let middle = range_items(range).ok_or_else(wrong)?;
        if index >= MOST_RANGES || hosts.len() * middle.len() > MOST_IN_A_NAME {
            return Err(format!(
                "`{pattern}` has more than {MOST_RANGES} ranges or stands for more than {MOST_IN_A_NAME} hosts"
            ));
        }
        let longer = hosts.iter().flat_map(|host| {
            middle
                .iter()
                .map(move |item| format!("{host}{item}{after}"))
        });
        hosts = longer.collect();
    }
    Ok(hosts)
}

/// The items of a range such as `01:20` or `a:c`.
fn range_items(range: &str) -> Option<Vec<String>> {
    let (from, to) = range.split_once(':')?;
    match (from.parse::<u32>(), to.parse::<u32>()) {
        (Ok(first), Ok(last)) if first <= last && last - first < 10_000 => {
            let width = if from.starts_with('0') { from.len() } else { 0 };
            let numbers = first..=last;
            Some(numbers.map(|number| format!("{number:0width$}")).collect())
        }
        _ => match (from.as_bytes(), to.as_bytes()) {
            ([first], [last])
                if first.is_ascii_lowercase() && last.is_ascii_lowercase() && first <= last =>
            {
                let letters = *first..=*last;
                Some(
                    letters
                        .map(|letter| char::from(letter).to_string())
                        .collect(),
                )
            }
            _ => None,
        },
    }
}

/// The words of a line; quotes keep spaces within a word.
fn ini_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '#') if word.is_empty() => break,
            (None, letter) if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (_, letter) => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn ini_value(text: &str) -> Value {
    let plain = text.trim_matches(['"', '\'']);
    match text.parse::<i64>() {
        Ok(number) => number.into(),
        Err(_) => match plain {
            "true" | "True" => true.into(),
            "false" | "False" => false.into(),
            text => text.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    const INI: &str = "
# the lab
gate ansible_connection=local
[web]
web[01:02] rack=3 note='two words'
[db]
db1 ansible_host=10.0.0.5 ansible_user=root ansible_port=2222
odd virhai_uri=test:///default
[prod:children]
web
db
[prod:vars]
tier=gold
";

    const YAML: &str = "
all:
  hosts:
    gate: {ansible_connection: local}
  children:
    prod:
      vars: {tier: gold}
      children:
        web:
          hosts: {'web[01:02]': {rack: 3, note: two words}}
        db:
          hosts:
            db1: {ansible_host: 10.0.0.5, ansible_user: root, ansible_port: 2222}
            odd: {virhai_uri: 'test:///default'}
";

    const JSON: &str = r#"{
        "_meta": {"hostvars": {
            "gate": {"ansible_connection": "local"},
            "web01": {"rack": 3, "note": "two words"}, "web02": {"rack": 3, "note": "two words"},
            "db1": {"ansible_host": "10.0.0.5", "ansible_user": "root", "ansible_port": 2222},
            "odd": {"virhai_uri": "test:///default"}
        }},
        "ungrouped": {"hosts": ["gate"]},
        "prod": {"children": ["web", "db"], "vars": {"tier": "gold"}},
        "web": {"hosts": ["web01", "web02"]},
        "db": ["db1", "odd"]
    }"#;

    #[test]
    fn the_same_hosts_come_from_every_format() {
        for (text, ending) in [(INI, "ini"), (YAML, "yaml"), (JSON, "json"), (INI, "")] {
            let fleet = read(text, ending).expect(ending);
            let host = |name: &str| {
                fleet
                    .host(name)
                    .unwrap_or_else(|| panic!("{ending}: {name}"))
            };
            assert_eq!(fleet.hosts().len(), 5, "{ending}");
            assert_eq!(host("gate").uri, "qemu:///system");
            assert_eq!(host("web02").uri, "qemu+ssh://web02/system");
            assert_eq!(host("db1").uri, "qemu+ssh://root@10.0.0.5:2222/system");
            assert_eq!(host("odd").uri, "test:///default");
            assert_eq!(host("web01").groups, ["prod", "web"], "{ending}");
            let vars = &host("web01").vars;
            assert_eq!(
                (vars["tier"].as_str(), vars["rack"].as_i64()),
                (Some("gold"), Some(3))
            );
            assert_eq!(vars["note"], "two words");
            let prod = fleet.select("prod:!web").expect("groups");
            let names: Vec<&str> = prod.iter().map(|host| host.name.as_str()).collect();
            assert_eq!(names, ["db1", "odd"], "{ending}");
        }
    }

    #[test]
    fn each_range_of_a_name_is_expanded() {
        let fleet = read("[r]\nr[1:2]-[08:10]-[a:b]", "ini").expect("hosts");
        let names: Vec<&str> = fleet
            .hosts()
            .iter()
            .map(|host| host.name.as_str())
            .collect();
        assert_eq!(names.len(), 12, "{names:?}");
        assert_eq!(names[..3], ["r1-08-a", "r1-08-b", "r1-09-a"]);
    }

    #[test]
    fn a_group_that_contains_itself_or_is_missing_is_an_error_with_its_name() {
        let circle = "`a` > `b` > `a`";
        for (text, ending, told) in [
            ("[a:children]\nb\n[b:children]\na\n", "ini", circle),
            ("a: {children: {b: {children: {a: }}}}", "yaml", circle),
            (
                r#"{"a": {"children": ["b"]}, "b": {"children": ["a"]}}"#,
                "json",
                circle,
            ),
            ("[a:children]\na\n", "ini", "`a` contains itself"),
            (
                "[web]\nw1\n[all:children]\nweb\ndb\n",
                "ini",
                "line 5: the group `db` has no section",
            ),
        ] {
            let error = read(text, ending).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
        // A program leaves out groups without hosts, and a placeholder has none yet.
        for (text, ending) in [
            (r#"{"all": {"children": ["ungrouped", "db"]}}"#, "json"),
            ("[db]\n[prod:children]\ndb\nungrouped\n", "ini"),
        ] {
            assert!(read(text, ending).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_not_an_inventory_is_an_error() {
        for (text, ending) in [
            ("[web", "ini"),
            ("[web:odd]", "ini"),
            ("[web]\na b", "ini"),
            ("[web]\na[1:x]", "ini"),
            ("[web]\na[1:2][3", "ini"),
            ("[web]\na[1:9000][1:9000]", "ini"),
            (
                "[web]\na[1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1]",
                "ini",
            ),
            ("{\"web\": [\"a\"], \"web\": [\"b\"]}", "json"),
            ("- a", "yaml"),
            ("web: 3", "yaml"),
            ("[]", "json"),
            ("a ansible_host='x/y?z'", "ini"),
        ] {
            assert!(read(text, ending).is_err(), "{text}");
        }
    }
}
