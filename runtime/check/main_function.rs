//! A function `main` that nothing calls.

use rhai::{ASTNode, Expr, Stmt};

use super::definitions::Definition;
use super::files::{File, Files};
use super::{Code, Finding};
use crate::runbook::inputs::MAIN;

/// The finding on a script that has nothing but declarations, and a function `main` that does not run by itself.
pub(super) fn uncalled(files: &Files, file: &File) -> Option<Finding> {
    let does_nothing = |statement: &Stmt| {
        matches!(
            statement,
            Stmt::Var(..) | Stmt::Import(..) | Stmt::Export(..) | Stmt::Noop(_)
        )
    };
    let main = file.functions_named(MAIN).next()?;
    let is_test = |function: &Definition| function.name.starts_with("test");
    let runs = file.function(MAIN, 1).is_some() || file.named_functions().any(is_test);
    let only_declares = file.ast.statements().iter().all(does_nothing);
    let is_script = files.is_script(file);
    if runs || !only_declares || !is_script || file.facts().evaluates || files.may_be_key(MAIN) {
        return None;
    }
    let mut called = false;
    file.each_node(&mut |node| {
        called |= match node {
            ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _)) => {
                call.name == MAIN
            }
            ASTNode::Expr(Expr::Variable(variable, ..)) => variable.1 == MAIN,
            _ => false,
        };
    });
    if called {
        return None;
    }
    let message = "the function `main` is never called, so the script does nothing".to_owned();
    let mut finding = file.finding(Code::UncalledMain, file.place_of(main)?, message);
    let call = match main.parameters.is_empty() {
        true => "main();",
        false => "main(...);",
    };
    finding.hint = Some(format!(
        "end the script with `{call}`; only `fn main(inputs)` runs by itself"
    ));
    Some(finding)
}
