//! Differences between two documents, by path.
//!
//! Elements are matched by their identity: a disk by its target, an interface by its address. Comments, the order of
//! attributes and the space between elements make no difference.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use super::document::Document;
use super::effort;
use super::fault::Result;
use super::nodes::{NodeId, NodeKind};
use super::path::{Path, quoted};
use super::select;

/// The bytes of a difference or a pair besides its texts, including the growth of its list.
const ENTRY: usize = 1024;

/// The bytes of an attribute for each byte of the shortest ones, `a=''`.
const ATTRIBUTE: usize = 32;

/// One difference between two documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub path: String,
    /// The text in the first document, if any.
    pub from: Option<String>,
    /// The text in the second document.
    pub to: Option<String>,
}

impl Difference {
    /// The kind of the change from the first document to the second.
    pub fn change(&self) -> &'static str {
        match (&self.from, &self.to) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        }
    }

    /// The steps of the path as they are written.
    pub fn steps(&self) -> Vec<String> {
        Path::parse(&self.path).map_or_else(|_| Vec::new(), |path| path.written_steps())
    }

    /// The names of the elements on the path.
    pub fn names(&self) -> Vec<String> {
        Path::parse(&self.path).map_or_else(|_| Vec::new(), |path| path.names())
    }
}

/// Attributes that identify elements of one name, the best first.
struct Identity {
    paths: Vec<Path>,
    /// True if a difference in it means another element, even if there is only one.
    strong: bool,
}

impl Identity {
    /// True if each of `elements` has it, and all are different.
    fn tells_apart(&self, elements: &[Side]) -> Result<bool> {
        let mut seen = HashSet::new();
        for element in elements {
            let Some(values) = element.identity(&self.paths)? else {
                return Ok(false);
            };
            if !seen.insert(values) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

static IDENTITIES: LazyLock<Vec<Identity>> = LazyLock::new(|| {
    let identity = |strong| {
        move |paths: &&[&str]| {
            let paths = paths.iter().filter_map(|path| Path::parse(path).ok());
            Identity {
                paths: paths.collect(),
                strong,
            }
        }
    };
    let strong: [&[&str]; 4] = [
        &["mac/@address"],
        &["target/@dev"],
        &["target/@dir"],
        &["target/@name"],
    ];
    let weak: [&[&str]; 9] = [
        &["@type", "@index"],
        &["@name"],
        &["@id"],
        &["@index"],
        &["@type"],
        &["@vcpu"],
        &["name"],
        &["uuid"],
        &["alias/@name"],
    ];
    let strong = strong.iter().map(identity(true));
    strong.chain(weak.iter().map(identity(false))).collect()
});

/// One of the two documents, or a part of it.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub document: &'a Document,
    pub node: NodeId,
}

impl<'a> Side<'a> {
    fn at(self, node: NodeId) -> Self {
        Self { node, ..self }
    }

    fn elements(self) -> impl Iterator<Item = Self> + 'a {
        self.document
            .elements(self.node)
            .map(move |node| self.at(node))
    }

    fn name(self) -> &'a str {
        self.document.name(self.node)
    }

    /// The text directly in the element, without white space around it.
    fn text(self) -> Result<String> {
        let mut all = String::new();
        for node in self.document.children(self.node) {
            effort::take(1)?;
            if matches!(
                self.document.nodes[node].kind,
                NodeKind::Text | NodeKind::CData
            ) {
                let text = self.document.own_text(node);
                effort::take(text.len() / 16)?;
                effort::ensure_room(text.len())?;
                all.push_str(&text);
            }
        }
        Ok(all.trim().to_owned())
    }

    fn attributes(self) -> Result<Vec<(&'a str, String)>> {
        let written = self.document.open(self.node).len();
        effort::take(1 + written / 16)?;
        effort::ensure_room(written.saturating_mul(ATTRIBUTE))?;
        Ok(self.document.attributes(self.node))
    }

    fn is_leaf(self) -> bool {
        self.elements().next().is_none()
    }

    fn xml(self) -> Result<String> {
        let length = self.document.outer_length(self.node);
        effort::take(length / 16)?;
        effort::ensure_room(length)?;
        Ok(self.document.outer(self.node))
    }

