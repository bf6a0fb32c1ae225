//! Calls of unknown functions, and calls with wrong arguments.

use rhai::{Expr, FnCallExpr, Position};

use super::Code;
use super::definitions::Definition;
use super::files::File;
use super::finding::Related;
use super::phrases;
use super::scope::KnownType;
use super::walk::Walk;
use crate::catalog::Function;
use crate::catalog::names;
use crate::catalog::walker::Receiver;
use crate::spec::Type;

impl<'a> Walk<'a> {
    pub(super) fn no_function(
        &mut self,
        call: &'a FnCallExpr,
        kinds: &[KnownType],
        position: Position,
    ) {
        let name = call.name.as_str();
        let catalog = self.checker.catalog;
        let own: Vec<&Definition> = self.file.functions_named(name).collect();
        let natives: Vec<&Function> = catalog
            .named(name)
            .filter(|function| !function.property)
            .collect();
        if let Some(definition) = own.first() {
            let message = phrases::count(
                name,
                own.iter().map(|one| one.parameters.len()),
                kinds.len(),
            );
            let related = self.definition(self.file, definition);
            let hint = phrases::own_signatures(&own);
            let finding = self.find(Code::WrongArgumentCount, position, message);
            finding.hint = Some(hint);
            finding.related.extend(related);
            return;
        }
        if let Some(alias) = self.alias_of(name, kinds.len()) {
            let message =
                format!("`{name}` is a function of the import `{alias}`, not of this file");
            let finding = self.find(Code::UnknownFunction, position, message);
            finding.hint = Some(format!("write `{alias}::{name}(...)`"));
            return;
        }
        if natives.is_empty() {
            let shown = phrases::shown(name, kinds);
            let first = kinds.first().cloned().flatten();
            let shown_first = first.as_ref().map(ToString::to_string).unwrap_or_default();
            let hint = self.advice(name, &shown_first, || {
                let known = self.file.function_names();
                names::for_function(catalog.functions(), name, first.as_ref(), &known)
            });
            let variable = self.scope.has(name);
            let message = format!("there is no function `{shown}`");
            let finding = self.find(Code::UnknownFunction, position, message);
            finding.hint = match variable {
                true => Some(format!(
                    "a closure in a variable is called as `{name}.call(...)`"
                )),
                false => hint,
            };
            return;
        }
        self.wrong_arguments(&natives, name, kinds, 0, &call.args, position);
    }

