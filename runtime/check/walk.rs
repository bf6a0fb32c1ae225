//! Visits the statements of a file in their order, and tracks the variables in scope.

use std::collections::{HashMap, HashSet};

use rhai::{ASTFlags, ASTNode, Expr, FlowControl, FnCallExpr, Ident, OpAssignment, Position, Stmt};

use super::definitions::Definition;
use super::facts::Facts;
use super::files::{File, Files};
use super::scope::{KnownType, Learned, Scope, Variable};
use super::written::Value;
use super::{ARGUMENTS, Checker, Code, Finding, Span, state, statements};
use crate::catalog::inference::operator;
use crate::catalog::names;
use crate::catalog::walker::{Walker, root};
use crate::run::session::Session;
use crate::runbook::inputs::{MAIN, VARIABLE};
use crate::spec::Type;

/// One way through a file, or through one function of it.
pub(super) struct Walk<'a> {
    pub(super) checker: &'a Checker<'a>,
    pub(super) files: &'a Files,
    pub(super) file: &'a File,
    pub(super) facts: &'a Facts,
    pub(super) scope: Scope,
    /// The function that is being checked; `None` for the file's own statements.
    pub(super) function: Option<&'a Definition>,
    /// True if unseen code may have defined variables.
    pub(super) dynamic: bool,
    /// The number of surrounding `try` blocks.
    pub(super) trying: usize,
    /// The number of surrounding `??` and `?.`, which allow a missing value.
    pub(super) asking: usize,
    /// The type of the first parameter of a closure among the current arguments.
    pub(super) item: KnownType,
    /// The type of the value of the last visited closure.
    pub(super) answer: KnownType,
    /// The call whose value the current statement does not use.
    pub(super) ignored: Option<&'a FnCallExpr>,
    /// The closures around the current place, the innermost last.
    pub(super) closures: Vec<Closure>,
    /// The types of items and entries that are not literals.
    pub(super) kinds: HashMap<*const Expr, Type>,
    /// The variables with the positions of items in the surrounding `for` loops.
    pub(super) counters: Vec<&'a str>,
    pub(super) findings: Vec<Finding>,
}

/// A closure that is being visited.
pub(super) struct Closure {
    /// The variables that it captured.
    pub(super) captured: HashSet<String>,
    /// The number of variables in sight where it begins.
    pub(super) begins: usize,
}

impl<'a> Walk<'a> {
    /// The findings in `file`.
    pub(super) fn file(checker: &'a Checker<'a>, files: &'a Files, file: &'a File) -> Vec<Finding> {
        let facts = file.facts();
        let new = |function| Self {
            checker,
            files,
            file,
            facts,
            scope: Scope::default(),
            function,
            dynamic: false,
            trying: 0,
            asking: 0,
            item: None,
            answer: None,
            ignored: None,
            closures: Vec::new(),
            kinds: HashMap::new(),
            counters: Vec::new(),
            findings: Vec::new(),
        };
        let mut walk = new(None);
        for position in &facts.large_numbers {
            let message = "a whole number of more than 64 bits loses its last digits";
            let finding = walk.find(Code::LargeNumber, *position, message.into());
            finding.hint = Some(
                "write it as text, in quotes, or as a number with a fraction, such as 1e19".into(),
            );
        }
        for name in &checker.variables {
            let is_args = name == ARGUMENTS;
            walk.parameter(name, is_args.then(|| Type::Array(Box::new(Type::Text))));
        }
        let inputs = files.inputs(file);
        let main = inputs.is_some() && file.function(MAIN, 1).is_some();
        if !main && inputs.is_some() {
            walk.parameter(VARIABLE, inputs.clone());
        }
        walk.block_of(file.ast.statements(), true);
        let mut findings = walk.findings;
        for function in file.named_functions() {
            let mut walk = new(Some(function));
            // Called with `!`, it sees the variables of its caller.
            walk.dynamic = facts.sees_caller.contains(function.name.as_str());
            let takes_inputs = function.name == MAIN && function.parameters.len() == 1;
            let types = Self::parameters_of(files, file, function);
            for (index, name) in function.parameters.iter().enumerate() {
                let kind = match takes_inputs {
                    true => inputs.clone(),
                    false => walk.sure(types.get(index)),
                };
                walk.parameter(name, kind);
            }
            walk.block_of(&function.body, true);
            findings.append(&mut walk.findings);
        }
        findings
    }