    fn fingerprint(self) -> Result<u64> {
        let mut hasher = DefaultHasher::new();
        let elements = self.document.walk(self.node).map(|node| self.at(node));
        let top = self.document.depth(self.node);
        for element in elements.filter(|side| self.document.is_element(side.node)) {
            let mut attributes = element.attributes()?;
            attributes.sort_unstable();
            let depth = self.document.depth(element.node) - top;
            effort::take(top + depth)?;
            (depth, element.name(), attributes, element.text()?).hash(&mut hasher);
        }
        Ok(hasher.finish())
    }

    /// The values of the paths of an identity, if all exist.
    fn identity(self, paths: &[Path]) -> Result<Option<Vec<String>>> {
        let mut values = Vec::with_capacity(paths.len());
        for path in paths {
            match select::value(self.document, self.node, path)? {
                Some(value) => values.push(value),
                None => return Ok(None),
            }
        }
        effort::ensure_room(values.iter().map(String::len).sum())?;
        Ok(Some(values))
    }
}

/// The differences from `from` to `to`.
pub(super) fn diff(from: Side, to: Side) -> Result<Vec<Difference>> {
    let mut differences = Vec::new();
    // Pairs that are still to be compared, the next one last: no recursion, however deep.
    let mut pairs = vec![Item::Pair(String::new(), from, to)];
    while let Some(item) = pairs.pop() {
        match item {
            Item::Found(difference) => differences.push(difference),
            Item::Pair(path, from, to) if from.name() != to.name() => {
                differences.push(Difference {
                    path: or_itself(path),
                    from: Some(from.xml()?),
                    to: Some(to.xml()?),
                })
            }
            Item::Pair(path, from, to) => {
                differences.append(&mut attributes(&path, from, to)?);
                differences.extend(text(&path, from, to)?);
                let mut next = children(&path, from, to)?;
                next.reverse();
                pairs.append(&mut next);
            }
        }
    }
    Ok(differences)
}

enum Item<'a> {
    Found(Difference),
    Pair(String, Side<'a>, Side<'a>),
}

fn below(path: &str, step: &str) -> Result<String> {
    match path {
        "" => joined(&[step]),
        _ => joined(&[path, "/", step]),
    }
}

/// The parts in one text, with room left for the difference or the pair that it is of.
fn joined(parts: &[&str]) -> Result<String> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    effort::take(1 + length / 16)?;
    effort::ensure_room(length.saturating_add(ENTRY))?;
    Ok(parts.concat())
}

fn or_itself(path: String) -> String {
    if path.is_empty() { ".".into() } else { path }
}

fn attributes(path: &str, from: Side, to: Side) -> Result<Vec<Difference>> {
    let (old, new) = (from.attributes()?, to.attributes()?);
    let mut differences = Vec::new();
    let mut differs = |name: &str, from: Option<&String>, to: Option<&String>| {
        if from != to {
            differences.push(Difference {
                path: below(path, &format!("@{name}"))?,
                from: from.cloned(),
                to: to.cloned(),
            });
        }
        Ok(())
    };
    let by_name: HashMap<&str, &String> = new.iter().map(|(name, value)| (*name, value)).collect();
    for (name, value) in &old {
        differs(name, Some(value), by_name.get(name).copied())?;
    }
    let known: HashMap<&str, &String> = old.iter().map(|(name, value)| (*name, value)).collect();
    for (name, value) in &new {
        if !known.contains_key(name) {
            differs(name, None, Some(value))?;
        }
    }
    Ok(differences)
}

fn text(path: &str, from: Side, to: Side) -> Result<Option<Difference>> {
    let (old, new) = (from.text()?, to.text()?);
    if old == new {
        return Ok(None);
    }
    let path = if from.is_leaf() && to.is_leaf() {
        or_itself(joined(&[path])?)
    } else {
        below(path, "text()")?
    };
    Ok(Some(Difference {
        path,
        from: Some(old),
        to: Some(new),
    }))
}

/// The elements of one name on both sides.
#[derive(Default)]
struct Group<'a> {
    from: Vec<Side<'a>>,
    to: Vec<Side<'a>>,
}

fn children<'a>(path: &str, from: Side<'a>, to: Side<'a>) -> Result<Vec<Item<'a>>> {
    let mut names: Vec<&str> = Vec::new();
    let mut groups: HashMap<&str, Group> = HashMap::new();
    for (side, is_from) in [(from, true), (to, false)] {
        for element in side.elements() {
            effort::take(1 + element.name().len() / 16)?;
            let group = groups.entry(element.name()).or_insert_with(|| {
                names.push(element.name());
                Group::default()
            });
            if is_from {
                &mut group.from
            } else {
                &mut group.to
            }
            .push(element);
        }
    }
    let mut items = Vec::new();
    for name in names {
        if let Some(group) = groups.get(name) {
            group.compare(&below(path, name)?, &mut items)?;
        }
    }
    Ok(items)
}

