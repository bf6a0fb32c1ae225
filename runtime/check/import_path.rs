//! Paths of imports that are not in quotes, as other languages write them.

use rhai::{Expr, Position, Stmt};

use super::files::File;
use super::walk::Walk;
use super::{Code, phrases};

impl Walk<'_> {
    /// Reports, and returns true, if the path of an import called `alias` is not in quotes.
    pub(super) fn check_unquoted(&mut self, path: &Expr, alias: &str) -> bool {
        let Some(unquoted) = Unquoted::of(path).filter(|_| !self.dynamic) else {
            return false;
        };
        let root = unquoted.root();
        if self.scope.has(root) || self.file.functions_named(root).next().is_some() {
            return false;
        }
        let path = unquoted.path();
        let alias = if alias.is_empty() {
            unquoted.name()
        } else {
            alias
        };
        let alias = alias.replace('-', "_");
        let message = "the path of an import is text in quotes".to_owned();
        self.find(Code::UnresolvedImport, unquoted.begin, message)
            .hint = Some(format!("write `import \"{path}\" as {alias};`"));
        true
    }
}

/// True if `file` has an import whose path is not in quotes, and ends with `name`.
pub(super) fn is_meant(file: &File, name: &str) -> bool {
    file.ast
        .statements()
        .iter()
        .any(|statement| match statement {
            Stmt::Import(import, _) => {
                Unquoted::of(&import.0).is_some_and(|path| path.name() == name)
            }
            _ => false,
        })
}

/// True if `path` is one that may not be in quotes by mistake.
pub(super) fn is_unquoted(path: &Expr) -> bool {
    Unquoted::of(path).is_some()
}

/// A path that is not in quotes.
struct Unquoted {
    words: String,
    begin: Position,
}

impl Unquoted {
    /// The path that `expression` was meant to be.
    fn of(expression: &Expr) -> Option<Self> {
        match expression {
            Expr::Variable(variable, _, position) => {
                let module = &variable.2;
                let mut words: Vec<&str> = module.path.iter().map(|part| part.as_str()).collect();
                words.push(variable.1.as_str());
                let begin = if module.is_empty() {
                    *position
                } else {
                    module.position()
                };
                Some(Self {
                    words: words.join("/"),
                    begin,
                })
            }
            Expr::FnCall(call, _) if matches!(call.name.as_str(), "/" | "-") => {
                let [one, other] = &call.args[..] else {
                    return None;
                };
                Self::joined(one, &call.name, &Self::of(other)?.words)
            }
            Expr::Dot(pair, ..) => match &pair.rhs {
                Expr::Property(property, _) => Self::joined(&pair.lhs, "/", &property.2),
                _ => None,
            },
            _ => None,
        }
    }

    fn joined(one: &Expr, sign: &str, other: &str) -> Option<Self> {
        let first = Self::of(one)?;
        Some(Self {
            words: format!("{}{sign}{other}", first.words),
            ..first
        })
    }

    /// The variable that it begins with.
    fn root(&self) -> &str {
        self.words.split(['/', '-']).next().unwrap_or_default()
    }

    /// The name of the file.
    fn name(&self) -> &str {
        self.words.rsplit('/').next().unwrap_or_default()
    }

    /// The path of a recipe if the name alone is one.
    fn path(&self) -> String {
        match !self.words.contains('/') && phrases::recipe(&self.words).is_some() {
            true => format!("std/{}", self.words),
            false => self.words.clone(),
        }
    }
}
