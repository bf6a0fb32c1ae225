//! JSON, TOML and YAML. Errors have a line and a column, and quote nothing: the text can hold secrets.
//!
//! A whole number of more than 64 bits is an error: as a number with a fraction, it would lose digits.

use std::fmt::{self, Formatter};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Budget, with_deserializer_from_str_with_options};

/// The fewest digits of a whole number of more than 64 bits.
const DIGITS_OF_LARGE_NUMBERS: usize = 19;

/// A format of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON, as RFC 8259 has it.
    Json,
    /// TOML 1.
    Toml,
    /// YAML 1.2.
    Yaml,
}

impl Format {
    /// The format of files whose names end in `ending`.
    pub fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }

    /// The value of `text`.
    ///
    /// # Errors
    ///
    /// The text does not have this format.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        match self {
            Self::Json => {
                let mut deserializer = serde_json::Deserializer::from_str(text);
                let value = AnyValue::of(text).deserialize(&mut deserializer);
                value
                    .and_then(|value| deserializer.end().map(|()| value))
                    .map_err(|error| json_error(&error))
            }
            Self::Toml => {
                let table: toml::Table =
                    toml::from_str(text).map_err(|error| toml_error(text, &error))?;
                of_toml(toml::Value::Table(table))
            }
            Self::Yaml => {
                let options = serde_saphyr::options! {
                    // `012` is a number in some versions of YAML, in base 8 or 10.
                    leading_zero_numbers_as_strings: true,
                    // Values have no bytes: those of `!!binary` stay text, in base64.
                    ignore_binary_tag_for_string: true,
                };
                let value = AnyValue::of(text);
                with_deserializer_from_str_with_options(text, options, |deserializer| {
                    value.deserialize(deserializer)
                })
                .map_err(|error| yaml_error(error.without_snippet()))
            }
        }
    }
}

/// Builds the value that a deserializer has next. serde_json itself would keep the last value of a key that a map has
/// twice, and would round large numbers.
#[derive(Clone, Copy)]
struct AnyValue {
    /// True if the text may have a whole number of more than 64 bits: deserializers give such a number as one with a
    /// fraction.
    has_long_numbers: bool,
}

impl AnyValue {
    /// For the values in `text`.
    fn of(text: &str) -> Self {
        let ends = |letter: char| !letter.is_ascii_alphanumeric() && !"._".contains(letter);
        let is_long = |word: &str| {
            let is_whole = word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'_');
            is_whole && word.len() >= DIGITS_OF_LARGE_NUMBERS && word.parse::<i64>().is_err()
        };
        Self {
            has_long_numbers: text.split(ends).any(is_long),
        }
    }
}

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A value that is an error in every format.
const TOO_LARGE: &str = "a whole number of more than 64 bits";

/// The error that a whole number has more than 64 bits.
fn too_large<E: Error>() -> E {
    E::invalid_value(
        Unexpected::Other(TOO_LARGE),
        &"a smaller number, or text in quotes",
    )
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        match i64::try_from(value) {
            Ok(value) => Ok(value.into()),
            Err(_) => Err(too_large()),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        match self.has_long_numbers && value.abs() >= i64::MAX as f64 {
            true => Err(too_large()),
            false => Ok(value.into()),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self)?;
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("a map has the same key twice"));
            }
        }
        Ok(map.into())
    }
}

