//! Lists as tables.

use rhai::{Array, Dynamic, Map};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};
use virhai::kinds::{
    DomainKind, DomainSnapshotKind, InterfaceKind, NetworkKind, StoragePoolKind, StorageVolKind,
};
use virhai::{Kind, Object};

use super::units;

/// A list of nothing but objects of one kind, or of maps that have the same keys.
pub(super) fn of(list: &Array) -> Option<String> {
    objects::<DomainKind>(list)
        .or_else(|| objects::<StoragePoolKind>(list))
        .or_else(|| objects::<StorageVolKind>(list))
        .or_else(|| objects::<DomainSnapshotKind>(list))
        .or_else(|| objects::<NetworkKind>(list))
        .or_else(|| objects::<InterfaceKind>(list))
        .or_else(|| maps(list))
}

fn objects<K: Kind>(list: &Array) -> Option<String> {
    let mut rows = Builder::new();
    rows.push_record(K::COLUMNS.iter().copied());
    for value in list {
        rows.push_record(K::row(&value.clone().try_cast::<Object<K>>()?));
    }
    Some(drawn(rows))
}

fn maps(list: &Array) -> Option<String> {
    let first = list.first()?.read_lock::<Map>()?;
    if first.is_empty() {
        return None;
    }
    let mut rows = Builder::new();
    rows.push_record(first.keys().map(ToString::to_string));
    for value in list {
        let map = value.read_lock::<Map>()?;
        if !map.keys().eq(first.keys()) {
            return None;
        }
        let cells: Option<Vec<String>> = map.iter().map(|(key, value)| cell(key, value)).collect();
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
