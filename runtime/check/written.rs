//! Literal values in a script, also behind variables.

use std::rc::Rc;

use rhai::{Expr, FnPtr, Ident, ImmutableString, Position, Stmt};

use super::walk::Walk;
use crate::spec::{Given, Shape, Type};

/// A map with more keys than this holds data, not options.
const MOST_KEYS: usize = 200;

/// A list with more items than this is not looked into.
const MOST_ITEMS: usize = 1_000;

/// The maximum depth of nested maps and lists that are examined.
const DEEPEST: usize = 16;

/// A value, as far as the script writes it out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    /// Its place.
    pub(super) place: Position,
    /// The place of its key, for a value in a map.
    pub(super) key: Position,
    shape: Shape<Value>,
}

/// The same, shared by all that hold it.
pub(super) type Value = Rc<Written>;

/// The value of a map with its key.
pub(super) type Entry = (ImmutableString, Value);

impl Given for Value {
    fn shape(&self) -> Shape<Self> {
        self.shape.clone()
    }
}

impl Written {
    fn new(place: Position, shape: Shape<Value>) -> Self {
        Self {
            place,
            key: Position::NONE,
            shape,
        }
    }

    /// The entries of a map, and whether these are all.
    pub(super) fn entries(&self) -> Option<(&[Entry], bool)> {
        match &self.shape {
            Shape::Map(Some(entries), complete) => Some((entries, *complete)),
            _ => None,
        }
    }

    /// True if it is certainly not a map.
    pub(super) fn is_not_a_map(&self) -> bool {
        matches!(
            self.shape,
            Shape::Bool(_) | Shape::Int(_) | Shape::Float(_) | Shape::Text(_) | Shape::Array(_)
        )
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Option<&[Value]> {
        match &self.shape {
            Shape::Array(Some(items)) => Some(items),
            _ => None,
        }
    }

    /// The text that it is.
    pub(super) fn text(&self) -> Option<ImmutableString> {
        match &self.shape {
            Shape::Text(text) => text.clone(),
            _ => None,
        }
    }

    fn is_known(&self) -> bool {
        !matches!(self.shape, Shape::Unknown)
    }

    /// The map without its values.
    pub(super) fn keys_only(&self) -> Option<Value> {
        let (entries, complete) = self.entries()?;
        let entries = entries.iter().map(|(key, value)| {
            let value = Self {
                shape: Shape::Unknown,
                ..(**value).clone()
            };
            (key.clone(), Rc::new(value))
        });
        let shape = Shape::Map(Some(entries.collect()), complete);
        Some(Rc::new(Self::new(self.place, shape)))
    }

    /// The map with one more key of unknown value; `None` if it becomes too large for a map of options.
    pub(super) fn with_key(&self, name: &str, position: Position) -> Option<Value> {
        let (entries, complete) = self.entries()?;
        let added = Self {
            key: position,
            ..Self::new(position, Shape::Unknown)
        };
        let known = entries.iter().filter(|(key, _)| key != name).cloned();
        let entries: Vec<Entry> = known.chain([(name.into(), Rc::new(added))]).collect();
        (entries.len() <= MOST_KEYS)
            .then(|| Rc::new(Self::new(self.place, Shape::Map(Some(entries), complete))))
    }
}

impl<'a> Walk<'a> {
    /// The value of `expression`, if something is known of it.
    pub(super) fn value_of(&self, expression: &Expr) -> Option<Value> {
        let written = self.written(expression, true, DEEPEST);
        written.is_known().then(|| Rc::new(written))
    }

    /// Notes the type of an item or an entry, if its expression alone does not show it.
    pub(super) fn note_kind(&mut self, expression: &'a Expr, kind: Option<&Type>) {
        if let Some(kind) = kind
            && matches!(
                expression,
                Expr::FnCall(..) | Expr::Dot(..) | Expr::Index(..) | Expr::And(..) | Expr::Or(..)
            )
        {
            self.kinds
                .insert(std::ptr::from_ref(expression), kind.clone());
        }
    }

    /// The knowledge about `expression`; `in_scope` is true if it sees the variables in scope.
    fn written(&self, expression: &Expr, in_scope: bool, depth: usize) -> Written {
        let place = start(expression);
        let shape = match depth.checked_sub(1) {
            Some(depth) => self.shape(expression, in_scope, depth),
            None => Shape::Unknown,
        };
        Written::new(place, shape)
    }

