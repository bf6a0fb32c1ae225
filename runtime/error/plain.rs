//! Rhai's messages in virhai's words: lower case, names in backticks.

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnAccess, Map};

use crate::syntax::written_names;

/// The hint for a `for` over a value that it cannot iterate over.
pub(crate) const ITERATED: &str = "`for` accepts a list, a range such as `0..3`, a text, a blob or a subscription to events; `map.keys()` is a list";

/// The message of `error`, an error of Rhai, with a hint if there is a certain one.
pub fn words(engine: &Engine, error: &EvalAltResult) -> (String, Option<String>) {
    let mut hint = None;
    let title;
    match error {
        EvalAltResult::ErrorParsing(kind, _) => {
            title = plain_message(&kind.to_string());
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            let known = is_function(engine, signature);
            title = no_function(&plain_types(signature), known);
            if written_names::is_closure(signature) {
                hint = Some(
                    "`|a, b|` takes two arguments, `||` none; a file cannot call a closure that an imported file returned".into(),
                );
            }
        }
        EvalAltResult::ErrorDataRace(..) => {
            title = "the closure uses a variable that is locked during this call".into();
            hint = Some(
                "call the method on another variable: `let conn = dom.connect(); conn.wait_event(...)`".into(),
            );
        }
        EvalAltResult::ErrorFor(_) => {
            title = "`for` cannot iterate over this value".into();
            hint = Some(ITERATED.into());
        }
        EvalAltResult::ErrorArrayBounds(0, index, _) => {
            title = format!("the list is empty, so it has no item {index}");
        }
        EvalAltResult::ErrorVariableNotFound(variable, _) => {
            title = format!("there is no variable `{variable}`");
        }
        EvalAltResult::ErrorNonPureMethodCallOnConstant(name, _) => {
            title = format!("`{name}` would change a constant");
            hint = Some("a constant cannot change; declare a variable with `let`".into());
        }
        EvalAltResult::ErrorPropertyNotFound(key, _) => {
            title = format!("the map has no key `{key}`");
        }
        EvalAltResult::ErrorMismatchDataType(wanted, found, _)
            if !wanted.is_empty() && !found.is_empty() =>
        {
            let plain = |kind| plain_types(engine.map_type_name(kind));
            title = format!(
                "expected a value of type {}, not {}",
                plain(wanted),
                plain(found)
            );
            if wanted == "bool" {
                hint = Some("compare it, for example `x != ()` or `x > 0`".into());
            }
        }
        EvalAltResult::ErrorTooManyOperations(_) => {
            title = "operation limit exceeded".into();
            hint = Some("raise the limit with --max-operations; 0 means no limit".into());
        }
        EvalAltResult::ErrorStackOverflow(_) => {
            let limit = engine.max_call_levels();
            title = format!("call depth limit of {limit} exceeded");
            hint = Some("check for infinite recursion, or raise the limit with --max-depth".into());
        }
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            let (what, limit, option) = match what.as_str() {
                "Length of string" => ("a string", engine.max_string_size(), "--max-string"),
                "Size of object map" => ("a map", engine.max_map_size(), "--max-map"),
                _ => ("an array", engine.max_array_size(), "--max-array"),
            };
            title = format!("{what} exceeds the limit of {limit}");
            hint = Some(format!("raise the limit with {option}"));
        }
        EvalAltResult::ErrorDotExpr(message, _)
            if ["Unknown property", "No writable property"]
                .iter()
                .any(|words| message.starts_with(words)) =>
        {
            let mut quoted = message.split('\'').skip(1).step_by(2);
            let (name, kind) = (quoted.next(), quoted.next());
            let (name, kind) = (name.unwrap_or_default(), kind.unwrap_or_default());
            let kind = plain_types(kind);
            let writable = match message.starts_with("No writable") {
                true => "writable ",
                false => "",
            };
            title = format!("a value of type {kind} has no {writable}property `{name}`");
        }
        other => {
            let mut bare = other.to_string();
            let suffix = format!(" ({})", error.position());
            if let Some(short) = bare.strip_suffix(&suffix) {
                bare = short.to_owned();
            }
            title = plain_message(&bare);
        }
    }
    (title, hint)
}

