//! Lists as tables.

use rhai::{Array, Dynamic, Map};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};
use virhai::kinds::{
    DomainKind, DomainSnapshotKind, InterfaceKind, NetworkKind, StoragePoolKind, StorageVolKind,
};
use virhai::{Kind, Object};

use super::{Look, units};

/// A list of nothing but objects of one kind, or of maps that have the same keys.
pub(super) fn of(list: &Array, look: &Look) -> Option<String> {
    objects::<DomainKind>(list, look)
        .or_else(|| objects::<StoragePoolKind>(list, look))
        .or_else(|| objects::<StorageVolKind>(list, look))
        .or_else(|| objects::<DomainSnapshotKind>(list, look))
        .or_else(|| objects::<NetworkKind>(list, look))
        .or_else(|| objects::<InterfaceKind>(list, look))
        .or_else(|| maps(list, look))
}

fn objects<K: Kind>(list: &Array, look: &Look) -> Option<String> {
    let mut rows = Builder::new();
    rows.push_record(K::COLUMNS.iter().copied());
    for value in list {
        let row = K::row(&value.clone().try_cast::<Object<K>>()?);
        rows.push_record(row.into_iter().map(|cell| look.visible(cell)));
    }
    Some(drawn(rows))
}

fn maps(list: &Array, look: &Look) -> Option<String> {
    let first = list.first()?.read_lock::<Map>()?;
    if first.is_empty() {
        return None;
    }
    let mut rows = Builder::new();
    rows.push_record(first.keys().map(|key| look.visible(key.to_string())));
    for value in list {
        let map = value.read_lock::<Map>()?;
        if !map.keys().eq(first.keys()) {
            return None;
        }
        let cells: Option<Vec<String>> = map
            .iter()
            .map(|(key, value)| cell(key, value).map(|cell| look.visible(cell)))
            .collect();
        rows.push_record(cells?);
    }
    Some(drawn(rows))
}

/// A value in one line of a table; nothing for what needs more room.
fn cell(key: &str, value: &Dynamic) -> Option<String> {
    if value.is_map()
        || value
            .read_lock::<Array>()
            .is_some_and(|list| list.iter().any(Dynamic::is_map))
    {
        return None;
    }
    let text = units::with_unit(key, value).unwrap_or_else(|| super::plain(value));
    (!text.contains('\n')).then_some(text)
}

/// Rows without lines between them, the first being the heads of the columns.
pub(crate) fn drawn(rows: Builder) -> String {
    let mut table = rows.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    let lines: Vec<String> = table
        .to_string()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}
