//! Maps of options held against their declaration.

use rhai::{Expr, FnPtr, Position, Stmt};

use super::definitions::Definition;
use super::files::{File, Files};
use super::walk::Walk;
use super::{Code, Span};
use crate::spec::{self, Fault, FaultKind, Given, Shape, Sources, Spec, Step};
use std::sync::Arc;

impl Sources for Files {
    fn constants(&self, file: &str) -> Option<Arc<spec::Constants>> {
        self.get(file).map(File::spec_constants)
    }

    fn imported(&self, file: &str, path: &str) -> Option<String> {
        self.get(file)?.linked(path).map(str::to_owned)
    }
}

impl Files {
    /// What the function `definition` of `file` declares of its parameter number `index`.
    pub(super) fn declared(
        &self,
        file: &File,
        definition: &Definition,
        index: usize,
    ) -> Option<Arc<Spec>> {
        let name = match spec::options_line(&definition.docs) {
            Some(name) if index + 1 == definition.parameters.len() => name,
            Some(_) => return None,
            None => checked_with(definition, index)?,
        };
        spec::declared(self, &file.name, &name).ok()
    }
}

/// The name of the declaration that a function checks its parameter number `index` with, if it certainly does.
fn checked_with(definition: &Definition, index: usize) -> Option<String> {
    let parameter = definition.parameters.get(index)?;
    definition.body.iter().find_map(|statement| {
        let expression = match statement {
            Stmt::Var(variable, ..) => &variable.1,
            Stmt::Expr(expression) => &**expression,
            Stmt::Return(Some(expression), ..) => &**expression,
            _ => return None,
        };
        let Expr::Dot(pair, ..) = expression else {
            return None;
        };
        let Expr::Variable(variable, ..) = &pair.lhs else {
            return None;
        };
        if variable.1 != *parameter || !variable.2.is_empty() {
            return None;
        }
        let first = match &pair.rhs {
            Expr::Dot(rest, ..) | Expr::Index(rest, ..) => &rest.lhs,
            other => other,
        };
        let Expr::MethodCall(call, _) = first else {
            return None;
        };
        match (call.name.as_str(), call.args.first()) {
            ("checked", Some(Expr::Variable(spec, ..))) if !spec.2.is_empty() => {
                let path: Vec<&str> = spec.2.path.iter().map(|part| part.as_str()).collect();
                Some(match path.join("::").as_str() {
                    "global" => spec.1.to_string(),
                    path => format!("{path}::{}", spec.1),
                })
            }
            _ => None,
        }
    })
}

/// An expression as a value of which some is known.
struct Known<'w, 'a> {
    walk: &'w Walk<'a>,
    expression: &'a Expr,
}

impl Given for Known<'_, '_> {
    fn shape(&self) -> Shape<Self> {
        let known = |expression| Known {
            walk: self.walk,
            expression,
        };
        match self.expression {
            Expr::Unit(_) => Shape::Unit,
            Expr::BoolConstant(value, _) => Shape::Bool(Some(*value)),
            Expr::IntegerConstant(value, _) => Shape::Int(Some(*value)),
            Expr::FloatConstant(value, _) => Shape::Float(Some(**value)),
            Expr::StringConstant(text, _) => Shape::Text(Some(text.clone())),
            Expr::InterpolatedString(..) => Shape::Text(None),
            Expr::Array(items, _) => Shape::Array(Some(items.iter().map(known).collect())),
            Expr::Map(map, _) => {
                let entries = map
                    .0
                    .iter()
                    .map(|(key, value)| (key.name.clone(), known(value)));
                Shape::Map(Some(entries.collect()), true)
            }
            Expr::DynamicConstant(value, _) if value.read_lock::<FnPtr>().is_some() => {
                Shape::Function
            }
            Expr::Stmt(block) if matches!(block.statements(), [Stmt::Share(_), ..]) => {
                Shape::Function
            }
            Expr::Variable(variable, ..) if variable.2.is_empty() => {
                of_kind(self.walk.kind_of_variable(&variable.1).as_deref())
            }
            _ => Shape::Unknown,
        }
    }
}

/// What the type `kind` of a value tells of it.
fn of_kind<T>(kind: Option<&str>) -> Shape<T> {
    match kind.map(crate::catalog::without_element) {
        Some("()") => Shape::Unit,
        Some("bool") => Shape::Bool(None),
        Some("int") => Shape::Int(None),
        Some("float") => Shape::Float(None),
        Some("string") => Shape::Text(None),
        Some("array") => Shape::Array(None),
        Some("map") => Shape::Map(None, false),
        Some("blob") => Shape::Blob,
        Some("Fn") => Shape::Function,
        Some(kind) if crate::catalog::is_own_kind(kind) => Shape::Object(kind.to_owned()),
        _ => Shape::Unknown,
    }
}

/// Reports what is wrong with the map `argument`, of which `spec` says what it may hold.
pub(super) fn check<'a>(walk: &mut Walk<'a>, argument: &'a Expr, spec: &Spec) {
    let Expr::Map(map, _) = argument else {
        return;
    };
    let entries: Vec<_> = map
        .0
        .iter()
        .map(|(key, expression)| (key.name.clone(), Known { walk, expression }))
        .collect();
    let faults = spec.faults(&entries, true);
    for fault in faults {
        report(walk, argument, fault);
    }
}

fn report(walk: &mut Walk, argument: &Expr, fault: Fault) {
    let code = match fault.kind {
        FaultKind::UnknownKey => Code::UnknownOption,
        FaultKind::MissingKey => Code::MissingOption,
        FaultKind::Value => Code::WrongOption,
    };
    let place = place_of(argument, &fault);
    let span = Span::at(&walk.file.text, place);
    walk.find_at(code, span, fault.message).hint = fault.hint;
}

/// Where the fault is in `argument`: at the key that is unknown, the value that is wrong, or the map that lacks a key.
fn place_of(argument: &Expr, fault: &Fault) -> Position {
    let mut at = argument;
    let mut place = argument.start_position();
    for step in &fault.path {
        match (at, step) {
            (Expr::Map(map, _), Step::Key(key)) => {
                let Some((ident, value)) = map.0.iter().find(|(ident, _)| ident.name == *key)
                else {
                    return place;
                };
                at = value;
                place = match fault.kind {
                    FaultKind::UnknownKey => ident.pos,
                    _ => value.start_position(),
                };
            }
            (Expr::Array(items, _), Step::Item(number)) => {
                let Some(item) = items.get(*number) else {
                    return place;
                };
                at = item;
                place = item.start_position();
            }
            _ => return place,
        }
    }
    place
}
