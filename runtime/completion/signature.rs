//! The overloads of a function.

use crate::catalog::Signature;

/// Puts the ways to call a function in order, the short ones first, each once.
pub(super) fn sort(ways: &mut Vec<Signature>) {
    let order = |way: &Signature| (way.parameters.len(), way.parameters.clone());
    ways.sort_by_cached_key(order);
    ways.dedup_by(|one, other| order(one) == order(other));
}

/// The names of the parameters, without their types.
fn names(way: &Signature) -> impl Iterator<Item = &str> {
    let name = |shown: &String| shown.find(':').unwrap_or(shown.len());
    way.parameters
        .iter()
        .map(move |shown| &shown[..name(shown)])
}

/// The ways to call one function as one short line: `wait(states[, timeout])`.
pub(super) fn together(ways: &[Signature]) -> String {
    let Some(longest) = ways.iter().max_by_key(|way| way.parameters.len()) else {
        return String::new();
    };
    let begins = |way: &Signature| {
        names(way)
            .zip(names(longest))
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
        for (index, name) in names(longest).enumerate() {
            // If some overload ends before this parameter, all following ones can be left out.
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
            |index: usize, name: &str| ways.iter().all(|way| names(way).nth(index) == Some(name));
        for (index, name) in names(longest).enumerate() {
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
