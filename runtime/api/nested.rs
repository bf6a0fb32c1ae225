//! libvirt's numbered names, such as `user.0.name`, as lists and maps.

use rhai::{Array, Dynamic, Map};

use crate::api::arguments::dynamic;
use crate::libvirt::typed_params::Scalar;
use crate::vocabulary::nested_key;

/// The rest of a parameter's name, and its value.
type Field<'a> = (&'a str, Scalar);

/// Nests `fields` by the parts of their names: numbered parts become a list, the others maps.
pub(crate) fn nested<'a>(fields: impl Iterator<Item = Field<'a>>) -> Map {
    let mut fields: Vec<Field> = fields.collect();
    // Sorts the fields of a map next to each other.
    fields.sort_by_key(|(name, _)| *name);
    map(&mut fields)
}

/// The first part of a name.
fn head(name: &str) -> &str {
    // Names are short: a search for a pattern takes longer.
    let end = name.bytes().position(|byte| byte == b'.');
    &name[..end.unwrap_or(name.len())]
}

fn map(fields: &mut [Field]) -> Map {
    let mut map = Map::new();
    for part in fields.chunk_by_mut(|(one, _), (other, _)| head(one) == head(other)) {
        let key = nested_key(part.first().map_or("", |(name, _)| head(name)));
        map.insert(key, value(part));
    }
    map
}

/// The value of the fields whose names begin with the same part.
fn value(fields: &mut [Field]) -> Dynamic {
    let take = |value: &mut Scalar| dynamic(std::mem::replace(value, Scalar::Bool(false)));
    // Its own value comes before the values inside it, which replace it.
    let within = fields.partition_point(|(name, _)| !name.contains('.'));
    let (own, fields) = fields.split_at_mut(within);
    if fields.is_empty() {
        return own
            .last_mut()
            .map_or(Dynamic::UNIT, |(_, value)| take(value));
    }
    for (name, _) in fields.iter_mut() {
        *name = name.get(head(name).len() + 1..).unwrap_or(*name);
    }
    let numbered = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let is_list = fields.iter().any(|(name, _)| *name == "count")
        && fields
            .iter()
            .all(|(name, _)| *name == "count" || numbered(head(name)));
    if !is_list {
        // From a map by `into`, Rhai builds a second map.
        return Dynamic::from_map(map(fields));
    }
    // All parts that exist, whatever the count says: libvirt counts some that it does not describe.
    let parts = fields.chunk_by_mut(|(one, _), (other, _)| head(one) == head(other));
    let items = parts.filter_map(|part| {
        let number = head(part.first()?.0);
        numbered(number).then(|| (number.parse::<u64>().unwrap_or(u64::MAX), value(part)))
    });
    let mut items: Vec<(u64, Dynamic)> = items.collect();
    items.sort_by_key(|(number, _)| *number);
    let items: Array = items.into_iter().map(|(_, item)| item).collect();
    Dynamic::from_array(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Scalar {
        Scalar::Text(value.into())
    }

    #[test]
    fn numbered_names_become_lists() {
        let fields = [
            ("user.count", Scalar::UInt(2)),
            ("user.0.name", text("root")),
            ("user.0.login-time", Scalar::ULong(5)),
            ("user.1.name", text("web")),
            ("fs.count", Scalar::UInt(1)),
            ("fs.0.disk.count", Scalar::UInt(1)),
            ("fs.0.disk.0.alias", text("vda")),
            ("if.count", Scalar::UInt(0)),
            ("os.kernel-release", text("6.1")),
            ("timezone.offset", Scalar::Int(3600)),
            ("hostname", text("web")),
        ];
        let told = nested(fields.into_iter());
        assert_eq!(
            format!("{told:?}"),
            r#"{"fs": [#{"disk": [#{"alias": "vda"}]}], "hostname": "web", "if": [], "os": #{"kernel_release": "6.1"}, "timezone": #{"offset_s": 3600}, "user": [#{"login_time_ms": 5, "name": "root"}, #{"name": "web"}]}"#
        );
    }
}
