//! Maps and lists over several lines.

use rhai::{Array, Dynamic, Map};

use virhai::show::{Table, plain, quoted, with_unit};

use super::{Look, markup};

/// The maximum length of a list on one line.
const SHORT: usize = 60;

/// A list: a table if it makes one, else an item a line, or a block of lines for each map.
pub(super) fn array(list: &Array, look: &Look) -> String {
    if list.is_empty() {
        return "[]".into();
    }
    if let Some(table) = table(list, look) {
        return table;
    }
    let maps = list.iter().all(Dynamic::is_map);
    let items: Vec<String> = list
        .iter()
        .map(|value| match value.read_lock::<Map>() {
            Some(fields) if maps => map(&fields, look),
            _ => look.visible(plain(value)),
        })
        .collect();
    items.join(if maps { "\n\n" } else { "\n" })
}

/// A map, with one field per line; a value of several lines stands below its key.
pub(super) fn map(fields: &Map, look: &Look) -> String {
    if fields.is_empty() {
        return "#{}".into();
    }
    let fields: Vec<_> = look
        .order
        .keys(fields)
        .into_iter()
        .filter_map(|key| {
            let value = fields.get(key.as_str())?;
            Some((look.visible(key.clone()), key, value))
        })
        .collect();
    let keys = fields.iter().map(|(shown, ..)| shown.chars().count());
    let width = keys.max().unwrap_or(0);
    let lines: Vec<String> = fields
        .iter()
        .map(|(shown, key, value)| match block(value, look) {
            Some(block) => format!("{shown}\n{}", indented(&block)),
            None => {
                let text = with_unit(key, value).unwrap_or_else(|| inline(value));
                let text = look.visible(text);
                format!("{shown:width$}  {text}").trim_end().to_owned()
            }
        })
        .collect();
    lines.join("\n")
}

/// A value that needs separate lines.
fn block(value: &Dynamic, look: &Look) -> Option<String> {
    let narrow = Look {
        width: look.width.map(|width| width.saturating_sub(2)),
        ..look.clone()
    };
    if let Some(fields) = value.read_lock::<Map>() {
        return (!fields.is_empty()).then(|| map(&fields, &narrow));
    }
    if let Some(list) = value.read_lock::<Array>() {
        let is_long = || inline(value).chars().count() > SHORT;
        let needs_lines = list.iter().any(Dynamic::is_map) || is_long();
        return needs_lines.then(|| array(&list, &narrow));
    }
    let text = plain(value);
    text.contains('\n')
        .then(|| match look.colors && markup::is_xml(&text) {
            true => markup::colored(&text),
            false => look.visible(text),
        })
}

/// A value in one line: text without quotes, which only within a list are needed.
fn inline(value: &Dynamic) -> String {
    match value.is_unit() {
        true => quoted(value),
        false => plain(value),
    }
}

/// The list as a table. Of maps that have too many keys for one, each is a block of lines.
fn table(list: &Array, look: &Look) -> Option<String> {
    let table = Table::of(list, &look.order)?.map(|cell| look.visible(cell));
    let fits = |width| table.fits(width) || !list.iter().any(Dynamic::is_map);
    look.width.is_none_or(fits).then(|| table.drawn(look.width))
}

fn indented(block: &str) -> String {
    let lines: Vec<String> = block
        .lines()
        .map(|line| format!("  {line}").trim_end().to_owned())
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use rhai::{Engine, Map};

    use super::map;
    use crate::show::Look;

    fn shown(code: &str) -> String {
        let fields: Map = Engine::new().eval(code).expect("a map");
        map(&fields, &Look::default())
    }

    #[test]
    fn maps_are_aligned_and_nested_ones_stand_below_their_keys() {
        assert_eq!(
            shown(
                "#{ name: \"web\", memory_kib: 2097152, os: #{ type: \"hvm\", boot: [\"hd\", \"network\"] } }"
            ),
            "memory_kib  2097152 (2.0 GiB)\nname        web\nos\n  boot  [\"hd\", \"network\"]\n  type  hvm"
        );
    }

    #[test]
    fn lists_of_maps_with_the_same_keys_are_tables() {
        assert_eq!(
            shown(
                "#{ disks: [#{ target: \"vda\", size_bytes: 1048576 }, #{ target: \"vdb\", size_bytes: 5 }] }"
            ),
            "disks\n  size_bytes         target\n  1048576 (1.0 MiB)  vda\n  5                  vdb"
        );
    }
}
