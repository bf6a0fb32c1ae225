//! The order of names that people expect: numbers in them count as numbers, so that `web-2` comes before `web-10`.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

/// Compares two names without regard to the case of letters, unless they are equal otherwise.
pub fn compare(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one.chars().peekable(), other.chars().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return one.cmp(other),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(other)) if one.is_ascii_digit() && other.is_ascii_digit() => {
                let (one, other) = (number(&mut left), number(&mut right));
                one.len().cmp(&other.len()).then_with(|| one.cmp(&other))
            }
            (Some(one), Some(other)) => {
                let order = one.to_lowercase().cmp(other.to_lowercase());
                left.next();
                right.next();
                order
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Sorts objects of a host by their names.
pub(crate) fn sort<T, E>(objects: &mut [T], name: impl Fn(&T) -> Result<String, E>) {
    objects.sort_by_cached_key(|object| ByName(name(object).unwrap_or_default()));
}

/// A name to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ByName(pub(crate) String);

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

/// The digits of a number without the zeros before it.
fn number(letters: &mut Peekable<Chars>) -> String {
    let mut digits = String::new();
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        if digit != '0' || !digits.is_empty() {
            digits.push(digit);
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = vec![
            "web-10", "db", "web-2", "Alpha", "web", "web-02", "nc-100", "nc-9", "web-2a",
        ];
        names.sort_by(|one, other| compare(one, other));
        assert_eq!(
            names,
            [
                "Alpha", "db", "nc-9", "nc-100", "web", "web-02", "web-2", "web-2a", "web-10"
            ]
        );
    }
}
