//! Visits expressions and finds the types of their values; the check and completion share this walker.
//!
//! A walk implements [`Walker`]: its methods return the types of names, calls, properties and blocks, and can report
//! errors there. The default methods know only the catalogue.

use std::sync::Arc;

use rhai::{ASTFlags, Expr, FnCallExpr, FnPtr, Ident, Namespace, Position, Stmt};

use super::inference::{held, literal, operator};
use super::{Catalog, of_constant};
use crate::spec::{Key, Spec, Type};

/// A map with more keys than this holds data, and its keys are not offered.
pub(super) const MOST_KEYS: usize = 64;

/// The value that a method or a property belongs to.
#[derive(Debug, Clone, Default)]
pub struct Receiver<'e> {
    /// Its type, if it is known.
    pub ty: Option<Type>,
    /// The variable that the chain begins with.
    pub root: Option<&'e str>,
    /// True if it is that variable itself.
    pub direct: bool,
    /// The expression itself, if no chain led to it.
    pub expression: Option<&'e Expr>,
    /// The name of the call that returned it.
    pub made_by: Option<&'e str>,
}

impl<'e> Receiver<'e> {
    /// The result of a chain that begins with the variable `root`.
    pub fn within(ty: Option<Type>, root: Option<&'e str>) -> Self {
        Self {
            ty,
            root,
            ..Self::default()
        }
    }

    /// The same, but of unknown type if it is `()` and `?.` or `?[` follows, since nothing is read
    /// from it then.
    fn unless_nothing(mut self, flags: ASTFlags) -> Self {
        if flags.intersects(ASTFlags::NEGATED) {
            self.ty = self.ty.filter(|ty| *ty != Type::Unit);
        }
        self
    }
}

