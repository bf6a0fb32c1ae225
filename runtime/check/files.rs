//! The files of one program: a script and all that it imports, ready to be asked about.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use rhai::{AST, ASTNode, Expr, Ident, Position, Stmt};

use super::definitions::{Definition, definitions};
use super::facts::Facts;
use super::finding::Related;
use super::{Code, Finding, Span};
use crate::script::declarations::Constants;
use crate::script::imports::{Imports, is_recipe};
use crate::script::program::Program;
use crate::syntax::outline::Outline;
use crate::syntax::text::Text;
use crate::syntax::written_keys::has_key;
use crate::syntax::written_names::is_closure;

/// The number of unknown names for which suggestions are made.
const MOST_ADVICE: usize = 200;

/// A script and all that it imports.
pub(super) struct Files {
    files: HashMap<String, File>,
    /// The names of the files, the script first, each before those it imports.
    order: Vec<String>,
    /// The keys of all maps and the texts of all strings: names under which a map may hold a
    /// closure.
    words: OnceCell<HashSet<String>>,
    /// Suggestions for unknown names, by the name and the type of the receiver.
    advice: RefCell<HashMap<(String, String), Option<String>>>,
    /// The imports with which recipes are found that the script does not import itself.
    pub(super) imports: Imports,
}

/// One file.
pub(super) struct File {
    pub(super) name: String,
    pub(super) text: Text,
    pub(super) ast: AST,
    /// The files that its paths lead to.
    links: HashMap<String, String>,
    /// The file that imports this one, and the path by which it does.
    imported_by: Option<(String, String)>,
    outline: OnceCell<Outline>,
    parts: OnceCell<Parts>,
    facts: OnceCell<Facts>,
    spec_constants: OnceCell<Arc<Constants>>,
}

/// The parts of a file.
struct Parts {
    imports: Vec<Import>,
    /// The functions and closures, in the order of the text.
    definitions: Vec<Definition>,
    functions: HashMap<String, Vec<usize>>,
    /// The variables and constants of the whole file: the index of the first statement that defines
    /// each, and whether some statement makes it a constant, or exports it.
    globals: HashMap<String, Global>,
}

#[derive(Debug, Default)]
struct Global {
    statement: Option<usize>,
    constant: bool,
    exported: bool,
}

/// One `import`.
pub(super) struct Import {
    pub(super) alias: Ident,
    pub(super) file: Option<String>,
}

impl Files {
    /// The files of `program`, whose own is called `name`.
    pub(super) fn of(imports: &Imports, name: &str, program: &Program) -> Self {
        let mut links: HashMap<&str, HashMap<String, String>> = HashMap::new();
        for ((file, path), target) in &program.links {
            let of = links.entry(file).or_default();
            of.insert(path.clone(), target.clone());
        }
        let mut files = HashMap::new();
        let mut order = Vec::new();
        let mut next = VecDeque::from([(name.to_owned(), program.ast.clone(), None)]);
        while let Some((name, ast, imported_by)) = next.pop_front() {
            if files.contains_key(&name) {
                continue;
            }
            let links = links.remove(name.as_str()).unwrap_or_default();
            for (path, target) in &links {
                if let Some(ast) = imports.checked(target) {
                    let from = Some((name.clone(), path.clone()));
                    next.push_back((target.clone(), ast, from));
                }
            }
            let file = File {
                name: name.clone(),
                text: imports.text(&name).unwrap_or_default(),
                ast,
                links,
                imported_by,
                outline: OnceCell::new(),
                parts: OnceCell::new(),
                facts: OnceCell::new(),
                spec_constants: OnceCell::new(),
            };
            order.push(name.clone());
            files.insert(name, file);
        }
        Self {
            files,
            order,
            words: OnceCell::new(),
            advice: RefCell::default(),
            imports: imports.clone(),
        }
    }

    /// The files to check: not those of the standard library, unless the script itself is one of
    /// them.
    pub(super) fn to_check(&self) -> impl Iterator<Item = &File> {
        self.iter()
            .enumerate()
            .filter(|(index, file)| *index == 0 || !file.name.starts_with("std/"))
            .map(|(_, file)| file)
    }

