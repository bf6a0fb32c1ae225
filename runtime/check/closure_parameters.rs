//! The parameters of the closures that native functions call.

use rhai::{ASTNode, Expr};

use super::Code;
use super::definitions::Definition;
use super::walk::Walk;
use crate::catalog::Function;
use crate::spec::Type;

/// The closures that a function accepts.
struct Accepted {
    /// The type of the value whose method the function is, where several functions have its name.
    receiver: Option<&'static str>,
    function: &'static str,
    /// The parameter that is the closure.
    parameter: &'static str,
    /// The parameters that the closure can have.
    forms: &'static [&'static str],
}

const fn on(
    receiver: Option<&'static str>,
    function: &'static str,
    parameter: &'static str,
    forms: &'static [&'static str],
) -> Accepted {
    Accepted {
        receiver,
        function,
        parameter,
        forms,
    }
}

/// The item is `this` in a closure without parameters.
const EACH: &[&str] = &["||", "|item|", "|item, index|"];
const REDUCED: &[&str] = &["|result|", "|result, item|", "|result, item, index|"];
/// The value is `this` in a closure with one parameter.
const ENTRY: &[&str] = &["|key|", "|key, value|"];
const NONE: &[&str] = &["||"];
const VALUE: &[&str] = &["|value|"];

const ALL: &[Accepted] = &[
    on(None, "all", "filter", EACH),
    on(None, "all_or_nothing", "action", &["|undo|"]),
    on(None, "assert_throws", "action", NONE),
    on(Some("array"), "drain", "filter", EACH),
    on(Some("map"), "drain", "filter", ENTRY),
    on(None, "dedup", "equal", &["|one, other|"]),
    on(None, "edit", "action", &["|xml|"]),
    on(Some("array"), "filter", "filter", EACH),
    on(Some("map"), "filter", "filter", ENTRY),
    on(None, "find", "filter", EACH),
    on(None, "find_map", "filter", EACH),
    // The item is `this`.
    on(None, "for_each", "map", &["||", "|index|"]),
    on(None, "group_by", "key", VALUE),
    on(None, "index_of", "filter", EACH),
    on(Some("array"), "map", "map", EACH),
    on(Some("map"), "map", "mapper", ENTRY),
    on(None, "max_by", "key", VALUE),
    on(None, "min_by", "key", VALUE),
    on(None, "on", "handler", &["|event|", "|event, conn|"]),
    on(None, "order", "comparison", &["|one, other|"]),
    on(None, "order_by", "key", VALUE),
    on(None, "parallel", "action", &["|item|"]),
    on(None, "push", "action", NONE),
    on(None, "recv_all", "sink", &["|part|"]),
    on(None, "reduce", "reducer", REDUCED),
    on(None, "reduce_rev", "reducer", REDUCED),
    on(Some("array"), "retain", "filter", EACH),
    on(Some("map"), "retain", "filter", ENTRY),
    on(None, "send_all", "source", NONE),
    on(None, "some", "filter", EACH),
    on(None, "sort", "comparison", &["|one, other|"]),
    on(None, "sort_by", "key", VALUE),
    on(None, "step", "action", NONE),
    on(None, "step", "find", NONE),
    on(None, "step", "make", NONE),
    on(None, "step", "unmake", &["||", "|made|"]),
    on(None, "sum", "number", VALUE),
    on(None, "wait_event", "action", NONE),
    on(None, "waiting_for", "action", NONE),
    on(None, "one_at_a_time", "action", NONE),
    on(None, "zip", "map", &["|one, other|", "|one, other, index|"]),
];

/// The forms of the closure that `function` takes as its parameter number `index`, if they are known.
fn forms(function: &Function, index: usize) -> Option<&'static [&'static str]> {
    let (parameter, ty) = function.parameters.get(index)?;
    let receiver = function.receiver()?.to_string();
    let accepted = ALL.iter().find(|accepted| {
        accepted.function == function.name
            && accepted.parameter == parameter
            && accepted.receiver.is_none_or(|own| own == receiver)
    })?;
    (*ty == Type::Function).then_some(accepted.forms)
}

/// The number of parameters of the form `|one, other|`.
fn count(form: &str) -> usize {
    form.trim_matches('|')
        .split(',')
        .filter(|name| !name.is_empty())
        .count()
}