/// Goes through expressions and finds their types.
pub trait Walker<'e>: Sized {
    /// The catalogue of functions.
    fn catalog(&self) -> &Catalog;

    /// The type of the variable `name`, which is read.
    fn variable(&mut self, name: &'e str, position: Position) -> Option<Type>;

    /// A variable of a module, or of the file as `global`.
    fn module_variable(&mut self, module: &'e Namespace, name: &'e str, position: Position) {
        let _ = (module, name, position);
    }

    /// The type of the value of a block; `used` is true if something uses that value.
    fn block(&mut self, statements: &'e [Stmt], used: bool) -> Option<Type> {
        let _ = (statements, used);
        None
    }

    /// A closure that Rhai calls `name`, and that captures the first `captured` of its parameters.
    fn closure(&mut self, name: &str, captured: usize) {
        let _ = (name, captured);
    }

    /// The type of the result of `name(arguments)`.
    fn call(&mut self, call: &'e FnCallExpr, position: Position) -> Option<Type> {
        let _ = position;
        let types = self.arguments(call);
        if !call.namespace.is_empty() {
            return self.module_call(call);
        }
        if call.op_token.is_some()
            && let Some(ty) = operator(&call.name, &types)
        {
            return Some(ty);
        }
        self.catalog().returns(&call.name, &types).cloned()
    }

    /// The type of the result of a function of a module.
    fn module_call(&mut self, call: &'e FnCallExpr) -> Option<Type> {
        let _ = call;
        None
    }

    /// The type of the result of `receiver.name(arguments)`.
    fn method(
        &mut self,
        receiver: &Receiver<'e>,
        call: &'e FnCallExpr,
        position: Position,
    ) -> Option<Type> {
        let _ = position;
        let mut types = vec![receiver.ty.clone()];
        types.extend(self.arguments(call));
        self.catalog().returns(&call.name, &types).cloned()
    }

    /// The type of the property or the key `name`.
    fn property(
        &mut self,
        receiver: &Receiver<'e>,
        name: &str,
        position: Position,
    ) -> Option<Type> {
        let _ = position;
        let ty = receiver.ty.as_ref()?;
        if let Some(value) = ty.value() {
            return value.clone().known();
        }
        match ty.keys() {
            Some(spec) => spec.key(name)?.ty.clone().known(),
            None => self.catalog().property(ty, name).cloned(),
        }
    }

    /// The type of a map that is written out.
    fn map(&mut self, entries: &'e [(Ident, Expr)]) -> Type {
        let types: Vec<Option<Type>> = self.items(entries.iter().map(|(_, value)| value));
        let keys = entries.iter().zip(types);
        with_keys(keys.map(|((key, _), ty)| (key.name.as_str(), ty)))
    }

    /// A text without inserted values.
    fn text(&mut self, text: &str, position: Position) {
        let _ = (text, position);
    }

    /// Records the type of an item of a list or an entry of a map.
    fn note(&mut self, expression: &'e Expr, ty: Option<&Type>) {
        let _ = (expression, ty);
    }

    /// Goes on with `work`; with `asks`, the script expects that its value may be missing.
    fn asking<R>(&mut self, asks: bool, work: impl FnOnce(&mut Self) -> R) -> R {
        let _ = asks;
        work(self)
    }

    /// Goes on with `work`, which the script may not reach.
    fn maybe<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        work(self)
    }

    /// The type, if its methods are certain.
    fn certain(&self, ty: Option<Type>) -> Option<Type> {
        ty
    }

    /// The types of the arguments of a call.
    fn arguments(&mut self, call: &'e FnCallExpr) -> Vec<Option<Type>> {
        let arguments = call.args.iter();
        arguments
            .map(|argument| self.expression(argument))
            .collect()
    }

    /// The types of the items of a list or the entries of a map.
    fn items(&mut self, items: impl Iterator<Item = &'e Expr>) -> Vec<Option<Type>> {
        let item = |item| {
            let ty = self.expression(item);
            self.note(item, ty.as_ref());
            ty
        };
        items.map(item).collect()
    }

    /// The type of the value of `expression`, whose value something takes.
    fn expression(&mut self, expression: &'e Expr) -> Option<Type> {
        self.expression_used(expression, true)
    }

    /// The same for an expression whose value may go nowhere.
    fn expression_used(&mut self, expression: &'e Expr, used: bool) -> Option<Type> {
        match expression {
            Expr::DynamicConstant(value, _) => {
                if let Some(pointer) = value.read_lock::<FnPtr>()
                    && pointer.is_anonymous()
                {
                    self.closure(pointer.fn_name(), 0);
                }
                literal(expression)
            }
            Expr::StringConstant(text, position) => {
                self.text(text, *position);
                literal(expression)
            }
            Expr::InterpolatedString(parts, _) => {
                for part in parts.iter() {
                    self.expression(part);
                }
                literal(expression)
            }
            Expr::Array(items, _) => Some(Type::array_of(self.items(items.iter()))),
            Expr::Map(map, _) => Some(self.map(&map.0)),
            Expr::Variable(variable, _, position) => match variable.2.is_empty() {
                true => of_constant(&variable.1).or_else(|| self.variable(&variable.1, *position)),
                false => {
                    self.module_variable(&variable.2, &variable.1, *position);
                    None
                }
            },
            Expr::Stmt(block) => match block.statements() {
                [Stmt::Share(_), Stmt::Expr(curried)] => {
                    self.capturing_closure(curried);
                    Some(Type::Function)
                }
                statements => self.block(statements, used),
            },
            Expr::FnCall(call, position) => self.call(call, *position),
            Expr::Dot(pair, flags, _) => self.after(*flags, |walk| {
                let receiver = walk.receiver(&pair.lhs).unless_nothing(*flags);
                walk.after_dot(receiver, &pair.rhs)
            }),
            Expr::Index(pair, flags, _) => self.after(*flags, |walk| {
                let receiver = walk.receiver(&pair.lhs).unless_nothing(*flags);
                walk.after_index(receiver, &pair.rhs, *flags)
            }),
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                self.in_turn(parts);
                Some(Type::Bool)
            }
            Expr::Coalesce(parts, _) => {
                self.alternatives(parts);
                None
            }
            _ => literal(expression),
        }
    }

    /// A closure that captures variables, in the form that the parser gives it.
    fn capturing_closure(&mut self, curried: &'e Expr) {
        if let Expr::FnCall(call, _) = curried
            && let Some(Expr::DynamicConstant(value, _)) = call.args.first()
            && let Some(pointer) = value.read_lock::<FnPtr>()
        {
            self.closure(pointer.fn_name(), call.args.len() - 1);
        }
    }

    /// Expressions of which the later ones may not be reached.
    fn in_turn(&mut self, parts: &'e [Expr]) {
        let Some((first, rest)) = parts.split_first() else {
            return;
        };
        self.expression(first);
        for part in rest {
            self.maybe(|walk| walk.expression(part));
        }
    }

    /// Expressions of which the first that is not `()` counts.
    fn alternatives(&mut self, parts: &'e [Expr]) {
        let last = parts.len().saturating_sub(1);
        for (index, part) in parts.iter().enumerate() {
            let work = |walk: &mut Self| walk.asking(index < last, |walk| walk.expression(part));
            match index {
                0 => work(self),
                _ => self.maybe(work),
            };
        }
    }

    /// Goes on with the part of a chain behind `?.`, where values may be missing, or behind a plain
    /// dot.
    fn after<R>(&mut self, flags: ASTFlags, work: impl FnOnce(&mut Self) -> R) -> R {
        self.asking(flags.intersects(ASTFlags::NEGATED), work)
    }

    /// The result of the first expression of a chain.
    fn receiver(&mut self, expression: &'e Expr) -> Receiver<'e> {
        Receiver {
            ty: self.expression(expression),
            root: root(expression),
            direct: matches!(expression, Expr::Variable(..)),
            expression: Some(expression),
            made_by: called(expression),
        }
    }

    /// The type of `receiver.rest`; Rhai nests a chain to the right.
    fn after_dot(&mut self, receiver: Receiver<'e>, rest: &'e Expr) -> Option<Type> {
        match rest {
            Expr::Property(property, position) => self.property(&receiver, &property.2, *position),
            Expr::MethodCall(call, position) => self.method(&receiver, call, *position),
            Expr::Dot(pair, flags, _) => self.after(*flags, |walk| {
                let root = receiver.root;
                let ty = walk.after_dot(receiver, &pair.lhs);
                let next = Receiver {
                    made_by: called(&pair.lhs),
                    ..Receiver::within(ty, root).unless_nothing(*flags)
                };
                walk.after_dot(next, &pair.rhs)
            }),
            Expr::Index(pair, flags, _) => self.after(*flags, |walk| {
                let root = receiver.root;
                let ty = walk.after_dot(receiver, &pair.lhs);
                let next = Receiver::within(ty, root).unless_nothing(*flags);
                walk.after_index(next, &pair.rhs, *flags)
            }),
            other => {
                self.expression(other);
                None
            }
        }
    }

    /// The type of `receiver[rest`, if the chain continues after the index.
    fn after_index(
        &mut self,
        receiver: Receiver<'e>,
        rest: &'e Expr,
        flags: ASTFlags,
    ) -> Option<Type> {
        let (index, further) = match rest {
            _ if flags.intersects(ASTFlags::BREAK) => (rest, None),
            Expr::Dot(pair, ..) | Expr::Index(pair, ..) => (&pair.lhs, Some(&pair.rhs)),
            _ => (rest, None),
        };
        let index_type = self.expression(index);
        let is_map = receiver.ty.as_ref().is_some_and(Type::is_map);
        let ty = match index {
            Expr::StringConstant(key, position) if is_map => {
                self.property(&receiver, key, *position)
            }
            _ => self.certain(held(receiver.ty.as_ref(), index_type.as_ref())),
        };
        let receiver = Receiver::within(ty.clone(), receiver.root);
        match (further, rest) {
            (Some(further), Expr::Dot(..)) => self.after_dot(receiver, further),
            (Some(further), Expr::Index(_, flags, _)) => {
                self.after_index(receiver, further, *flags)
            }
            _ => ty,
        }
    }
}

/// The name of the function that `expression` calls.
fn called(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::FnCall(call, _) | Expr::MethodCall(call, _) => Some(call.name.as_str()),
        _ => None,
    }
}

/// The variable that a chain begins with.
pub fn root(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Variable(variable, ..) if variable.2.is_empty() => Some(variable.1.as_str()),
        Expr::Dot(pair, ..) | Expr::Index(pair, ..) => root(&pair.lhs),
        _ => None,
    }
}

/// The type of a map with these keys.
pub(super) fn with_keys<'k>(entries: impl Iterator<Item = (&'k str, Option<Type>)>) -> Type {
    let keys: Vec<Key> = entries
        .map(|(name, ty)| Key::of_result(name, ty.unwrap_or(Type::Unknown)))
        .collect();
    match keys.len() > MOST_KEYS {
        true => Type::Map,
        false => Type::Keys(Arc::new(Spec {
            keys,
            ..Spec::default()
        })),
    }
}
