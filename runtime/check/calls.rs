//! Calls of functions and methods, and properties.

use rhai::{Expr, FnCallExpr, Position};

use super::definitions::Definition;
use super::event_filter::{is_event, takes_event_filter};
use super::files::File;
use super::scope::KnownType;
use super::walk::Walk;
use super::{
    Code, capture, closure_parameters, flags, live_dump, never_equal, options, paths, shadow,
};
use crate::advice::suggest;
use crate::catalog::Function;
use crate::catalog::inference::operator;
use crate::catalog::names;
use crate::catalog::walker::{Receiver, Walker};
use crate::spec::Type;

/// Functions that Rhai implements itself, with their numbers of arguments.
const KEYWORDS: &[(&str, &[usize], Type)] = &[
    ("Fn", &[1], Type::Function),
    ("call", &[], Type::Unknown),
    ("curry", &[], Type::Function),
    ("debug", &[0, 1], Type::Unit),
    ("eval", &[1], Type::Unknown),
    ("is_def_fn", &[2, 3], Type::Bool),
    ("is_def_var", &[1], Type::Bool),
    ("is_shared", &[1], Type::Bool),
    ("print", &[0, 1], Type::Unit),
    ("type_of", &[1], Type::Text),
];

/// The methods that run a closure with the value, or its items, as `this`.
const RUNNING: &[&str] = &["call", "for_each"];

fn keyword(name: &str, arguments: usize) -> Option<KnownType> {
    let (_, _, kind) = KEYWORDS.iter().find(|(word, counts, _)| {
        *word == name && (counts.contains(&arguments) || (counts.is_empty() && arguments > 0))
    })?;
    Some(kind.clone().known())
}

impl<'a> Walk<'a> {
    /// The types whose functions are all known.
    pub(super) fn sure(&self, kind: Option<&Type>) -> KnownType {
        let kind = kind?;
        match kind {
            Type::Array(item) if self.sure(Some(item)).is_none() => Some(Type::array()),
            kind => self.checker.is_sure(kind).then(|| kind.clone()),
        }
    }

