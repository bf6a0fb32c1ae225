//! The constants of files, and the maps of options and results that they declare.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use rhai::{AST, ASTFlags, Expr, Map, Stmt};

use super::imports::{self, Imports};
use super::parser::{is_stop, parser};
use crate::spec::{self, Literal, Spec, Type, is_spec, read};
use crate::syntax::source;
use crate::syntax::text::Text;

/// The maximum depth of nested declarations.
const DEEPEST: usize = 16;

/// The literal constants of a file, and its imports.
#[derive(Debug, Default)]
pub struct Constants {
    literals: Vec<(String, Literal)>,
    /// The aliases of the file's imports, and their paths.
    imports: Vec<(String, String)>,
}

/// The constants of files.
pub trait Sources {
    /// The constants of the file `file`.
    fn constants(&self, file: &str) -> Option<Arc<Constants>>;

    /// The file that `path` leads to in the file `file`.
    fn imported(&self, file: &str, path: &str) -> Option<String>;
}

impl Constants {
    /// Those of the file that compiled to `ast`.
    pub fn of(ast: &AST) -> Self {
        let mut constants = Self::default();
        for statement in ast.statements() {
            match statement {
                Stmt::Var(variable, flags, _) if flags.intersects(ASTFlags::CONSTANT) => {
                    if let Some(literal @ Literal::Map(_)) = Literal::of_expression(&variable.1) {
                        let name = variable.0.name.to_string();
                        constants.literals.push((name, literal));
                    }
                }
                Stmt::Import(import, _) => {
                    if let Expr::StringConstant(path, _) = &import.0 {
                        let alias = import.1.name.to_string();
                        constants.imports.push((alias, path.to_string()));
                    }
                }
                _ => {}
            }
        }
        constants
    }

    /// The names of the constants that declare options.
    pub fn specs(&self) -> impl Iterator<Item = &str> {
        let specs = self.literals.iter().filter(|(_, value)| is_spec(value));
        specs.map(|(name, _)| name.as_str())
    }

    /// The names of constants and modules that declarations of options refer to, such as `DISK` or `devices::DISK`.
    pub fn references(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for (_, literal) in self.literals.iter().filter(|(_, value)| is_spec(value)) {
            collect_texts(literal, &mut names);
        }
        let is_name = |text: &&str| {
            let last = text.rsplit("::").next().unwrap_or(text);
            !last.is_empty()
                && last.chars().all(|letter| {
                    letter.is_ascii_uppercase() || letter == '_' || letter.is_ascii_digit()
                })
        };
        names.retain(is_name);
        names
    }

    fn get(&self, name: &str) -> Option<&Literal> {
        let mut found = self.literals.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, literal)| literal)
    }

    fn path(&self, alias: &str) -> Option<&str> {
        let found = self.imports.iter().find(|(known, _)| known == alias);
        found.map(|(_, path)| path.as_str())
    }
}

fn collect_texts<'a>(literal: &'a Literal, texts: &mut Vec<&'a str>) {
    match literal {
        Literal::Text(text) => texts.push(text),
        Literal::List(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Literal::Map(entries) => entries
            .iter()
            .for_each(|(_, value)| collect_texts(value, texts)),
        _ => {}
    }
}

/// The spec that `name` of the file `file` declares: `DISK`, or `devices::DISK` of the file that it
/// imports as `devices`.
///
/// # Errors
///
/// The error in the declaration.
pub fn declared(sources: &dyn Sources, file: &str, name: &str) -> Result<Arc<Spec>, String> {
    declared_within(sources, file, name, DEEPEST)
}

