//! Declarations that contradict themselves.

use super::{Given, Key, Literal, Shape, Spec, Type};

impl Given for &Literal {
    fn shape(&self) -> Shape<Self> {
        match self {
            Literal::Unit => Shape::Unit,
            Literal::Bool(value) => Shape::Bool(Some(*value)),
            Literal::Int(value) => Shape::Int(Some(*value)),
            Literal::Float(value) => Shape::Float(Some(*value)),
            Literal::Text(text) => Shape::Text(Some(text.into())),
            Literal::List(items) => Shape::Array(Some(items.iter().collect())),
            Literal::Map(entries) => {
                let entries = entries.iter();
                let entries = entries.map(|(key, value)| (key.as_str().into(), value));
                Shape::Map(Some(entries.collect()), true)
            }
        }
    }
}

/// The reason why no value, or not its own default, fits the declaration of `key`.
pub(super) fn contradiction(key: &Key) -> Option<String> {
    let types = key.ty.alternatives();
    if types.iter().any(has_no_words) {
        return Some("`words` is empty".to_owned());
    }
    let is_amount = |ty: &Type| {
        let amounts = matches!(ty, Type::Int | Type::Float | Type::Size { .. });
        amounts || matches!(ty, Type::Duration | Type::Unknown)
    };
    if (key.min.is_some() || key.max.is_some()) && !types.iter().any(is_amount) {
        return Some("`min` and `max` need a number, a size or a duration as `type`".to_owned());
    }
    if let (Some(min), Some(max)) = (&key.min, &key.max)
        && min.number > max.number
    {
        return Some(format!(
            "`min` ({}) is greater than `max` ({})",
            min.text, max.text
        ));
    }
    let is_text = |ty: &Type| ty.is_text() || *ty == Type::Unknown;
    if key.pattern.is_some() && !types.iter().any(is_text) {
        return Some("`pattern` needs text as `type`".to_owned());
    }
    let default = key.default.as_ref()?;
    if key.required {
        return Some("a required option has no `default`".to_owned());
    }
    let fault = Spec::faults_of_key(key, &default).into_iter().next()?;
    Some(format!("its `default` does not fit: {}", fault.message))
}

fn has_no_words(ty: &Type) -> bool {
    match ty {
        Type::Words(words) => words.list.is_empty(),
        Type::Array(item) => item.alternatives().iter().any(has_no_words),
        _ => false,
    }
}
