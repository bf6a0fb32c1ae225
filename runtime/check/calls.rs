//! Calls of functions and methods, and properties.

use rhai::{Expr, FnCallExpr, Namespace, Position};

use super::expressions::Receiver;
use super::files::{Definition, File};
use super::scope::Kind;
use super::walk::Walk;
use super::{Code, capture, flags, options, shadow, words};
use crate::catalog::{Function, element, without_element};
use crate::inference::operator;
use crate::names;

/// What Rhai does itself, with the numbers of arguments that it takes.
const KEYWORDS: &[(&str, &[usize], &str)] = &[
    ("Fn", &[1], "Fn"),
    ("call", &[], "?"),
    ("curry", &[], "Fn"),
    ("debug", &[0, 1], "()"),
    ("eval", &[1], "?"),
    ("is_def_fn", &[2, 3], "bool"),
    ("is_def_var", &[1], "bool"),
    ("is_shared", &[1], "bool"),
    ("print", &[0, 1], "()"),
    ("type_of", &[1], "string"),
];

fn keyword(name: &str, arguments: usize) -> Option<Kind> {
    let (_, _, kind) = KEYWORDS.iter().find(|(word, counts, _)| {
        *word == name && (counts.contains(&arguments) || (counts.is_empty() && arguments > 0))
    })?;
    Some((*kind != "?").then(|| (*kind).to_owned()))
}

impl<'a> Walk<'a> {
    /// Those types of which it is certain what they can do.
    pub(super) fn sure(&self, kind: Option<&str>) -> Kind {
        let kind = kind?;
        self.checker
            .is_sure(without_element(kind))
            .then(|| match element(kind) {
                Some(held) if kind.contains(" of ") && self.sure(Some(held)).is_none() => {
                    without_element(kind).to_owned()
                }
                _ => kind.to_owned(),
            })
    }

    /// The type of what a call in the form `name(arguments)` answers.
    pub(super) fn call(&mut self, call: &'a FnCallExpr, position: Position) -> Kind {
        let name = call.name.as_str();
        let kinds = self.arguments(call);
        if !call.namespace.is_empty() {
            self.qualified_call(call, position);
            return None;
        }
        if call.op_token.is_some() {
            let known = operator(name, &kinds).map(str::to_owned);
            return known.or_else(|| self.sure(self.checker.catalog.returns(name, &kinds)));
        }
        if call.capture_parent_scope {
            self.scope.blur();
        }
        if let Some(definition) = self.file.function(name, kinds.len()) {
            options::check_own(self, self.file, definition, &call.args);
            return None;
        }
        match name {
            "eval" if kinds.len() == 1 => {
                self.scope.blur();
                self.dynamic = true;
                return None;
            }
            "is_def_var" => {
                if let Some(Expr::StringConstant(name, _)) = call.args.first() {
                    self.read(name);
                }
            }
            _ => {}
        }
        if let Some(kind) = keyword(name, kinds.len()) {
            return kind;
        }
        let catalog = self.checker.catalog;
        let taken: Vec<&Function> = catalog
            .named(name)
            .filter(|function| !function.property && function.takes(&kinds))
            .collect();
        if taken.is_empty() {
            if !self.files.defined_elsewhere(self.file, name, kinds.len()) {
                self.no_function(call, &kinds, position);
            }
            return None;
        }
        self.check_arguments(&taken, &call.args, 0, position);
        capture::check_parallel(self, name, &kinds, &call.args);
        self.sure(catalog.returns(name, &kinds))
    }

    fn arguments(&mut self, call: &'a FnCallExpr) -> Vec<Kind> {
        call.args
            .iter()
            .map(|argument| self.expression(argument))
            .collect()
    }

    /// What native functions take beyond types; `skipped` parameters are the receiver.
    fn check_arguments(
        &mut self,
        taken: &[&Function],
        arguments: &'a [Expr],
        skipped: usize,
        position: Position,
    ) {
        for (index, argument) in arguments.iter().enumerate() {
            flags::check(self, taken, index + skipped, argument);
            options::check_native(self, taken, index + skipped, argument, position);
        }
    }

