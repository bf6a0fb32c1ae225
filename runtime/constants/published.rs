//! What libvirt publishes of its names: a sentence for each constant, and the names of its functions.
//!
//! `published.txt` is derived from `libvirt-api.xml`; a test compares the two, and writes the file anew for `UPDATE=1`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A line for each name: the name, a tab, and libvirt's sentence, which a function has not.
const TEXT: &str = include_str!("published.txt");

static SENTENCES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = TEXT.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('\t')).collect()
});

/// What libvirt says of the constant `name`, if it says anything.
pub fn sentence(name: &str) -> Option<&'static str> {
    SENTENCES
        .get(name)
        .copied()
        .filter(|sentence| !sentence.is_empty())
}

/// Whether libvirt has a function or a constant called `name`.
pub fn is_published(name: &str) -> bool {
    SENTENCES.contains_key(name)
}