impl<'a> Group<'a> {
    fn compare(&self, path: &str, items: &mut Vec<Item<'a>>) -> Result<()> {
        match self.identity()? {
            Some(identity) => self.compare_by(identity, path, items),
            None => self.compare_in_order(path, items),
        }
    }

    /// The identity that every element of the group has, different for all elements of one side.
    fn identity(&self) -> Result<Option<&'static Identity>> {
        let single = self.from.len() <= 1 && self.to.len() <= 1;
        for identity in IDENTITIES.iter().filter(|known| known.strong || !single) {
            if identity.tells_apart(&self.from)? && identity.tells_apart(&self.to)? {
                return Ok(Some(identity));
            }
        }
        Ok(None)
    }

    fn compare_by(&self, identity: &Identity, path: &str, items: &mut Vec<Item<'a>>) -> Result<()> {
        let values = |element: &Side| {
            let values = element.identity(&identity.paths)?;
            Ok(values.unwrap_or_default())
        };
        let step = |values: &[String]| {
            let conditions = identity.paths.iter().zip(values);
            let conditions =
                conditions.map(|(path, value)| format!("[{}={}]", path.written, quoted(value)));
            joined(&[path, &conditions.collect::<String>()])
        };
        let mut new: HashMap<Vec<String>, Side> = HashMap::new();
        for element in &self.to {
            new.insert(values(element)?, *element);
        }
        for old in &self.from {
            let values = values(old)?;
            items.push(match new.remove(&values) {
                Some(new) => Item::Pair(step(&values)?, *old, new),
                None => Item::Found(removed(step(&values)?, *old)?),
            });
        }
        for element in &self.to {
            let values = values(element)?;
            if new.contains_key(&values) {
                items.push(Item::Found(added(step(&values)?, *element)?));
            }
        }
        Ok(())
    }

    /// Compares elements that differ only in their position.
    fn compare_in_order(&self, path: &str, items: &mut Vec<Item<'a>>) -> Result<()> {
        let (from, to) = (&self.from, &self.to);
        let single = from.len() <= 1 && to.len() <= 1;
        let step = |index: usize| match single {
            true => joined(&[path]),
            false => joined(&[path, &format!("[{}]", index + 1)]),
        };
        let shorter = from.len().min(to.len());
        // If some were added or removed, those before and after are still the same.
        let (before, after) = if from.len() == to.len() {
            (shorter, 0)
        } else {
            let before = alike(from.iter().zip(to))?;
            let ends = from.iter().rev().zip(to.iter().rev());
            (before, alike(ends.take(shorter - before))?)
        };
        let old = &from[before..from.len() - after];
        let new = &to[before..to.len() - after];
        for (index, (old, new)) in from.iter().zip(to).enumerate().take(before) {
            items.push(Item::Pair(step(index)?, *old, *new));
        }
        let both = old.len().min(new.len());
        for index in 0..both {
            items.push(Item::Pair(step(before + index)?, old[index], new[index]));
        }
        for (index, old) in old.iter().enumerate().skip(both) {
            items.push(Item::Found(removed(step(before + index)?, *old)?));
        }
        for (index, new) in new.iter().enumerate().skip(both) {
            items.push(Item::Found(added(step(before + index)?, *new)?));
        }
        Ok(())
    }
}

/// The number of the first `pairs` that seem alike; they are still compared.
fn alike<'a>(pairs: impl Iterator<Item = (&'a Side<'a>, &'a Side<'a>)>) -> Result<usize> {
    let mut count = 0;
    for (from, to) in pairs {
        if from.fingerprint()? != to.fingerprint()? {
            break;
        }
        count += 1;
    }
    Ok(count)
}

fn removed(path: String, element: Side) -> Result<Difference> {
    Ok(Difference {
        path,
        from: Some(element.xml()?),
        to: None,
    })
}

fn added(path: String, element: Side) -> Result<Difference> {
    Ok(Difference {
        path,
        from: None,
        to: Some(element.xml()?),
    })
}