    /// The suggestion for `name`, which `kind` does not have; only a check of the whole catalogue has one.
    pub(super) fn advice(
        &self,
        name: &str,
        kind: &str,
        find: impl FnOnce() -> Option<String>,
    ) -> Option<String> {
        match self.checker.whole {
            true => self.files.advice(name, kind, find),
            false => None,
        }
    }

    /// Adds a finding.
    pub(super) fn find(&mut self, code: Code, position: Position, message: String) -> &mut Finding {
        let span = Span::at(&self.file.text, position);
        self.find_at(code, span, message)
    }

    /// Adds a finding whose stretch is known.
    pub(super) fn find_at(&mut self, code: Code, span: Span, message: String) -> &mut Finding {
        let index = self.findings.len();
        self.findings.push(self.file.finding(code, span, message));
        &mut self.findings[index]
    }

    fn parameter(&mut self, name: &str, kind: KnownType) {
        let untracked = self.facts.written_elsewhere.contains(name);
        let changed = self.facts.changed.contains(name);
        self.scope.push(Variable {
            name: name.to_owned(),
            kind: kind.filter(|_| !untracked && !changed),
            value: None,
            place: None,
            read: true,
            untracked,
            assigned: self.is_assigned(name),
        });
    }

    /// True if the value of a variable `name` changes after it is introduced.
    pub(super) fn is_assigned(&self, name: &str) -> bool {
        self.facts.assigned.contains(name) || self.facts.changed.contains(name)
    }

    /// The type of the variable `name`, if it is known.
    pub(super) fn kind_of_variable(&self, name: &str) -> KnownType {
        self.scope.kind(name)
    }

    fn introduce(&mut self, ident: &Ident, kind: KnownType, value: Option<Value>, read: bool) {
        let name = ident.name.to_string();
        let untracked = self.facts.written_elsewhere.contains(&name);
        let kind = if self.facts.changed.contains(&name) {
            kind.map(|kind| kind.plain())
        } else {
            kind
        };
        self.scope.push(Variable {
            kind: kind.filter(|_| !untracked),
            value: self.lasting(&name, value).filter(|_| !untracked),
            place: Some(Span::at(&self.file.text, ident.pos)),
            read: read || name.starts_with('_') || self.dynamic,
            untracked,
            assigned: self.is_assigned(&name),
            name,
        });
    }

    /// `value` as far as it stays so in the variable `name`, which may be changed in place.
    fn lasting(&self, name: &str, value: Option<Value>) -> Option<Value> {
        match self.facts.changed.contains(name) {
            true => value?.keys_only(),
            false => value,
        }
    }

    /// The type of the value of a block, whose variables end with it; `used` tells whether
    /// something takes that value.
    pub(super) fn block_of(&mut self, statements: &'a [Stmt], used: bool) -> KnownType {
        let before = self.scope.len();
        let kind = self.statements(statements, used);
        self.leave(before);
        kind
    }

    fn statements(&mut self, statements: &'a [Stmt], used: bool) -> KnownType {
        let mut states = state::Follow::default();
        let mut kind = Some(Type::Unit);
        for (index, statement) in statements.iter().enumerate() {
            if Session::is_stopping(self.checker.engine) {
                return None;
            }
            let last = index + 1 == statements.len();
            if !(last && used) {
                statements::check_ignored(self, statement, last);
            }
            states.check(self, statement);
            kind = self.statement(statement, last && used);
        }
        kind
    }

