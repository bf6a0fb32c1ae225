//! Checks uses of imported files, and of the file itself as `global`.

use rhai::{Expr, FnCallExpr, Namespace, Position, Stmt};

use super::definitions::Definition;
use super::effects::tells_of_a_value;
use super::expressions::returns;
use super::files::{File, Files};
use super::scope::KnownType;
use super::statements::end_of;
use super::walk::Walk;
use super::{Code, import_path, options, phrases};
use crate::advice::suggest;
use crate::catalog::Function;
use crate::script::declarations;
use crate::script::imports::is_recipe;
use crate::spec::Type;

impl<'a> Walk<'a> {
    /// `alias::name(arguments)`.
    pub(super) fn qualified_call(
        &mut self,
        call: &'a FnCallExpr,
        kinds: &[KnownType],
        position: Position,
    ) -> KnownType {
        let (name, count) = (call.name.as_str(), call.args.len());
        let (shown, files) = self.modules(&call.namespace)?;
        let mut wrong: Option<(&File, Vec<&Definition>)> = None;
        for file in &files {
            let named: Vec<&Definition> = file.functions_named(name).collect();
            match named
                .iter()
                .find(|function| function.parameters.len() == count && !function.private)
            {
                Some(definition) => {
                    if files.len() > 1 {
                        return None;
                    }
                    let shown = format!("{shown}::{name}");
                    self.check_own_call(file, definition, &shown, &call.args, kinds);
                    // Only the comments of the standard library are known to tell of every effect.
                    let answers = is_recipe(&file.name) && tells_of_a_value(&definition.docs);
                    if answers && self.is_ignored(call) {
                        self.report_unused(&shown, position);
                    }
                    return self.result_of(file, definition);
                }
                None => wrong = Some((file, named)),
            }
        }
        let (file, named) = wrong?;
        let public: Vec<&&Definition> = named.iter().filter(|function| !function.private).collect();
        if let Some(definition) = public.first() {
            let counts = public.iter().map(|one| one.parameters.len());
            let message = phrases::count(&format!("{shown}::{name}"), counts, count);
            let own: Vec<&Definition> = public.iter().map(|one| **one).collect();
            let related = self.definition(file, definition);
            let finding = self.find(Code::WrongArgumentCount, position, message);
            finding.hint = Some(phrases::own_signatures(&own));
            finding.related.extend(related);
            return None;
        }
        let offered = file.public_names();
        let near = suggest::nearest(name, offered.iter().map(String::as_str));
        let hint = match (named.is_empty(), near) {
            (false, _) => format!("`{name}` is private to {}", file.name),
            (true, Some(near)) => format!("did you mean `{shown}::{near}`?"),
            (true, None) if offered.is_empty() => format!("`{shown}` has no functions"),
            (true, None) => format!("`{shown}` has {}", offered.join(", ")),
        };
        let message = format!("there is no function `{shown}::{name}`");
        self.find(Code::UnknownFunction, position, message).hint = Some(hint);
        None
    }

    /// The types of the first parameters of the function `definition` of `file`, from its doc comment.
    pub(super) fn parameters_of(
        files: &Files,
        file: &File,
        definition: &'a Definition,
    ) -> &'a [Type] {
        let read = || declarations::parameters(files, &file.name, &definition.docs);
        definition.takes.get_or_init(read)
    }

    /// Reports the wrong arguments of a call of the script's function `definition` of `file`, which is `shown`.
    pub(super) fn check_own_call(
        &mut self,
        file: &'a File,
        definition: &'a Definition,
        shown: &str,
        arguments: &'a [Expr],
        kinds: &[KnownType],
    ) {
        options::check_own(self, file, definition, arguments);
        let types = Self::parameters_of(self.files, file, definition);
        let wrong = types.iter().zip(kinds).position(|(ty, kind)| {
            let kind = kind.as_ref().filter(|_| self.sure(Some(ty)).is_some());
            kind.is_some_and(|kind| !ty.takes(kind))
        });
        let Some(index) = wrong else { return };
        let shown_kinds: Vec<String> = kinds.iter().map(phrases::kind).collect();
        let message = format!(
            "`{shown}` cannot be called with ({})",
            shown_kinds.join(", ")
        );
        let label = phrases::with_article(&shown_kinds[index]);
        let hint = phrases::typed_signature(shown, &definition.parameters, types);
        let finding = self.find(Code::WrongType, arguments[index].start_position(), message);
        finding.label = format!("this is {label}");
        finding.hint = Some(hint);
    }

    /// The type of the result of the function `definition` of `file`, from its doc comment.
    pub(super) fn result_of(&self, file: &'a File, definition: &'a Definition) -> KnownType {
        let read = || declarations::result(self.files, &file.name, &definition.docs);
        let told = self.sure(Some(definition.result.get_or_init(read)));
        told.or_else(|| self.returns_nothing(file, definition).then_some(Type::Unit))
    }

    /// True if a call of the function `definition` of `file` certainly has no value.
    fn returns_nothing(&self, file: &File, definition: &Definition) -> bool {
        let call = match definition.body.last() {
            Some(Stmt::FnCall(call, _)) => (&**call, 0),
            Some(Stmt::Expr(expression)) => match end_of(expression) {
                Expr::FnCall(call, _) => (&**call, 0),
                Expr::MethodCall(call, _) => (&**call, 1),
                _ => return false,
            },
            Some(Stmt::Assignment(_) | Stmt::Var(..)) => return !returns(&definition.body),
            _ => return false,
        };
        let (call, receivers) = call;
        let name = call.name.as_str();
        let count = call.args.len() + receivers;
        let is_meant =
            |function: &&Function| !function.property && function.parameters.len() == count;
        let mut natives = self.checker.catalog.named(name).filter(is_meant).peekable();
        let is_native = call.namespace.is_empty()
            && call.op_token.is_none()
            && file.functions_named(name).next().is_none()
            && !self.files.may_be_key(name)
            && natives.peek().is_some();
        is_native
            && natives.all(|function| function.returns == Type::Unit)
            && !returns(&definition.body)
    }

    /// The files that a path such as `guest::image` may stand for; nothing if that is unknown
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
            let is_meant = import_path::is_meant(file, root);
            if root != "global" && !elsewhere && !is_meant && !self.facts.evaluates {
                let aliases: Vec<&str> = file
                    .imports()
                    .iter()
                    .map(|import| import.alias.name.as_str())
                    .filter(|alias| !alias.is_empty())
                    .collect();
                let hint = suggest::nearest(root, aliases.into_iter())
                    .map(|near| format!("did you mean `{near}`?"))
                    .or_else(|| phrases::recipe(root));
                let message = format!("no import is called `{root}`");
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
            let near = suggest::nearest(name, constants.iter().map(String::as_str));
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
            .then(|| format!("export it in that file: `export const {name} = ...`"));
        self.find(Code::UnknownVariable, place.unwrap_or(position), message)
            .hint = hint;
    }
}
