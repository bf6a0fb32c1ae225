//! The name that a user most likely meant.

/// The longest name with suggestions, in bytes. The work grows with the square of the length.
const LONGEST: usize = 100;

/// The one of `names` nearest to `wrong`, if any is near enough to be worth a question.
pub fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > LONGEST {
        return None;
    }
    let near = |name: &str| (wrong.len().max(name.len()) / 3).max(1);
    names
        // Each letter more or less is a step on the way from one to the other.
        .filter(|name| {
            name.len() <= LONGEST && {
                let (one, other) = (wrong.chars().count(), name.chars().count());
                one.abs_diff(other) <= near(name)
            }
        })
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| *distance <= near(name))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn names_are_suggested_by_their_distance_and_huge_ones_never() {
        let names = ["create", "destroy", "undefine"];
        assert_eq!(nearest("destory", names.into_iter()), Some("destroy"));
        assert_eq!(nearest("something", names.into_iter()), None);
        let huge = "x".repeat(1_000_000);
        let began = std::time::Instant::now();
        assert_eq!(
            nearest(&huge, std::iter::repeat_n(huge.as_str(), 1_000)),
            None
        );
        assert_eq!(
            nearest("x", std::iter::repeat_n(huge.as_str(), 1_000)),
            None
        );
        assert!(began.elapsed().as_secs() < 5);
    }
}
