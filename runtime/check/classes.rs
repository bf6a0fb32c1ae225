//! Classes of types: values of different classes are never equal.

use super::phrases::with_article;
use crate::spec::Type;

/// The class of types that a type can be compared with.
pub(super) fn class(ty: &Type) -> Option<&str> {
    match ty {
        Type::Int | Type::Float => Some("number"),
        Type::Char => Some("text"),
        Type::Bool => Some("bool"),
        Type::Array(_) => Some("list"),
        text if text.is_text() => Some("text"),
        map if map.is_map() => Some("map"),
        Type::OneOf(types) => {
            let mut classes = types.iter().filter(|ty| **ty != Type::Unit).map(class);
            let first = classes.next()?;
            first.filter(|_| classes.all(|other| other == first))
        }
        other => other.object(),
    }
}

/// A type as a comparison sees it, for messages.
pub(super) fn named_class(ty: &Type) -> String {
    match class(ty) {
        Some("number") => "a number".into(),
        Some("bool") => "a bool".into(),
        Some("list") => "a list".into(),
        Some("map") => "a map".into(),
        Some("text") | None => "text".into(),
        Some(object) => with_article(object),
    }
}

/// The items of a list, as a comparison sees them, for messages.
pub(super) fn of_class(ty: &Type) -> String {
    match class(ty) {
        Some("number") => "numbers".into(),
        Some("bool") => "bools".into(),
        Some("list") => "lists".into(),
        Some("map") => "maps".into(),
        Some("text") | None => "texts".into(),
        Some(object) => format!("of type {object}"),
    }
}
