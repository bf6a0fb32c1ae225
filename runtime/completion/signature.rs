//! How a function is called, in one line.

use crate::catalog::{Function, RecipeFunction};

/// One way to call a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: String,
    /// Its parameters as they are shown, without the receiver.
    pub parameters: Vec<String>,
    /// The type of its value; empty for none, and where it depends.
    pub returns: String,
    /// The doc comment.
    pub docs: String,
}

impl Signature {
    /// How a function is called, `method` where it is so on its first parameter.
    pub fn of(function: &Function, method: bool) -> Self {
        let parameters = function.parameters.iter().skip(usize::from(method));
        Self {
            name: function.name.clone(),
            parameters: parameters
                .map(|(name, kind)| match kind.as_str() {
                    "?" => name.clone(),
                    kind => format!("{name}: {kind}"),
                })
                .collect(),
            returns: match function.returns.as_str() {
                "()" | "?" => String::new(),
                kind => kind.to_owned(),
            },
            docs: function.docs.clone(),
        }
    }

    /// How a function of a module is called.
    pub fn of_recipe(function: &RecipeFunction) -> Self {
        Self {
            name: function.name.clone(),
            parameters: function.parameters.clone(),
            returns: String::new(),
            docs: function.docs.clone(),
        }
    }

    /// The documentation's first sentence, or as much of it as stands in its first line.
    pub fn summary(&self) -> &str {
        summary(&self.docs)
    }

    /// The names of the parameters.
    fn names(&self) -> impl Iterator<Item = &str> {
        let name = |shown: &String| shown.find(':').unwrap_or(shown.len());
        self.parameters
            .iter()
            .map(move |shown| &shown[..name(shown)])
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

/// The first line of a doc comment.
pub(super) fn summary(docs: &str) -> &str {
    docs.lines().next().unwrap_or_default()
}

/// Puts the ways to call a function in order, the short ones first, each once.
pub(super) fn sort(ways: &mut Vec<Signature>) {
    let order = |way: &Signature| (way.parameters.len(), way.parameters.clone());
    ways.sort_by_cached_key(order);
    ways.dedup_by(|one, other| order(one) == order(other));
}

/// The ways to call one function as one short line: `wait(states[, timeout])`.
pub(super) fn together(ways: &[Signature]) -> String {
    let Some(longest) = ways.iter().max_by_key(|way| way.parameters.len()) else {
        return String::new();
    };
    let begins = |way: &Signature| {
        way.names()
            .zip(longest.names())
            .all(|(one, other)| one == other)
    };
    let returns: Vec<&str> = ways.iter().map(|way| way.returns.as_str()).collect();
    let returns = match returns[..] {
        [first, ..] if !first.is_empty() && returns.iter().all(|other| *other == first) => {
            format!(" -> {first}")
        }
        _ => String::new(),
    };
    let least = ways
        .iter()
        .map(|way| way.parameters.len())
        .min()
        .unwrap_or_default();
    let mut shown = String::new();
    if ways.iter().all(begins) {
        let mut optional = 0;
        for (index, name) in longest.names().enumerate() {
            // Where a call may end before this parameter, all from here on can be left out.
            if ways.iter().any(|way| way.parameters.len() == index) && index >= least {
                shown.push('[');
                optional += 1;
            }
            shown.push_str(if index > 0 { ", " } else { "" });
            shown.push_str(name);
        }
        shown.push_str(&"]".repeat(optional));
    } else {
        let same =
            |index: usize, name: &str| ways.iter().all(|way| way.names().nth(index) == Some(name));
        for (index, name) in longest.names().enumerate() {
            if !same(index, name) {
                break;
            }
            shown.push_str(name);
            shown.push_str(", ");
        }
        shown.push('…');
    }
    format!("{}({shown}){returns}", longest.name)
}

#[cfg(test)]
mod tests {
    use super::{Signature, together};

    fn way(parameters: &[&str], returns: &str) -> Signature {
        Signature {
            name: "f".into(),
            parameters: parameters.iter().map(|name| (*name).to_owned()).collect(),
            returns: returns.into(),
            docs: String::new(),
        }
    }

    #[test]
    fn the_ways_to_call_a_function_are_shown_in_one() {
        for (ways, shown) in [
            (vec![way(&[], "int")], "f() -> int"),
            (vec![way(&["a: int"], ""), way(&[], "")], "f([a])"),
            (
                vec![
                    way(&["a"], "x"),
                    way(&["a", "b"], "x"),
                    way(&["a", "b", "c"], "x"),
                ],
                "f(a[, b[, c]]) -> x",
            ),
            (
                vec![way(&["a", "b"], "x"), way(&["a", "c", "d"], "y")],
                "f(a, …)",
            ),
            (vec![way(&[], "int"), way(&["a"], "array")], "f([a])"),
        ] {
            assert_eq!(together(&ways), shown);
        }
    }
}
