//! The types of Rust functions as scripts know them.

use crate::api;
use crate::spec::Type;
use crate::vocabulary::{self, Role};

/// The type that Rust calls `rust`.
pub(super) fn of_rust(rust: &str) -> Type {
    let name = rust
        .trim()
        .trim_start_matches("&mut ")
        .trim_start_matches('&')
        .trim_start_matches("rhai::");
    let xml = || Type::Object("Xml".into());
    let size = |unit: &str| Type::Size { unit: unit.into() };
    match name {
        "CpuSet" => return Type::one_of([Type::Array(Box::new(Type::Int)), Type::Text]),
        "EventFilterValue" => {
            let filter = api::declared(Role::Options, "EventFilter").map(|it| it.spec());
            let one = Type::one_of([Type::Text].into_iter().chain(filter.map(Type::Keys)));
            return Type::one_of([one.clone(), Type::Array(Box::new(one))]);
        }
        "ErrorCodeValue" => {
            // A script can throw a map with a number as its `code`.
            let codes = Type::Words(vocabulary::error_codes());
            return Type::one_of([codes, Type::Int, Type::Unit]);
        }
        "DurationText" | "DurationValue" => return Type::Duration,
        "SizeValue" => return size(""),
        "KibValue" => return size("KiB"),
        "MibValue" => return size("MiB"),
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
    if let Some(value) = within("IfKnownOf") {
        return Type::one_of([of_rust(value), Type::Unit]);
    }
    if let Some(value) = within("MapOf") {
        return Type::MapOf(Box::new(of_rust(value)));
    }
    if let Some(record) = within("RecordOf").or_else(|| within("RecordValueOf")) {
        let declared = api::declared(Role::Record, record);
        return declared.map_or(Type::Map, |known| Type::Keys(known.spec()));
    }
    if let Some(options) = within("OptionsOf") {
        let declared = api::declared(Role::Options, options);
        return declared.map_or(Type::Map, |known| Type::Keys(known.spec()));
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
    if let Some(name) = within("ConstantOf") {
        return Type::one_of([words(name), Type::Int]);
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
    use std::collections::BTreeSet;

    use super::{of_rust, of_rust_result};
    use crate::api;
    use crate::engine::{self, Limits};
    use crate::spec::Type;
    use crate::vocabulary::{self, Role};
    use crate::{Imports, Session, SessionOptions};

    /// The Rust types of all parameters and results of virhai's functions.
    fn rust_types() -> Vec<String> {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let types = |info: rhai::FuncInfo| {
            let parameters = info.metadata.params_info.iter();
            let parameters = parameters.filter_map(|it| it.split_once(':').map(|(_, ty)| ty));
            let types = parameters.chain([&*info.metadata.return_type]);
            Some(types.map(str::to_owned).collect::<Vec<String>>())
        };
        let types: Vec<Vec<String>> = engine.collect_fn_metadata(None, types, false);
        types.concat()
    }

    /// The names in `types` that are written as `wrapper<NAME>`.
    fn named(types: &[String], wrappers: &[&str]) -> BTreeSet<String> {
        let names = types.iter().flat_map(|ty| {
            wrappers.iter().filter_map(move |wrapper| {
                let (_, rest) = ty.split_once(&format!("{wrapper}<"))?;
                Some(rest.split('>').next()?.trim().to_owned())
            })
        });
        names.collect()
    }

    #[test]
    fn signatures_name_exactly_the_declared_maps() {
        let types = rust_types();
        let of_a_value = BTreeSet::from(["EventFilter".to_owned()]);
        for (role, wrappers) in [
            (Role::Options, &["OptionsOf"][..]),
            (Role::Record, &["RecordOf", "RecordValueOf"]),
        ] {
            let all = api::all_declared().filter(|declared| declared.role == role);
            let all: BTreeSet<String> = all.map(|declared| declared.name.to_owned()).collect();
            let all: BTreeSet<String> = all.difference(&of_a_value).cloned().collect();
            assert_eq!(named(&types, wrappers), all, "{role:?}");
        }
    }

    #[test]
    fn every_key_of_a_declared_map_has_a_type_and_a_line_of_help() {
        for declared in api::all_declared() {
            let spec = declared.spec();
            assert!(
                !spec.about.is_empty() && !spec.keys.is_empty(),
                "{}",
                spec.name
            );
            for key in &spec.keys {
                let unclear = key.help.is_empty() || key.ty == Type::Unknown;
                assert!(!unclear, "{}.{}", spec.name, key.name);
            }
        }
    }

    #[test]
    fn every_enumeration_is_in_a_signature_or_in_a_declared_map() {
        fn words(ty: &Type, into: &mut BTreeSet<String>) {
            match ty {
                Type::Words(words) => drop(into.insert(words.name.clone())),
                Type::Array(item) => words_of(item, into),
                Type::OneOf(types) => types.iter().for_each(|ty| words_of(ty, into)),
                _ => {}
            }
        }
        use words as words_of;
        let mut used = named(&rust_types(), &["WordOf", "WordsOf", "ConstantOf"]);
        for declared in api::all_declared() {
            for key in &declared.spec().keys {
                words(&key.ty, &mut used);
            }
        }
        for table in vocabulary::enumerations() {
            assert!(used.contains(table.name), "nothing uses {}", table.name);
            assert!(!table.words().is_empty(), "{}", table.name);
        }
    }

    /// Functions that take any map, and why.
    const OF_ANY_MAP: &[(&str, &str)] = &[
        ("agent", "the guest's agent knows its commands"),
        ("as_declared", "the declaration is an argument"),
        ("checked", "the declaration is an argument"),
        ("fat_image", "the keys are names of files"),
        ("take", "it is a function of maps"),
        ("template", "the values that a template shows"),
        ("write_options", "the declaration is an argument"),
        ("==", "it is a function of values"),
        ("!=", "it is a function of values"),
        ("debug", "it is a function of values"),
        ("print", "it is a function of values"),
        ("to_debug", "it is a function of values"),
        ("to_json", "it is a function of values"),
        ("to_string", "it is a function of values"),
    ];

    /// Functions that return a map with any keys, and why.
    const ANY_RESULT: &[(&str, &str)] = &[
        ("as_declared", "the declaration is an argument"),
        ("attributes", "the keys are the element's"),
        ("checked", "the declaration is an argument"),
        ("group_by", "the keys are those that the closure returns"),
    ];

    #[test]
    fn every_map_that_a_function_returns_is_declared() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let maps = [Type::Map, Type::Array(Box::new(Type::Map))];
        let mut returned = BTreeSet::new();
        for function in crate::catalog::functions(&engine) {
            if maps.contains(&function.returns) {
                returned.insert(function.name);
            }
        }
        let known = ANY_RESULT.iter().map(|(name, _)| (*name).to_owned());
        assert_eq!(known.collect::<BTreeSet<String>>(), returned);
    }

    #[test]
    fn every_map_of_options_that_a_function_takes_is_declared() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let mut taken = BTreeSet::new();
        for function in crate::catalog::functions(&engine) {
            if function.parameters.iter().any(|(_, ty)| *ty == Type::Map) {
                taken.insert(function.name);
            }
        }
        let known = OF_ANY_MAP.iter().map(|(name, _)| (*name).to_owned());
        assert_eq!(known.collect::<BTreeSet<String>>(), taken);
    }

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
        let info = api::declared(Role::Record, "DomainInfo").expect("it is declared");
        let info = info.spec();
        assert_eq!(info.key("vcpus").map(|key| &key.ty), Some(&Type::Int));
        assert!(info.key("memory").is_none());
        for (rust, shown) in [
            ("RhaiResultOf<()>", "()"),
            ("RhaiResultOf<ArrayOf<Domain>>", "array of Domain"),
            ("Result<String, Box<EvalAltResult>>", "string"),
            ("RhaiResultOf<WordOf<DomainState>>", "DomainState"),
            ("RhaiResultOf<ArrayOf<RecordOf<Vcpu>>>", "array of Vcpu"),
            ("OptionsOf<StopOptions>", "StopOptions"),
            ("KibValue", "size (KiB)"),
            ("OptionalXmlText", "string | Xml | ()"),
            ("IfKnownOf<i64>", "int | ()"),
            ("ErrorCodeValue", "ErrorCode | int | ()"),
            ("WordsOf<DomainGoal>", "DomainGoal | array of DomainGoal"),
            ("RhaiResult", "any"),
        ] {
            assert_eq!(of_rust_result(rust).to_string(), shown, "{rust}");
        }
    }
}
