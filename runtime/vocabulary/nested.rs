//! Nested maps: libvirt gives them as parameters with dots and numbers in their names, such as `user.0.name`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::Identifier;

use super::parameters::plain;
use crate::constants;
use crate::spec::{Key, Spec, Type};

/// Parameters whose unit is only in libvirt's documentation.
const UNITS: [(&str, &str); 2] = [("login-time", "login_time_ms"), ("offset", "offset_s")];

/// The part `name` of a parameter's name as a key that a script can read as a property.
pub(crate) fn nested_key(name: &str) -> Identifier {
    match UNITS.iter().find(|(known, _)| *known == name) {
        Some((_, key)) => (*key).into(),
        None if name.contains('-') => name.replace('-', "_").into(),
        None => name.into(),
    }
}

/// The keys of the maps and lists that the parameters make whose constants begin with `prefix`. A newer libvirt may have
/// more of them.
pub(crate) fn nested_keys(prefix: &str) -> Vec<Key> {
    let mut root = Node::default();
    for (constant, _) in constants::parameters(prefix) {
        let Some(name) = whole_name(constant).filter(|name| !name.ends_with('.')) else {
            continue;
        };
        let mut node = &mut root;
        for part in name.split('.') {
            node = node.parts.entry(part.to_owned()).or_default();
        }
        node.constant = Some(constant);
    }
    keys(&root, "")
}

/// The placeholder for the number of a list item.
const NUMBER: &str = "#";

#[derive(Default)]
struct Node {
    constant: Option<&'static str>,
    parts: BTreeMap<String, Node>,
}

/// The complete name of the parameter `constant`: libvirt's constants for items do not contain the
/// name of the list.
fn whole_name(constant: &str) -> Option<String> {
    let name = constants::lookup(constant)?.into_immutable_string().ok()?;
    if !name.starts_with('.') {
        return Some(name.into());
    }
    let (list, _) = constant.rsplit_once("_SUFFIX_")?;
    let list = whole_name(&format!("{list}_PREFIX"))?;
    Some(format!("{list}{NUMBER}{name}"))
}

/// The keys of the map that the parts of `node` make, whose parameters begin with `path`.
fn keys(node: &Node, path: &str) -> Vec<Key> {
    let named = node.parts.iter().filter(|(name, _)| *name != NUMBER);
    let key = |(name, part): (&String, &Node)| {
        let path = format!("{path}{name}");
        Key {
            help: help(part, &path),
            ..Key::of_result(&nested_key(name), ty(part, &path))
        }
    };
    named.map(key).collect()
}

/// libvirt's description of a parameter, without its C type; the names of the parameters in a map or a list.
fn help(node: &Node, path: &str) -> String {
    let Some(sentence) = node.constant.and_then(constants::sentence) else {
        return format!("libvirt's parameters `{path}.*`");
    };
    let mut help = plain(sentence);
    let ends = [" as ", ", returned as", " (e.g"];
    if let Some(end) = ends.iter().filter_map(|end| help.find(end)).min() {
        help.truncate(end);
    }
    if help.split_whitespace().count() < 2 {
        return format!("libvirt's parameter `{path}`");
    }
    help
}

fn ty(node: &Node, path: &str) -> Type {
    if let Some(item) = node.parts.get(NUMBER) {
        let others = node.parts.keys().filter(|name| *name != NUMBER);
        // Without a count, the items are not a list.
        if others.map(String::as_str).eq(["count"]) {
            return Type::Array(Box::new(ty(item, &format!("{path}.{NUMBER}"))));
        }
    }
    if !node.parts.is_empty() {
        return Type::Keys(Arc::new(Spec {
            open: true,
            keys: keys(node, &format!("{path}.")),
            ..Spec::default()
        }));
    }
    let sentence = node.constant.and_then(constants::sentence);
    let sentence = sentence.unwrap_or_default().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| sentence.contains(word));
    if says(&["string"]) {
        Type::Text
    } else if says(&["boolean"]) {
        Type::Bool
    } else if says(&["double"]) {
        Type::Float
    } else if says(&["as int", "as an int", "unsigned", "long long", "as long"]) {
        Type::Int
    } else {
        Type::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::nested_keys;
    use crate::spec::{Key, Type};

    fn named<'a>(keys: &'a [Key], name: &str) -> &'a Key {
        let mut keys = keys.iter();
        keys.find(|key| key.name == name).expect("there is one")
    }

    #[test]
    fn parameters_with_dots_become_maps_and_lists() {
        let keys = nested_keys("VIR_DOMAIN_GUEST_INFO_");
        assert_eq!(named(&keys, "hostname").ty, Type::Text);
        let os = named(&keys, "os").ty.keys().expect("it is a map").clone();
        assert_eq!(
            os.key("kernel_release").map(|key| &key.ty),
            Some(&Type::Text)
        );
        let user = named(&keys, "user")
            .ty
            .item()
            .expect("it is a list")
            .clone();
        let user = user.keys().expect("its items are maps");
        assert_eq!(
            user.key("login_time_ms").map(|key| &key.ty),
            Some(&Type::Int)
        );
        let fs = named(&keys, "fs").ty.item().expect("it is a list").clone();
        let fs = fs.keys().expect("its items are maps");
        let total = fs.key("total_bytes").expect("it is there");
        assert_eq!(
            (&total.ty, total.help.as_str()),
            (&Type::Int, "The total size of the filesystem")
        );
        assert!(fs.key("disk").is_some_and(|disk| disk.ty.item().is_some()));
        let stats = nested_keys("VIR_DOMAIN_STATS_");
        let cpu = named(&stats, "cpu").ty.keys().expect("it is a map").clone();
        assert_eq!(cpu.key("time").map(|key| &key.ty), Some(&Type::Int));
        let vcpu = named(&stats, "vcpu")
            .ty
            .keys()
            .expect("it is a map")
            .clone();
        assert!(vcpu.open && vcpu.key("current").is_some());
    }
}