    /// The type of what `receiver.name(arguments)` answers.
    pub(super) fn method(
        &mut self,
        receiver: &Receiver<'a>,
        call: &'a FnCallExpr,
        position: Position,
    ) -> Kind {
        let name = call.name.as_str();
        let mut kinds = vec![receiver.kind.clone()];
        kinds.extend(self.arguments(call));
        if super::facts::CHANGING.contains(&name)
            && receiver.direct
            && let Some(variable) = receiver.root.and_then(|root| self.scope.find_mut(root))
        {
            variable.keys = None;
            if name == "take" && call.args.is_empty() {
                variable.kind = None;
            }
        }
        if let Some(definition) = self.own_method(receiver, name, call.args.len()) {
            shadow::check(self, receiver, definition, &kinds, position);
            if receiver.direct
                && let Some(variable) = receiver.root.and_then(|root| self.scope.find_mut(root))
            {
                // It may do anything to `this`.
                variable.kind = None;
                variable.keys = None;
            }
            return None;
        }
        if let Some(kind) = keyword(name, kinds.len()) {
            return kind;
        }
        let catalog = self.checker.catalog;
        let taken: Vec<&Function> = catalog
            .named(name)
            .filter(|function| !function.property && function.takes(&kinds))
            .collect();
        if taken.is_empty() {
            self.no_method(receiver, call, &kinds, position);
            return None;
        }
        self.check_arguments(&taken, &call.args, 1, position);
        capture::check_parallel(self, name, &kinds, &call.args);
        if receiver.kind.is_none() && self.files.may_be_key(name) {
            return None;
        }
        capture::check_held(self, receiver, call, position);
        self.sure(catalog.returns(name, &kinds))
    }

