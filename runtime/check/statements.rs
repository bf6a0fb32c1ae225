//! Statements whose value is unused, and that have no other effect.

use rhai::{Expr, FnCallExpr, Position, Stmt};

use super::scope::KnownType;
use super::walk::Walk;
use super::{Code, RANGES};
use crate::error::plain::ITERATED;
use crate::spec::Type;

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
            let is_own = self.checker.catalog.named(name).next().is_none();
            let hint = match is_own && name != "print" && name != "debug" {
                true => "a function returns the value of its last statement: end it with the value",
                false => "call it in a separate statement",
            };
            self.find(Code::NoValue, position, message).hint = Some(hint.into());
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
pub(super) fn last_call(expression: &Expr) -> Option<(&str, Position)> {
    match expression {
        Expr::FnCall(call, position) | Expr::MethodCall(call, position) => {
            Some((call.name.as_str(), *position))
        }
        Expr::Dot(pair, ..) => last_call(&pair.rhs),
        _ => None,
    }
}

/// Reports a statement whose value goes nowhere.
pub(super) fn check_ignored<'a>(walk: &mut Walk<'a>, statement: &'a Stmt, last: bool) {
    match statement {
        Stmt::FnCall(call, position) => check_call(walk, call, *position),
        Stmt::Expr(expression) => check_expression(walk, expression, last),
        _ => {}
    }
}

fn check_expression<'a>(walk: &mut Walk<'a>, expression: &'a Expr, last: bool) {
    let (what, position, hint) = match expression {
        Expr::FnCall(call, position) => return check_call(walk, call, *position),
        Expr::Dot(pair, ..) => match end_of(&pair.rhs) {
            Expr::MethodCall(call, position) => return check_call(walk, call, *position),
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

fn check_call<'a>(walk: &mut Walk<'a>, call: &'a FnCallExpr, position: Position) {
    if walk.trying > 0 {
        return;
    }
    if call.op_token.is_some() {
        let hint = (call.name == "==").then(|| "a single `=` assigns".to_owned());
        let message = format!("the result of `{}` is unused", call.name);
        walk.find(Code::UnusedResult, position, message).hint = hint;
        return;
    }
    // The walk finds what it calls, and whether that does something.
    walk.ignored = Some(call);
}

/// The end of a chain.
pub(super) fn end_of(rest: &Expr) -> &Expr {
    match rest {
        Expr::Dot(pair, ..) => end_of(&pair.rhs),
        other => other,
    }
}
