//! The name that a user most likely meant.

/// The longest name with suggestions, in bytes. The work grows with the square of the length.
const LONGEST: usize = 100;

/// The one of `names` nearest to `wrong`, if any is near enough to be worth a question.
pub fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > LONGEST {
        return None;
    }
    // For one or two letters, every other name of that length would be near.
    let near = |name: &str| wrong.len().max(name.len()) / 3;
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

/// The one of `words` that `text` certainly misspells, where other texts are possible as well. Text that differs only in its
/// digits, or that begins another one, is another word: `armv6l`, `e1000`.
pub fn misspelled<'a>(text: &str, mut words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "");
    words.find(|word| {
        let longest = text.len().max(word.len());
        let may_be = longest <= LONGEST
            && letters(text) != letters(word)
            && !word.starts_with(text)
            && !text.starts_with(word);
        may_be && strsim::damerau_levenshtein(text, word) <= longest / 4
    })
}

/// The one of `names` nearest to the name `wrong`: it has as many words, each near to the one in its place, or the same
/// letters without the underscores. A name with another word in it is another name, however few letters differ.
pub fn nearest_name<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > LONGEST {
        return None;
    }
    let joined = wrong.replace('_', "");
    let distance = |name: &str| -> Option<usize> {
        if name.len() <= LONGEST && name.replace('_', "") == joined {
            return Some(0);
        }
        let (words, own) = (wrong.split('_'), name.split('_'));
        if words.clone().count() != own.clone().count() {
            return None;
        }
        let near = |(word, own): (&str, &str)| {
            (word == own).then_some(0).or_else(|| {
                let near = nearest(word, std::iter::once(own))?;
                Some(strsim::damerau_levenshtein(word, near))
            })
        };
        words.zip(own).map(near).sum()
    };
    names
        .filter_map(|name| Some((distance(name)?, name)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Words that names of other programs add to those of scripts.
const FILLERS: &[&str] = &["get", "find", "fetch", "domain", "guest", "vm"];

/// The one of `names` with the fewest words that has all words of `wrong`, in any order; `wrong` must have two words.
pub fn with_words_of<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > LONGEST || !wrong.contains('_') {
        return None;
    }
    let words = wrong.split('_').map(|word| match word {
        "volume" => "vol",
        word => word,
    });
    let words: Vec<&str> = words.filter(|word| !FILLERS.contains(word)).collect();
    let has_all = |name: &&str| {
        words
            .iter()
            .all(|word| name.split('_').any(|own| own == *word))
    };
    names
        .filter(|name| !words.is_empty() && has_all(name))
        .min_by_key(|name| (name.split('_').count(), *name))
}

/// The hint for a text that is not one of `words`: the nearest of them, or all, which are called `what`.
pub fn word_hint(wrong: &str, what: &str, words: &[&str]) -> String {
    match nearest(wrong, words.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("the {what} are {}", words.join(", ")),
    }
}

/// The length of the shortest beginning of a key that stands for the key, in bytes.
const SHORTEST_BEGINNING: usize = 3;

/// The one of `keys` that was most likely meant by `wrong`: the nearest, one that is `wrong` with its unit, or one that begins
/// with `wrong`.
pub fn nearest_key<'a>(wrong: &str, keys: &[&'a str]) -> Option<&'a str> {
    let longer = || {
        let begins = |key: &&&str| {
            let is_long = wrong.len() >= SHORTEST_BEGINNING;
            key.strip_prefix(wrong)
                .is_some_and(|rest| is_long || rest.starts_with('_'))
        };
        let ends = |key: &&&str| {
            key.strip_suffix(wrong)
                .is_some_and(|rest| rest.ends_with('_'))
        };
        keys.iter()
            .filter(begins)
            .min_by_key(|key| key.len())
            .or_else(|| keys.iter().find(ends))
            .copied()
    };
    nearest(wrong, keys.iter().copied()).or_else(longer)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_text_misspells_a_word_unless_it_is_another_one() {
        let words = [
            "host-passthrough",
            "maximum",
            "virtio",
            "e1000",
            "armv7l",
            "ppc64le",
            "qcow2",
            "vdi",
        ];
        let meant = |text| super::misspelled(text, words.into_iter());
        assert_eq!(meant("host-passthru"), Some("host-passthrough"));
        assert_eq!(meant("virtoi"), Some("virtio"));
        assert_eq!(meant("ppc64el"), Some("ppc64le"));
        for other in [
            "armv6l",
            "ppc64",
            "qcow",
            "vhd",
            "e1000e",
            "virtio-net",
            "max",
            "Nehalem",
            "",
        ] {
            assert_eq!(meant(other), None, "{other}");
        }
    }

    use super::{nearest, nearest_key, nearest_name, with_words_of};

    #[test]
    fn a_name_is_near_if_each_of_its_words_is() {
        let names = [
            "get_time",
            "list_all_domains",
            "list_caps",
            "lookup_by_name",
            "reset",
        ];
        for (wrong, meant) in [
            ("list_all_domain", Some("list_all_domains")),
            ("listalldomains", Some("list_all_domains")),
            ("lokup_by_nmae", Some("lookup_by_name")),
            ("get_size", None),
            ("list_vms", None),
            ("rest", Some("reset")),
        ] {
            assert_eq!(nearest_name(wrong, names.into_iter()), meant, "{wrong}");
        }
    }

    #[test]
    fn a_name_with_all_words_is_suggested_in_any_order() {
        let names = [
            "list_all_domains",
            "lookup_by_name",
            "num_of_domains",
            "storage_pool_lookup_by_name",
            "storage_vol_lookup_by_path",
        ];
        for (wrong, meant) in [
            ("lookup_pool_by_name", Some("storage_pool_lookup_by_name")),
            ("get_domain_by_name", Some("lookup_by_name")),
            ("get_domains", Some("list_all_domains")),
            ("lookup_volume_by_path", Some("storage_vol_lookup_by_path")),
            ("get_domain", None),
            ("domains", None),
            ("lookup_by_id", None),
        ] {
            assert_eq!(with_words_of(wrong, names.into_iter()), meant, "{wrong}");
        }
    }

    #[test]
    fn a_key_without_its_unit_is_suggested_with_it() {
        let keys = ["cpu_time_ns", "max_memory_kib", "memory_kib", "state"];
        assert_eq!(nearest_key("memory", &keys), Some("memory_kib"));
        assert_eq!(nearest_key("time_ns", &keys), Some("cpu_time_ns"));
        assert_eq!(nearest_key("stat", &keys), Some("state"));
        assert_eq!(nearest_key("mem", &keys), Some("memory_kib"));
        assert_eq!(nearest_key("me", &keys), None);
        assert_eq!(nearest_key("disks", &keys), None);
    }

    #[test]
    fn names_are_suggested_by_their_distance_and_huge_ones_never() {
        let names = ["create", "destroy", "undefine"];
        assert_eq!(nearest("destory", names.into_iter()), Some("destroy"));
        assert_eq!(nearest("something", names.into_iter()), None);
        assert_eq!(nearest("d", ["s", "dom"].into_iter()), None);
        assert_eq!(nearest("g", ["-", "+"].into_iter()), None);
        assert_eq!(nearest("vm", ["vms"].into_iter()), Some("vms"));
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
