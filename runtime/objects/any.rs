//! Queries to objects of any kind, and to a kind by its name.

use rhai::{Dynamic, Map};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::connection::Connection;
use super::for_each_kind;
use super::object::{Kind, Listed, Object};
use crate::libvirt::Result;

/// A question to an object of some kind.
trait Question {
    type Answer;
    fn ask<K: Kind>(&self, object: &Object<K>) -> Self::Answer;
}

/// A question to a kind.
trait KindQuestion {
    type Answer;
    fn ask<K: Kind>(&self) -> Self::Answer;
}

macro_rules! by_kind {
    ($($module:ident $kind:ident { $type:ident $missing:ident $hint:literal } $calls:tt)*) => {
        $(impl Listed for super::$module::$kind {
            const TYPE: &'static str = stringify!($type);
            const MISSING: virt_sys::virErrorNumber = virt_sys::$missing;
            const GET_XML: &'static str = concat!("vir", stringify!($type), "GetXMLDesc");
        })*

        /// The types of all kinds.
        pub const TYPES: &[&str] = &[$(stringify!($type)),*];

        fn asked<Q: Question>(value: &Dynamic, question: &Q) -> Option<Q::Answer> {
            None$(.or_else(|| {
                let object = value.read_lock::<Object<super::$module::$kind>>();
                object.map(|object| question.ask(&object))
            }))*
        }

        fn of_kind<Q: KindQuestion>(name: &str, question: &Q) -> Option<Q::Answer> {
            Some(match name {
                $(stringify!($type) => question.ask::<super::$module::$kind>(),)*
                _ => return None,
            })
        }

        /// The names of the options and parameters for an object, with its type.
        pub(crate) fn by_option(option: &str) -> Option<&'static str> {
            None$(.or_else(|| {
                let options = <super::$module::$kind as Kind>::OPTIONS;
                options.contains(&option).then_some(stringify!($type))
            }))*
        }
    };
}
for_each_kind!(by_kind);

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

/// The noun for the object in messages, and its name.
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

/// The object as data: its name, its identity, and its columns in a table.
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

/// The object as data, with the details that the prompt shows for a single object, such as the
/// disks of a guest.
pub fn details(value: &Dynamic) -> Option<Map> {
    struct Details;
    impl Question for Details {
        type Answer = Map;
        fn ask<K: Kind>(&self, object: &Object<K>) -> Map {
            K::details(object)
        }
    }
    let mut data = data(value)?;
    data.extend(asked(value, &Details)?);
    Some(data)
}

/// The UUID of the object, if its kind has UUIDs.
pub(crate) fn uuid(value: &Dynamic) -> Option<String> {
    struct Uuid;
    impl Question for Uuid {
        type Answer = Option<String>;
        fn ask<K: Kind>(&self, object: &Object<K>) -> Self::Answer {
            K::uuid(object.facts()).map(str::to_owned)
        }
    }
    asked(value, &Uuid).flatten()
}

/// True if `value` is an object that its host no longer has; `None` if it is not an object.
pub(crate) fn is_gone(value: &Dynamic) -> Option<bool> {
    struct IsGone;
    impl Question for IsGone {
        type Answer = bool;
        fn ask<K: Kind>(&self, object: &Object<K>) -> bool {
            object.does_not_exist()
        }
    }
    asked(value, &IsGone)
}

/// The connection that `value` is, or that the object came from.
pub(crate) fn connection(value: &Dynamic) -> Option<Connection> {
    struct Its;
    impl Question for Its {
        type Answer = Connection;
        fn ask<K: Kind>(&self, object: &Object<K>) -> Connection {
            object.connection().clone()
        }
    }
    let own = value.read_lock::<Connection>().map(|conn| conn.clone());
    own.or_else(|| asked(value, &Its))
}

/// True if objects of the type `kind` are parts of another object, as volumes are of a pool.
pub(crate) fn is_part(kind: &str) -> bool {
    struct IsPart;
    impl KindQuestion for IsPart {
        type Answer = bool;
        fn ask<K: Kind>(&self) -> bool {
            K::IS_PART
        }
    }
    of_kind(kind, &IsPart).unwrap_or(false)
}

/// The object of the type `kind` called `name` on `connection`.
pub(crate) fn find(kind: &str, connection: &Connection, name: &str) -> Option<Result<Dynamic>> {
    struct Find<'a>(&'a Connection, &'a str);
    impl KindQuestion for Find<'_> {
        type Answer = Result<Dynamic>;
        fn ask<K: Kind>(&self) -> Self::Answer {
            let handle = K::by_name(&*self.0.connect()?, self.1)?;
            Ok(Dynamic::from(Object::<K>::new(self.0.clone(), handle)))
        }
    }
    of_kind(kind, &Find(connection, name))
}

/// The identity of an object on its host, with which another process can find it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The name of its type in scripts.
    pub(crate) kind: String,
    /// The name when this was taken.
    pub(crate) name: String,
    /// Facts that never change, such as the UUID.
    pub(crate) facts: Json,
}

/// The identity of the object.
pub(crate) fn identity(value: &Dynamic) -> Option<Identity> {
    struct Its;
    impl Question for Its {
        type Answer = Option<Identity>;
        fn ask<K: Kind>(&self, object: &Object<K>) -> Self::Answer {
            Some(Identity {
                kind: K::TYPE.to_owned(),
                name: object.name(),
                facts: serde_json::to_value(object.facts()).ok()?,
            })
        }
    }
    asked(value, &Its).flatten()
}

/// The object of `connection` with that identity; libvirt looks it up when it is used.
pub(crate) fn remembered(connection: &Connection, identity: &Identity) -> Option<Dynamic> {
    struct Remembered<'a>(&'a Connection, &'a Identity);
    impl KindQuestion for Remembered<'_> {
        type Answer = Option<Dynamic>;
        fn ask<K: Kind>(&self) -> Self::Answer {
            let facts = serde_json::from_value(self.1.facts.clone()).ok()?;
            let object = Object::<K>::remembered(self.0.clone(), self.1.name.clone(), facts);
            Some(Dynamic::from(object))
        }
    }
    of_kind(&identity.kind, &Remembered(connection, identity)).flatten()
}

/// Fails if `value` is an object that no longer exists on its host.
pub(crate) fn ensure_exists(value: &Dynamic) -> Result<()> {
    struct Exists;
    impl Question for Exists {
        type Answer = Result<()>;
        fn ask<K: Kind>(&self, object: &Object<K>) -> Self::Answer {
            object.handle().map(drop)
        }
    }
    asked(value, &Exists).unwrap_or(Ok(()))
}

/// The names of the objects of the type `kind` that `holder` has; of one that has no such parts, those that its host
/// has.
pub(crate) fn names(kind: &str, holder: &Dynamic) -> Option<Result<Vec<String>>> {
    struct Names<'a>(&'a Dynamic);
    impl KindQuestion for Names<'_> {
        type Answer = Result<Vec<String>>;
        fn ask<K: Kind>(&self) -> Self::Answer {
            let handles = match (K::parts(self.0), connection(self.0)) {
                (Some(parts), _) => parts?,
                (None, Some(connection)) => K::list(&*connection.connect()?, 0)?,
                (None, None) => Vec::new(),
            };
            Ok(handles.iter().filter_map(K::name).collect())
        }
    }
    of_kind(kind, &Names(holder))
}
