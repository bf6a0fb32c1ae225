//! Types by the names that scripts know.

/// A Rust type as scripts know it; `?` for any.
pub(super) fn plain_type(rust: &str) -> String {
    let kind = rust
        .trim()
        .trim_start_matches("&mut ")
        .trim_start_matches('&')
        .trim_start_matches("rhai::");
    match kind {
        "str" | "String" | "ImmutableString" | "&str" => "string",
        "i64" | "INT" => "int",
        "f64" | "FLOAT" => "float",
        "Map" => "map",
        "Array" => "array",
        "Blob" => "blob",
        "Dynamic" | "" | "_" => "?",
        "XmlText" => "string | Xml",
        "OptionalXmlText" => "string | Xml | ()",
        "FnPtr" => "Fn",
        other => {
            let within = |name: &str| {
                let rest = other.strip_prefix(name)?.trim_start().strip_prefix('<')?;
                rest.strip_suffix('>').map(str::trim)
            };
            if let Some(element) = within("ArrayOf") {
                return format!("array of {}", plain_type(element));
            }
            if let Some(record) = within("RecordOf").or_else(|| within("RecordValueOf")) {
                return format!("map of {record}");
            }
            if let Some(words) = within("WordOf") {
                return format!("string of {words}");
            }
            if let Some(words) = within("WordsOf") {
                return format!("string of {words} | array");
            }
            return other.to_owned();
        }
    }
    .to_owned()
}

/// The type of what a value of the type `kind` holds, where that is known.
pub fn element(kind: &str) -> Option<&str> {
    match kind {
        "string" => Some("char"),
        "blob" | "ExclusiveRange" | "InclusiveRange" => Some("int"),
        _ => kind.strip_prefix("array of "),
    }
}

/// The type `kind` without what it holds, as functions ask for it.
pub fn without_element(kind: &str) -> &str {
    match kind.split_once(" of ") {
        Some((kind, _)) => kind,
        None => kind,
    }
}

/// The type of a function's value, whose Rust type may hold an error beside it.
pub(super) fn plain_result(rust: &str) -> String {
    let rust = rust.trim();
    let value = ["RhaiResultOf<", "Result<"]
        .iter()
        .find_map(|begin| rust.strip_prefix(begin))
        .map_or(rust, |rest| {
            let rest = rest.strip_suffix('>').unwrap_or(rest);
            rest.split_once(", Box<EvalAltResult")
                .map_or(rest, |(value, _)| value)
        });
    match value {
        "RhaiResult" => "?".into(),
        value => plain_type(value),
    }
}

/// Whether `kind` is a type of libvirt's or virhai's, whose functions are its methods.
pub fn is_own_kind(kind: &str) -> bool {
    kind != "Fn" && kind.starts_with(|letter: char| letter.is_uppercase())
}

#[cfg(test)]
mod tests {
    use super::{element, plain_result, plain_type};

    #[test]
    fn types_are_named_as_scripts_know_them() {
        assert_eq!(plain_type("&mut Domain"), "Domain");
        assert_eq!(plain_type("&str"), "string");
        assert_eq!(plain_result("RhaiResultOf<()>"), "()");
        assert_eq!(
            plain_result("RhaiResultOf<ArrayOf<Domain>>"),
            "array of Domain"
        );
        assert_eq!(plain_result("Result<String, Box<EvalAltResult>>"), "string");
        assert_eq!(element("array of array of Domain"), Some("array of Domain"));
        assert_eq!(element("map"), None);
    }
}