    /// The alias of the import that has the function `name` with `count` parameters.
    fn alias_of(&self, name: &str, count: usize) -> Option<&'a str> {
        let has_it = |file: &&str| {
            let function = self
                .files
                .get(file)
                .and_then(|file| file.function(name, count));
            function.is_some_and(|function| !function.private)
        };
        let imports = self.file.imports().iter();
        let mut imports =
            imports.filter(|import| import.file.as_deref().as_ref().is_some_and(has_it));
        imports.next().map(|import| import.alias.name.as_str())
    }

    pub(super) fn no_method(
        &mut self,
        receiver: &Receiver<'a>,
        call: &'a FnCallExpr,
        kinds: &[KnownType],
        position: Position,
    ) {
        let name = call.name.as_str();
        let catalog = self.checker.catalog;
        let kind = receiver.ty.as_ref();
        let natives: Vec<&Function> = catalog
            .named(name)
            .filter(|function| !function.property && function.takes_receiver(kind))
            .collect();
        let closures = kind.is_none_or(Type::is_map);
        if closures && self.files.may_be_key(name) {
            return;
        }
        if !natives.is_empty() {
            // A map can hold a closure of that name.
            if closures && self.facts.evaluates {
                return;
            }
            self.wrong_arguments(&natives, name, kinds, 1, &call.args, position);
            return;
        }
        let shown = kind.map_or_else(|| "?".into(), ToString::to_string);
        let hint = self.advice(name, &shown, || {
            let known = self.file.function_names();
            names::for_function(catalog.functions(), name, kind, &known)
        });
        let Some(kind) = kind else {
            // No known value has such a method, but a map that was made elsewhere may; only a good suggestion makes the
            // error certain.
            let exists = catalog.named(name).next().is_some();
            let meant = hint.is_some() || !self.checker.whole;
            if meant
                && !exists
                && self.file.functions_named(name).next().is_none()
                && !self.facts.evaluates
            {
                let message = format!("no value has a method `{name}`");
                self.find(Code::UnknownMethod, position, message).hint = hint;
            }
            return;
        };
        let meant = hint.is_some() || !self.checker.whole;
        if kind.is_map() && (!meant || self.facts.evaluates) {
            return;
        }
        let message = match kind {
            Type::Unit => format!("`()` has no method `{name}`"),
            _ => format!("a value of type {} has no method `{name}`", kind.plain()),
        };
        self.find(Code::UnknownMethod, position, message).hint = hint;
    }

    /// A function that exists, but not for these arguments.
    fn wrong_arguments(
        &mut self,
        natives: &[&Function],
        name: &str,
        kinds: &[KnownType],
        skipped: usize,
        arguments: &'a [Expr],
        position: Position,
    ) {
        let usual = names::for_arguments(name, kinds);
        let hint = Some(match usual {
            Some(usual) => usual.to_owned(),
            None => phrases::signatures(natives, skipped > 0),
        });
        let counted: Vec<&&Function> = natives
            .iter()
            .filter(|function| function.parameters.len() == kinds.len())
            .collect();
        if counted.is_empty() {
            let counts = natives
                .iter()
                .map(|function| function.parameters.len().saturating_sub(skipped));
            let message = phrases::count(name, counts, kinds.len() - skipped);
            self.find(Code::WrongArgumentCount, position, message).hint = hint;
            return;
        }
        // The one argument that no overload takes is where to look.
        let wrong = (skipped..kinds.len()).find(|index| {
            let one = |function: &&&Function| {
                let mut only = vec![None; kinds.len()];
                only[*index].clone_from(&kinds[*index]);
                function.takes(&only)
            };
            !counted.iter().any(one)
        });
        let shown = kinds
            .iter()
            .map(phrases::kind)
            .collect::<Vec<_>>()
            .join(", ");
        let message = format!("`{name}` cannot be called with ({shown})");
        let place = wrong
            .and_then(|index| arguments.get(index - skipped))
            .map(Expr::start_position)
            .filter(|place| !place.is_none());
        let label = wrong.map(|index| {
            format!(
                "this is {}",
                phrases::with_article(&phrases::kind(&kinds[index]))
            )
        });
        let xml = wrong.is_some_and(|index| {
            let takes_xml = |ty: &Type| ty.alternatives().iter().any(|ty| ty.is_called("Xml"));
            kinds[index].as_ref().is_some_and(Type::is_map)
                && counted
                    .iter()
                    .any(|function| takes_xml(&function.parameters[index].1))
        });
        let finding = self.find(Code::WrongType, place.unwrap_or(position), message);
        finding.label = label.unwrap_or_default();
        finding.hint = match xml {
            true => Some("`xml(name, map)` makes XML from a map".into()),
            false => hint,
        };
    }

    /// The definition of a script's function as a further place.
    pub(super) fn definition(&self, file: &File, definition: &Definition) -> Option<Related> {
        Some(Related {
            message: "defined here".into(),
            file: file.name.clone(),
            span: file.place_of(definition)?,
        })
    }
}

impl Function {
    /// True if it may be called on a value of the type `kind`.
    fn takes_receiver(&self, kind: Option<&Type>) -> bool {
        let mut given = vec![None; self.parameters.len()];
        let Some(first) = given.first_mut() else {
            return false;
        };
        *first = kind.cloned();
        self.takes(&given)
    }
}
