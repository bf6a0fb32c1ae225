//! Search for a word that is not a name: the entries with the word in their name or first sentence.

use std::fmt::Write;

use super::{Entry, Part, RECIPES, Reference};
use crate::catalog::{Catalog, first_sentence};

/// The most entries that are listed.
const MOST: usize = 24;

/// The rank of an entry; the first is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Its name begins with the word.
    Begins,
    /// The word is a part of its name.
    Contains,
    /// The word is in its first sentence.
    Tells,
}

/// The entries that `word` may mean, a line each. Nothing if there is none.
pub(super) fn found(catalog: &Catalog, reference: &Reference, word: &str) -> Option<String> {
    let word = word.to_lowercase();
    if word.chars().count() < 3
        || !word
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
    {
        return None;
    }
    let mut entries: Vec<(Rank, &Part, &Entry)> = Vec::new();
    for part in reference.parts.iter().filter(|part| is_of_functions(part)) {
        for entry in &part.entries {
            if let Some(rank) = rank(entry, &word)
                && !is_of_the_language(catalog, part, entry)
            {
                entries.push((rank, part, entry));
            }
        }
    }
    if entries.is_empty() {
        return None;
    }
    entries.sort_by_key(|(rank, part, entry)| (*rank, part.group == RECIPES, entry.name.len()));
    let count = entries.len();
    let mut text = format!("no name is exactly `{word}`; it is part of\n");
    for (_, part, entry) in entries.into_iter().take(MOST) {
        let Some((signature, docs)) = entry.ways.first() else {
            continue;
        };
        let place = match part.group {
            RECIPES => format!("{}: ", part.name),
            _ => String::new(),
        };
        let _ = write!(
            text,
            "\n  {place}{signature}\n      {}",
            first_sentence(docs)
        );
    }
    if count > MOST {
        let _ = write!(text, "\n\nand {} more", count - MOST);
    }
    Some(text)
}

fn is_of_functions(part: &Part) -> bool {
    ["Functions", "Types", RECIPES].contains(&part.group)
}

fn is_of_the_language(catalog: &Catalog, part: &Part, entry: &Entry) -> bool {
    part.group != RECIPES && catalog.named(&entry.name).all(|function| function.standard)
}

fn rank(entry: &Entry, word: &str) -> Option<Rank> {
    let mut parts = entry.name.split('_');
    if entry.name.starts_with(word) {
        return Some(Rank::Begins);
    }
    if parts.any(|part| part == word) || word.contains('_') && entry.name.contains(word) {
        return Some(Rank::Contains);
    }
    let (_, docs) = entry.ways.first()?;
    let sentence = first_sentence(docs).to_lowercase();
    let mut words = sentence.split(|letter: char| !letter.is_alphanumeric());
    words.any(|part| part == word).then_some(Rank::Tells)
}
