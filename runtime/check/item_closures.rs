//! Closures that take the items of a list or of a stream of events, one by one.

use rhai::{Expr, Stmt};

use super::Code;
use super::classes::class;
use super::scope::KnownType;
use super::walk::Walk;
use crate::spec::Type;

/// The methods of arrays whose closures take the values, one by one, as their first parameter.
const EACH: &[&str] = &["all", "filter", "find", "find_map", "map", "retain", "some"];

/// The methods of arrays whose closures return whether.
const PREDICATES: &[&str] = &["all", "filter", "find", "retain", "some"];

impl<'a> Walk<'a> {
    /// The type of the items of a `for` loop over a value of the type `ty`.
    pub(super) fn taken_from(&self, ty: &Type) -> KnownType {
        match ty {
            Type::Object(name) if name == "Subscription" => self.event_type(None),
            ty => ty.element(),
        }
    }

    /// The type of the first parameter of closures that the method `name` of a `receiver` takes with `arguments`.
    pub(super) fn item_of(
        &self,
        receiver: Option<&Type>,
        name: &str,
        arguments: &[Expr],
    ) -> KnownType {
        if name == "on" {
            return self.event_type(arguments.first());
        }
        let list = receiver.filter(|kind| matches!(kind, Type::Array(_)) && EACH.contains(&name));
        list?.element()
    }

    /// The value of the closure that the method `name` of an array takes, if it is of a type that Rhai would
    /// take for `false` or for "equal".
    pub(super) fn check_closure(&mut self, name: &str, arguments: &'a [Expr], answer: &KnownType) {
        let [argument] = arguments else { return };
        let Some(answer) = answer.as_ref() else {
            return;
        };
        let Some(closure) = self.closure_in(argument) else {
            return;
        };
        let (wanted, hint) = match name {
            "sort" if class(answer) == Some("number") => return,
            "sort" => (
                "a number",
                "return a negative number if `a` comes first: `|a, b| a - b`; `sort()` sorts numbers and text",
            ),
            _ if PREDICATES.contains(&name) && *answer != Type::Bool => {
                ("a bool", "compare it, for example `x != ()` or `x > 0`")
            }
            _ => return,
        };
        let position = closure
            .definition
            .body
            .last()
            .map_or(argument.position(), Stmt::position);
        let message = format!(
            "the closure of `{name}` must return {wanted}, not {}",
            answer.plain()
        );
        self.find(Code::WrongType, position, message).hint = Some(hint.into());
    }
}
