//! JSON, TOML and YAML. Errors have a line and a column, and quote nothing: the text can hold secrets.

use serde_json::Value;

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
            Self::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
            Self::Toml => toml::from_str(text).map_err(|error| toml_error(text, &error)),
            Self::Yaml => {
                serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string())
            }
        }
    }
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