    /// The names of all functions, methods and properties in the files to check.
    pub(super) fn names_called(&self) -> HashSet<String> {
        let mut names = HashSet::new();
        for file in self.to_check() {
            file.each_node(&mut |node| match node {
                ASTNode::Stmt(Stmt::FnCall(call, _))
                | ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)) => {
                    names.insert(call.name.to_string());
                }
                ASTNode::Expr(Expr::Property(property, _)) => {
                    names.insert(property.2.to_string());
                    names.insert(format!("set${}", property.2));
                }
                _ => {}
            });
        }
        names
    }

    /// Every file, the script first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &File> {
        self.order.iter().filter_map(|name| self.files.get(name))
    }

    /// The file called `name`.
    pub(super) fn get(&self, name: &str) -> Option<&File> {
        self.files.get(name)
    }

    /// The imports that lead to `file`, the nearest first.
    pub(super) fn trail(&self, file: &File) -> Vec<Related> {
        let mut trail = Vec::new();
        let mut file = file;
        while let Some((from, path)) = &file.imported_by
            && trail.len() < 8
            && let Some(importer) = self.get(from)
        {
            let places = crate::script::program::static_imports(&importer.ast);
            let place = places.iter().find(|(other, _)| other == path);
            trail.extend(place.map(|(_, position)| Related {
                message: "imported here".into(),
                file: from.clone(),
                span: Span::at(&importer.text, *position),
            }));
            file = importer;
        }
        trail
    }

    /// The suggestion for `name`, as `find` finds it; `None` after too many such names, since each is compared with all
    /// names.
    pub(super) fn advice(
        &self,
        name: &str,
        kind: &str,
        find: impl FnOnce() -> Option<String>,
    ) -> Option<String> {
        let key = (name.to_owned(), kind.to_owned());
        if let Some(known) = self.advice.borrow().get(&key) {
            return known.clone();
        }
        if self.advice.borrow().len() >= MOST_ADVICE {
            return None;
        }
        let found = find();
        self.advice.borrow_mut().insert(key, found.clone());
        found
    }

    /// True if a map of some file may hold a closure under this name.
    pub(super) fn may_be_key(&self, name: &str) -> bool {
        let words = self.words.get_or_init(|| {
            let mut words = HashSet::new();
            for file in self.iter() {
                file.each_node(&mut |node| collect_words(node, &mut words));
            }
            words
        });
        words.contains(name) || self.imported_recipes().any(|recipe| has_key(recipe, name))
    }

    /// The texts of the recipes whose bodies were not compiled.
    fn imported_recipes(&self) -> impl Iterator<Item = &str> {
        let imported = self.iter().skip(1);
        let recipes = imported.filter(|file| is_recipe(&file.name));
        recipes.map(|file| &*file.text)
    }
}

fn globals(ast: &AST) -> HashMap<String, Global> {
    let mut globals: HashMap<String, Global> = HashMap::new();
    for (index, statement) in ast.statements().iter().enumerate() {
        match statement {
            Stmt::Var(variable, flags, _) => {
                let global = globals.entry(variable.0.name.to_string()).or_default();
                global.statement.get_or_insert(index);
                global.constant |= flags.intersects(rhai::ASTFlags::CONSTANT);
                global.exported |= flags.intersects(rhai::ASTFlags::EXPORTED);
            }
            Stmt::Export(export, _) => {
                let name = match export.1.name.is_empty() {
                    true => &export.0.name,
                    false => &export.1.name,
                };
                globals.entry(name.to_string()).or_default().exported = true;
            }
            _ => {}
        }
    }
    globals
}

fn collect_words(node: &ASTNode, words: &mut HashSet<String>) {
    let mut assigned = |expression: &Expr| {
        let mut rest = expression;
        loop {
            match rest {
                Expr::Property(property, _) => {
                    words.insert(property.2.to_string());
                    return;
                }
                Expr::Dot(pair, ..) | Expr::Index(pair, ..) => rest = &pair.rhs,
                _ => return,
            }
        }
    };
    match node {
        ASTNode::Expr(Expr::Map(map, _)) => {
            words.extend(map.0.iter().map(|(key, _)| key.name.to_string()));
        }
        ASTNode::Expr(Expr::StringConstant(text, _)) => {
            words.insert(text.to_string());
        }
        ASTNode::Stmt(Stmt::Assignment(assignment)) => assigned(&assignment.1.lhs),
        _ => {}
    }
}

impl File {
    fn parts(&self) -> &Parts {
        self.parts.get_or_init(|| {
            let definitions = definitions(&self.ast);
            let mut functions: HashMap<String, Vec<usize>> = HashMap::new();
            for (index, function) in definitions.iter().enumerate() {
                functions
                    .entry(function.name.clone())
                    .or_default()
                    .push(index);
            }
            let mut imports = Vec::new();
            self.each_node(&mut |node| {
                if let ASTNode::Stmt(Stmt::Import(import, _)) = node {
                    let file = match &import.0 {
                        Expr::StringConstant(path, _) => self.links.get(path.as_str()).cloned(),
                        _ => None,
                    };
                    let alias = import.1.clone();
                    imports.push(Import { alias, file });
                }
            });
            Parts {
                imports,
                definitions,
                functions,
                globals: globals(&self.ast),
            }
        })
    }

