//! Goes through expressions, and tells the types of their values.

use rhai::{ASTFlags, ASTNode, Expr, FnPtr, Position, Stmt};

use super::scope::{Kind, Variable};
use super::walk::Walk;
use super::written::Value;
use super::{Code, capture};
use crate::advice::suggest;
use crate::catalog::inference::{constant, held, literal};
use crate::catalog::names;
use crate::catalog::without_element;
use crate::constants;

/// The largest number of variables that are searched for a similar name.
const MOST_NAMES: usize = 1_000;

/// What a method or a property is asked of.
#[derive(Debug, Clone, Default)]
pub(super) struct Receiver<'a> {
    pub(super) kind: Kind,
    /// The variable that the chain begins with.
    pub(super) root: Option<&'a str>,
    /// Whether that variable itself is asked.
    pub(super) direct: bool,
    /// The value that is asked, where that is written out.
    pub(super) value: Option<Value>,
    /// The expression itself, where no chain led to it.
    pub(super) expression: Option<&'a Expr>,
}

impl<'a> Receiver<'a> {
    /// What a chain that begins with the variable `root` has come to.
    fn within(kind: Kind, root: Option<&'a str>) -> Self {
        Self {
            kind,
            root,
            ..Self::default()
        }
    }

    /// The same, of which nothing is asked where it is `()` and `?.` or `?[` stands before.
    fn unless_nothing(mut self, flags: ASTFlags) -> Self {
        if flags.intersects(ASTFlags::NEGATED) {
            self.kind = self.kind.filter(|kind| kind != "()");
        }
        self
    }
}

impl<'a> Walk<'a> {
    /// The type of the value of `expression`, all of which is checked on the way.
    pub(super) fn expression(&mut self, expression: &'a Expr) -> Kind {
        self.expression_used(expression, true)
    }