/// `value` with dates as text. JSON, and so the inputs and results of scripts, have no infinite numbers.
fn of_toml(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(value) => value.into(),
        toml::Value::Float(value) => Number::from_f64(value)
            .map(Value::Number)
            .ok_or("a number is not finite (`inf` or `nan`)")?,
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => {
            let items = items.into_iter().map(of_toml);
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        toml::Value::Table(entries) => {
            let entries = entries
                .into_iter()
                .map(|(key, value)| Ok((key, of_toml(value)?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
    })
}

/// `error` with its line and column.
fn json_error(error: &serde_json::Error) -> String {
    let words = "lists and maps are nested more than 127 deep";
    error.to_string().replace("recursion limit exceeded", words)
}

/// `error` with its line and column. The library's own words about limits and aliases are about its types.
fn yaml_error(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error as Wrong;
    let why = match error {
        Wrong::AliasError { error, .. } => return yaml_error(error),
        Wrong::Budget { breach, .. } => exceeded(breach),
        Wrong::RecursiveReferencesRequireWeakTypes { .. } => {
            "an alias is inside the value that it refers to".into()
        }
        Wrong::UnknownAnchor { .. } => "an alias refers to an anchor that is not defined".into(),
        Wrong::AliasReplayCounterOverflow { .. }
        | Wrong::AliasReplayLimitExceeded { .. }
        | Wrong::AliasExpansionLimitExceeded { .. }
        | Wrong::AliasReplayStackDepthExceeded { .. } => {
            "the aliases stand for too many values".into()
        }
        Wrong::DuplicateMappingKey { .. } => "a map has the same key twice".into(),
        error => {
            let text = error.to_string();
            return text.replace(
                "rejected by the configured policy",
                "is not allowed: a value must be finite",
            );
        }
    };
    match error.location() {
        Some(place) => format!("{why} at line {}, column {}", place.line(), place.column()),
        None => why,
    }
}

/// The limit of YAML that a text exceeds.
fn exceeded(breach: &BudgetBreach) -> String {
    let limits = Budget::default();
    match breach {
        BudgetBreach::Depth { .. } => {
            format!(
                "lists and maps are nested more than {} deep",
                limits.max_depth
            )
        }
        BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => {
            format!(
                "the text has more than {} values, those of its aliases included",
                limits.max_nodes
            )
        }
        BudgetBreach::Aliases { .. } => {
            format!("the text has more than {} aliases", limits.max_aliases)
        }
        BudgetBreach::Anchors { .. } => {
            format!("the text has more than {} anchors", limits.max_anchors)
        }
        BudgetBreach::MergeKeys { .. } => {
            format!("the text has more than {} `<<` keys", limits.max_merge_keys)
        }
        BudgetBreach::AliasAnchorRatio { .. } => format!(
            "the text has more than {} aliases for each anchor",
            limits.alias_anchor_ratio_multiplier
        ),
        BudgetBreach::RecordedAnchorEvents { .. } | BudgetBreach::RecordedAnchorBytes { .. } => {
            "the values with anchors are too large".into()
        }
        _ => "the text is too large for YAML".into(),
    }
}

/// `error` with its line and column, without the line itself.
pub fn toml_error(text: &str, error: &toml::de::Error) -> String {
    // The message about such a number quotes it.
    let is_large = ["as i128", "as u128", "u64 value was too large"]
        .iter()
        .any(|words| error.message().contains(words));
    let message = match error.message() {
        _ if is_large => TOO_LARGE,
        text if text.contains("recur") => "lists and tables are nested too deeply",
        text => text,
    };
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => {
            let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
            let column = before
                .chars()
                .rev()
                .take_while(|char| *char != '\n')
                .count()
                + 1;
            format!("{message} at line {line}, column {column}")
        }
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn json_has_the_values_that_serde_json_reads() {
        let text = r#"{"b": [null, true, -1, 9223372036854775807, 1.5e3, 1e20, "\u00e9\ud83d\ude00"], "a": {"x": {}, "y": []}}"#;
        let value = Format::Json.parse(text).expect("it is JSON");
        let expected: serde_json::Value = serde_json::from_str(text).expect("it is JSON");
        assert_eq!(value.to_string(), expected.to_string());
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        assert!(Format::Json.parse(&deep).is_err());
    }

    #[test]
    fn a_whole_number_of_more_than_64_bits_is_an_error_with_its_line() {
        for number in [
            "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551616",
            "123456789012345678901234567890",
        ] {
            for (format, text) in [
                (Format::Json, format!("{{\"a\": 1,\n\"b\": [{number}]}}")),
                (Format::Toml, format!("a = 1\nb = [{number}]")),
                (Format::Yaml, format!("a: 1\nb: {number}")),
                (Format::Yaml, format!("a: 1\nb: [0, {number}]")),
            ] {
                let error = format.parse(&text).expect_err(&text);
                assert!(error.contains("line 2"), "{text}: {error}");
                assert!(!error.contains(number), "{error}");
            }
        }
        for (format, text) in [
            (
                Format::Json,
                r#"["12345678901234567890", -9223372036854775808]"#,
            ),
            (Format::Json, "[1e19]"),
            (
                Format::Yaml,
                "['12345678901234567890', -9223372036854775808]",
            ),
        ] {
            assert!(format.parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_whole_number_of_yaml_with_a_leading_zero_is_text() {
        let text = "[012, -012, 08, 0, 7, 0x1F, 0o17, 00.5, 1e3, ~, yes]";
        let value = Format::Yaml.parse(text).expect("it is YAML");
        let expected = r#"["012","-012","08",0,7,31,15,0.5,1000.0,null,true]"#;
        assert_eq!(value.to_string(), expected);
    }

    #[test]
    fn a_date_of_toml_is_text() {
        let text = "day = 2026-11-28\nat = [{ time = 2026-11-28T10:15:00Z }]\nz = 1\na = 2.5";
        let value = Format::Toml.parse(text).expect("it is TOML");
        let expected =
            r#"{"day":"2026-11-28","at":[{"time":"2026-11-28T10:15:00Z"}],"z":1,"a":2.5}"#;
        assert_eq!(value.to_string(), expected);
    }

    #[test]
    fn bytes_of_yaml_are_text_in_base64() {
        let value = Format::Yaml.parse("a: !!binary |\n  gIF6\n");
        assert_eq!(value.expect("it is YAML")["a"], "gIF6\n");
    }

    #[test]
    fn infinite_numbers_are_refused() {
        for (format, text) in [
            (Format::Toml, "a = inf"),
            (Format::Toml, "[b]\na = [nan]"),
            (Format::Yaml, "a: .inf"),
            (Format::Yaml, "- .nan"),
        ] {
            let error = format.parse(text).expect_err(text);
            assert!(error.contains("finite"), "{text}: {error}");
        }
    }

    #[test]
    fn the_words_for_limits_and_aliases_are_plain() {
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let bomb = |lines: usize| {
            let line = |at: usize| {
                format!(
                    "a{at}: &a{at} [{}]\n",
                    vec![format!("*a{}", at - 1); 9].join(", ")
                )
            };
            format!("a0: &a0 [x]\n{}", (1..lines).map(line).collect::<String>())
        };
        for (format, text, told) in [
            (Format::Yaml, deep(100), "nested more than 64 deep"),
            (Format::Json, deep(200), "nested more than 127 deep"),
            (
                Format::Toml,
                format!("a = {}", deep(200)),
                "nested too deeply",
            ),
            (
                Format::Yaml,
                "a: &x [1, *x]".into(),
                "an alias is inside the value",
            ),
            (
                Format::Yaml,
                "a: *x".into(),
                "an anchor that is not defined",
            ),
            (
                Format::Yaml,
                "a: .nan".into(),
                "is not allowed: a value must be finite",
            ),
            (Format::Yaml, bomb(12), "more than 250000 values"),
            (Format::Yaml, "a: 1\na: 2".into(), "the same key twice"),
        ] {
            let error = format.parse(&text).expect_err("the text is wrong");
            assert!(
                error.contains(told) && error.contains("line"),
                "{format:?}: {error}"
            );
        }
    }

    #[test]
    fn errors_have_a_place_and_quote_nothing() {
        for (ending, text) in [
            ("yaml", "a: [1]\ntoken: sw0rd\nb: [2"),
            ("yaml", "token: \"sw0rd\nx: 1"),
            ("yml", "token: !!int sw0rd"),
            ("toml", "x = 1\ntoken = \"sw0rd"),
            ("toml", "token = \"sw0rd\"\ntoken = 1"),
            ("toml", "token = sw0rd"),
            ("json", "{\"token\": \"sw0rd\""),
            ("json", "{\"token\": sw0rd}"),
            ("json", "[{\"token\": \"sw0rd\",\n\"token\": 1}]"),
            ("yaml", "token: sw0rd\ntoken: 1"),
        ] {
            let format = Format::of_ending(ending).expect("a format");
            let error = format.parse(text).expect_err("the text is wrong");
            assert!(!error.contains("sw0rd"), "{error}");
            assert!(
                error.contains("line") && error.lines().count() == 1,
                "{error}"
            );
        }
    }
}
