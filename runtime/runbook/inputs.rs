//! The inputs of a runbook, which its constant `INPUTS` declares, and `main(inputs)`, which takes them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rhai::{AST, Array, Dynamic, Engine, ImmutableString, Map};
use serde_json::Value as Json;

use super::data::Format;
use crate::redact;
use crate::script::declarations;
use crate::script::imports::Imports;
use crate::script::parser;
use crate::spec::{Fault, FaultKind, Key, Spec, Type, Value};

/// The constant that declares inputs.
pub const CONSTANT: &str = "INPUTS";

/// The function that runs with them.
pub const MAIN: &str = "main";

/// The variable that holds them in a script without that function.
pub const VARIABLE: &str = "inputs";

/// The declared inputs of a runbook.
#[derive(Debug, Clone)]
pub struct Inputs {
    spec: Arc<Spec>,
}

impl Inputs {
    /// The inputs that the script `name` declares. The script does not run; a script that does not compile declares no
    /// inputs.
    ///
    /// # Errors
    ///
    /// The error in the declaration.
    pub fn of(imports: &Imports, name: &str, text: &str) -> Result<Option<Self>, String> {
        if !text.contains(CONSTANT) {
            return Ok(None);
        }
        imports.remember(name, text);
        let sources = declarations::of_imports(imports);
        if !declarations::is_declared(&sources, name, CONSTANT) {
            return Ok(None);
        }
        let mut spec = declarations::declared(&sources, name, CONSTANT)?;
        // Messages name only the options, not the constant.
        Arc::make_mut(&mut spec).name.clear();
        check_names(&spec.keys)?;
        Ok(Some(Self { spec }))
    }

    /// The same as [`Self::of`], for a script that is only listed: nothing is returned if reading it takes longer than
    /// `limit`, since Rhai's parser takes minutes for some scripts.
    pub fn of_within(
        limit: Duration,
        imports: &Imports,
        name: &str,
        text: &str,
    ) -> Option<Result<Option<Self>, String>> {
        parser::within(limit, || Self::of(imports, name, text))
    }

    /// The inputs, in the order of the declaration.
    pub fn keys(&self) -> &[Key] {
        &self.spec.keys
    }

    /// The input called `name`.
    pub fn key(&self, name: &str) -> Option<&Key> {
        self.spec.key(name)
    }

    /// The inputs that must be given and are not among `given`.
    pub fn missing(&self, given: &Map) -> Vec<&Key> {
        let is_given = |key: &&Key| {
            let value = given.get(key.name.as_str());
            value.is_some_and(|value| !value.is_unit())
        };
        let required = self.keys().iter().filter(|key| key.required);
        required.filter(|key| !is_given(key)).collect()
    }

    /// The errors in `given`, without missing inputs.
    pub fn faults(&self, given: &Map) -> Vec<Fault> {
        // The values are data, whose types have the same names in every engine.
        let mut faults = self.spec.faults_of(&Engine::new_raw(), given);
        faults.retain(|fault| fault.kind != FaultKind::MissingKey || !fault.path.is_empty());
        faults
    }

    /// The errors in `value` as an answer for `key`, whatever the other inputs are.
    pub fn faults_of_answer(key: &Key, value: &Dynamic) -> Vec<Fault> {
        let engine = Engine::new_raw();
        let value = Value {
            engine: &engine,
            value: Cow::Borrowed(value),
        };
        Spec::faults_of_key(key, &value)
    }

    /// `given` with the defaults of the others, or `()` without a default. Secrets are hidden from now on.
    pub fn filled(&self, given: Map) -> Map {
        let filled = self.spec.filled(given);
        keep_secrets(self.keys(), &filled);
        filled
    }
}

/// The hint on the use of the input `name` of `variable` where it may not be given.
pub fn hint_on_missing(variable: &str, name: &str) -> String {
    format!(
        "declare it with `required: true` or a `default`, or write `{variable}.{name} ?? VALUE` or `if {variable}.{name} != () {{ ... }}`"
    )
}

/// The name of the option of a command line that gives `key`, without its hyphens.
pub fn option(key: &Key) -> String {
    let name = key.name.replace('_', "-");
    match is_secret(key) {
        true => format!("{name}-file"),
        false => name,
    }
}

