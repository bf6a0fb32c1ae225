//! A script, compiled together with all that it imports.

use std::collections::HashSet;

use rhai::{AST, ASTNode, Engine, Expr, ParseError, Position, Stmt};

use crate::imports::Imports;
use crate::source;

/// A compiled script.
pub struct Program {
    /// The script's own code.
    pub ast: AST,
}

/// Why a script, or something it imports, does not compile.
#[derive(Debug)]
pub struct CompileError {
    /// The file at fault, as positions call it.
    pub source: String,
    /// What is wrong with it.
    pub message: String,
    /// Where in that file.
    pub position: Position,
    /// The imports that lead there, outermost first: file, position, and the path imported.
    pub imported_by: Vec<(String, Position, String)>,
}

impl Program {
    /// Compiles `text`, whose positions carry `name`, and every static import below it.
    pub fn compile(
        engine: &Engine,
        imports: &Imports,
        name: &str,
        text: &str,
    ) -> Result<Self, CompileError> {
        imports.remember(name, text);
        let mut trail = Vec::new();
        let ast = compile_all(engine, imports, name, text, &mut trail, &mut HashSet::new())?;
        Ok(Self { ast })
    }
}

fn compile_all(
    engine: &Engine,
    imports: &Imports,
    name: &str,
    text: &str,
    trail: &mut Vec<(String, Position, String)>,
    done: &mut HashSet<String>,
) -> Result<AST, CompileError> {
    let mut ast =
        engine
            .compile(source::without_shebang(text))
            .map_err(|ParseError(kind, position)| {
                let (source, imported_by) = (name.to_owned(), trail.clone());
                CompileError {
                    source,
                    message: kind.to_string(),
                    position,
                    imported_by,
                }
            })?;
    if source::ends_in_comment(engine, text) {
        return Err(CompileError {
            source: name.to_owned(),
            message: "a comment has no end".into(),
            position: source::last_comment(text),
            imported_by: trail.clone(),
        });
    }
    ast.set_source(name);
    for (path, position) in static_imports(&ast) {
        let fail = |message, trail: &[_]| CompileError {
            source: name.to_owned(),
            message,
            position,
            imported_by: trail.to_vec(),
        };
        let found = imports
            .find(Some(name), &path)
            .map_err(|message| fail(message, trail))?;
        if found.name == name || trail.iter().any(|(file, ..)| *file == found.name) {
            return Err(fail(format!("`{path}` imports itself in the end"), trail));
        }
        if !done.insert(found.name.clone()) {
            continue;
        }
        trail.push((name.to_owned(), position, path));
        let imported = compile_all(engine, imports, &found.name, &found.text, trail, done)?;
        trail.pop();
        imports.remember_compiled(&found.name, &imported);
    }
    Ok(ast)
}

/// The imports whose path is written out in the script.
fn static_imports(ast: &AST) -> Vec<(String, Position)> {
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
