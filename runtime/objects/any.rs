//! What a value tells of itself that is an object of a host, whatever kind it is.

use rhai::{Dynamic, Map};

use super::connection::Connection;
use super::domain::DomainKind;
use super::domain_snapshot::DomainSnapshotKind;
use super::interface::InterfaceKind;
use super::network::NetworkKind;
use super::object::{Kind, Object};
use super::storage_pool::StoragePoolKind;
use super::storage_vol::StorageVolKind;

/// What is asked of an object of some kind.
trait Question {
    type Answer;
    fn ask<K: Kind>(&self, object: &Object<K>) -> Self::Answer;
}

fn asked<Q: Question>(value: &Dynamic, question: &Q) -> Option<Q::Answer> {
    fn of<K: Kind, Q: Question>(value: &Dynamic, question: &Q) -> Option<Q::Answer> {
        value
            .read_lock::<Object<K>>()
            .map(|object| question.ask(&object))
    }
    of::<DomainKind, Q>(value, question)
        .or_else(|| of::<StoragePoolKind, Q>(value, question))
        .or_else(|| of::<StorageVolKind, Q>(value, question))
        .or_else(|| of::<DomainSnapshotKind, Q>(value, question))
        .or_else(|| of::<NetworkKind, Q>(value, question))
        .or_else(|| of::<InterfaceKind, Q>(value, question))
}

/// The object, or the connection, in one line.
pub(crate) fn line(value: &Dynamic) -> Option<String> {
    struct Line;
    impl Question for Line {
        type Answer = String;
        fn ask<K: Kind>(&self, object: &Object<K>) -> String {
            object.to_string()
        }
    }
    let connection = || value.read_lock::<Connection>().map(|conn| conn.to_string());
    asked(value, &Line).or_else(connection)
}

/// What messages call the object, and its name.
pub fn noun_and_name(value: &Dynamic) -> Option<(&'static str, String)> {
    struct NounAndName;
    impl Question for NounAndName {
        type Answer = (&'static str, String);
        fn ask<K: Kind>(&self, object: &Object<K>) -> Self::Answer {
            (K::NOUN, object.name())
        }
    }
    asked(value, &NounAndName)
}

/// The heads and the cells of the object in a table.
pub(crate) fn row(value: &Dynamic) -> Option<(&'static [&'static str], Vec<String>)> {
    struct Row;
    impl Question for Row {
        type Answer = (&'static [&'static str], Vec<String>);
        fn ask<K: Kind>(&self, object: &Object<K>) -> Self::Answer {
            (K::COLUMNS, K::row(object))
        }
    }
    asked(value, &Row)
}

/// The object as data: its name, what tells it from others, and what a table shows of it.
pub fn data(value: &Dynamic) -> Option<Map> {
    struct Data;
    impl Question for Data {
        type Answer = Map;
        fn ask<K: Kind>(&self, object: &Object<K>) -> Map {
            let mut data = K::data(object);
            data.insert("name".into(), object.name().into());
            for (key, text) in K::identity(object) {
                data.insert(key.into(), text.into());
            }
            data
        }
    }
    asked(value, &Data)
}
