//! Visits expressions, and finds the types of their values.

use rhai::{ASTNode, Expr, FnCallExpr, FnPtr, Ident, Namespace, Position, Stmt};

use super::scope::{KnownType, Variable};
use super::walk::{Closure, Walk};
use super::{Code, capture, placeholders};
use crate::advice::suggest;
use crate::catalog::walker::{Receiver, Walker, root};
use crate::catalog::{Catalog, names};
use crate::constants;
use crate::spec::Type;

/// The largest number of variables that are searched for a similar name.
const MOST_NAMES: usize = 1_000;

impl<'a> Walker<'a> for Walk<'a> {
    fn catalog(&self) -> &Catalog {
        self.checker.catalog
    }

    fn variable(&mut self, name: &'a str, position: Position) -> KnownType {
        self.read_variable(name, position)
    }

    fn module_variable(&mut self, module: &'a Namespace, name: &'a str, position: Position) {
        self.qualified_variable(module, name, position);
    }

    fn block(&mut self, statements: &'a [Stmt], used: bool) -> KnownType {
        self.block_of(statements, used)
    }

    fn closure(&mut self, name: &str, captured: usize) {
        self.closure_called(name, captured);
    }

    fn call(&mut self, call: &'a FnCallExpr, position: Position) -> KnownType {
        self.check_call(call, position)
    }

    fn method(&mut self, receiver: &Receiver<'a>, call: &'a FnCallExpr, at: Position) -> KnownType {
        self.check_method(receiver, call, at)
    }

    fn property(&mut self, receiver: &Receiver<'a>, name: &str, position: Position) -> KnownType {
        self.check_property(receiver, name, position)
    }

    fn map(&mut self, entries: &'a [(Ident, Expr)]) -> Type {
        self.items(entries.iter().map(|(_, value)| value));
        // Its keys may change: they are known by the value, not by the type.
        Type::Map
    }

    fn text(&mut self, text: &str, position: Position) {
        placeholders::check(self, text, position);
        placeholders::check_quotes(self, text, position);
    }

    fn note(&mut self, expression: &'a Expr, ty: Option<&Type>) {
        self.note_kind(expression, ty);
    }

    fn asking<R>(&mut self, asks: bool, work: impl FnOnce(&mut Self) -> R) -> R {
        self.asking += usize::from(asks);
        let result = work(self);
        self.asking -= usize::from(asks);
        result
    }

    fn maybe<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.scope.mark();
        let result = work(self);
        self.scope.join_mark(before);
        result
    }

    fn certain(&self, ty: KnownType) -> KnownType {
        self.sure(ty.as_ref())
    }
}

impl<'a> Walk<'a> {
    /// The target of an assignment: the values that it reads are checked.
    pub(super) fn assigned_place(&mut self, target: &'a Expr) {
        match target {
            Expr::Dot(pair, ..) => {
                if let (Expr::Variable(variable, ..), Expr::Property(property, position)) =
                    (&pair.lhs, &pair.rhs)
                {
                    self.add_key(&variable.1, &property.2, *position);
                }
                let receiver = self.receiver(&pair.lhs);
                self.assigned_after_dot(receiver, &pair.rhs);
            }
            Expr::Index(pair, flags, _) => {
                if let Expr::Variable(variable, ..) = &pair.lhs
                    && variable.2.is_empty()
                {
                    // It may get any key.
                    let kind = self.scope.kind(&variable.1);
                    self.scope.know(&variable.1, kind, None);
                }
                let receiver = self.receiver(&pair.lhs);
                self.asking += 1;
                self.after_index(receiver, &pair.rhs, *flags);
                self.asking -= 1;
            }
            other => {
                self.expression(other);
            }
        }
    }

    fn assigned_after_dot(&mut self, receiver: Receiver<'a>, rest: &'a Expr) {
        match rest {
            Expr::Property(property, position) => {
                self.set_property(&receiver, &property.2, *position);
            }
            Expr::Dot(pair, ..) => {
                let root = receiver.root;
                let kind = self.after_dot(receiver, &pair.lhs);
                self.assigned_after_dot(Receiver::within(kind, root), &pair.rhs);
            }
            other => {
                self.after_dot(receiver, other);
            }
        }
    }

    /// Notes that the map in the variable `name` got a key.
    fn add_key(&mut self, name: &str, key: &str, position: Position) {
        if let Some(value) = self.scope.value(name)
            && let Some((entries, _)) = value.entries()
            && entries.iter().all(|(known, _)| known != key)
        {
            let kind = self.scope.kind(name);
            self.scope.know(name, kind, value.with_key(key, position));
        }
    }

