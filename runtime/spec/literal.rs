//! Constant values as scripts write them.

use std::fmt;

use rhai::{Array, Dynamic, Expr, ImmutableString, Map};

/// A value that is written out. The keys of a map keep their order, which Rhai's own maps do not.
#[derive(Debug, Clone)]
pub enum Literal {
    /// `()`.
    Unit,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Literal>),
    /// A map.
    Map(Vec<(String, Literal)>),
}

impl Literal {
    /// The value of `expression`, if all of it is written out.
    pub fn of_expression(expression: &Expr) -> Option<Self> {
        Some(match expression {
            Expr::Unit(_) => Self::Unit,
            Expr::BoolConstant(value, _) => Self::Bool(*value),
            Expr::IntegerConstant(value, _) => Self::Int(*value),
            Expr::FloatConstant(value, _) => Self::Float(**value),
            Expr::StringConstant(text, _) => Self::Text(text.to_string()),
            Expr::Array(items, _) => Self::List(
                items
                    .iter()
                    .map(Self::of_expression)
                    .collect::<Option<_>>()?,
            ),
            Expr::Map(map, _) => {
                let entry = |(key, value): &(rhai::Ident, Expr)| {
                    Some((key.name.to_string(), Self::of_expression(value)?))
                };
                Self::Map(map.0.iter().map(entry).collect::<Option<_>>()?)
            }
            Expr::DynamicConstant(value, _) => return Self::of_value(value),
            _ => return None,
        })
    }

    /// `value`, if it is such as can be written out.
    pub fn of_value(value: &Dynamic) -> Option<Self> {
        if value.is_unit() {
            return Some(Self::Unit);
        }
        if let Ok(value) = value.as_bool() {
            return Some(Self::Bool(value));
        }
        if let Ok(value) = value.as_int() {
            return Some(Self::Int(value));
        }
        if let Ok(value) = value.as_float() {
            return Some(Self::Float(value));
        }
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return Some(Self::Text(text.to_string()));
        }
        if let Some(list) = value.read_lock::<Array>() {
            return Some(Self::List(
                list.iter().map(Self::of_value).collect::<Option<_>>()?,
            ));
        }
        Self::of_map(&*value.read_lock::<Map>()?)
    }

    /// `map`, if its values are such as can be written out.
    pub fn of_map(map: &Map) -> Option<Self> {
        let entry =
            |(key, value): (&rhai::Identifier, _)| Some((key.to_string(), Self::of_value(value)?));
        Some(Self::Map(map.iter().map(entry).collect::<Option<_>>()?))
    }

    /// The value as scripts have it.
    pub fn value(&self) -> Dynamic {
        match self {
            Self::Unit => Dynamic::UNIT,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Text(text) => text.clone().into(),
            Self::List(items) => items.iter().map(Self::value).collect::<Array>().into(),
            Self::Map(entries) => {
                let entries = entries.iter();
                let map: Map = entries
                    .map(|(key, value)| (key.as_str().into(), value.value()))
                    .collect();
                map.into()
            }
        }
    }

    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($rust:ty: |$value:ident| $literal:expr;)*) => {
        $(impl From<$rust> for Literal {
            fn from($value: $rust) -> Self {
                $literal
            }
        })*
    };
}

from! {
    bool: |value| Self::Bool(value);
    i32: |value| Self::Int(value.into());
    &str: |text| Self::Text(text.to_owned());
}

/// Maps are equal whatever the order of their keys.
impl PartialEq for Literal {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unit, Self::Unit) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Int(one), Self::Int(other)) => one == other,
            (Self::Float(one), Self::Float(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::List(one), Self::List(other)) => one == other,
            (Self::Map(one), Self::Map(other)) => {
                one.len() == other.len()
                    && one.iter().all(|(key, value)| {
                        let found = other.iter().find(|(name, _)| name == key);
                        found.is_some_and(|(_, other)| value == other)
                    })
            }
            _ => false,
        }
    }
}

/// As a script writes it.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Unit => f.write_str("()"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Map(entries) if entries.is_empty() => f.write_str("#{}"),
            Self::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{key}: {value}"))
                    .collect();
                write!(f, "#{{ {} }}", entries.join(", "))
            }
        }
    }
}
