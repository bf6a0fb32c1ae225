//! Unused imports.

use std::collections::HashSet;

use rhai::{ASTNode, Expr, Stmt};

use super::files::{File, Files};
use super::{Code, Finding, Span};

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
