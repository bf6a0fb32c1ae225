//! Facts about a whole file that the walk through it needs.

use std::collections::HashSet;

use rhai::{ASTNode, Expr, Position, Stmt};

use super::files::File;
use super::live_dump::LiveDumps;
use crate::catalog::walker::root;
use crate::syntax::written_names::is_closure;

/// Facts about a whole file that the walk through it needs.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Variables that a closure writes to, so that their values change at any time.
    pub(super) written_elsewhere: HashSet<String>,
    /// Variables that something is assigned to.
    pub(super) assigned: HashSet<String>,
    /// Variables whose value is changed in place, so that it may be anything.
    pub(super) changed: HashSet<String>,
    /// Constants that are read as `global::NAME`.
    pub(super) globals_read: HashSet<String>,
    /// Functions that are called with `!`, and see the variables of their caller.
    pub(super) sees_caller: HashSet<String>,
    /// The first names of the paths with `::`.
    pub(super) namespaces: HashSet<String>,
    /// Variables with the XML of an object that may be running.
    pub(super) live_dumps: LiveDumps,
    /// Whole numbers of more than 64 bits, which Rhai reads as numbers with a fraction.
    pub(super) large_numbers: Vec<Position>,
    /// True if the file runs text as code.
    pub(super) evaluates: bool,
}

/// Rhai's methods that change their receiver.
pub(super) const CHANGING: &[&str] = &[
    "append",
    "chop",
    "clear",
    "crop",
    "dedup",
    "drain",
    "fill_with",
    "insert",
    "make_lower",
    "make_upper",
    "mixin",
    "order",
    "order_by",
    "order_desc",
    "pad",
    "pop",
    "push",
    "remove",
    "replace",
    "retain",
    "reverse",
    "set",
    "set_bit",
    "set_bits",
    "set_tag",
    "shift",
    "sort",
    "sort_by",
    "sort_desc",
    "splice",
    "split",
    "take",
    "trim",
    "truncate",
];

impl Facts {
    pub(super) fn of(file: &File) -> Self {
        let mut facts = Self::default();
        file.each_node(&mut |node| facts.see(node, file));
        // Declarations of options can include those of other files.
        let constants = file.spec_constants();
        let declared = constants.specs().map(str::to_owned);
        facts.globals_read.extend(declared);
        for name in constants.references() {
            match name.split_once("::") {
                Some((alias, _)) => facts.namespaces.insert(alias.to_owned()),
                None => facts.globals_read.insert(name.to_owned()),
            };
        }
        for closure in file.closures() {
            for statement in &closure.body {
                statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
                    if let Some(ASTNode::Stmt(Stmt::Assignment(assignment))) = path.last()
                        && let Some(name) = root(&assignment.1.lhs)
                    {
                        facts.written_elsewhere.insert(name.to_owned());
                    }
                    true
                });
            }
        }
        facts
    }

    fn see(&mut self, node: &ASTNode, file: &File) {
        match node {
            ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _)) => {
                if call.name == "eval" && call.namespace.is_empty() {
                    self.evaluates = true;
                }
                if call.capture_parent_scope {
                    self.sees_caller.insert(call.name.to_string());
                }
                if !call.namespace.is_empty() {
                    self.namespaces.insert(call.namespace.root().to_owned());
                }
                if CHANGING.contains(&call.name.as_str())
                    && let Some(name) = call.args.first().and_then(root)
                {
                    self.changed.insert(name.to_owned());
                }
            }
            ASTNode::Stmt(Stmt::Var(variable, ..)) => {
                self.live_dumps.see(&variable.0.name, &variable.1);
            }
            ASTNode::Stmt(Stmt::Assignment(assignment)) => {
                if let Expr::Variable(variable, ..) = &assignment.1.lhs {
                    self.live_dumps.see(&variable.1, &assignment.1.rhs);
                }
                let direct = matches!(&assignment.1.lhs, Expr::Variable(..));
                if let Some(name) = root(&assignment.1.lhs) {
                    self.assigned.insert(name.to_owned());
                    if !direct || assignment.0.is_op_assignment() {
                        self.changed.insert(name.to_owned());
                    }
                }
            }
            ASTNode::Expr(expression @ (Expr::Dot(pair, ..) | Expr::Index(pair, ..))) => {
                if changes(&pair.rhs, file)
                    && let Some(name) = root(expression)
                {
                    self.changed.insert(name.to_owned());
                }
            }
            ASTNode::Expr(Expr::Variable(variable, ..)) if !variable.2.is_empty() => {
                let namespace = variable.2.root();
                if namespace == "global" {
                    self.globals_read.insert(variable.1.to_string());
                }
                self.namespaces.insert(namespace.to_owned());
            }
            ASTNode::Expr(Expr::FloatConstant(_, position)) if is_whole(file, *position) => {
                self.large_numbers.push(*position);
            }
            _ => {}
        }
    }
}

/// True if the number at `position` is written without a fraction.
fn is_whole(file: &File, position: Position) -> bool {
    let begin = file.text.byte_at(position).unwrap_or(file.text.len());
    let text = file.text[begin..].trim_start_matches('-').trim_start();
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "._".contains(letter);
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    let mut letters = text[..end].chars();
    end > 0 && letters.all(|letter| letter.is_ascii_digit() || letter == '_')
}

/// True if a chain has a call that may change its receiver.
fn changes(rest: &Expr, file: &File) -> bool {
    match rest {
        Expr::MethodCall(call, _) => {
            let name = call.name.as_str();
            CHANGING.contains(&name) || file.functions_named(name).next().is_some()
        }
        Expr::Dot(pair, ..) | Expr::Index(pair, ..) => {
            changes(&pair.lhs, file) || changes(&pair.rhs, file)
        }
        _ => false,
    }
}

impl File {
    /// The closures, in the order of the text.
    pub(super) fn closures(&self) -> impl Iterator<Item = &super::definitions::Definition> {
        self.all_definitions()
            .filter(|definition| is_closure(&definition.name))
    }
}
