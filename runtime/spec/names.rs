//! Nouns for specs in messages.

/// The noun for the constant `name`, with an article: "a disk", "a NIC", "an image".
pub fn noun(name: &str) -> String {
    let Some(first) = name.chars().next() else {
        return String::new();
    };
    // A plural, such as OPTIONS, does not name a single thing, and the name of a declaration in
    // Rust is not a noun.
    let plural = name.ends_with('S') && !name.ends_with("SS");
    if plural || name.contains(|letter: char| letter.is_ascii_lowercase()) {
        return String::new();
    }
    let words = match name.len() <= 3 {
        true => name.to_owned(),
        false => name.to_lowercase().replace('_', " "),
    };
    // Acronyms that are read letter by letter.
    let article = match first {
        _ if name == "RNG" => "an",
        'A' | 'E' | 'I' | 'O' => "an",
        _ => "a",
    };
    format!("{article} {words}")
}

#[cfg(test)]
mod tests {
    use super::noun;

    #[test]
    fn names_of_constants_become_nouns() {
        for (name, words) in [
            ("DISK", "a disk"),
            ("NIC", "a NIC"),
            ("IMAGE", "an image"),
            ("RNG", "an RNG"),
            ("RESTORE_POINT", "a restore point"),
            ("OPTIONS", ""),
            ("StopOptions", ""),
            ("ADDRESS", "an address"),
            ("", ""),
        ] {
            assert_eq!(noun(name), words);
        }
    }
}
