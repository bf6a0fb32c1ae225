//! Keys that a map does not have.

use rhai::{Expr, Position};

use super::Code;
use super::event_filter::is_event;
use super::scope::KnownType;
use super::walk::Walk;
use super::written::Written;
use crate::advice::suggest;
use crate::catalog::Function;
use crate::spec::{Spec, Type};

impl Walk<'_> {
    /// The type of the value under the key `key` of a map that a call answered.
    pub(super) fn answered_key(&mut self, spec: &Spec, key: &str, position: Position) -> KnownType {
        match spec.key(key) {
            Some(key) => key.ty.clone().known(),
            None => {
                let keys: Vec<&str> = spec.keys.iter().map(|key| key.name.as_str()).collect();
                // Few kinds of event have other keys; a key that is nearly one of these is a typo.
                let is_typo = || is_event(spec) && suggest::nearest_key(key, &keys).is_some();
                if self.asking > 0 && !spec.open {
                    self.absent_key(spec, key, position);
                } else if !spec.open || is_typo() {
                    self.missing_key(key, &keys, position);
                }
                None
            }
        }
    }

    /// Reports the key `key` of a map of the type `map`, which has other ones, and which the script asks for in a way that
    /// allows a missing key.
    pub(super) fn ask_key(&mut self, map: Option<&Type>, key: &Expr) {
        if let (Some(Type::Keys(spec)), Expr::StringConstant(key, position)) = (map, key)
            && !spec.open
            && !is_event(spec)
            && spec.key(key).is_none()
        {
            self.absent_key(spec, key, *position);
        }
    }

    /// Reports text that is looked for in an error, and is not the name of a key.
    pub(super) fn ask_error(&mut self, error: Option<&Type>, key: &Expr) {
        if let Expr::StringConstant(text, position) = key
            && error.is_some_and(|ty| ty.is_called("Error"))
            && text.contains(char::is_whitespace)
        {
            let message = format!("an error has no key `{text}`");
            self.find(Code::UnknownKey, *position, message).hint =
                Some(format!("write `err.message.contains({text:?})`"));
        }
    }

    /// Reports a key that a map never has, if another one was meant.
    fn absent_key(&mut self, spec: &Spec, key: &str, position: Position) {
        let keys: Vec<&str> = spec.keys.iter().map(|key| key.name.as_str()).collect();
        if let Some(near) = suggest::nearest_key(key, &keys).filter(|_| self.trying == 0) {
            let message = format!("the map never has a key `{key}`");
            self.find(Code::UnknownKey, position, message).hint =
                Some(format!("did you mean `{near}`?"));
        }
    }

    /// Reports the key `key` of a map that was written out with other ones.
    pub(super) fn written_key(&mut self, map: &Written, key: &str, position: Position) {
        if let Some((entries, true)) = map.entries()
            && entries.iter().all(|(known, _)| known != key)
        {
            let known: Vec<&str> = entries.iter().map(|(known, _)| known.as_str()).collect();
            self.missing_key(key, &known, position);
        }
    }

    fn missing_key(&mut self, key: &str, known: &[&str], position: Position) {
        // Reading a missing key throws, and a script may rely on that.
        if self.asking > 0 || self.trying > 0 {
            return;
        }
        let is_method = |function: &Function| {
            !function.property && function.parameters.len() == 1 && function.is_on(&Type::Map)
        };
        let hint = match suggest::nearest_key(key, known) {
            _ if self.checker.catalog.named(key).any(is_method) => {
                format!("`{key}` is a method: call it as `{key}()`")
            }
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "the map is empty".to_owned(),
            None => format!("its keys are {}", known.join(", ")),
        };
        let message = format!("the map has no key `{key}`");
        self.find(Code::UnknownKey, position, message).hint = Some(hint);
    }
}
