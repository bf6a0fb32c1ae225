//! What scripts can call, read from the engine: the one source for messages, help and tests.

use rhai::{Engine, FnAccess};

/// One function, method, or property as the engine has it.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name in scripts; of a property, the property's.
    pub name: String,
    /// Whether it is read as a property, `value.name`.
    pub property: bool,
    /// Parameters as `(name, type)`, the receiver first.
    pub parameters: Vec<(String, String)>,
    /// The doc comment, without its slashes.
    pub docs: String,
}

impl Function {
    /// The type of the value that a method is called on.
    pub fn receiver(&self) -> Option<&str> {
        self.parameters.first().map(|(_, kind)| kind.as_str())
    }

    /// The C functions on the documentation's last line.
    pub fn calls(&self) -> impl Iterator<Item = &str> {
        self.docs
            .lines()
            .last()
            .and_then(|line| line.strip_prefix("Calls "))
            .unwrap_or_default()
            .trim_end_matches('.')
            .split(", ")
            .filter(|name| name.starts_with("vir"))
    }

    /// The examples in the documentation: what follows `rhai` on the fence, and the code.
    pub fn examples(&self) -> Vec<(String, String)> {
        let mut examples = Vec::new();
        let mut open: Option<(String, String)> = None;
        for line in self.docs.lines() {
            match (&mut open, line.trim_start().strip_prefix("```")) {
                (None, Some(fence)) => {
                    let kind = fence
                        .strip_prefix("rhai")
                        .unwrap_or(fence)
                        .trim_start_matches(',');
                    open = Some((kind.to_owned(), String::new()));
                }
                (Some(_), Some(_)) => examples.extend(open.take()),
                (Some((_, code)), None) => {
                    code.push_str(line);
                    code.push('\n');
                }
                (None, None) => {}
            }
        }
        examples
    }
}

/// Every function of virhai's own that `engine` has, without Rhai's standard ones.
pub fn functions(engine: &Engine) -> Vec<Function> {
    let read = |info: rhai::FuncInfo| {
        let metadata = info.metadata;
        if metadata.access != FnAccess::Public || metadata.name.starts_with("anon$") {
            return None;
        }
        let name = metadata.name.as_str();
        let (name, property) = match name.strip_prefix("get$") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let parameters = metadata
            .params_info
            .iter()
            .map(|parameter| {
                let (name, kind) = parameter.split_once(':').unwrap_or((parameter, ""));
                (name.trim().to_owned(), plain_type(kind))
            })
            .collect();
        Some(Function {
            name: name.to_owned(),
            property,
            parameters,
            docs: plain_docs(&metadata.comments),
        })
    };
    engine.collect_fn_metadata(None, read, false)
}

/// A Rust type as scripts know it.
fn plain_type(rust: &str) -> String {
    let kind = rust
        .trim()
        .trim_start_matches("&mut ")
        .trim_start_matches('&');
    match kind {
        "str" | "String" | "ImmutableString" => "string",
        "i64" | "INT" => "int",
        "f64" | "FLOAT" => "float",
        "Map" => "map",
        "Array" => "array",
        "Blob" => "blob",
        "Dynamic" => "?",
        "XmlText" => "string | Xml",
        "FnPtr" => "Fn",
        other => other,
    }
    .to_owned()
}

fn plain_docs(comments: &[impl AsRef<str>]) -> String {
    comments
        .iter()
        .flat_map(|comment| comment.as_ref().lines())
        .map(|line| line.trim_start().trim_start_matches("///"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}