    fn shape(&self, expression: &Expr, in_scope: bool, depth: usize) -> Shape<Value> {
        match expression {
            Expr::Unit(_) => Shape::Unit,
            Expr::BoolConstant(value, _) => Shape::Bool(Some(*value)),
            Expr::IntegerConstant(value, _) => Shape::Int(Some(*value)),
            Expr::FloatConstant(value, _) => Shape::Float(Some(**value)),
            Expr::StringConstant(text, _) => Shape::Text(Some(text.clone())),
            Expr::InterpolatedString(..) => Shape::Text(None),
            Expr::Array(items, _) if items.len() > MOST_ITEMS => Shape::Array(None),
            Expr::Array(items, _) => {
                let items = items.iter();
                let items = items.map(|item| Rc::new(self.written(item, in_scope, depth)));
                Shape::Array(Some(items.collect()))
            }
            Expr::Map(map, _) => {
                let entry = |(key, value): &(Ident, Expr)| {
                    let value = Written {
                        key: key.pos,
                        ..self.written(value, in_scope, depth)
                    };
                    (key.name.clone(), Rc::new(value))
                };
                Shape::Map(Some(map.0.iter().map(entry).collect()), true)
            }
            Expr::DynamicConstant(value, _) if value.read_lock::<FnPtr>().is_some() => {
                Shape::Function
            }
            Expr::Stmt(block) if matches!(block.statements(), [Stmt::Share(_), ..]) => {
                Shape::Function
            }
            Expr::Variable(variable, ..) if variable.2.is_empty() && in_scope => {
                match self.scope.value(&variable.1) {
                    Some(value) => value.shape.clone(),
                    None => of_kind(self.kind_of_variable(&variable.1).as_ref()),
                }
            }
            Expr::Variable(variable, ..)
                if variable.2.path.len() == 1 && variable.2.root() == "global" =>
            {
                match self.file.global(&variable.1) {
                    Some(value) if self.file.is_constant(&variable.1) => {
                        self.shape(value, false, depth)
                    }
                    _ => Shape::Unknown,
                }
            }
            Expr::FnCall(call, _) if call.op_token.is_some() && call.name == "+" => {
                match &call.args[..] {
                    [base, more] => {
                        let base = self.written(base, in_scope, depth);
                        let more = self.written(more, in_scope, depth);
                        joined(&base.shape, &more.shape)
                            .unwrap_or_else(|| self.noted(expression, in_scope))
                    }
                    _ => Shape::Unknown,
                }
            }
            Expr::Dot(pair, ..) if in_scope => {
                if let (Expr::Variable(variable, ..), Expr::Property(property, _)) =
                    (&pair.lhs, &pair.rhs)
                    && variable.2.is_empty()
                    && let Some(map) = self.scope.value(&variable.1)
                    && let Some((entries, _)) = map.entries()
                    && let Some((_, value)) = entries.iter().find(|(key, _)| *key == property.2)
                    && value.is_known()
                {
                    return value.shape.clone();
                }
                self.noted(expression, in_scope)
            }
            _ => self.noted(expression, in_scope),
        }
    }

    /// The type of `expression` that the walk recorded.
    fn noted(&self, expression: &Expr, in_scope: bool) -> Shape<Value> {
        let kind = self.kinds.get(&std::ptr::from_ref(expression));
        of_kind(kind.filter(|_| in_scope))
    }
}

/// The beginning of `expression`.
fn start(expression: &Expr) -> Position {
    match expression {
        // Its own position is that of the operator.
        Expr::FnCall(call, position) if call.op_token.is_some() => {
            call.args.first().map_or(*position, start)
        }
        other => other.start_position(),
    }
}

/// The sum of two maps, or of a map and a value that must be a map.
fn joined(base: &Shape<Value>, more: &Shape<Value>) -> Option<Shape<Value>> {
    let (base, complete) = match base {
        Shape::Map(Some(entries), complete) => (&entries[..], *complete),
        Shape::Map(None, _) => (&[][..], false),
        // A map that is written out is added to a map.
        Shape::Unknown if matches!(more, Shape::Map(Some(_), _)) => (&[][..], false),
        _ => return None,
    };
    let (more, all) = match more {
        Shape::Map(Some(entries), complete) => (&entries[..], *complete),
        Shape::Map(None, _) => (&[][..], false),
        _ => return None,
    };
    let kept = base.iter().filter(|(key, _)| {
        // The added part may also have the key.
        all && more.iter().all(|(other, _)| other != key)
    });
    let entries: Vec<Entry> = kept.chain(more).cloned().collect();
    Some(match entries.len() <= MOST_KEYS {
        true => Shape::Map(Some(entries), complete && all),
        false => Shape::Map(None, false),
    })
}

/// The knowledge that the type `kind` of a value gives.
fn of_kind<T>(kind: Option<&Type>) -> Shape<T> {
    match kind {
        Some(Type::Unit) => Shape::Unit,
        Some(Type::Bool) => Shape::Bool(None),
        Some(Type::Int) => Shape::Int(None),
        Some(Type::Float) => Shape::Float(None),
        Some(Type::Array(_)) => Shape::Array(None),
        Some(Type::Blob) => Shape::Blob,
        Some(Type::Function) => Shape::Function,
        Some(text) if text.is_text() => Shape::Text(None),
        Some(map) if map.is_map() => Shape::Map(None, false),
        Some(kind) => match kind.object() {
            Some(name) => Shape::Object(name.to_owned()),
            None => Shape::Unknown,
        },
        None => Shape::Unknown,
    }
}