    /// The type of the result of a call in the form `name(arguments)`.
    pub(super) fn check_call(&mut self, call: &'a FnCallExpr, position: Position) -> KnownType {
        let name = call.name.as_str();
        let kinds = self.arguments(call);
        if !call.namespace.is_empty() {
            return self.qualified_call(call, &kinds, position);
        }
        if call.op_token.is_some() {
            if ["==", "!=", "<", ">", "<=", ">="].contains(&name) {
                self.compare(call, &kinds, position);
            }
            if name == "%"
                && kinds
                    .first()
                    .is_some_and(|kind| kind.as_ref().is_some_and(Type::is_text))
            {
                let message = "text has no operator `%`".to_owned();
                self.find(Code::UnknownFunction, position, message).hint =
                    Some("between backquotes, `${x}` puts a value into text".into());
            }
            let known = operator(name, &kinds);
            // The catalogue does not have Rhai's operators for numbers.
            let one_of = |kind: &KnownType| matches!(kind, Some(Type::OneOf(_)));
            if known.is_some() || kinds.iter().any(one_of) {
                return known;
            }
            return self.sure(self.checker.catalog.returns(name, &kinds));
        }
        if call.capture_parent_scope {
            self.scope.forget_all();
        }
        if let ("contains", [list, wanted], [held, value]) = (name, &call.args[..], &kinds[..]) {
            self.look_up(list, value);
            self.ask_key(held.as_ref(), wanted);
            self.ask_error(held.as_ref(), wanted);
        }
        if ["print", "debug", "note"].contains(&name) {
            for (kind, value) in kinds.iter().zip(&call.args) {
                self.check_value(kind, value, || format!("`{name}` has no value to show"));
            }
        }
        if let Some(definition) = self.file.function(name, kinds.len()) {
            self.check_own_call(self.file, definition, name, &call.args, &kinds);
            return self.result_of(self.file, definition);
        }
        if let ("contains", [_, wanted], [items, value]) = (name, &call.args[..], &kinds[..]) {
            self.look_up_kind([items, value], wanted, position);
        }
        match name {
            "eval" if kinds.len() == 1 => {
                self.scope.forget_all();
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
            if self.is_ignored(call) && kind.as_ref().is_some_and(|kind| *kind != Type::Unit) {
                self.report_unused(name, position);
            }
            return kind;
        }
        let catalog = self.checker.catalog;
        let taken: Vec<&Function> = catalog
            .named(name)
            .filter(|function| !function.property && function.takes(&kinds))
            .collect();
        if taken.is_empty() {
            self.no_function(call, &kinds, position);
            return None;
        }
        self.check_arguments(&taken, &call.args, 0);
        closure_parameters::check(self, &taken, &call.args, 0);
        self.check_unused(call, &taken, 0, position);
        capture::check_copies(self, name, &kinds, &call.args);
        self.sure(catalog.returns(name, &kinds))
    }

    /// Checks arguments of native functions beyond their types; `skipped` parameters are the receiver.
    fn check_arguments(&mut self, taken: &[&Function], arguments: &'a [Expr], skipped: usize) {
        for (index, argument) in arguments.iter().enumerate() {
            flags::check(self, taken, index + skipped, argument);
            options::check_native(self, taken, index + skipped, argument);
            self.check_words(taken, index + skipped, argument);
        }
    }

    /// The type of the result of `receiver.name(arguments)`.
    pub(super) fn check_method(
        &mut self,
        receiver: &Receiver<'a>,
        call: &'a FnCallExpr,
        position: Position,
    ) -> KnownType {
        let name = call.name.as_str();
        let mut kinds = vec![receiver.ty.clone()];
        // A result that is used belongs to the end of the chain, not to the arguments.
        let asking = std::mem::take(&mut self.asking);
        let takes_filter = takes_event_filter(name);
        self.item = call
            .args
            .get(usize::from(takes_filter))
            .filter(|argument| self.closure_in(argument).is_some())
            .and_then(|_| self.item_of(receiver.ty.as_ref(), name, &call.args));
        self.answer = None;
        kinds.extend(self.arguments(call));
        self.item = None;
        self.asking = asking;
        let answer = self.answer.take();
        if let Some(Type::Array(_)) = receiver.ty {
            self.check_closure(name, &call.args, &answer);
        }
        if let ("contains", Some(list), [_, value]) = (name, receiver.expression, &kinds[..]) {
            self.look_up(list, value);
        }
        if let ("get" | "contains", [wanted]) = (name, &call.args[..]) {
            self.ask_key(receiver.ty.as_ref(), wanted);
            self.ask_error(receiver.ty.as_ref(), wanted);
        }
        let direct = receiver.root.filter(|_| receiver.direct);
        if let Some(root) = direct.filter(|_| super::facts::CHANGING.contains(&name)) {
            let taken = name == "take" && call.args.is_empty();
            let kind = self.scope.kind(root).filter(|_| !taken);
            self.scope.know(root, kind, None);
        }
        if let Some(root) = direct.filter(|_| RUNNING.contains(&name)) {
            // The closure may change `this`.
            let kind = self.scope.kind(root);
            self.scope.know(root, kind, None);
        }
        if let Some(definition) = self.own_method(receiver, name, call.args.len()) {
            shadow::check(self, receiver, definition, &kinds, position);
            if let Some(root) = direct {
                // It may do anything to `this`.
                self.scope.know(root, None, None);
            }
            return None;
        }
        if let ("contains", [wanted], [items, value]) = (name, &call.args[..], &kinds[..]) {
            self.look_up_kind([items, value], wanted, position);
        }
        if let Some(kind) = keyword(name, kinds.len()) {
            return kind;
        }
        if let Some(root) = direct.filter(|root| !self.scope.has(root)) {
            self.advise_on_module(root, name);
        }
        let catalog = self.checker.catalog;
        let taken: Vec<&Function> = catalog
            .named(name)
            .filter(|function| !function.property && function.takes(&kinds))
            .collect();
        if taken.is_empty() {
            // The finding about a variable that does not exist is enough.
            if direct.is_none_or(|root| self.scope.has(root)) {
                self.no_method(receiver, call, &kinds, position);
            }
            return None;
        }
        self.check_arguments(&taken, &call.args, 1);
        live_dump::check(self, call);
        self.check_temporary(receiver, call, position);
        paths::check(self, &taken, &call.args);
        self.check_date_format(receiver.ty.as_ref(), call);
        capture::check_copies(self, name, &kinds, &call.args);
        if receiver.ty.is_none() && self.files.may_be_key(name) {
            return None;
        }
        // The map may hold a closure of that name.
        if !(receiver.ty.as_ref().is_some_and(Type::is_map) && self.files.may_be_key(name)) {
            closure_parameters::check(self, &taken, &call.args, 1);
            self.check_unused(call, &taken, 1, position);
        }
        capture::check_held(self, receiver, call, position);
        match self.sure(catalog.returns(name, &kinds)) {
            Some(Type::Keys(spec)) if is_event(&spec) => {
                self.event_type(call.args.first().filter(|_| takes_filter))
            }
            None => never_equal::text_or_default(&kinds, name),
            known => known,
        }
    }

    /// Corrects `alias.name(...)` where `alias` is an import: the variable was reported as unknown.
    fn advise_on_module(&mut self, alias: &str, name: &str) {
        let mut imports = self.file.imports().iter();
        let message = format!("there is no variable `{alias}`");
        if imports.any(|import| import.alias.name == alias)
            && let Some(finding) = self
                .findings
                .iter_mut()
                .rev()
                .find(|it| it.message == message)
        {
            finding.hint = Some(format!(
                "`{alias}` is an import: write `{alias}::{name}(...)`"
            ));
        }
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
            let fits = match (&function.this_type, &receiver.ty) {
                (Some(wanted), Some(kind)) => Type::of_value(wanted).is_like(kind),
                _ => true,
            };
            fits && function.parameters.len() == arguments
        })
    }

    /// The type of the property `name`.
    pub(super) fn check_property(
        &mut self,
        receiver: &Receiver<'a>,
        name: &str,
        position: Position,
    ) -> KnownType {
        let kind = receiver.ty.clone()?;
        if let Some(spec) = kind.keys() {
            return self.answered_key(spec, name, position);
        }
        if let Some(value) = kind.value() {
            return value.clone().known();
        }
        if kind.is_map() {
            if let Some(value) = receiver.expression.and_then(|it| self.value_of(it)) {
                self.written_key(&value, name, position);
            }
            return None;
        }
        let catalog = self.checker.catalog;
        let has = |wanted: Option<&Type>| wanted.is_some_and(|wanted| wanted.takes(&kind));
        if catalog
            .named(name)
            .any(|function| function.property && has(function.receiver()))
        {
            return self.sure(catalog.property(&kind, name));
        }
        let hint = self.advice(name, &kind.to_string(), || {
            names::for_property(catalog.functions(), name, &kind)
        });
        // A thrown map's own keys are properties of the error: only a near name is certainly a typo.
        let is_typo = || {
            let members = catalog.members(&kind).filter(|member| member.property);
            suggest::nearest(name, members.map(|member| member.name.as_str())).is_some()
        };
        let may_have = kind.is_called("Error")
            && (self.asking > 0
                || self.trying > 0
                || self.facts.evaluates
                || self.files.may_be_key(name)
                || (self.checker.whole && !is_typo()));
        if may_have {
            return None;
        }
        let root = receiver.root.filter(|_| receiver.direct);
        let is_counter = kind == Type::Int && root.is_some_and(|it| self.counters.contains(&it));
        let message = format!("a value of type {} has no property `{name}`", kind.plain());
        self.find(Code::UnknownProperty, position, message).hint = match is_counter {
            true => Some("the item comes first: `for (item, position) in list { ... }`".into()),
            false => hint,
        };
        None
    }

    /// A property that something is assigned to.
    pub(super) fn set_property(&mut self, receiver: &Receiver<'a>, name: &str, position: Position) {
        let Some(kind) = receiver.ty.as_ref() else {
            return;
        };
        let setter = format!("set${name}");
        if kind.is_map() || self.checker.catalog.named(&setter).next().is_some() {
            return;
        }
        let message = format!(
            "a value of type {} has no writable property `{name}`",
            kind.plain()
        );
        let hint = names::for_assignment(self.checker.catalog.functions(), name, kind);
        self.find(Code::UnknownProperty, position, message).hint = hint;
    }
}