    /// The script's function that a method call leads to.
    fn own_method(
        &self,
        receiver: &Receiver,
        name: &str,
        arguments: usize,
    ) -> Option<&'a Definition> {
        let file: &'a File = self.file;
        file.functions_named(name).find(|function| {
            let fits = match (&function.this_type, &receiver.kind) {
                (Some(wanted), Some(kind)) => {
                    let kind = without_element(kind);
                    wanted == kind || self.checker.is_sure(kind) && words::same_type(wanted, kind)
                }
                _ => true,
            };
            fits && function.parameters.len() == arguments
        })
    }

    fn no_function(&mut self, call: &'a FnCallExpr, kinds: &[Kind], position: Position) {
        let name = call.name.as_str();
        let catalog = self.checker.catalog;
        let own: Vec<&Definition> = self.file.functions_named(name).collect();
        let natives: Vec<&Function> = catalog
            .named(name)
            .filter(|function| !function.property)
            .collect();
        if let Some(definition) = own.first() {
            let message = words::count(
                name,
                own.iter().map(|one| one.parameters.len()),
                kinds.len(),
            );
            let related = self.definition(self.file, definition);
            let hint = words::own_signatures(&own);
            let finding = self.find(Code::WrongArgumentCount, position, message);
            finding.hint = Some(hint);
            finding.related.extend(related);
            return;
        }
        if natives.is_empty() {
            let known = self.known_names();
            let shown = words::shown(name, kinds);
            let first = kinds.first().cloned().flatten();
            let hint = names::for_function(catalog.functions(), name, first.as_deref(), &known);
            let variable = self.scope.find(name).is_some();
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

    fn no_method(
        &mut self,
        receiver: &Receiver<'a>,
        call: &'a FnCallExpr,
        kinds: &[Kind],
        position: Position,
    ) {
        let name = call.name.as_str();
        let catalog = self.checker.catalog;
        let kind = receiver.kind.as_deref().map(without_element);
        let known = self.known_names();
        let natives: Vec<&Function> = catalog
            .named(name)
            .filter(|function| !function.property && function.takes_receiver(kind))
            .collect();
        let closures = kind.is_none_or(|kind| kind == "map");
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
        let hint = names::for_function(catalog.functions(), name, kind, &known);
        let Some(kind) = kind else {
            // Nothing is known of the value but that no value has such a method, unless it is a
            // map that was made elsewhere: only what is meant instead makes it certain.
            let exists = catalog.named(name).next().is_some();
            if let Some(hint) = hint
                && !exists
                && !known.iter().any(|own| own == name)
                && !self.facts.evaluates
            {
                let message = format!("no value has a method `{name}`");
                self.find(Code::UnknownMethod, position, message).hint = Some(hint);
            }
            return;
        };
        if kind == "map" && (hint.is_none() || self.facts.evaluates) {
            return;
        }
        let message = match kind {
            "()" => format!("`()` has no method `{name}`"),
            _ => format!("there is no method `{name}` of a value of type {kind}"),
        };
        self.find(Code::UnknownMethod, position, message).hint = hint;
    }

    /// A function that exists, but not for these arguments.
    fn wrong_arguments(
        &mut self,
        natives: &[&Function],
        name: &str,
        kinds: &[Kind],
        skipped: usize,
        arguments: &'a [Expr],
        position: Position,
    ) {
        let hint = Some(words::signatures(natives, skipped > 0));
        let counted: Vec<&&Function> = natives
            .iter()
            .filter(|function| function.parameters.len() == kinds.len())
            .collect();
        if counted.is_empty() {
            let counts = natives
                .iter()
                .map(|function| function.parameters.len().saturating_sub(skipped));
            let message = words::count(name, counts, kinds.len() - skipped);
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
        let shown = kinds.iter().map(words::kind).collect::<Vec<_>>().join(", ");
        let message = format!("`{name}` cannot be called with ({shown})");
        let place = wrong
            .and_then(|index| arguments.get(index - skipped))
            .map(Expr::start_position)
            .filter(|place| !place.is_none());
        let label = wrong.map(|index| format!("this is {}", words::with_article(&kinds[index])));
        let xml = wrong.is_some_and(|index| {
            kinds[index].as_deref() == Some("map")
                && counted
                    .iter()
                    .any(|function| function.parameters[index].1.contains("Xml"))
        });
        let finding = self.find(Code::WrongType, place.unwrap_or(position), message);
        finding.label = label.unwrap_or_default();
        finding.hint = match xml {
            true => Some("`xml(name, map)` makes XML from a map".into()),
            false => hint,
        };
    }

    pub(super) fn known_names(&self) -> Vec<String> {
        self.file.function_names()
    }

    /// The definition of a script's function as a further place.
    pub(super) fn definition(
        &self,
        file: &File,
        definition: &Definition,
    ) -> Option<super::finding::Related> {
        Some(super::finding::Related {
            message: "defined here".into(),
            file: file.name.clone(),
            span: file.place_of(definition)?,
        })
    }

    /// The type of the property `name`.
    pub(super) fn property(
        &mut self,
        receiver: &Receiver<'a>,
        name: &str,
        position: Position,
    ) -> Kind {
        let kind = without_element(receiver.kind.as_deref()?).to_owned();
        if kind == "map" {
            return None;
        }
        let catalog = self.checker.catalog;
        let has = |wanted: Option<&str>| wanted == Some("?") || wanted == Some(kind.as_str());
        if catalog
            .named(name)
            .any(|function| function.property && has(function.receiver()))
        {
            return self.sure(catalog.property(&kind, name));
        }
        let hint = names::for_property(catalog.functions(), name, &kind);
        let message = format!("there is no property `{name}` of a value of type {kind}");
        self.find(Code::UnknownProperty, position, message).hint = hint;
        None
    }

    /// A property that something is assigned to.
    pub(super) fn set_property(&mut self, receiver: &Receiver<'a>, name: &str, position: Position) {
        let Some(kind) = receiver.kind.as_deref().map(without_element) else {
            return;
        };
        let setter = format!("set${name}");
        if kind == "map" || self.checker.catalog.named(&setter).next().is_some() {
            return;
        }
        let readable = self.checker.catalog.property(kind, name).is_some();
        let message = match readable {
            true => format!("the property `{name}` of a value of type {kind} cannot be set"),
            false => format!("there is no property `{name}` of a value of type {kind}"),
        };
        self.find(Code::UnknownProperty, position, message);
    }

    /// `alias::name(arguments)`.
    fn qualified_call(&mut self, call: &'a FnCallExpr, position: Position) {
        let (name, count) = (call.name.as_str(), call.args.len());
        let Some((shown, files)) = self.modules(&call.namespace) else {
            return;
        };
        let mut wrong: Option<(&File, Vec<&Definition>)> = None;
        for file in &files {
            let named: Vec<&Definition> = file.functions_named(name).collect();
            match named
                .iter()
                .find(|function| function.parameters.len() == count && !function.private)
            {
                Some(definition) => {
                    if files.len() == 1 {
                        options::check_own(self, file, definition, &call.args);
                    }
                    return;
                }
                None => wrong = Some((file, named)),
            }
        }
        let Some((file, named)) = wrong else { return };
        let public: Vec<&&Definition> = named.iter().filter(|function| !function.private).collect();
        if let Some(definition) = public.first() {
            let counts = public.iter().map(|one| one.parameters.len());
            let message = words::count(&format!("{shown}::{name}"), counts, count);
            let own: Vec<&Definition> = public.iter().map(|one| **one).collect();
            let related = self.definition(file, definition);
            let finding = self.find(Code::WrongArgumentCount, position, message);
            finding.hint = Some(words::own_signatures(&own));
            finding.related.extend(related);
            return;
        }
        let offered = file.public_names();
        let near = crate::suggest::nearest(name, offered.iter().map(String::as_str));
        let hint = match (named.is_empty(), near) {
            (false, _) => format!("`{name}` is private to {}", file.name),
            (true, Some(near)) => format!("did you mean `{shown}::{near}`?"),
            (true, None) if offered.is_empty() => format!("`{shown}` has no functions"),
            (true, None) => format!("`{shown}` has {}", offered.join(", ")),
        };
        let message = format!("there is no function `{shown}::{name}`");
        self.find(Code::UnknownFunction, position, message).hint = Some(hint);
    }

    /// The files that a path such as `guest::image` may stand for; nothing where that is unknown
    /// or already a finding.
    fn modules(&mut self, namespace: &Namespace) -> Option<(String, Vec<&'a File>)> {
        let root = namespace.root();
        let path: Vec<&str> = namespace.path.iter().map(|part| part.as_str()).collect();
        let shown = path.join("::");
        let file: &'a File = self.file;
        if !file
            .imports()
            .iter()
            .any(|import| import.alias.name == root)
        {
            let elsewhere = self.files.iter().any(|file| {
                file.imports()
                    .iter()
                    .any(|import| import.alias.name == root)
            });
            if root != "global" && !elsewhere && !self.facts.evaluates {
                let aliases: Vec<&str> = file
                    .imports()
                    .iter()
                    .map(|import| import.alias.name.as_str())
                    .filter(|alias| !alias.is_empty())
                    .collect();
                let hint = crate::suggest::nearest(root, aliases.into_iter())
                    .map(|near| format!("did you mean `{near}`?"))
                    .or_else(|| words::recipe(root));
                let message = format!("nothing is imported as `{root}`");
                self.find(Code::UnknownModule, namespace.position(), message)
                    .hint = hint;
            }
            return None;
        }
        let mut files = vec![file];
        for alias in path {
            let mut next = Vec::new();
            for file in files {
                for target in file.imported_as(alias)? {
                    next.push(self.files.get(target)?);
                }
            }
            if next.is_empty() {
                return None;
            }
            files = next;
        }
        Some((shown, files))
    }

    /// `alias::NAME`.
    pub(super) fn qualified_variable(
        &mut self,
        namespace: &Namespace,
        name: &str,
        position: Position,
    ) {
        let place = Some(namespace.position()).filter(|place| !place.is_none());
        if namespace.root() == "global" && namespace.path.len() == 1 {
            let file = self.file;
            if file.is_constant(name)
                || self.facts.evaluates
                || file
                    .imports()
                    .iter()
                    .any(|import| import.alias.name == "global")
                || self
                    .files
                    .iter()
                    .any(|other| other.name != file.name && other.is_constant(name))
            {
                return;
            }
            let constants = file.constants();
            let near = crate::suggest::nearest(name, constants.iter().map(String::as_str));
            let hint = match near {
                _ if file.global(name).is_some() => {
                    Some(format!("only constants are global: `const {name} = ...`"))
                }
                Some(near) => Some(format!("did you mean `global::{near}`?")),
                None => None,
            };
            let message = format!("this file has no constant `{name}`");
            self.find(Code::UnknownVariable, place.unwrap_or(position), message)
                .hint = hint;
            return;
        }
        let Some((shown, files)) = self.modules(namespace) else {
            return;
        };
        if files.iter().any(|file| file.exports(name)) {
            return;
        }
        let message = format!("`{shown}` exports no variable `{name}`");
        let hint = files
            .iter()
            .any(|file| file.global(name).is_some())
            .then(|| format!("`export const {name} = ...` there would"));
        self.find(Code::UnknownVariable, place.unwrap_or(position), message)
            .hint = hint;
    }
}

impl Function {
    /// Whether it may be called on a value of the type `kind`.
    fn takes_receiver(&self, kind: Option<&str>) -> bool {
        let mut given = vec![None; self.parameters.len()];
        let Some(first) = given.first_mut() else {
            return false;
        };
        *first = kind.map(str::to_owned);
        self.takes(&given)
    }
}
