//! Changes of copies that nothing reads: of a loop variable, and of XML that no variable holds.

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::Code;
use super::walk::Walk;
use crate::catalog::walker::{Receiver, root};

/// Functions that return a new copy of XML: a change of the copy is lost unless a variable keeps it.
const FRESH: [&str; 4] = ["copy", "parse_xml", "xml", "xml_desc"];

/// The methods that change XML.
const CHANGING_XML: [&str; 5] = ["insert", "insert_after", "insert_before", "remove", "set"];

/// The uses of a variable in the body of a loop, by their positions.
#[derive(Default)]
struct Uses {
    /// The assignments, each with its property if it has one.
    writes: Vec<(Position, Option<String>)>,
    reads: Vec<Position>,
    /// True if the order of the text is not that of the run, or the name may stand for another variable.
    unordered: bool,
}

impl Uses {
    fn of(name: &str, body: &[Stmt]) -> Self {
        let mut uses = Self::default();
        for statement in body {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
                uses.see(name, path);
                true
            });
        }
        uses
    }

    fn see(&mut self, name: &str, path: &[ASTNode]) {
        match path.last() {
            Some(ASTNode::Stmt(
                Stmt::While(..)
                | Stmt::Do(..)
                | Stmt::For(..)
                | Stmt::Share(_)
                | Stmt::TryCatch(..),
            )) => self.unordered = true,
            // A function that is called with `!` sees the variable.
            Some(ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _)))
                if call.capture_parent_scope =>
            {
                self.unordered = true
            }
            Some(ASTNode::Stmt(Stmt::Var(parts, ..))) if parts.0.name == name => {
                self.unordered = true;
            }
            Some(ASTNode::Stmt(Stmt::Assignment(parts))) if root(&parts.1.lhs) == Some(name) => {
                let property = match &parts.1.lhs {
                    Expr::Dot(pair, ..) => match &pair.rhs {
                        Expr::Property(property, _) => Some(property.2.to_string()),
                        _ => {
                            self.unordered = true;
                            None
                        }
                    },
                    Expr::Variable(..) => None,
                    // An index may have any effect on a value of unknown type.
                    _ => {
                        self.unordered = true;
                        None
                    }
                };
                self.writes.push((parts.1.lhs.start_position(), property));
            }
            Some(ASTNode::Expr(Expr::Variable(variable, _, position)))
                if variable.1 == name && variable.2.is_empty() =>
            {
                // What an assignment to the variable reads is used for nothing else.
                let within = |node: &ASTNode| matches!(node, ASTNode::Stmt(Stmt::Assignment(parts)) if root(&parts.1.lhs) == Some(name));
                if !path.iter().any(within) {
                    self.reads.push(*position);
                }
            }
            _ => {}
        }
    }

    /// The first write after the last read.
    fn lost(self) -> Option<(Position, Option<String>)> {
        let last = self.reads.iter().map(order).max();
        let mut writes = self.writes.into_iter();
        let lost = writes.find(|(position, _)| last.is_none_or(|last| order(position) > last));
        lost.filter(|_| !self.unordered)
    }
}

fn order(position: &Position) -> (Option<usize>, Option<usize>) {
    (position.line(), position.position())
}

impl<'a> Walk<'a> {
    /// Reports an assignment to the variable `name` of a loop, if nothing in its `body` reads the new value: the list
    /// keeps the old one.
    pub(super) fn check_loop_variable(&mut self, name: &str, body: &'a [Stmt]) {
        if self.dynamic || self.facts.evaluates || self.facts.written_elsewhere.contains(name) {
            return;
        }
        let Some((position, property)) = Uses::of(name, body).lost() else {
            return;
        };
        // To set a property of an object can have any effect.
        let sets = property.as_ref().is_some_and(|property| {
            let setter = format!("set${property}");
            let is_object = self.scope.kind(name).is_some_and(|kind| kind.is_object());
            is_object || self.checker.catalog.named(&setter).next().is_some()
        });
        if sets {
            return;
        }
        let message = format!("the value written to `{name}` here is lost");
        let finding = self.find(Code::LostWrite, position, message);
        finding.label = format!("`{name}` is a copy of the item");
        finding.hint = Some(match property {
            Some(property) => {
                format!("write `for (item, index) in list {{ list[index].{property} = ...; }}`")
            }
            None => "write `for (item, index) in list { list[index] = ...; }`".into(),
        });
    }

    /// Reports a change of XML that only this expression has.
    pub(super) fn check_temporary(
        &mut self,
        receiver: &Receiver<'a>,
        call: &'a FnCallExpr,
        position: Position,
    ) {
        let is_fresh = receiver.made_by.is_some_and(|name| FRESH.contains(&name));
        let is_xml = receiver.ty.as_ref().is_some_and(|ty| ty.is_called("Xml"));
        // Other changes return XML or a number, and a closure may be there to throw an error.
        let has_no_value = call.name == "set" && self.closures.is_empty() && self.trying == 0;
        let is_unused = has_no_value || self.is_ignored(call);
        if !is_fresh || !is_xml || !is_unused || !CHANGING_XML.contains(&call.name.as_str()) {
            return;
        }
        let message = format!("the change that `{}` makes is lost", call.name);
        let finding = self.find(Code::LostWrite, position, message);
        finding.label = "nothing keeps this XML".into();
        finding.hint = Some(
            "`dom.edit(|xml| ...)` changes the definition of a guest; `let xml = dom.xml();` keeps the XML"
                .into(),
        );
    }
}