    /// The parts of its text.
    pub(super) fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| Outline::of(&self.text))
    }

    /// The file that the path `path` of an import leads to.
    pub(super) fn linked(&self, path: &str) -> Option<&str> {
        self.links.get(path).map(String::as_str)
    }

    /// The constants that may declare options.
    pub(super) fn spec_constants(&self) -> Arc<Constants> {
        let constants = || Arc::new(Constants::of(&self.ast));
        Arc::clone(self.spec_constants.get_or_init(constants))
    }

    /// The imports of the file.
    pub(super) fn imports(&self) -> &[Import] {
        &self.parts().imports
    }

    /// Calls `see` with every node of the file, those of functions and closures too.
    pub(super) fn each_node(&self, see: &mut dyn FnMut(&ASTNode)) {
        self.ast.walk(&mut |path: &[ASTNode]| {
            if let Some(node) = path.last() {
                see(node);
            }
            true
        });
    }

    /// Facts about the whole file that the walk through it needs.
    pub(super) fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| Facts::of(self))
    }

    /// The named functions, in the order of the text.
    pub(super) fn named_functions(&self) -> impl Iterator<Item = &Definition> {
        self.parts()
            .definitions
            .iter()
            .filter(|function| !is_closure(&function.name))
    }

    /// The functions and closures, in the order of the text.
    pub(super) fn all_definitions(&self) -> impl Iterator<Item = &Definition> {
        self.parts().definitions.iter()
    }

    /// The closure that Rhai calls `name`.
    pub(super) fn closure(&self, name: &str) -> Option<&Definition> {
        self.functions_named(name).next()
    }

    /// The function `name` with that many parameters.
    pub(super) fn function(&self, name: &str, arity: usize) -> Option<&Definition> {
        self.functions_named(name)
            .find(|function| function.parameters.len() == arity)
    }

    /// The functions called `name`.
    pub(super) fn functions_named(&self, name: &str) -> impl Iterator<Item = &Definition> {
        let parts = self.parts();
        parts
            .functions
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|index| parts.definitions.get(*index))
    }

    /// The names that the file defines, for suggestions.
    pub(super) fn function_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .named_functions()
            .map(|function| function.name.to_string())
            .collect();
        names.dedup();
        names
    }

    /// The statement that defines the variable or constant `name` for the whole file.
    pub(super) fn global(&self, name: &str) -> Option<&Expr> {
        let index = self.parts().globals.get(name)?.statement?;
        match self.ast.statements().get(index)? {
            Stmt::Var(variable, ..) => Some(&variable.1),
            _ => None,
        }
    }

    /// True if `name` is a constant of the file.
    pub(super) fn is_constant(&self, name: &str) -> bool {
        let global = self.parts().globals.get(name);
        global.is_some_and(|global| global.constant)
    }

    /// The position of the name in the declaration of the constant `name` of the whole file.
    pub(super) fn constant(&self, name: &str) -> Option<Position> {
        let mut statements = self.ast.statements().iter();
        statements.find_map(|statement| match statement {
            Stmt::Var(variable, ..) if variable.0.name == name => Some(variable.0.pos),
            _ => None,
        })
    }

    /// The names of the constants of the whole file.
    pub(super) fn constants(&self) -> Vec<String> {
        let names = self.ast.statements().iter();
        let names = names.filter_map(|statement| match statement {
            Stmt::Var(variable, flags, _) if flags.intersects(rhai::ASTFlags::CONSTANT) => {
                Some(variable.0.name.to_string())
            }
            _ => None,
        });
        names.collect()
    }

    /// True if files that import this file see a variable `name`.
    pub(super) fn exports(&self, name: &str) -> bool {
        let global = self.parts().globals.get(name);
        global.is_some_and(|global| global.exported)
    }

    /// The names of the functions that files which import this one can call.
    pub(super) fn public_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .named_functions()
            .filter(|function| !function.private)
            .map(|function| function.name.clone())
            .collect();
        names.dedup();
        names
    }

    /// The files that `alias` may stand for; nothing if one of them is not known.
    pub(super) fn imported_as(&self, alias: &str) -> Option<Vec<&str>> {
        self.imports()
            .iter()
            .filter(|import| import.alias.name == alias)
            .map(|import| import.file.as_deref())
            .collect()
    }

    /// A finding in this file.
    pub(super) fn finding(&self, code: Code, span: Span, message: String) -> Finding {
        Finding {
            code,
            severity: code.severity(),
            message,
            file: self.name.clone(),
            span,
            label: String::new(),
            hint: None,
            related: Vec::new(),
        }
    }
}
