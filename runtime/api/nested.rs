//! libvirt's numbered names, such as `user.0.name`, as lists and maps.

use std::collections::BTreeMap;

use rhai::{Array, Dynamic, Map};

use crate::api::arguments::dynamic;
use crate::libvirt::typed_params::Scalar;
use crate::vocabulary::nested_key;

#[derive(Default)]
struct Node<'a> {
    value: Option<Dynamic>,
    parts: BTreeMap<&'a str, Node<'a>>,
}

/// `fields` by the parts of their names: what is numbered is a list, the rest maps.
pub(crate) fn nested(mut fields: Vec<(String, Scalar)>) -> Map {
    let mut root = Node::default();
    for (name, value) in &mut fields {
        let mut node = &mut root;
        for part in name.split('.') {
            node = node.parts.entry(part).or_default();
        }
        node.value = Some(dynamic(std::mem::replace(value, Scalar::Bool(false))));
    }
    map(root)
}

fn map(node: Node) -> Map {
    let parts = node.parts.into_iter();
    parts
        .map(|(name, part)| (nested_key(name), finish(part)))
        .collect()
}

fn finish(mut node: Node) -> Dynamic {
    if node.parts.is_empty() {
        return node.value.unwrap_or(Dynamic::UNIT);
    }
    let numbered = |name: &&str| *name == "count" || name.bytes().all(|byte| byte.is_ascii_digit());
    if !node.parts.contains_key("count") || !node.parts.keys().all(numbered) {
        return map(node).into();
    }
    node.parts.remove("count");
    // All there are, whatever the count says: libvirt counts some that it tells nothing of.
    let mut list: Vec<(u64, Node)> = node
        .parts
        .into_iter()
        .map(|(name, part)| (name.parse().unwrap_or(u64::MAX), part))
        .collect();
    list.sort_by_key(|(number, _)| *number);
    list.into_iter()
        .map(|(_, part)| finish(part))
        .collect::<Array>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Scalar {
        Scalar::Text(value.into())
    }

    #[test]
    fn numbered_names_become_lists() {
        let told = nested(vec![
            ("user.count".into(), Scalar::UInt(2)),
            ("user.0.name".into(), text("root")),
            ("user.0.login-time".into(), Scalar::ULong(5)),
            ("user.1.name".into(), text("web")),
            ("fs.count".into(), Scalar::UInt(1)),
            ("fs.0.disk.count".into(), Scalar::UInt(1)),
            ("fs.0.disk.0.alias".into(), text("vda")),
            ("if.count".into(), Scalar::UInt(0)),
            ("os.kernel-release".into(), text("6.1")),
            ("timezone.offset".into(), Scalar::Int(3600)),
            ("hostname".into(), text("web")),
        ]);
        assert_eq!(
            format!("{told:?}"),
            r#"{"fs": [#{"disk": [#{"alias": "vda"}]}], "hostname": "web", "if": [], "os": #{"kernel_release": "6.1"}, "timezone": #{"offset_s": 3600}, "user": [#{"login_time_ms": 5, "name": "root"}, #{"name": "web"}]}"#
        );
    }
}