/// Refuses names that cannot be options of a command line, and two that are the same one.
pub(crate) fn check_names(keys: &[Key]) -> Result<(), String> {
    let mut options = HashSet::new();
    for key in keys {
        let is_part =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        let begins = key
            .name
            .starts_with(|letter: char| letter.is_ascii_lowercase());
        if !begins || !key.name.chars().all(is_part) {
            return Err(format!(
                "the name `{}` must consist of small letters, digits and `_`, and begin with a letter",
                key.name
            ));
        }
        let option = option(key);
        if option == "help" {
            return Err("an input cannot be called `help`: `--help` shows the inputs".into());
        }
        if let Some(option) = options.replace(option) {
            return Err(format!("two inputs have the option `--{option}`"));
        }
    }
    Ok(())
}

/// Hides the secrets among the values of `keys` from now on.
fn keep_secrets(keys: &[Key], values: &Map) {
    for key in keys {
        if let Some(value) = values.get(key.name.as_str()) {
            keep_secrets_of(&key.ty, value);
        }
    }
}

/// Hides the secrets in `value`, which has the type `ty`, from now on.
fn keep_secrets_of(ty: &Type, value: &Dynamic) {
    if let Some(items) = value.read_lock::<Array>() {
        let item = ty.item().unwrap_or(ty);
        items.iter().for_each(|value| keep_secrets_of(item, value));
    } else if let Some(values) = value.read_lock::<Map>() {
        if let Some(spec) = ty.keys() {
            keep_secrets(&spec.keys, &values);
        }
    } else if ty.is_secret() {
        if let Some(text) = value.read_lock::<ImmutableString>() {
            redact::keep(&text);
        }
        if let Ok(number) = value.as_int() {
            redact::keep(&number.to_string());
        }
    }
}

/// True if the value of `key`, or a part of it, must not be shown.
pub fn is_secret(key: &Key) -> bool {
    key.ty.has_secret()
}

/// True if the value of `key` must be a list.
pub fn is_list(key: &Key) -> bool {
    key.ty.item().is_some()
}

/// True if the value of `key` must be true or false.
pub fn is_flag(key: &Key) -> bool {
    key.ty == Type::Bool
}

/// Reads `text`, from a command line, the environment or an answer, as a value of `key`. Text of another type stays
/// text, and the declaration then refuses it.
pub fn value(key: &Key, text: &str) -> Dynamic {
    of_text(&key.ty, text)
}

/// The list of `texts`; text in brackets is a JSON list.
pub fn list<'a>(key: &Key, texts: impl Iterator<Item = &'a str>) -> Dynamic {
    let unknown = Type::Unknown;
    let item = key.ty.item().unwrap_or(&unknown);
    let mut items = Array::new();
    for text in texts {
        match json(text, '[') {
            Some(list) => items.extend(list.into_array().unwrap_or_default()),
            None => items.push(of_text(item, text)),
        }
    }
    items.into()
}

/// The value of `key` that one line of text gives: as [`value`], and of a list the items between commas, or JSON.
pub fn line(key: &Key, text: &str) -> Dynamic {
    match is_list(key) {
        false => value(key, text),
        true if text.trim().is_empty() => Array::new().into(),
        true if text.trim_start().starts_with('[') => list(key, std::iter::once(text)),
        true => list(key, text.split(',').map(str::trim)),
    }
}

/// `json` as a value for scripts.
pub fn of_json(json: &Json) -> Dynamic {
    rhai::serde::to_dynamic(json).unwrap_or_default()
}

fn of_text(ty: &Type, text: &str) -> Dynamic {
    for ty in ty.alternatives() {
        let read = match ty {
            Type::Bool => text.parse::<bool>().ok().map(Dynamic::from),
            Type::Int => text.parse::<i64>().ok().map(Dynamic::from),
            Type::Float => finite(text),
            // A number without a unit.
            Type::Size { .. } => text.parse::<i64>().ok().map(Dynamic::from),
            Type::Duration => finite(text),
            Type::Map | Type::MapOf(_) | Type::Keys(_) => json(text, '{'),
            Type::Array(_) => json(text, '['),
            Type::Unknown => json(text, '{').or_else(|| json(text, '[')),
            _ => None,
        };
        if let Some(value) = read {
            return value;
        }
    }
    text.into()
}

