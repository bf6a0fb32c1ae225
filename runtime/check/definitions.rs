//! The functions and closures of a file.

use std::sync::OnceLock;

use rhai::{AST, ASTNode, Position, Stmt};

use super::Span;
use super::files::File;
use crate::spec::Type;
use crate::syntax::doc_comment::plain_docs;
use crate::syntax::outline;

/// A function or a closure.
pub(super) struct Definition {
    pub(super) name: String,
    /// The type of its value `this`, for a method of one type.
    pub(super) this_type: Option<String>,
    pub(super) private: bool,
    /// The names of its parameters; a closure has those that it captures first.
    pub(super) parameters: Vec<String>,
    /// The doc comment, without its slashes.
    pub(super) docs: String,
    /// The types of its first parameters, read on first use.
    pub(super) takes: OnceLock<Vec<Type>>,
    /// The type of its result, read on first use.
    pub(super) result: OnceLock<Type>,
    pub(super) body: Vec<Stmt>,
    pub(super) begin: Position,
    end: Position,
}

/// The functions and closures of `ast`. Rhai shows their statements only one by one, so each is
/// given to the innermost function around it.
pub(super) fn definitions(ast: &AST) -> Vec<Definition> {
    let mut definitions: Vec<Definition> = ast
        .iter_fn_def()
        .map(|function| Definition {
            name: function.name.to_string(),
            this_type: function.this_type.as_ref().map(ToString::to_string),
            private: function.access == rhai::FnAccess::Private,
            parameters: function.params.iter().map(ToString::to_string).collect(),
            docs: plain_docs(&function.comments),
            takes: OnceLock::new(),
            result: OnceLock::new(),
            body: Vec::new(),
            begin: function.body.start_position(),
            end: function.body.end_position(),
        })
        .collect();
    definitions.sort_by_key(|definition| definition.begin);
    let mut before = ast.statements().len();
    ast.walk(&mut |path: &[ASTNode]| {
        let [ASTNode::Stmt(statement)] = path else {
            return true;
        };
        if before > 0 {
            before -= 1;
            return true;
        }
        let place = statement.position();
        let after = definitions.partition_point(|definition| definition.begin <= place);
        let around = definitions[..after].iter_mut().rev().find(|definition| {
            // A closure without braces has no end.
            if definition.end.is_none() {
                definition.begin == place
            } else {
                place <= definition.end
            }
        });
        if let Some(definition) = around {
            definition.body.push((*statement).clone());
        }
        true
    });
    definitions
}

impl File {
    /// The place of the function's name.
    pub(super) fn place_of(&self, function: &Definition) -> Option<Span> {
        let body = self.text.byte_at(function.begin)?;
        let before = |other: &&outline::Function| other.name_span.start <= body;
        let named = |other: &&outline::Function| other.name == function.name;
        let functions = self.outline().functions.iter().rev();
        let found = functions.filter(before).find(named)?;
        Some(self.text.span(&found.name_span))
    }
}
