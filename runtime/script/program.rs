//! A script, compiled together with all that it imports.

use std::collections::{HashMap, HashSet};

use rhai::{AST, ASTNode, Engine, Expr, ParseError, Position, Stmt};

use crate::advice::syntax_advice;
use crate::script::imports::{Imports, declarations, is_recipe};
use crate::script::parser::is_stop;
use crate::syntax::source;
use crate::syntax::text::Text;

/// A compiled script.
pub struct Program {
    /// The script's own code.
    pub ast: AST,
    /// The files that each file imports by a path that is written out.
    pub(crate) links: Links,
}

/// The target file for a file and a path that it imports.
pub(crate) type Links = HashMap<(String, String), String>;

/// The reason why a script, or a file that it imports, does not compile.
#[derive(Debug)]
pub struct CompileError {
    /// The file at fault, as positions call it.
    pub source: String,
    /// The message.
    pub message: String,
    /// The suggestion.
    pub hint: Option<String>,
    /// The position in that file.
    pub position: Position,
    /// The imports that lead there, outermost first: file, position, and the path imported.
    pub imported_by: Vec<(String, Position, String)>,
    /// True if an import was not found, instead of an error in the text.
    pub import: bool,
}

impl CompileError {
    /// `error` in the file `source`, whose text is `text`.
    pub fn new(
        source: &str,
        text: &str,
        ParseError(kind, position): &ParseError,
        imported_by: Vec<(String, Position, String)>,
    ) -> Self {
        // A stopped parser gets no suggestions.
        let advice = || syntax_advice::advice(kind, *position, &source::without_shebang(text));
        Self {
            source: source.to_owned(),
            message: kind.to_string(),
            hint: (!is_stop(kind)).then(advice).flatten(),
            position: *position,
            imported_by,
            import: false,
        }
    }
}

impl Program {
    /// The files that are imported in the end, as positions call them.
    pub fn imported(&self) -> impl Iterator<Item = &str> {
        self.links.values().map(String::as_str)
    }

    /// Compiles `text`, whose positions carry `name`, and every static import below it. Of the standard library it
    /// compiles only the declarations of the recipes that files outside of it import.
    pub fn compile(
        engine: &Engine,
        imports: &Imports,
        name: &str,
        text: &str,
    ) -> Result<Self, CompileError> {
        imports.remember(name, text);
        let mut compiler = Compiler {
            engine,
            imports,
            trail: Vec::new(),
            done: HashSet::new(),
            links: Links::new(),
        };
        let ast = compiler.compile(name, text)?;
        let links = compiler.links;
        Ok(Self { ast, links })
    }
}

struct Compiler<'a> {
    engine: &'a Engine,
    imports: &'a Imports,
    /// The imports that lead to the current file, outermost first.
    trail: Vec<(String, Position, String)>,
    done: HashSet<String>,
    links: Links,
}

impl Compiler<'_> {
    fn compile(&mut self, name: &str, text: &str) -> Result<AST, CompileError> {
        let mut ast = self
            .engine
            .compile(source::without_shebang(text))
            .map_err(|error| CompileError::new(name, text, &error, self.trail.clone()))?;
        if let Some(begin) = source::open_comment(text) {
            let position = Text::from(text).position(begin);
            return Err(self.fault(name, "a comment has no end".into(), position, false));
        }
        ast.set_source(name);
        // A recipe imports others only when one of its functions runs; the tests ensure that all compile.
        let imported = match is_recipe(name) {
            true => Vec::new(),
            false => static_imports(&ast),
        };
        for (path, position) in imported {
            let found = self
                .imports
                .find(Some(name), &path)
                .map_err(|message| self.fault(name, message, position, true))?;
            if found.name == name || self.trail.iter().any(|(file, ..)| *file == found.name) {
                let message = format!("`{path}` imports itself through other files");
                return Err(self.fault(name, message, position, true));
            }
            self.links
                .insert((name.to_owned(), path.clone()), found.name.clone());
            if !self.done.insert(found.name.clone()) {
                continue;
            }
            self.trail.push((name.to_owned(), position, path));
            let text = declarations(&found.name).unwrap_or(&found.text);
            let imported = self.compile(&found.name, text)?;
            self.trail.pop();
            self.imports.remember_compiled(&found.name, &imported);
        }
        Ok(ast)
    }

    fn fault(
        &self,
        source: &str,
        message: String,
        position: Position,
        import: bool,
    ) -> CompileError {
        CompileError {
            source: source.to_owned(),
            message,
            hint: None,
            position,
            imported_by: self.trail.clone(),
            import,
        }
    }
}

/// The imports whose path is written out in the script.
pub(crate) fn static_imports(ast: &AST) -> Vec<(String, Position)> {
    let mut paths = Vec::new();
    ast.walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = nodes.last()
            && let Expr::StringConstant(path, position) = &import.0
        {
            paths.push((path.to_string(), *position));
        }
        true
    });
    paths
}
