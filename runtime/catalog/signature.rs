//! The signature of a function, in one line.

use super::{Function, RecipeFunction};
use crate::spec::{Type, typed_parameters};

/// One way to call a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: String,
    /// Its parameters as they are shown, without the receiver.
    pub parameters: Vec<String>,
    /// The type of its value; empty for none, and if it depends.
    pub returns: String,
    /// The doc comment.
    pub docs: String,
}

impl Signature {
    /// The signature of a function; with `method`, on its first parameter.
    pub fn of(function: &Function, method: bool) -> Self {
        let parameters = function.parameters.iter().skip(usize::from(method));
        Self {
            name: function.name.clone(),
            parameters: parameters.map(|(name, ty)| ty.of_parameter(name)).collect(),
            returns: result(&function.returns),
            docs: function.docs_with_keys(),
        }
    }

    /// The form in which a script calls `function`: on a value, `value.name`, or as a free function.
    pub fn as_called(function: &Function) -> String {
        let method = function.is_on_object();
        let on = match function.parameters.first() {
            Some((receiver, _)) if method || function.property => format!("{receiver}."),
            _ => String::new(),
        };
        let way = Self::of(function, method || function.property);
        match function.property {
            true if way.returns.is_empty() => format!("{on}{}", way.name),
            true => format!("{on}{}: {}", way.name, way.returns),
            false => format!("{on}{way}"),
        }
    }

    /// The signature of a function of a module.
    pub fn of_recipe(function: &RecipeFunction) -> Self {
        Self {
            name: function.name.clone(),
            parameters: typed_parameters(&function.parameters, &function.takes),
            returns: result(&function.returns),
            docs: function.docs.clone(),
        }
    }
}

/// The type of a value as it is shown.
fn result(ty: &Type) -> String {
    match ty {
        Type::Unit | Type::Unknown => String::new(),
        ty => ty.to_string(),
    }
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}({})", self.name, self.parameters.join(", "))?;
        if !self.returns.is_empty() {
            write!(f, " -> {}", self.returns)?;
        }
        Ok(())
    }
}

/// The first sentence of a doc comment, in one line.
pub fn first_sentence(docs: &str) -> String {
    let paragraph: Vec<&str> = docs.lines().take_while(|line| !line.is_empty()).collect();
    let text = paragraph.join(" ");
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::first_sentence;

    #[test]
    fn a_first_sentence_may_go_over_lines() {
        assert_eq!(
            first_sentence("Boots\nthis. And more.\n\nAnd more."),
            "Boots this."
        );
        assert_eq!(first_sentence("Boots `a.b`"), "Boots `a.b`");
        assert_eq!(first_sentence(""), "");
    }
}
