//! Doc comments without their slashes.

use std::ops::Range;

/// The text of the doc comments `comments`, without their slashes.
pub(crate) fn plain_docs(comments: &[impl AsRef<str>]) -> String {
    comments
        .iter()
        .flat_map(|comment| comment.as_ref().lines())
        .map(|line| line.trim_start().trim_start_matches("///"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The lines with `///` in the bytes `within` of `text`: each without its slashes, after the byte where it begins.
pub(crate) fn lines(text: &str, within: Range<usize>) -> impl Iterator<Item = (usize, &str)> {
    let mut end = within.start;
    text[within].split_inclusive('\n').filter_map(move |whole| {
        end += whole.len();
        let line = whole.trim_start().strip_prefix("///")?;
        Some((end - line.len(), line))
    })
}

/// True if Rhai takes `comment` as the documentation of the function after it.
pub(super) fn is_of_function(comment: &str) -> bool {
    let is = |begin: &str, longer: &str| comment.starts_with(begin) && !comment.starts_with(longer);
    is("///", "////") || is("/**", "/***")
}

/// The text of `comment`, if it documents the file.
pub(super) fn of_file(comment: &str) -> Option<&str> {
    let line = comment.strip_prefix("//!")?;
    Some(line.strip_prefix(' ').unwrap_or(line))
}
