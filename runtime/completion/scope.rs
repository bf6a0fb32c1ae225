//! The definitions in the text before the cursor: variables with their types, modules, functions.

use rhai::{AST, Engine, Expr, Stmt};

use super::{Surroundings, Variable, members};
use crate::catalog::Catalog;
use crate::catalog::inference::Inference;
use crate::spec::Type;
use crate::syntax::bindings::{Binding, bindings};
use crate::syntax::cursor::Cursor;

/// The names at the cursor. Definitions in the text come last and win.
pub(super) struct Scope<'a> {
    parser: &'a Engine,
    catalog: &'a Catalog,
    around: &'a dyn Surroundings,
    variables: Vec<Variable>,
    /// Names of modules and the paths that they were imported from.
    modules: Vec<(String, String)>,
    /// Functions with their parameters.
    functions: Vec<(String, Vec<String>)>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        parser: &'a Engine,
        catalog: &'a Catalog,
        around: &'a dyn Surroundings,
        text: &str,
    ) -> Self {
        let mut scope = Self {
            parser,
            catalog,
            around,
            variables: around.variables(),
            modules: around.modules(),
            functions: Vec::new(),
        };
        scope.read(text);
        scope
    }

    /// Every variable once.
    pub(super) fn variables(&self) -> impl Iterator<Item = &Variable> {
        let later = |index: usize, name: &str| {
            self.variables[index + 1..]
                .iter()
                .any(|variable| variable.name == name)
        };
        self.variables
            .iter()
            .enumerate()
            .filter(move |(index, variable)| !later(*index, &variable.name))
            .map(|(_, variable)| variable)
    }

    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables
            .iter()
            .rev()
            .find(|variable| variable.name == name)
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = &(String, String)> {
        self.modules.iter()
    }

    /// The path that the module `alias` was imported from.
    pub(super) fn module(&self, alias: &str) -> Option<&str> {
        let found = self.modules.iter().rev().find(|(name, _)| name == alias);
        found.map(|(_, path)| path.as_str())
    }

    pub(super) fn functions(&self) -> &[(String, Vec<String>)] {
        &self.functions
    }

    /// The type of the expression `code`, without running it.
    pub(super) fn kind_of(&self, code: &str) -> Option<Type> {
        self.kind_in(&self.parse(code)?)
    }

    /// The expression `code`.
    pub(super) fn parse(&self, code: &str) -> Option<AST> {
        self.parser.compile(code).ok()
    }

    fn kind_in(&self, ast: &AST) -> Option<Type> {
        let variable = |name: &str| self.variable(name).and_then(|known| known.kind.clone());
        let in_module = |alias: &str, name: &str, count: usize| {
            let module = members::recipe(self.catalog, self.around, self, alias)?;
            let mut functions = module.functions.into_iter();
            let called = functions
                .find(|function| function.name == name && function.parameters.len() == count)?;
            called.returns.known()
        };
        let inference = Inference::new(self.catalog, &variable).with_modules(&in_module);
        inference.kind_of(&expression(ast)?)
    }

    fn define(&mut self, name: &str, kind: Option<Type>) {
        self.variables.push(Variable {
            name: name.to_owned(),
            kind,
        });
    }

    /// Finds the definitions in `text`, in their order.
    fn read(&mut self, text: &str) {
        for binding in bindings(text) {
            match binding {
                Binding::Variable { name, value } => {
                    // A missing value is being written.
                    if let Some(code) = value {
                        let kind = self.kind_of(code);
                        self.define(name, kind);
                    }
                }
                Binding::Loop { names, values } => self.read_loop(&names, values),
                Binding::Import { path, alias } => self.modules.push((alias.to_owned(), path)),
                Binding::Function { name, parameters } => {
                    for parameter in &parameters {
                        self.define(parameter, None);
                    }
                    let parameters = parameters.into_iter().map(str::to_owned).collect();
                    self.functions.push((name.to_owned(), parameters));
                }
                // A caught value is libvirt's error, unless a script throws another value.
                Binding::Caught { name } => self.define(name, Some(Type::Object("Error".into()))),
                Binding::Closure { parameters, begin } => {
                    self.read_closure(&parameters, &text[..begin]);
                }
            }
        }
    }

    /// `for x in list {`, `for (x, i) in list {`.
    fn read_loop(&mut self, names: &[&str], values: Option<&str>) {
        let Some(code) = values else { return };
        let kind = self.kind_of(code);
        let held = kind.as_ref().and_then(Type::element);
        let mut kinds = [held, Some(Type::Int)].into_iter();
        for name in names {
            self.define(name, kinds.next().flatten());
        }
    }

    /// Reads a closure as in `list.map(|x| ...`, whose parameter is an item of the list. `before`
    /// ends where the closure begins.
    fn read_closure(&mut self, parameters: &[&str], before: &str) {
        let argument = Cursor::argument_at_end_of(before);
        let list = argument.and_then(|argument| match argument.call {
            call if call.name == "parallel" => Some(argument.first),
            call => call.receiver,
        });
        let held = list.and_then(|list| self.kind_of(&list));
        let mut kind = held.as_ref().and_then(Type::element);
        for parameter in parameters {
            self.define(parameter, kind.take());
        }
    }
}

/// The one expression that a script consists of.
pub(super) fn expression(ast: &AST) -> Option<Expr> {
    match ast.statements() {
        [Stmt::Expr(expression)] => Some((**expression).clone()),
        [Stmt::FnCall(call, position)] => Some(Expr::FnCall(call.clone(), *position)),
        _ => None,
    }
}
