//! Checks event filters of waits and subscriptions.

use rhai::{Expr, Ident, Position};

use super::Code;
use super::walk::Walk;
use crate::advice::suggest::word_hint;
use crate::libvirt::events;
use crate::objects::watch::{self, ANY};

/// The methods of a connection whose first argument is an event filter.
const TAKE_EVENT_FILTERS: [&str; 3] = ["wait_event", "events", "on"];

/// True if the first argument of the methods called `name` is an event filter.
pub(crate) fn takes_event_filter(name: &str) -> bool {
    TAKE_EVENT_FILTERS.contains(&name)
}

impl<'a> Walk<'a> {
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
        let named = |name: &str| map.0.iter().any(|(key, _)| key.name == name);
        if named("kind") && text("kind").is_none() {
            return;
        }
        let family = events::FAMILIES.iter().find(|family| named(family.noun));
        let usual = family.map_or("lifecycle", |family| family.lifecycle);
        let kind = match text("kind") {
            Some((kind, position)) => {
                self.event_kind(kind, position);
                kind
            }
            None => usual,
        };
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
