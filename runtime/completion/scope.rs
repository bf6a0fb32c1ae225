//! What the text before the cursor defines: variables with their types, modules, functions.

use rhai::{AST, Engine, Expr, Stmt};

use super::around::opener;
use super::{Surroundings, Variable};
use crate::catalog::inference::Inference;
use crate::catalog::{Catalog, element};
use crate::syntax::lexer::{Class, Piece, pieces};

/// What is known at the cursor. What is defined in the text comes last, and wins.
pub(super) struct Scope<'a> {
    parser: &'a Engine,
    catalog: &'a Catalog,
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
        around: &dyn Surroundings,
        text: &str,
    ) -> Self {
        let mut scope = Self {
            parser,
            catalog,
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
    pub(super) fn kind_of(&self, code: &str) -> Option<String> {
        self.kind_in(&self.parse(code)?)
    }

    /// The expression `code`.
    pub(super) fn parse(&self, code: &str) -> Option<AST> {
        self.parser.compile(code).ok()
    }

    fn kind_in(&self, ast: &AST) -> Option<String> {
        let variable = |name: &str| self.variable(name).and_then(|known| known.kind.clone());
        let inference = Inference::new(self.catalog, &variable);
        inference.kind_of(&expression(ast)?)
    }

    fn define(&mut self, name: &str, kind: Option<String>, keys: Vec<String>) {
        self.variables.push(Variable {
            name: name.to_owned(),
            kind,
            keys,
        });
    }

    fn define_as(&mut self, name: &str, code: &str) {
        let ast = self.parse(code);
        let kind = ast.as_ref().and_then(|ast| self.kind_in(ast));
        let keys = ast
            .as_ref()
            .and_then(expression)
            .map_or_else(Vec::new, keys);
        self.define(name, kind, keys);
    }

    /// Finds what `text` defines, in its order.
    fn read(&mut self, text: &str) {
        let mut pieces = pieces(text);
        pieces.retain(|piece| !matches!(piece.class, Class::Comment { .. }));
        let word = |index: usize| pieces.get(index).map_or("", |piece| piece.of(text));
        for index in 0..pieces.len() {
            match word(index) {
                "let" | "const" if word(index + 2) == "=" => {
                    if let Some(code) = until(text, &pieces, index + 3, &[";"]) {
                        self.define_as(word(index + 1), code);
                    }
                }
                "for" => self.read_loop(text, &pieces, index),
                "import" if word(index + 2) == "as" => {
                    let path = word(index + 1).trim_matches(['"', '`']);
                    self.modules
                        .push((word(index + 3).to_owned(), path.to_owned()));
                }
                "fn" if word(index + 2) == "(" => {
                    let parameters: Vec<String> = pieces[index + 3..]
                        .iter()
                        .take_while(|piece| piece.class != Class::Close)
                        .filter(|piece| piece.class == Class::Name)
                        .map(|piece| piece.of(text).to_owned())
                        .collect();
                    for parameter in &parameters {
                        self.define(parameter, None, Vec::new());
                    }
                    self.functions
                        .push((word(index + 1).to_owned(), parameters));
                }
                // What is caught is libvirt's error, unless a script throws something else.
                "catch" if word(index + 1) == "(" => {
                    self.define(word(index + 2), Some("Error".into()), Vec::new());
                }
                "|" if index > 0 && matches!(word(index - 1), "(" | ",") => {
                    self.read_closure(text, &pieces, index);
                }
                _ => {}
            }
        }
    }

    /// `for x in list {`, `for (x, i) in list {`.
    fn read_loop(&mut self, text: &str, pieces: &[Piece], start: usize) {
        let names = pieces[start + 1..]
            .iter()
            .take(5)
            .take_while(|piece| piece.of(text) != "in");
        let names: Vec<&Piece> = names.collect();
        let begin = start + 1 + names.len();
        let Some(code) = until(text, pieces, begin + 1, &["{"]) else {
            return;
        };
        let kind = self.kind_of(code);
        let mut kinds = [
            kind.as_deref().and_then(element).map(str::to_owned),
            Some("int".into()),
        ]
        .into_iter();
        for name in names {
            if name.class == Class::Name {
                self.define(name.of(text), kinds.next().flatten(), Vec::new());
            }
        }
    }

    /// `list.map(|x| ...`, whose parameter is what the list holds.
    fn read_closure(&mut self, text: &str, pieces: &[Piece], start: usize) {
        let names = pieces[start + 1..]
            .iter()
            .take_while(|piece| piece.of(text) != "|");
        let names: Vec<&Piece> = names.filter(|piece| piece.class == Class::Name).collect();
        let argument = super::cursor::Cursor::argument_at_end_of(&text[..pieces[start].span.start]);
        let list = argument.and_then(|argument| match argument.call {
            call if call.name == "parallel" => Some(argument.first),
            call => call.receiver,
        });
        let held = list.and_then(|list| self.kind_of(&list));
        let mut kind = held.as_deref().and_then(element).map(str::to_owned);
        for name in names {
            self.define(name.of(text), kind.take(), Vec::new());
        }
    }
}

/// The code from the piece `start` to the first of `ends` outside of brackets.
fn until<'t>(text: &'t str, pieces: &[Piece], start: usize, ends: &[&str]) -> Option<&'t str> {
    let mut depth = 0_usize;
    for index in start..pieces.len() {
        let piece = &pieces[index];
        if depth == 0 && ends.contains(&piece.of(text)) {
            return text.get(pieces[start].span.start..piece.span.start);
        }
        match piece.class {
            Class::Open => depth += 1,
            // A bracket that closes more than was opened ends the statement as well.
            Class::Close if opener(text, &pieces[start..], index - start).is_none() => return None,
            Class::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The one expression that a script consists of.
pub(super) fn expression(ast: &AST) -> Option<Expr> {
    match ast.statements() {
        [Stmt::Expr(expression)] => Some((**expression).clone()),
        [Stmt::FnCall(call, position)] => Some(Expr::FnCall(call.clone(), *position)),
        _ => None,
    }
}

/// The keys of a map that is written out.
fn keys(expression: Expr) -> Vec<String> {
    match expression {
        Expr::Map(map, _) => map.0.iter().map(|(key, _)| key.name.to_string()).collect(),
        _ => Vec::new(),
    }
}
