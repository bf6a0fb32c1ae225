//! The name that a user most likely meant.

/// The one of `names` nearest to `wrong`, if any is near enough to be worth a question.
pub fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = |name: &str| (wrong.len().max(name.len()) / 3).max(1);
    names
        // Names of very different lengths are not near, and their distance takes long to find.
        .filter(|name| wrong.len().abs_diff(name.len()) <= 2 * most(name))
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| *distance <= most(name))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