    /// Ends the variables beyond the first `length`.
    fn leave(&mut self, length: usize) {
        for variable in self.scope.leave(length) {
            let Some(place) = variable.place.filter(|_| !variable.read) else {
                continue;
            };
            let message = format!("unused variable `{}`", variable.name);
            self.find_at(Code::UnusedVariable, place, message).hint = Some(format!(
                "prefix it with `_` if that is intended: `_{}`",
                variable.name.trim_start_matches('_')
            ));
        }
    }

    fn statement(&mut self, statement: &'a Stmt, used: bool) -> KnownType {
        match statement {
            Stmt::If(flow, _) => self.branches(flow, used),
            Stmt::Switch(switch, position) => {
                let kind = self.expression(&switch.0);
                self.check_cases(&kind, *position);
                let before = self.scope.mark();
                let mut learned = Learned::nothing();
                let mut kinds = Vec::new();
                for arm in &switch.1.expressions {
                    self.expression(&arm.lhs);
                    kinds.push(self.expression_used(&arm.rhs, used));
                    learned.add(self.scope.go_back(before));
                }
                self.scope.join(before, &learned);
                same(kinds, switch.1.def_case.is_some())
            }
            Stmt::While(flow, _) => {
                self.forget_assigned(flow.body.statements());
                if !matches!(flow.expr, Expr::Unit(..)) {
                    self.expression(&flow.expr);
                }
                self.repeat(flow.body.statements());
                None
            }
            Stmt::Do(flow, ..) => {
                self.forget_assigned(flow.body.statements());
                self.repeat(flow.body.statements());
                self.expression(&flow.expr);
                None
            }
            Stmt::For(parts, _) => {
                let (item, counter, flow) = &**parts;
                let kind = self.expression(&flow.expr);
                self.check_value(&kind, &flow.expr, || {
                    "`for` cannot iterate over this value".into()
                });
                self.check_iterated(&kind, &flow.expr);
                self.forget_assigned(flow.body.statements());
                let length = self.scope.len();
                let held = kind.as_ref().and_then(|kind| self.taken_from(kind));
                self.introduce(item, held, None, true);
                if let Some(counter) = counter {
                    self.introduce(counter, Some(Type::Int), None, true);
                    self.counters.push(&counter.name);
                }
                self.check_loop_variable(&item.name, flow.body.statements());
                self.repeat(flow.body.statements());
                if counter.is_some() {
                    self.counters.pop();
                }
                self.leave(length);
                None
            }
            Stmt::Var(parts, flags, _) => {
                let (name, value, _) = &**parts;
                let kind = self.expression(value);
                if !name.name.starts_with('_') {
                    self.check_value(&kind, value, || format!("`{}` is `()`", name.name));
                }
                let known = self.value_of(value);
                let exported = flags.intersects(ASTFlags::EXPORTED);
                let global =
                    self.function.is_none() && self.facts.globals_read.contains(name.name.as_str());
                self.introduce(name, kind, known, exported || global);
                Some(Type::Unit)
            }
            Stmt::Assignment(parts) => {
                self.assignment(&parts.0, &parts.1.lhs, &parts.1.rhs);
                Some(Type::Unit)
            }
            Stmt::FnCall(call, position) => self.call(call, *position),
            Stmt::Block(block) => self.block_of(block.statements(), used),
            Stmt::TryCatch(flow, _) => self.try_catch(flow, used),
            Stmt::Expr(expression) => self.expression_used(expression, used),
            Stmt::BreakLoop(value, ..) | Stmt::Return(value, ..) => {
                if let Some(value) = value {
                    self.expression(value);
                }
                None
            }
            Stmt::Import(import, _) => {
                if !self.check_unquoted(&import.0, &import.1.name) {
                    self.expression(&import.0);
                }
                Some(Type::Unit)
            }
            Stmt::Export(export, _) => {
                self.read(&export.0.name);
                Some(Type::Unit)
            }
            _ => Some(Type::Unit),
        }
    }