    /// The type of the variable `name`, which is read.
    pub(super) fn read_variable(&mut self, name: &str, position: Position) -> KnownType {
        if self.read(name) {
            if self.is_not_captured(name) {
                let message = format!(
                    "`{name}` is a function of this file, so the closure does not capture the variable `{name}`"
                );
                self.find(Code::NotCaptured, position, message).hint =
                    Some("give the function or the variable another name".into());
                return None;
            }
            return self.scope.kind(name);
        }
        if self.file.functions_named(name).next().is_some() {
            return Some(Type::Function);
        }
        let hidden = self.dynamic
            || self.files.iter().any(|file| {
                file.name != self.file.name && file.functions_named(name).next().is_some()
            });
        if hidden {
            return None;
        }
        if name.starts_with("VIR_") {
            let hint = self.advice(name, "", || {
                let near = suggest::nearest(name, constants::all().map(|constant| constant.name))?;
                Some(format!("did you mean `{near}`?"))
            });
            let message = format!("libvirt has no constant `{name}`");
            self.find(Code::UnknownConstant, position, message).hint = hint;
            return None;
        }
        let global = self.function.is_some() && self.file.global(name).is_some();
        let hint = match global {
            true if self.file.is_constant(name) => Some(format!(
                "a function sees a constant of its file as `global::{name}`"
            )),
            true => Some(format!(
                "a function does not see the variables of its file: pass `{name}` as an argument"
            )),
            false => self.advice(name, "", || {
                let mut known = self.file.function_names();
                known.extend(self.scope.names().take(MOST_NAMES).map(str::to_owned));
                names::for_variable(self.checker.catalog.functions(), name, &known)
            }),
        };
        if hint.is_some() {
            self.count_as_read(name);
        }
        let message = format!("there is no variable `{name}`");
        self.find(Code::UnknownVariable, position, message).hint = hint;
        None
    }

    /// Takes the variable whose name is nearest to `name` as read: of a typo, one finding is enough.
    fn count_as_read(&mut self, name: &str) {
        let names = self.scope.names().take(MOST_NAMES);
        let meant = suggest::nearest(name, names).map(str::to_owned);
        if let Some(meant) = meant {
            self.read(&meant);
        }
    }

    /// True if the present closure does not see the outer variable `name`: Rhai does not capture variables with the
    /// name of a function.
    fn is_not_captured(&self, name: &str) -> bool {
        let Some(closure) = self.closures.last() else {
            return false;
        };
        self.scope.stands_before(name, closure.begins)
            && !closure.captured.contains(name)
            && self.file.functions_named(name).next().is_some()
    }

    /// The body of the closure that Rhai calls `name`, which captures the first `captured` of its
    /// parameters.
    fn closure_called(&mut self, name: &str, captured: usize) {
        let Some(closure) = self.file.closure(name) else {
            return;
        };
        let mut item = self.item.take();
        let before = self.scope.mark();
        let around = self.scope.begin_closure();
        let length = self.scope.len();
        for parameter in closure.parameters.iter().skip(captured) {
            self.scope.push(Variable {
                name: parameter.clone(),
                kind: item.take(),
                value: None,
                place: None,
                read: true,
                untracked: self.facts.written_elsewhere.contains(parameter),
                assigned: self.is_assigned(parameter),
            });
        }
        let captured = closure.parameters.iter().take(captured).cloned();
        self.closures.push(Closure {
            captured: captured.collect(),
            begins: length,
        });
        let answer = self.block_of(&closure.body, true);
        self.closures.pop();
        self.answer = answer.filter(|_| !returns(&closure.body));
        self.scope.leave(length);
        self.scope.go_back(before);
        self.scope.end_closure(around);
    }

    /// The closure in an argument, and the variables that it captures.
    pub(super) fn closure_in(&self, argument: &'a Expr) -> Option<capture::Closure<'a>> {
        let (value, captured) = match argument {
            Expr::DynamicConstant(value, _) => (value, Vec::new()),
            Expr::Stmt(block) => match block.statements() {
                [Stmt::Share(_), Stmt::Expr(curried)] => match &**curried {
                    Expr::FnCall(call, _) => match call.args.split_first() {
                        Some((Expr::DynamicConstant(value, _), rest)) => {
                            (value, rest.iter().filter_map(root).collect())
                        }
                        _ => return None,
                    },
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        };
        let pointer = value.read_lock::<FnPtr>()?;
        let definition = self.file.closure(pointer.fn_name())?;
        Some(capture::Closure {
            definition,
            captured,
        })
    }
}

/// True if `body` returns a value before its end.
pub(super) fn returns(body: &[Stmt]) -> bool {
    body.iter().any(|statement| {
        !statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            !matches!(path.last(), Some(ASTNode::Stmt(Stmt::Return(..))))
        })
    })
}
