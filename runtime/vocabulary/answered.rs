//! Distinguishes words that a call returned from text that a script made.

use std::collections::HashMap;
use std::sync::LazyLock;

use rhai::ImmutableString;

use super::{Enumeration, words};

/// Every word of libvirt's with its enumeration, by the word's address: copies of a word share its memory, and each
/// enumeration has words of its own.
static ANSWERED: LazyLock<HashMap<usize, &Enumeration>> = LazyLock::new(|| {
    let mut answered = HashMap::new();
    for table in words::ALL {
        for word in table.of_libvirt.iter().flat_map(|words| words.all()) {
            if !word.is_empty() {
                answered.insert(address(word), *table);
            }
        }
    }
    answered
});

fn address(text: &ImmutableString) -> usize {
    text.as_str().as_ptr() as usize
}

/// The enumeration that `text` comes from, if a call answered it; nothing for the same text written in a script.
pub(crate) fn of_answer(text: &ImmutableString) -> Option<&'static Enumeration> {
    ANSWERED.get(&address(text)).copied()
}

/// True if `text` is not a word of any enumeration, but near to one.
pub(crate) fn is_nearly_a_word(text: &str) -> bool {
    let tables = || words::ALL.iter().map(|table| table.declared());
    // Most texts in scripts are exact words: this check is faster than a search for similar words.
    !tables().any(|words| words.has(text)) && tables().any(|words| words.near(text).is_some())
}

#[cfg(test)]
mod tests {
    use rhai::ImmutableString;

    use super::{is_nearly_a_word, of_answer};
    use crate::vocabulary::{DomainState, PoolState};

    #[test]
    fn a_word_from_a_call_is_recognized_and_equal_text_is_not() {
        let running = DomainState::TABLE.word(1);
        assert_eq!(running.as_str(), "running");
        let table = of_answer(&running.clone()).expect("a call answered it");
        assert_eq!(table.name, "DomainState");
        let pool = of_answer(&PoolState::TABLE.word(2)).expect("a call answered it");
        assert_eq!(pool.name, "PoolState");
        assert!(of_answer(&ImmutableString::from("running")).is_none());
        assert!(of_answer(&DomainState::TABLE.word(99)).is_none());
    }

    #[test]
    fn only_mistyped_words_are_near_a_word() {
        for (text, near) in [
            ("runing", true),
            ("shutof", true),
            ("running", false),
            ("undefined", false),
            ("web", false),
            ("", false),
        ] {
            assert_eq!(is_nearly_a_word(text), near, "{text}");
        }
    }
}