/// The comment that marks a function which replaces one of Rhai's and has its documentation.
pub(crate) const MARK: &str = "(asks for room)";

/// True if virhai has a function with the name in `signature`, so that only the arguments are wrong.
fn is_function(engine: &Engine, signature: &str) -> bool {
    let name = signature.split(" (").next().unwrap_or_default();
    let has_name = |info: rhai::FuncInfo| {
        let metadata = info.metadata;
        let replaces = metadata.comments.iter().any(|comment| comment == MARK);
        let own = metadata.access == FnAccess::Public && !replaces;
        (own && metadata.name == name).then_some(())
    };
    !engine.collect_fn_metadata(None, has_name, false).is_empty()
}

/// A message of Rhai in virhai's style: lower case, names in backticks.
pub fn plain_message(message: &str) -> String {
    let mut plain = String::with_capacity(message.len());
    let mut letters = message.chars().peekable();
    let mut open = false;
    while let Some(letter) = letters.next() {
        let begins = !plain.ends_with(|before: char| before.is_alphanumeric());
        let ends = letters.peek().is_none_or(|after| !after.is_alphanumeric());
        // An apostrophe is between letters, a quotation mark at the edge of a word.
        if letter == '\'' && (if open { ends } else { begins }) {
            open = !open;
            plain.push('`');
        } else if plain.is_empty() && letters.peek().is_some_and(|next| !next.is_uppercase()) {
            plain.extend(letter.to_lowercase());
        } else {
            plain.push(letter);
        }
    }
    plain
}

/// The message if no function has the name and the types of `signature`.
fn no_function(signature: &str, known: bool) -> String {
    let (name, types) = signature.split_once('(').unwrap_or((signature, ""));
    if name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') {
        return match known {
            _ if written_names::is_closure(name) => {
                "the closure was called with the wrong number of arguments, or comes from another file".into()
            }
            true => format!("`{name}` cannot be called with ({types}"),
            false => format!("there is no function `{signature}`"),
        };
    }
    let types = types.trim_end_matches(')').to_owned();
    let types = if types.ends_with('(') {
        types + ")"
    } else {
        types
    };
    format!(
        "there is no `{name}` for {}",
        types.replacen(", ", " and ", 1)
    )
}

/// The type of `value` as scripts call it, such as `Connection` or `int`.
pub fn type_name(value: &Dynamic) -> String {
    let name = value.type_name();
    let is_object = name.contains("::Object<");
    let last = name.trim_end_matches('>').rsplit("::").next();
    let last = last.unwrap_or(name);
    let last = match is_object {
        true => last.strip_suffix("Kind").unwrap_or(last),
        false => last.split('<').next().unwrap_or(last),
    };
    plain_types(last)
}

/// The text of `value`; an object, for which Rhai has the name of a type in Rust, is `a Connection` or the like.
pub fn text(value: &Dynamic) -> String {
    let item = |value: &Dynamic| match value.is_string() {
        true => format!("{:?}", value.to_string()),
        false => text(value),
    };
    if let Some(list) = value.read_lock::<Array>() {
        let items: Vec<String> = list.iter().map(item).collect();
        return format!("[{}]", items.join(", "));
    }
    if let Some(map) = value.read_lock::<Map>() {
        let entries = map.iter();
        let entries: Vec<String> = entries
            .map(|(key, value)| format!("{key:?}: {}", item(value)))
            .collect();
        return format!("#{{{}}}", entries.join(", "));
    }
    if value.is_unit() {
        return "()".into();
    }
    let text = value.to_string();
    if !text.contains("::") || text != value.type_name() {
        return text;
    }
    let name = type_name(value);
    match name.starts_with(['A', 'E', 'I', 'O', 'U']) {
        true => format!("an {name}"),
        false => format!("a {name}"),
    }
}

/// Rhai's list of the types that a string parameter matches, in one word.
pub fn plain_types(signature: &str) -> String {
    signature
        .replace("&str | ImmutableString | String", "string")
        .replace("&str | ImmutableString", "string")
        .replace("i64", "int")
        .replace(" (", "(")
}
