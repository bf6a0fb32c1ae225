//! What the doc comment of a function says of its options and its result.

/// The name of the declaration of the last parameter, a map of options: `GUEST` of the line `Options: GUEST. Returns:
/// Domain.`
pub fn options_line(docs: &str) -> Option<String> {
    named_in_line(docs, "Options: ")
}

/// The name of the type of the result: `Domain` of that line.
pub fn returns_line(docs: &str) -> Option<String> {
    named_in_line(docs, "Returns: ")
}

fn named_in_line(docs: &str, label: &str) -> Option<String> {
    docs.lines().find_map(|line| {
        let line = line.trim();
        let whole = line.starts_with("Options: ") || line.starts_with("Returns: ");
        let (_, rest) = line.split_once(label).filter(|_| whole)?;
        let name = rest.split(". ").next()?.trim().trim_end_matches('.');
        (!name.is_empty()).then(|| name.to_owned())
    })
}

/// The documentation without that line, which the reference shows in another form.
pub fn without_lines(docs: &str) -> String {
    let is_line = |line: &&str| {
        let line = line.trim();
        line.starts_with("Options: ") || line.starts_with("Returns: ")
    };
    let lines: Vec<&str> = docs.lines().filter(|line| !is_line(line)).collect();
    lines.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{options_line, returns_line, without_lines};

    #[test]
    fn a_doc_comment_names_the_options_and_the_result() {
        let docs = "Boots it.\n\nMore.\n\nOptions: disk::GUEST. Returns: Domain.";
        assert_eq!(options_line(docs).as_deref(), Some("disk::GUEST"));
        assert_eq!(returns_line(docs).as_deref(), Some("Domain"));
        assert_eq!(without_lines(docs), "Boots it.\n\nMore.");
        assert_eq!(
            options_line("Options: Domain.stop. Returns: array.").as_deref(),
            Some("Domain.stop")
        );
        assert_eq!(options_line("Its Options: none."), None);
        assert_eq!(returns_line("Returns: map.").as_deref(), Some("map"));
    }
}