    /// The same for an expression whose value may go nowhere.
    pub(super) fn expression_used(&mut self, expression: &'a Expr, used: bool) -> Kind {
        match expression {
            Expr::DynamicConstant(value, _) => {
                if let Some(pointer) = value.read_lock::<FnPtr>()
                    && pointer.is_anonymous()
                {
                    self.closure(pointer.fn_name(), 0);
                }
                literal(expression)
            }
            Expr::InterpolatedString(parts, _) => {
                for part in parts.iter() {
                    self.expression(part);
                }
                literal(expression)
            }
            Expr::Array(items, _) => {
                let mut kinds: Vec<Kind> = Vec::with_capacity(items.len());
                for item in items.iter() {
                    let kind = self.expression(item);
                    self.note_kind(item, &kind);
                    kinds.push(kind);
                }
                let array = match kinds.first() {
                    Some(Some(first)) if kinds.iter().all(|kind| kind.as_ref() == Some(first)) => {
                        format!("array of {first}")
                    }
                    _ => "array".to_owned(),
                };
                Some(array)
            }
            Expr::Map(map, _) => {
                for (_, value) in &map.0 {
                    let kind = self.expression(value);
                    self.note_kind(value, &kind);
                }
                literal(expression)
            }
            Expr::Variable(variable, _, position) => match variable.2.is_empty() {
                true => self.variable(&variable.1, *position),
                false => {
                    self.qualified_variable(&variable.2, &variable.1, *position);
                    None
                }
            },
            Expr::Stmt(block) => match block.statements() {
                [Stmt::Share(_), Stmt::Expr(curried)] => self.capturing_closure(curried),
                statements => self.block(statements, used),
            },
            Expr::FnCall(call, position) => self.call(call, *position),
            Expr::Dot(pair, flags, _) => self.maybe_asking(*flags, |walk| {
                let receiver = walk.receiver(&pair.lhs).unless_nothing(*flags);
                walk.after_dot(receiver, &pair.rhs)
            }),
            Expr::Index(pair, flags, _) => self.maybe_asking(*flags, |walk| {
                let receiver = walk.receiver(&pair.lhs).unless_nothing(*flags);
                walk.after_index(receiver, &pair.rhs, *flags)
            }),
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                self.in_turn(parts);
                Some("bool".into())
            }
            Expr::Coalesce(parts, _) => {
                let last = parts.len().saturating_sub(1);
                for (index, part) in parts.iter().enumerate() {
                    let before = self.scope.mark();
                    self.asking += usize::from(index < last);
                    self.expression(part);
                    self.asking -= usize::from(index < last);
                    if index > 0 {
                        self.scope.join_mark(before);
                    }
                }
                None
            }
            _ => literal(expression),
        }
    }

    /// Goes on with `work`, where `?.` or `?[` asks for what is read there.
    fn maybe_asking(&mut self, flags: ASTFlags, work: impl FnOnce(&mut Self) -> Kind) -> Kind {
        let asks = usize::from(flags.intersects(ASTFlags::NEGATED));
        self.asking += asks;
        let kind = work(self);
        self.asking -= asks;
        kind
    }

    /// Expressions of which the later ones may not be reached.
    fn in_turn(&mut self, parts: &'a [Expr]) {
        let Some((first, rest)) = parts.split_first() else {
            return;
        };
        self.expression(first);
        for part in rest {
            let before = self.scope.mark();
            self.expression(part);
            self.scope.join_mark(before);
        }
    }

    pub(super) fn receiver(&mut self, expression: &'a Expr) -> Receiver<'a> {
        let direct = matches!(expression, Expr::Variable(..));
        Receiver {
            kind: self.expression(expression),
            root: super::facts::root(expression),
            direct,
            value: self.value_of(expression),
            expression: Some(expression),
        }
    }

    /// The type of `receiver.rest`; Rhai nests a chain to the right.
    pub(super) fn after_dot(&mut self, receiver: Receiver<'a>, rest: &'a Expr) -> Kind {
        match rest {
            Expr::Property(property, position) => self.property(&receiver, &property.2, *position),
            Expr::MethodCall(call, position) => self.method(&receiver, call, *position),
            Expr::Dot(pair, flags, _) => self.maybe_asking(*flags, |walk| {
                let root = receiver.root;
                let kind = walk.after_dot(receiver, &pair.lhs);
                let next = Receiver::within(kind, root).unless_nothing(*flags);
                walk.after_dot(next, &pair.rhs)
            }),
            Expr::Index(pair, flags, _) => self.maybe_asking(*flags, |walk| {
                let root = receiver.root;
                let kind = walk.after_dot(receiver, &pair.lhs);
                let next = Receiver::within(kind, root).unless_nothing(*flags);
                walk.after_index(next, &pair.rhs, *flags)
            }),
            other => {
                self.expression(other);
                None
            }
        }
    }

    /// The type of `receiver[rest`, where the chain goes on behind the index unless it breaks.
    pub(super) fn after_index(
        &mut self,
        receiver: Receiver<'a>,
        rest: &'a Expr,
        flags: ASTFlags,
    ) -> Kind {
        let (index, further) = match rest {
            _ if flags.intersects(ASTFlags::BREAK) => (rest, None),
            Expr::Dot(pair, ..) | Expr::Index(pair, ..) => (&pair.lhs, Some(&pair.rhs)),
            _ => (rest, None),
        };
        let place = index;
        let index = self.expression(index);
        let kind = match place {
            Expr::StringConstant(key, position) if self.is_map(&receiver) => {
                self.property(&receiver, key, *position)
            }
            _ => self.sure(held(receiver.kind.as_deref(), index.as_deref())),
        };
        let receiver = Receiver::within(kind.clone(), receiver.root);
        match (further, rest) {
            (Some(further), Expr::Dot(..)) => self.after_dot(receiver, further),
            (Some(further), Expr::Index(_, flags, _)) => {
                self.after_index(receiver, further, *flags)
            }
            _ => kind,
        }
    }

    /// The place that something is assigned to: what is read on the way to it is checked.
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

    fn is_map(&self, receiver: &Receiver) -> bool {
        receiver.kind.as_deref().map(without_element) == Some("map")
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
    pub(super) fn variable(&mut self, name: &str, position: Position) -> Kind {
        if name.starts_with("VIR_")
            && let Some(kind) = constant(name)
        {
            return Some(kind);
        }
        if self.read(name) {
            return self.scope.kind(name);
        }
        if self.file.functions_named(name).next().is_some() {
            return Some("Fn".into());
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
        let message = format!("there is no variable `{name}`");
        self.find(Code::UnknownVariable, position, message).hint = hint;
        None
    }

    /// A closure that captures variables, in the form that the parser gives it.
    fn capturing_closure(&mut self, curried: &'a Expr) -> Kind {
        if let Expr::FnCall(call, _) = curried
            && let Some(Expr::DynamicConstant(value, _)) = call.args.first()
            && let Some(pointer) = value.read_lock::<FnPtr>()
        {
            self.closure(pointer.fn_name(), call.args.len() - 1);
        }
        Some("Fn".into())
    }

    /// The body of the closure that Rhai calls `name`, which captures the first `captured` of its
    /// parameters.
    fn closure(&mut self, name: &str, captured: usize) {
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
                loose: self.facts.written_elsewhere.contains(parameter),
                assigned: self.is_assigned(parameter),
            });
        }
        let answer = self.block(&closure.body, true);
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
                            (value, rest.iter().filter_map(super::facts::root).collect())
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

/// Whether `body` returns a value before its end.
fn returns(body: &[Stmt]) -> bool {
    body.iter().any(|statement| {
        !statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            !matches!(path.last(), Some(ASTNode::Stmt(Stmt::Return(..))))
        })
    })
}
