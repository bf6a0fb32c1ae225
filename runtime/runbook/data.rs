//! JSON, TOML and YAML. Errors have a line and a column, and quote nothing: the text can hold secrets.

use std::fmt::{self, Formatter};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

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
                let value: UniqueKeys =
                    serde_json::from_str(text).map_err(|error| error.to_string())?;
                Ok(value.0)
            }
            Self::Toml => {
                let table: toml::Table =
                    toml::from_str(text).map_err(|error| toml_error(text, &error))?;
                of_toml(toml::Value::Table(table))
            }
            Self::Yaml => {
                // Values have no bytes: those of `!!binary` stay text, in base64.
                let options = serde_saphyr::options! { ignore_binary_tag_for_string: true };
                let value = serde_saphyr::from_str_with_options(text, options);
                value.map_err(|error| error.without_snippet().to_string())
            }
        }
    }
}

/// A value whose maps have no key twice: serde_json would keep the last value of such a key.
struct UniqueKeys(Value);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

/// Builds the value that a deserializer has next.
struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of JSON")
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

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(UniqueKeys(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let UniqueKeys(value) = entries.next_value()?;
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

/// `error` with its line and column, without the line itself.
pub fn toml_error(text: &str, error: &toml::de::Error) -> String {
    let message = error.message();
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
        let text = r#"{"b": [null, true, -1, 18446744073709551615, 1.5e3, "\u00e9\ud83d\ude00"], "a": {"x": {}, "y": []}}"#;
        let value = Format::Json.parse(text).expect("it is JSON");
        let expected: serde_json::Value = serde_json::from_str(text).expect("it is JSON");
        assert_eq!(value.to_string(), expected.to_string());
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        assert!(Format::Json.parse(&deep).is_err());
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