/// The number `text`. `nan` and `inf` stay text: no journal can record them.
fn finite(text: &str) -> Option<Dynamic> {
    let number = text.parse::<f64>().ok()?;
    number.is_finite().then_some(number.into())
}

/// `text` read as JSON, if it begins with `bracket`.
fn json(text: &str, bracket: char) -> Option<Dynamic> {
    let text = text.trim_start();
    let json = text.starts_with(bracket).then_some(text)?;
    let json = Format::Json.parse(json).ok()?;
    Some(of_json(&json))
}

/// True if `ast` has the function `main` with one parameter, which runs with the inputs.
pub fn has_main(ast: &AST) -> bool {
    ast.iter_functions()
        .any(|function| function.name == MAIN && function.params.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::{Inputs, list, value};
    use crate::script::imports::Imports;

    fn inputs(text: &str) -> Inputs {
        let found = Inputs::of(&Imports::default(), "x.rhai", text);
        found
            .expect("the declaration is right")
            .expect("there is one")
    }

    #[test]
    fn text_becomes_a_value_of_the_declared_type() {
        let inputs = inputs(
            r#"const INPUTS = #{
                count: #{ type: "int", help: "" }, share: #{ type: "float", help: "" }, on: #{ type: "bool", help: "" },
                size: #{ type: "size", help: "" }, names: #{ type: ["array", "string"], help: "" },
                ports: #{ type: ["array", "int"], help: "" }, any: #{ type: ["int", "string"], help: "" },
                labels: #{ type: "map", help: "" },
            };"#,
        );
        let shown = |name: &str, text: &str| {
            let key = inputs.key(name).expect("it is declared");
            format!("{:?}", value(key, text))
        };
        for (name, text, expected) in [
            ("count", "7", "7"),
            ("count", "seven", "\"seven\""),
            ("share", "1.5", "1.5"),
            ("share", "nan", "\"nan\""),
            ("share", "-inf", "\"-inf\""),
            ("on", "true", "true"),
            ("on", "yes", "\"yes\""),
            ("size", "2GiB", "\"2GiB\""),
            ("size", "1024", "1024"),
            ("any", "8", "8"),
            ("any", "web", "\"web\""),
            ("labels", "{\"a\": 1}", "#{\"a\": 1}"),
        ] {
            assert_eq!(shown(name, text), expected, "{name} {text}");
        }
        let shown = |name: &str, texts: &[&str]| {
            let key = inputs.key(name).expect("it is declared");
            format!("{:?}", list(key, texts.iter().copied()))
        };
        assert_eq!(shown("names", &["a", "b,c"]), r#"["a", "b,c"]"#);
        assert_eq!(shown("names", &["[\"a\", \"b\"]"]), r#"["a", "b"]"#);
        assert_eq!(shown("ports", &["80", "443"]), "[80, 443]");
        let line = |text: &str| {
            let key = inputs.key("ports").expect("it is declared");
            format!("{:?}", super::line(key, text))
        };
        assert_eq!(line("80, 443"), "[80, 443]");
        assert_eq!(line("[80, 443]"), "[80, 443]");
        assert_eq!(line(""), "[]");
    }

    #[test]
    fn a_wrong_declaration_is_an_error_and_a_missing_one_is_not() {
        let of = |text: &str| Inputs::of(&Imports::default(), "x.rhai", text);
        let wrong = of("const INPUTS = #{ a: #{ type: \"strng\", help: \"\" } };");
        let why = wrong.expect_err("there is no such type");
        assert!(why.contains("did you mean \"string\"?"), "{why}");
        for (name, more, said) in [
            ("help", "", "cannot be called `help`"),
            ("\"a b\"", "", "must consist of small letters"),
            (
                "token_file",
                ", token: #{ type: \"secret\", help: \"\" }",
                "two inputs have the option `--token-file`",
            ),
        ] {
            let text =
                format!("const INPUTS = #{{ {name}: #{{ type: \"int\", help: \"\" }}{more} }};");
            let why = of(&text).expect_err("the names are wrong");
            assert!(why.contains(said), "{why}");
        }
        assert!(matches!(of("let INPUTS = 1;"), Ok(None)));
        assert!(matches!(of("const INPUTS = #{ a: "), Ok(None)));
    }
}