    fn branches(&mut self, flow: &'a FlowControl, used: bool) -> KnownType {
        self.expression(&flow.expr);
        let before = self.scope.mark();
        let one = self.block_of(flow.body.statements(), used);
        let learned = self.scope.go_back(before);
        let other = self.block_of(flow.branch.statements(), used);
        self.scope.join(before, &learned);
        same(vec![one, other], true)
    }

    fn try_catch(&mut self, flow: &'a FlowControl, used: bool) -> KnownType {
        self.trying += 1;
        let one = self.block_of(flow.body.statements(), used);
        self.trying -= 1;
        let after = self.scope.mark();
        // Wherever the body broke off.
        self.forget_assigned(flow.body.statements());
        let length = self.scope.len();
        if let Expr::Variable(variable, ..) = &flow.expr {
            let name = variable.1.as_str();
            let untracked = self.facts.written_elsewhere.contains(name);
            self.scope.push(Variable {
                name: name.to_owned(),
                kind: Some(Type::Object("Error".into())).filter(|_| !untracked),
                value: None,
                place: None,
                read: true,
                untracked,
                assigned: self.is_assigned(name),
            });
        }
        let other = self.block_of(flow.branch.statements(), used);
        self.leave(length);
        self.scope.join_mark(after);
        same(vec![one, other], true)
    }

    /// A body that runs any number of times.
    fn repeat(&mut self, body: &'a [Stmt]) {
        let before = self.scope.mark();
        self.block_of(body, false);
        self.scope.join_mark(before);
    }

    /// Forgets the values of the variables that `body` assigns.
    fn forget_assigned(&mut self, body: &[Stmt]) {
        for name in assigned(body) {
            self.scope.know(&name, None, None);
        }
    }

    fn assignment(&mut self, how: &OpAssignment, target: &'a Expr, value: &'a Expr) {
        let kind = self.expression(value);
        let known = self.value_of(value);
        if let Expr::Variable(variable, _, position) = target
            && variable.2.is_empty()
        {
            let name = variable.1.as_str();
            self.check_value(&kind, value, || format!("`{name}` is `()`"));
            let Some(untracked) = self.scope.is_untracked(name) else {
                self.assigned_unknown(name, *position, how.is_op_assignment());
                return;
            };
            let kind = match how.get_op_assignment_info() {
                None => kind,
                Some((.., sign)) => {
                    let operands = [self.scope.kind(name), kind];
                    operator(sign, &operands)
                }
            };
            if !untracked {
                let kind = match self.facts.changed.contains(name) {
                    true => kind.map(|kind| kind.plain()),
                    false => kind,
                };
                let known = known.filter(|_| !how.is_op_assignment());
                self.scope.know(name, kind, self.lasting(name, known));
            }
            return;
        }
        self.assigned_place(target);
    }

    /// An assignment to a variable that does not exist; `changes` is true if it needs the old value.
    fn assigned_unknown(&mut self, name: &str, position: Position, changes: bool) {
        let before = self.findings.len();
        self.read_variable(name, position);
        if let Some(finding) = self.findings.get_mut(before)
            && finding.hint.is_none()
            && !changes
        {
            finding.hint = Some(names::for_undeclared(name));
        }
    }

    /// Marks the variable `name` as read, if it is one in sight.
    pub(super) fn read(&mut self, name: &str) -> bool {
        self.scope.read(name)
    }
}

/// The one type of all of `kinds`, if they are `all` there can be.
fn same(kinds: Vec<KnownType>, all: bool) -> KnownType {
    let mut kinds = kinds.into_iter();
    let first = kinds.next()??;
    (all && kinds.all(|kind| kind.as_ref() == Some(&first))).then_some(first)
}

/// The names of the variables that `statements` assign to, without those of closures.
fn assigned(statements: &[Stmt]) -> HashSet<String> {
    let mut names = HashSet::new();
    for statement in statements {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            if let Some(ASTNode::Stmt(Stmt::Assignment(assignment))) = path.last()
                && let Some(name) = root(&assignment.1.lhs)
            {
                names.insert(name.to_owned());
            }
            true
        });
    }
    names
}