fn declared_within(
    sources: &dyn Sources,
    file: &str,
    name: &str,
    depth: usize,
) -> Result<Arc<Spec>, String> {
    let missing = || format!("there is no constant `{name}` that declares options");
    let constants = sources.constants(file).ok_or_else(missing)?;
    if let Some((alias, name)) = name.split_once("::") {
        let path = constants.path(alias).ok_or_else(missing)?;
        let file = sources.imported(file, path).ok_or_else(missing)?;
        return declared_within(sources, &file, name, depth);
    }
    let literal = constants.get(name).ok_or_else(missing)?;
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("`{name}` contains itself"));
    };
    let mut resolve = |other: &str| declared_within(sources, file, other, depth);
    read(name, file, literal, &mut resolve).map(Arc::new)
}

/// True if the file `file` has the constant `name`, a literal map.
pub fn is_declared(sources: &dyn Sources, file: &str, name: &str) -> bool {
    let constants = sources.constants(file);
    constants.is_some_and(|constants| constants.get(name).is_some())
}

/// The type of the result of a function in the file `file`, from its doc comment.
pub fn result(sources: &dyn Sources, file: &str, docs: &str) -> Type {
    spec::result(docs, &|name| declared(sources, file, name).ok())
}

/// The types of the first parameters of a function of the file `file` with the doc comment `docs`.
pub fn parameters(sources: &dyn Sources, file: &str, docs: &str) -> Vec<Type> {
    spec::parameters(docs, &|name| declared(sources, file, name).ok())
}

/// The spec that the value `map` of a constant of the file `file` declares.
///
/// # Errors
///
/// The error in the declaration.
pub fn of_map(sources: &dyn Sources, file: &str, map: &Map) -> Result<Arc<Spec>, String> {
    let literal = Literal::of_map(map)
        .ok_or("a declaration of options must consist of literal texts, numbers, lists and maps")?;
    let constants = sources.constants(file).unwrap_or_default();
    let found = constants
        .literals
        .iter()
        .find(|(_, known)| *known == literal);
    if let Some((name, _)) = found {
        return declared(sources, file, name);
    }
    // A constant of a file that this one imports, or a map that is not a constant.
    for (_, path) in &constants.imports {
        let Some(imported) = sources.imported(file, path) else {
            continue;
        };
        let others = sources.constants(&imported).unwrap_or_default();
        if let Some((name, _)) = others.literals.iter().find(|(_, known)| *known == literal) {
            return declared(sources, &imported, name);
        }
    }
    let mut resolve = |other: &str| declared_within(sources, file, other, DEEPEST);
    read("", file, &literal, &mut resolve).map(Arc::new)
}

/// The constants of files as `imports` finds them.
pub fn of_imports(imports: &Imports) -> impl Sources + use<> {
    OfImports(imports.clone())
}

struct OfImports(Imports);

impl Sources for OfImports {
    fn constants(&self, file: &str) -> Option<Arc<Constants>> {
        let text = match (imports::declarations(file), self.0.text(file)) {
            (Some(recipe), _) => Text::from(recipe),
            (None, Some(text)) => text,
            (None, None) => {
                let path = file.strip_suffix(".rhai")?;
                let (_, text) = self.0.source(None, path).ok()?;
                Text::from(text.as_str())
            }
        };
        Some(of_text(file, &text))
    }

    fn imported(&self, file: &str, path: &str) -> Option<String> {
        let (name, _) = self.0.source(Some(file), path).ok()?;
        Some(name)
    }
}

/// The constants of a text that was read before are not looked for again.
fn of_text(file: &str, text: &Text) -> Arc<Constants> {
    type Known = HashMap<String, (Text, Arc<Constants>)>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let known = || KNOWN.lock();
    if let Some((before, constants)) = known().get(file)
        && **before == **text
    {
        return Arc::clone(constants);
    }
    let constants = match parser().compile(source::without_shebang(text)) {
        Ok(ast) => Arc::new(Constants::of(&ast)),
        // Another call may have more time.
        Err(error) if is_stop(error.err_type()) => return Arc::default(),
        Err(_) => Arc::default(),
    };
    known().insert(file.to_owned(), (text.clone(), Arc::clone(&constants)));
    constants
}
