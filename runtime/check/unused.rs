//! Unused imports.

use std::collections::HashSet;

use rhai::{ASTNode, Expr, Stmt};

use super::files::{File, Files};
use super::{Code, Finding, Span, import_path};
use crate::advice::suggest;

/// The unused imports of `file`.
pub(super) fn imports(files: &Files, file: &File) -> Vec<Finding> {
    let mut used: HashSet<String> = HashSet::new();
    // Files that import a file can use its imports: `guest::image::find`.
    for other in files.to_check() {
        let own = other.name == file.name;
        other.each_node(&mut |node| {
            let namespace = match node {
                ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _)) => {
                    if own && call.name == "eval" {
                        used.extend(
                            file.imports()
                                .iter()
                                .map(|import| import.alias.name.to_string()),
                        );
                    }
                    &call.namespace
                }
                ASTNode::Expr(Expr::Variable(variable, ..)) => &variable.2,
                _ => return,
            };
            let skipped = usize::from(!own);
            used.extend(
                namespace
                    .path
                    .iter()
                    .skip(skipped)
                    .map(|part| part.name.to_string()),
            );
        });
    }
    used.extend(meant(file, &used));
    used.extend(found_otherwise(file));
    // A declaration of options can include declarations of other files.
    let constants = file.spec_constants();
    let references = constants.references().into_iter();
    used.extend(
        references.filter_map(|name| name.split_once("::").map(|(alias, _)| alias.to_owned())),
    );
    let only_imports = file.named_functions().next().is_none()
        && file
            .ast
            .statements()
            .iter()
            .all(|statement| matches!(statement, Stmt::Import(..) | Stmt::Export(..)));
    if only_imports {
        return Vec::new();
    }
    let unused = file.imports().iter().filter(|import| {
        let alias = &import.alias.name;
        !alias.is_empty() && !alias.starts_with('_') && !used.contains(alias.as_str())
    });
    unused
        .map(|import| {
            let span = Span::at(&file.text, import.alias.pos);
            let message = format!("unused import `{}`", import.alias.name);
            file.finding(Code::UnusedImport, span, message)
        })
        .collect()
}

/// The imports of `file` whose names are nearest to those of `used` that no import has: of a typo, one finding is enough.
fn meant(file: &File, used: &HashSet<String>) -> Vec<String> {
    let aliases = || {
        file.imports()
            .iter()
            .map(|import| import.alias.name.as_str())
    };
    let is_unknown = |name: &&String| !aliases().any(|alias| alias == name.as_str());
    let unknown = used.iter().filter(is_unknown);
    let near = unknown.filter_map(|name| suggest::nearest(name, aliases()));
    near.map(str::to_owned).collect()
}

/// The names of imports that have another finding: those that `file` uses as variables, as in `guest.create(...)`, and
/// those with a path that is not in quotes.
fn found_otherwise(file: &File) -> HashSet<String> {
    let parameters = file
        .all_definitions()
        .flat_map(|function| &function.parameters);
    let mut declared: HashSet<String> = parameters.cloned().collect();
    let mut read = HashSet::new();
    let mut unquoted = Vec::new();
    file.each_node(&mut |node| match node {
        ASTNode::Expr(Expr::Variable(variable, ..)) => {
            read.insert(variable.1.to_string());
        }
        ASTNode::Stmt(Stmt::Var(parts, ..)) => {
            declared.insert(parts.0.name.to_string());
        }
        ASTNode::Stmt(Stmt::Import(import, _)) if import_path::is_unquoted(&import.0) => {
            unquoted.push(import.1.name.to_string());
        }
        ASTNode::Stmt(Stmt::For(parts, _)) => {
            declared.insert(parts.0.name.to_string());
        }
        _ => {}
    });
    read.retain(|name| !declared.contains(name));
    read.extend(unquoted);
    read
}
