//! The options and the result that the doc comment of a function names.

use std::sync::Arc;

use super::{Spec, Type};

/// The name of the declaration of the last parameter, a map of options: `GUEST` of the line `Options: GUEST. Returns:
/// Domain.`
pub fn options_line(docs: &str) -> Option<String> {
    named_in_line(docs, "Options: ")
}

/// The name of the type of the result: `Domain` of that line.
pub fn returns_line(docs: &str) -> Option<String> {
    named_in_line(docs, "Returns: ")
}

/// The type of a function's result, from its doc comment: `Domain`, `array of StorageVol`,
/// `Domain or ()`, or the name of a constant that declares the keys of a map, which `declared` finds.
pub fn result(docs: &str, declared: &dyn Fn(&str) -> Option<Arc<Spec>>) -> Type {
    let Some(line) = returns_line(docs) else {
        return Type::Unknown;
    };
    let one = |name: &str| {
        let item = name.strip_prefix("array of ");
        let name = item.unwrap_or(name).trim();
        let named = Type::named(name, "");
        let ty = named
            .or_else(|| declared(name).map(Type::Keys))
            .unwrap_or(Type::Unknown);
        match item {
            Some(_) => Type::Array(Box::new(ty)),
            None => ty,
        }
    };
    let types: Vec<Type> = line.split(" or ").map(one).collect();
    match types.contains(&Type::Unknown) {
        true => Type::Unknown,
        false => Type::one_of(types),
    }
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
    use super::{Type, options_line, result, returns_line, without_lines};

    #[test]
    fn a_doc_comment_names_the_options_and_the_result() {
        let docs = "Boots it.\n\nMore.\n\nOptions: disk::GUEST. Returns: Domain.";
        assert_eq!(options_line(docs).as_deref(), Some("disk::GUEST"));
        assert_eq!(returns_line(docs).as_deref(), Some("Domain"));
        assert_eq!(without_lines(docs), "Boots it.\n\nMore.");
        assert_eq!(
            options_line("Options: StopOptions. Returns: array.").as_deref(),
            Some("StopOptions")
        );
        assert_eq!(options_line("Its Options: none."), None);
        assert_eq!(returns_line("Returns: map.").as_deref(), Some("map"));
        for (line, shown) in [
            ("Returns: Domain.", "Domain"),
            (
                "Options: GUEST. Returns: array of StorageVol.",
                "array of StorageVol",
            ),
            ("Returns: Domain or ().", "Domain | ()"),
            ("Returns: UNKNOWN.", "any"),
            ("Returns it.", "any"),
        ] {
            assert_eq!(result(line, &|_| None).to_string(), shown, "{line}");
        }
        assert_eq!(result("Returns: map.", &|_| None), Type::Map);
    }
}
