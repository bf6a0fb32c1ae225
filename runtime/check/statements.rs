//! Statements whose value is unused, and that have no other effect.

use rhai::{Expr, FnCallExpr, Position, Stmt};

use super::scope::KnownType;
use super::walk::Walk;
use super::{Code, RANGES};
use crate::error::plain::ITERATED;
use crate::spec::Type;

/// Functions that only return a value, and throw no error that matters.
const ANSWERING: &[&str] = &[
    "abs",
    "attributes",
    "bytes",
    "ceiling",
    "chars",
    "children",
    "contains",
    "copy",
    "diff",
    "ends_with",
    "extract",
    "floor",
    "has",
    "index_of",
    "is_def_fn",
    "is_def_var",
    "is_empty",
    "is_even",
    "is_odd",
    "is_shared",
    "is_zero",
    "join",
    "keys",
    "len",
    "max",
    "min",
    "repeat",
    "round",
    "split_rev",
    "starts_with",
    "sub_string",
    "timestamp",
    "to_array",
    "to_blob",
    "to_chars",
    "to_debug",
    "to_float",
    "to_hex",
    "to_json",
    "to_lower",
    "to_octal",
    "to_string",
    "to_upper",
    "type_of",
    "values",
];

impl Walk<'_> {
    /// Reports `value`, of the type `kind`, if it is a call without a result in a place that needs a value; `effect`
    /// describes the effect.
    pub(super) fn check_value(
        &mut self,
        kind: &KnownType,
        value: &Expr,
        effect: impl FnOnce() -> String,
    ) {
        if *kind == Some(Type::Unit)
            && let Some((name, position)) = last_call(value)
        {
            let message = format!("`{name}` returns no value, so {}", effect());
            self.find(Code::NoValue, position, message).hint =
                Some("call it in a separate statement".into());
        }
    }

    /// Reports `value`, of the type `kind`, if `for` certainly cannot iterate over it.
    pub(super) fn check_iterated(&mut self, kind: &KnownType, value: &Expr) {
        let cannot = |ty: &Type| match ty {
            Type::Bool | Type::Int | Type::Float | Type::Char | Type::Function => true,
            Type::Object(name) => {
                let is_iterated = RANGES.contains(&name.as_str()) || name == "Subscription";
                !is_iterated && self.checker.is_sure(ty)
            }
            other => other.is_map(),
        };
        if let Some(ty) = kind
            && ty.alternatives().iter().all(cannot)
        {
            let message = format!("`for` cannot iterate over {}", ty.in_words());
            self.find(Code::WrongType, value.start_position(), message)
                .hint = Some(ITERATED.into());
        }
    }
}

/// The name and the place of the function call that gives `expression` its value.
fn last_call(expression: &Expr) -> Option<(&str, Position)> {
    match expression {
        Expr::FnCall(call, position) | Expr::MethodCall(call, position) => {
            Some((call.name.as_str(), *position))
        }
        Expr::Dot(pair, ..) => last_call(&pair.rhs),
        _ => None,
    }
}

/// Reports a statement whose value goes nowhere.
pub(super) fn check_ignored(walk: &mut Walk, statement: &Stmt, last: bool) {
    match statement {
        Stmt::FnCall(call, position) => check_call(walk, call, *position, false),
        Stmt::Expr(expression) => check_expression(walk, expression, last),
        _ => {}
    }
}

fn check_expression(walk: &mut Walk, expression: &Expr, last: bool) {
    let (what, position, hint) = match expression {
        Expr::FnCall(call, position) => return check_call(walk, call, *position, false),
        Expr::Dot(pair, ..) => match end_of(&pair.rhs) {
            Expr::MethodCall(call, position) => return check_call(walk, call, *position, true),
            Expr::Property(property, position) => {
                let name = property.2.as_str();
                (format!("the property `{name}`"), *position, None)
            }
            _ => return,
        },
        Expr::Variable(variable, _, position) if variable.2.is_empty() => {
            let name = variable.1.as_str();
            let function = walk.file.functions_named(name).next().is_some();
            let hint = function.then(|| format!("`{name}(...)` calls it"));
            (format!("the value of `{name}`"), *position, hint)
        }
        Expr::StringConstant(_, position) | Expr::InterpolatedString(_, position) => (
            "this text".into(),
            *position,
            Some("`print(...)` shows it".into()),
        ),
        Expr::IntegerConstant(_, position)
        | Expr::FloatConstant(_, position)
        | Expr::CharConstant(_, position)
        | Expr::BoolConstant(_, position) => ("this value".into(), *position, None),
        _ => return,
    };
    // Reading a missing property throws, and a script may rely on that.
    // The value of a branch may be there for the sake of the others.
    if walk.trying > 0 || last {
        return;
    }
    let message = format!("{what} is unused");
    walk.find(Code::UnusedResult, position, message).hint = hint;
}

fn check_call(walk: &mut Walk, call: &FnCallExpr, position: Position, method: bool) {
    let name = call.name.as_str();
    let own = walk.file.functions_named(name).next().is_some();
    if !call.namespace.is_empty() || own || walk.trying > 0 {
        return;
    }
    if call.op_token.is_some() {
        let hint = (name == "==").then(|| "a single `=` assigns".to_owned());
        let message = format!("the result of `{name}` is unused");
        walk.find(Code::UnusedResult, position, message).hint = hint;
        return;
    }
    if !ANSWERING.contains(&name) || (method && walk.files.may_be_key(name)) {
        return;
    }
    let message = format!("the result of `{name}` is unused");
    walk.find(Code::UnusedResult, position, message);
}

/// The end of a chain.
fn end_of(rest: &Expr) -> &Expr {
    match rest {
        Expr::Dot(pair, ..) => end_of(&pair.rhs),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::ANSWERING;
    use crate::catalog;
    use crate::engine::{self, Limits};
    use crate::spec::Type;
    use crate::{Imports, Session, SessionOptions};

    #[test]
    fn what_only_answers_exists_and_answers() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let functions = catalog::all_functions(&engine);
        // Functions that Rhai implements itself are not among its functions.
        let own = ["is_def_fn", "is_def_var", "is_shared", "type_of"];
        for name in ANSWERING.iter().filter(|name| !own.contains(name)) {
            let mut known = functions
                .iter()
                .filter(|function| function.name == *name && !function.property)
                .peekable();
            assert!(known.peek().is_some(), "there is no function `{name}`");
            assert!(
                known.all(|function| function.returns != Type::Unit),
                "`{name}` does something"
            );
        }
    }
}
