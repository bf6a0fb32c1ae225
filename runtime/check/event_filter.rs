//! Checks event filters of waits and subscriptions.

use std::collections::BTreeSet;
use std::sync::Arc;

use rhai::{Expr, Ident, Position};

use super::Code;
use super::scope::KnownType;
use super::walk::Walk;
use crate::advice::suggest::word_hint;
use crate::api;
use crate::libvirt::events::{self, EventKind};
use crate::objects::watch::{self, ANY};
use crate::spec::{Key, Spec, Type, Words};
use crate::vocabulary::Role;

/// The methods of a connection whose first argument is an event filter.
const TAKE_EVENT_FILTERS: [&str; 3] = ["wait_event", "events", "on"];

/// True if the first argument of the methods called `name` is an event filter.
pub(crate) fn takes_event_filter(name: &str) -> bool {
    TAKE_EVENT_FILTERS.contains(&name)
}

/// The type of events of `kinds`.
fn event(kinds: &[&EventKind]) -> KnownType {
    let every = api::declared(Role::Record, EVENT)?.spec();
    let is_given = |key: &str| kinds.iter().any(|kind| has_field(kind, key));
    let is_of_another = |key: &str| {
        let is_noun = events::FAMILIES.iter().any(|family| family.noun == key);
        let own = kinds.iter().any(|kind| kind.family.noun == key);
        (is_noun && !own) || events::all().any(|kind| has_field(kind, key))
    };
    let keys = every.keys.iter();
    let keys = keys.filter(|key| is_given(&key.name) || !is_of_another(&key.name));
    let keys = keys.map(|key| Key {
        ty: words_of(kinds, &key.name).map_or_else(|| key.ty.clone(), Type::Words),
        ..key.clone()
    });
    Some(Type::Keys(Arc::new(Spec {
        keys: keys.collect(),
        open: kinds.iter().any(|kind| kind.open),
        ..Spec::clone(&every)
    })))
}

/// The name of the record of an event.
const EVENT: &str = "Event";

/// True if `spec` declares events.
pub(super) fn is_event(spec: &Spec) -> bool {
    spec.name == EVENT
}

/// The kinds that the filter `any` selects.
fn any() -> Vec<&'static EventKind> {
    events::all()
        .filter(|kind| kind.name != events::QEMU_MONITOR)
        .collect()
}

fn has_field(kind: &EventKind, name: &str) -> bool {
    kind.fields.iter().any(|field| field.name == name)
}

/// The kinds that `filter` is written out for; `None` if it selects other kinds too, or if that is not known.
fn kinds_of(filter: &Expr) -> Option<Vec<&'static EventKind>> {
    match filter {
        Expr::StringConstant(kind, _) if kind == ANY => Some(any()),
        Expr::StringConstant(kind, _) => Some(vec![events::kind(kind)?]),
        Expr::Map(map, _) => match kind_of(&map.0)? {
            ANY => Some(any()),
            kind => Some(vec![events::kind(kind)?]),
        },
        Expr::Array(items, _) => {
            let kinds: Option<Vec<_>> = items.iter().map(kinds_of).collect();
            Some(kinds?.concat())
        }
        _ => None,
    }
}

/// The kind of event that a filter with the keys `given` is for; `None` if that is not written out.
fn kind_of(given: &[(Ident, Expr)]) -> Option<&str> {
    match given.iter().find(|(key, _)| key.name == "kind") {
        Some((_, Expr::StringConstant(kind, _))) => Some(kind),
        Some(_) => None,
        None => {
            let named = |noun: &str| given.iter().any(|(key, _)| key.name == noun);
            let family = events::FAMILIES.iter().find(|family| named(family.noun));
            Some(family.map_or("lifecycle", |family| family.lifecycle))
        }
    }
}

/// The words that events of `kinds` have under the key `name`, if all of its values are words.
fn words_of(kinds: &[&EventKind], name: &str) -> Option<Arc<Words>> {
    let list: Vec<&str> = match name {
        // Every subscription can report lost events.
        "kind" => kinds
            .iter()
            .map(|kind| kind.name)
            .chain(["gap", "overflow"])
            .collect(),
        _ => {
            let with = kinds.iter().filter(|kind| has_field(kind, name));
            let words: Option<Vec<_>> = with
                .map(|kind| events::words_of(kind.name, name, None))
                .collect();
            words?.concat()
        }
    };
    let list: BTreeSet<&str> = list.into_iter().collect();
    let words = || Words {
        list: list.iter().map(|word| (*word).to_owned()).collect(),
        of_libvirt: true,
        ..Words::default()
    };
    (!list.is_empty()).then(|| Arc::new(words()))
}

impl<'a> Walk<'a> {
    /// The type of the events that `filter` selects; of every event without a filter, or with one that is not known.
    pub(super) fn event_type(&self, filter: Option<&Expr>) -> KnownType {
        let kinds = filter.and_then(kinds_of);
        event(&kinds.unwrap_or_else(|| {
            // Only a filter that names this kind selects it.
            match self.files.may_be_key(events::QEMU_MONITOR) {
                true => events::all().collect(),
                false => any(),
            }
        }))
    }

    /// An event filter: a kind, a map of fields, or a list of these.
    pub(super) fn event(&mut self, filter: &'a Expr) {
        let map = match filter {
            Expr::Array(items, _) => {
                for item in items.iter() {
                    self.event(item);
                }
                return;
            }
            Expr::StringConstant(kind, position) => return self.event_kind(kind, *position),
            Expr::Map(map, _) => map,
            _ => return,
        };
        let text = |name: &str| {
            map.0.iter().find_map(|(key, value)| match value {
                Expr::StringConstant(text, position) if key.name == name => {
                    Some((text.as_str(), *position))
                }
                _ => None,
            })
        };
        let Some(kind) = kind_of(&map.0) else {
            return;
        };
        if let Some((kind, position)) = text("kind") {
            self.event_kind(kind, position);
        }
        self.event_keys(kind, &map.0);
        let event = text("event").map(|(event, _)| event);
        for (key, value) in &map.0 {
            if let Expr::StringConstant(text, position) = value
                && let Some(words) = events::words_of(kind, &key.name, event)
                && !words.contains(&text.as_str())
            {
                let message = format!("no event has `{}: \"{text}\"`", key.name);
                self.find(Code::UnknownWord, *position, message).hint =
                    Some(word_hint(text, "words", &words));
            }
        }
    }

    /// The keys of a filter for events of `kind`.
    fn event_keys(&mut self, kind: &str, given: &'a [(Ident, Expr)]) {
        let known = events::kind(kind);
        if known.map_or(kind != ANY, |kind| kind.open) {
            return;
        }
        let keys = watch::keys(known);
        for (key, _) in given.iter().filter(|(key, _)| !keys.contains(&&*key.name)) {
            let message = match known {
                Some(kind) => format!(
                    "no event of the kind `{}` has the key `{}`",
                    kind.name, key.name
                ),
                None => format!("not every kind of event has the key `{}`", key.name),
            };
            self.find(Code::UnknownKey, key.pos, message).hint =
                Some(word_hint(&key.name, "keys", &keys));
        }
    }

    fn event_kind(&mut self, kind: &str, position: Position) {
        let kinds: Vec<&str> = events::kinds().chain([ANY]).collect();
        if !kinds.contains(&kind) {
            let message = format!("there is no kind of event `{kind}`");
            self.find(Code::UnknownWord, position, message).hint =
                Some(word_hint(kind, "kinds", &kinds));
        }
    }
}
