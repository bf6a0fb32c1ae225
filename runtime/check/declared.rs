//! Checks maps of options against their declarations.

use rhai::{Expr, Position, Stmt};

use super::definitions::Definition;
use super::files::{File, Files};
use super::walk::Walk;
use super::written::Written;
use super::{Checker, Code, Finding, Span, type_names};
use crate::api;
use crate::runbook::inputs::{CONSTANT, check_names};
use crate::script::declarations::{self, Constants, Sources};
use crate::spec::{self, Fault, FaultKind, Spec, Step, Type};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Sources for Files {
    fn constants(&self, file: &str) -> Option<Arc<Constants>> {
        let constants = self.get(file).map(File::spec_constants);
        constants.or_else(|| declarations::of_imports(&self.imports).constants(file))
    }

    fn imported(&self, file: &str, path: &str) -> Option<String> {
        let linked = self.get(file).and_then(|file| file.linked(path));
        let linked = linked.map(str::to_owned);
        linked.or_else(|| declarations::of_imports(&self.imports).imported(file, path))
    }
}

impl Files {
    /// True if `file` is the script itself, and not a file that it imports.
    pub(super) fn is_script(&self, file: &File) -> bool {
        let mut files = self.iter();
        files.next().is_some_and(|first| first.name == file.name)
    }

    /// The wrong declarations among those that `file` itself uses: for its inputs, and for options of its functions.
    pub(super) fn wrong_declarations(&self, checker: &Checker, file: &File) -> Vec<Finding> {
        let mut names = BTreeSet::new();
        if self.is_script(file) {
            names.insert(CONSTANT.to_owned());
        }
        for definition in file.all_definitions() {
            names.extend(spec::options_line(&definition.docs));
            let parameters = 0..definition.parameters.len();
            names.extend(parameters.filter_map(|index| checked_with(definition, index)));
        }
        names.retain(|name| declarations::is_declared(self, &file.name, name));
        let wrong = names.into_iter().filter_map(|name| {
            let mut hint = None;
            let why = match declarations::declared(self, &file.name, &name) {
                Ok(spec) => {
                    let names = (name == CONSTANT).then(|| check_names(&spec.keys).err());
                    names.flatten().or_else(|| {
                        let (key, kind) = type_names::unknown_object(checker, &spec)?;
                        hint = type_names::nearest(checker, self, file, kind);
                        Some(format!(
                            "the declaration of `{key}` is wrong: the type \"{kind}\" does not exist"
                        ))
                    })?
                }
                Err(why) => why,
            };
            let span = Span::at(&file.text, file.constant(&name)?);
            let mut finding = file.finding(Code::WrongDeclaration, span, why);
            finding.hint = hint;
            Some(finding)
        });
        wrong.collect()
    }

    /// The type of the inputs that the script `file` declares; `None` for an imported file.
    pub(super) fn inputs(&self, file: &File) -> Option<Type> {
        if !self.is_script(file) || !declarations::is_declared(self, &file.name, CONSTANT) {
            return None;
        }
        let spec = declarations::declared(self, &file.name, CONSTANT).ok()?;
        Some(Type::Keys(spec))
    }

    /// The declaration in the function `definition` of `file` for its parameter number `index`.
    pub(super) fn declared(
        &self,
        file: &File,
        definition: &Definition,
        index: usize,
    ) -> Option<Arc<Spec>> {
        let name = match spec::options_line(&definition.docs) {
            Some(name) => {
                let place = spec::options_place(&definition.docs, definition.parameters.len());
                Some(name).filter(|_| place == index)?
            }
            None => checked_with(definition, index)?,
        };
        let declared = declarations::declared(self, &file.name, &name).ok();
        declared.or_else(|| api::declared_options(&name))
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

/// Reports the errors of the map `value`, which has to follow one of `specs`; `changes` is true if the check cannot
/// follow all of its keys.
pub(super) fn check(walk: &mut Walk, value: &Written, specs: &[Arc<Spec>], changes: bool) {
    let Some((spec, others)) = specs.split_first() else {
        return;
    };
    let Some((entries, complete)) = value.entries() else {
        if value.is_not_a_map() {
            walk.find(Code::WrongOption, value.place, spec.not_a_map());
        }
        return;
    };
    let complete = complete && !changes;
    let mut faults = spec.faults(entries, complete);
    // If the receiver is not known, the map may be for another function of that name.
    for other in others.iter().filter(|other| *other != spec) {
        let known = other.faults(entries, complete);
        faults.retain(|fault| known.iter().any(|it| it.path == fault.path));
    }
    for fault in faults {
        let code = match fault.kind {
            FaultKind::UnknownKey => Code::UnknownOption,
            FaultKind::MissingKey => Code::MissingOption,
            FaultKind::Value => Code::WrongOption,
        };
        let place = place_of(value, &fault);
        walk.find(code, place, fault.message).hint = fault.hint;
    }
}

/// The place of the fault: the unknown key, the wrong value, or the map that lacks a key.
fn place_of(value: &Written, fault: &Fault) -> Position {
    let mut at = value;
    let mut place = value.place;
    for step in &fault.path {
        let next = match step {
            Step::Key(key) => at
                .entries()
                .and_then(|(entries, _)| entries.iter().find(|(name, _)| name == key.as_str()))
                .map(|(_, value)| value),
            Step::Item(number) => at.items().and_then(|items| items.get(*number)),
        };
        let Some(next) = next else { return place };
        at = next;
        place = match (step, fault.kind) {
            (Step::Key(_), FaultKind::UnknownKey) => at.key,
            _ => at.place,
        };
    }
    place
}