/// Reports closures among the `arguments` that none of the functions `taken` can call; `skipped` parameters are the
/// receiver.
pub(super) fn check<'a>(
    walk: &mut Walk<'a>,
    taken: &[&Function],
    arguments: &'a [Expr],
    skipped: usize,
) {
    for (index, argument) in arguments.iter().enumerate() {
        let Some(closure) = walk.closure_in(argument) else {
            continue;
        };
        let parameters = closure.definition.parameters.len() - closure.captured.len();
        if parameters == 1 && takes_position(taken) && !uses_this(closure.definition) {
            let message = "`for_each` passes the position, not the item";
            let position = argument.start_position();
            let finding = walk.find(Code::PositionNotItem, position, message.into());
            finding.hint = Some(
                "write `for item in list { ... }`; in the closure of `for_each`, the item is `this`".into(),
            );
            continue;
        }
        let Some((function, forms)) = refusing(taken, index + skipped, parameters) else {
            continue;
        };
        let closure = match parameters {
            0 => "without parameters".to_owned(),
            1 => "with 1 parameter".to_owned(),
            more => format!("with {more} parameters"),
        };
        let message = format!("`{function}` cannot call a closure {closure}");
        let forms: Vec<String> = forms.iter().map(|form| format!("`{form} ...`")).collect();
        let position = argument.start_position();
        let finding = walk.find(Code::WrongArgumentCount, position, message);
        finding.hint = Some(format!("write {}", forms.join(" or ")));
    }
}

/// True if all of the functions `taken` pass the position of an item to their closure, and the item as `this`.
fn takes_position(taken: &[&Function]) -> bool {
    !taken.is_empty() && taken.iter().all(|function| function.name == "for_each")
}

/// True if the body of a closure reads `this`.
fn uses_this(closure: &Definition) -> bool {
    closure.body.iter().any(|statement| {
        !statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            !matches!(path.last(), Some(ASTNode::Expr(Expr::ThisPtr(_))))
        })
    })
}

/// The name of the functions `taken` and the closures that they accept as their parameter number `index`, if none of them
/// can call a closure with so many `parameters`.
fn refusing<'f>(
    taken: &[&'f Function],
    index: usize,
    parameters: usize,
) -> Option<(&'f str, &'static [&'static str])> {
    let takes_closure = |function: &&Function| {
        let parameter = function.parameters.get(index);
        parameter.is_some_and(|(_, ty)| *ty == Type::Function)
    };
    let (own, others): (Vec<&Function>, Vec<&Function>) =
        taken.iter().copied().partition(takes_closure);
    // For one receiver, Rhai prefers a function with a parameter for closures to one that takes any value.
    let is_preferred = |other: &Function| own.iter().any(|own| own.receiver() == other.receiver());
    if !others.into_iter().all(is_preferred) {
        return None;
    }
    let first = own.first()?;
    let refuses = |forms: &[&str]| forms.iter().all(|form| count(form) != parameters);
    let all_refuse = own
        .iter()
        .all(|function| forms(function, index).is_some_and(refuses));
    all_refuse.then_some((first.name.as_str(), forms(first, index)?))
}

#[cfg(test)]
mod tests {
    use super::{ALL, count, forms};
    use crate::catalog::Catalog;
    use crate::engine::{self, Limits};
    use crate::run::session::{Session, SessionOptions};
    use crate::script::imports::Imports;
    use crate::spec::Type;

    fn engine() -> rhai::Engine {
        let session = Session::new(SessionOptions::default());
        engine::build(&session, &Limits::default(), Imports::default())
    }

    #[test]
    fn the_closures_of_all_functions_are_known() {
        let catalog = Catalog::new(&engine());
        let mut unknown = Vec::new();
        for function in catalog.functions() {
            for (index, (parameter, ty)) in function.parameters.iter().enumerate() {
                let is_receiver = index == 0 && function.method;
                if *ty == Type::Function && !is_receiver && forms(function, index).is_none() {
                    unknown.push(format!("{}({parameter})", function.name));
                }
            }
        }
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn functions_accept_exactly_these_closures() {
        let engine = engine();
        let parameters = ["", "a", "a, b", "a, b, c", "a, b, c, d"];
        for accepted in ALL {
            let (before, after) = match (accepted.function, accepted.receiver) {
                ("all_or_nothing" | "assert_throws", _) => ("", ""),
                ("waiting_for" | "step" | "one_at_a_time", _) if accepted.parameter == "action" => {
                    ("\"x\", ", "")
                }
                ("parallel", _) => ("[1], 1, ", ""),
                ("zip", _) => ("[2, 1], [2, 1], ", ""),
                ("edit" | "on" | "push" | "recv_all" | "send_all" | "step" | "wait_event", _) => {
                    continue;
                }
                (_, Some("map")) => ("#{ a: 1 }, ", ""),
                _ => ("[2, 1], ", ""),
            };
            for (number, names) in parameters.iter().enumerate() {
                let value = if accepted.function == "dedup" {
                    "true"
                } else {
                    "1"
                };
                let script = format!("{}({before}|{names}| {value}{after})", accepted.function);
                let outcome = engine.eval::<rhai::Dynamic>(&script);
                let called = match accepted.function {
                    // It expects an error.
                    "assert_throws" => outcome.is_err(),
                    _ => outcome.is_ok(),
                };
                let known = accepted.forms.iter().any(|form| count(form) == number);
                assert_eq!(called, known, "{script}: {outcome:?}");
            }
        }
    }
}
