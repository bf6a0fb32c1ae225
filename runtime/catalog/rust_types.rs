//! The types of Rust functions as scripts know them.

use crate::spec::Type;
use crate::vocabulary;

/// The type that Rust calls `rust`.
pub(super) fn of_rust(rust: &str) -> Type {
    let name = rust
        .trim()
        .trim_start_matches("&mut ")
        .trim_start_matches('&')
        .trim_start_matches("rhai::");
    let xml = || Type::Object("Xml".into());
    match name {
        "CpuSet" => return Type::one_of([Type::Array(Box::new(Type::Int)), Type::Text]),
        "XmlText" => return Type::one_of([Type::Text, xml()]),
        "OptionalXmlText" => return Type::one_of([Type::Text, xml(), Type::Unit]),
        _ => {}
    }
    let within = |wrapper: &str| {
        let rest = name.strip_prefix(wrapper)?.trim_start().strip_prefix('<')?;
        rest.strip_suffix('>').map(str::trim)
    };
    if let Some(item) = within("ArrayOf") {
        return Type::Array(Box::new(of_rust(item)));
    }
    if let Some(record) = within("RecordOf").or_else(|| within("RecordValueOf")) {
        let spec = vocabulary::record(record).map(|record| Type::Keys(record.spec()));
        return spec.unwrap_or(Type::Map);
    }
    let words = |name: &str| {
        let words = vocabulary::enumeration(name);
        words.map_or(Type::Text, |words| Type::Words(words.declared()))
    };
    if let Some(name) = within("WordOf") {
        return words(name);
    }
    if let Some(name) = within("WordsOf") {
        let one = words(name);
        return Type::one_of([one.clone(), Type::Array(Box::new(one))]);
    }
    Type::of_value(name)
}

/// The type of a function's value, whose Rust type may hold an error beside it.
pub(super) fn of_rust_result(rust: &str) -> Type {
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
        "RhaiResult" => Type::Unknown,
        value => of_rust(value),
    }
}

/// The type of the constant `name` of libvirt's.
pub fn of_constant(name: &str) -> Option<Type> {
    let constant = name
        .starts_with("VIR_")
        .then(|| crate::constants::lookup(name))??;
    Some(Type::of_value(constant.type_name()))
}

#[cfg(test)]
mod tests {
    use super::{of_rust, of_rust_result};
    use crate::spec::Type;

    #[test]
    fn types_are_named_as_scripts_know_them() {
        let domain = || Type::Object("Domain".into());
        for (rust, ty) in [
            ("&mut Domain", domain()),
            ("&str", Type::Text),
            ("i64", Type::Int),
            ("rhai::Map", Type::Map),
            ("Dynamic", Type::Unknown),
            ("FnPtr", Type::Function),
        ] {
            assert_eq!(of_rust(rust), ty, "{rust}");
        }
        for (rust, shown) in [
            ("RhaiResultOf<()>", "()"),
            ("RhaiResultOf<ArrayOf<Domain>>", "array of Domain"),
            ("Result<String, Box<EvalAltResult>>", "string"),
            ("RhaiResultOf<WordOf<DomainState>>", "DomainState"),
            ("RhaiResultOf<ArrayOf<RecordOf<Vcpu>>>", "array of Vcpu"),
            ("OptionalXmlText", "string | Xml | ()"),
            ("WordsOf<DomainGoal>", "DomainGoal | array of DomainGoal"),
            ("RhaiResult", "any"),
        ] {
            assert_eq!(of_rust_result(rust).to_string(), shown, "{rust}");
        }
    }
}
