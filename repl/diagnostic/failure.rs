//! What stopped a script, as a diagnostic.

use rhai::{Array, Dynamic, Engine, EvalAltResult, Map, Position};
use virhai::{Error, Imports, engine as engines, extent, names};

use super::Diagnostic;
use super::place::{Place, shorten};
use super::words::{
    defined_names, failures, no_function, plain_message, plain_types, public_functions, qualified,
    words_about_xml,
};
use crate::show;

impl Diagnostic {
    /// What stopped a script that was compiled as `name`.
    pub(crate) fn of_error(
        engine: &Engine,
        imports: &Imports,
        name: &str,
        error: &EvalAltResult,
    ) -> Self {
        let mut trail = Vec::new();
        let mut file = name.to_owned();
        let mut inner = error;
        loop {
            let place = Place::of_error(imports, &file, inner.position());
            match inner {
                EvalAltResult::ErrorInFunctionCall(function, source, next, _) => {
                    let closure = function.starts_with("anon$");
                    // Rhai names the file that called a closure.
                    let written = closure.then(|| imports.file_of(function)).flatten();
                    let function = match closure {
                        true => "a closure".to_owned(),
                        false => format!("`{function}`"),
                    };
                    trail.insert(0, (format!("in {function}, called here"), place));
                    if let Some(written) = written {
                        file = written;
                    } else if !source.is_empty() {
                        file.clone_from(source);
                    }
                    inner = next;
                }
                EvalAltResult::ErrorInModule(module, next, _) => {
                    trail.insert(0, (format!("in `{module}`, imported here"), place));
                    if imports.text(module).is_some() {
                        file.clone_from(module);
                    }
                    inner = next;
                }
                _ => break,
            }
        }
        if let EvalAltResult::ErrorSystem(what, words) = inner
            && what == engines::DEFECT
        {
            return Self::of_defect(&words.to_string());
        }
        let place = Place::of_error(imports, &file, inner.position());
        let left_out = shorten(&mut trail);
        let mut diagnostic = Self {
            place: Some(place.clone()),
            trail,
            left_out,
            kind: kind(inner),
            ..Self::plain("")
        };
        match inner {
            EvalAltResult::ErrorRuntime(value, _) => {
                diagnostic.describe_thrown(imports, value, place)
            }
            EvalAltResult::ErrorParsing(kind, _) => {
                diagnostic.title = plain_message(&kind.to_string());
            }
            EvalAltResult::ErrorFunctionNotFound(signature, _) => {
                let known = names::is_function(engine, signature);
                diagnostic.title = no_function(&plain_types(signature), known);
                if signature.starts_with("anon$") {
                    diagnostic.hint = Some(
                        "`|a, b|` takes two values, `||` none; and a file cannot call the closure that an imported one returned".into(),
                    );
                }
            }
            EvalAltResult::ErrorDataRace(..) => {
                diagnostic.title =
                    "the closure uses a variable that the call which takes it holds on to".into();
                diagnostic.hint = Some(
                    "put what the method is called on into a variable of its own: `let conn = dom.connect(); conn.wait_event(...)`".into(),
                );
            }
            EvalAltResult::ErrorVariableNotFound(variable, _) => {
                diagnostic.title = format!("there is no variable `{variable}`");
            }
            EvalAltResult::ErrorMismatchDataType(wanted, found, _)
                if !wanted.is_empty() && !found.is_empty() =>
            {
                let plain = |kind| plain_types(engine.map_type_name(kind));
                diagnostic.title = format!(
                    "a value of type {} is needed here, not of {}",
                    plain(wanted),
                    plain(found)
                );
                if wanted == "bool" {
                    diagnostic.hint =
                        Some("compare it with something, such as `x != ()` or `x > 0`".into());
                }
            }
            EvalAltResult::ErrorTooManyOperations(_) => {
                diagnostic.title = "operation limit exceeded".into();
                diagnostic.hint =
                    Some("raise the limit with --max-operations; 0 means no limit".into());
            }
            EvalAltResult::ErrorStackOverflow(_) => {
                let limit = engine.max_call_levels();
                diagnostic.title = format!("call depth limit of {limit} exceeded");
                diagnostic.hint =
                    Some("is there an infinite recursion? raise the limit with --max-depth".into());
            }
            EvalAltResult::ErrorDataTooLarge(what, _) => {
                let (what, limit, option) = match what.as_str() {
                    "Length of string" => ("a string", engine.max_string_size(), "--max-string"),
                    "Size of object map" => ("a map", engine.max_map_size(), "--max-map"),
                    _ => ("an array", engine.max_array_size(), "--max-array"),
                };
                diagnostic.title = format!("{what} exceeds the limit of {limit}");
                diagnostic.hint = Some(format!("raise the limit with {option}"));
            }
            EvalAltResult::ErrorDotExpr(message, _) if message.starts_with("Unknown property") => {
                let mut quoted = message.split('\'').skip(1).step_by(2);
                let (name, kind) = (quoted.next(), quoted.next());
                let (name, kind) = (name.unwrap_or_default(), kind.unwrap_or_default());
                let kind = plain_types(kind);
                diagnostic.title =
                    format!("there is no property `{name}` of a value of type {kind}");
            }
            other => {
                let mut bare = other.to_string();
                let suffix = format!(" ({})", inner.position());
                if let Some(short) = bare.strip_suffix(&suffix) {
                    bare = short.to_owned();
                }
                diagnostic.title = plain_message(&bare);
            }
        }
        if let EvalAltResult::ErrorFunctionNotFound(signature, _) = inner
            && let Some((alias, name)) = qualified(signature)
            && let Some(text) = imported(imports, &file, alias)
        {
            let known: Vec<String> = public_functions(&text);
            diagnostic.hint = virhai::suggest::nearest(name, known.iter().map(String::as_str))
                .map(|near| format!("did you mean `{alias}::{near}`?"))
                .or_else(|| Some(format!("`{alias}` has {}", known.join(", "))));
        }
        if diagnostic.hint.is_none() {
            let known = imports
                .text(&file)
                .map(|text| defined_names(&text))
                .unwrap_or_default();
            diagnostic.hint = names::advice(engine, inner, &known);
        }
        diagnostic.title = extent::shortened(diagnostic.title);
        diagnostic
    }

    /// What several calls at once failed with; `lines` are their failures in words.
    fn describe_parallel(
        &mut self,
        imports: &Imports,
        list: &Array,
        lines: Vec<String>,
        file: &str,
    ) {
        self.title = match lines.len() {
            1 => "one of the calls in parallel failed".into(),
            many => format!("{many} of the calls in parallel failed"),
        };
        self.notes = lines;
        let errors = list.iter().filter_map(|failure| {
            let failure = failure.read_lock::<Map>()?;
            failure.get("error")?.clone().try_cast::<Error>()
        });
        let mut hints = Vec::new();
        for error in errors {
            let (position, source) = error.origin();
            let place = Place::of_error(imports, source.unwrap_or(file), position);
            if !position.is_none() && self.trail.iter().all(|(_, other)| !other.is_at(&place)) {
                self.trail.insert(0, ("failed here".into(), place));
            }
            hints.extend(error.hint().map(str::to_owned));
        }
        // Advice on one of several failures would be taken for advice on all.
        hints.dedup();
        if let [hint] = &hints[..] {
            self.hint = Some(hint.clone());
        }
    }

    fn describe_thrown(&mut self, imports: &Imports, value: &Dynamic, thrown: Place) {
        if !extent::is_short(value) {
            self.title = match value.is_string() {
                true => extent::shortened(value.to_string()),
                false => format!(
                    "the script threw {} that is too large to show",
                    a_value(value)
                ),
            };
            return;
        }
        if let Some(map) = value.read_lock::<Map>()
            && let Some((title, position)) = caught_and_thrown(&map)
        {
            let origin = Place::of_error(imports, &thrown.file, position);
            self.title = title;
            self.trail.insert(0, ("thrown again here".into(), thrown));
            self.place = Some(origin);
            return;
        }
        if let Some(list) = value.read_lock::<Array>()
            && let Some(failures) = failures(&list)
        {
            self.describe_parallel(imports, &list, failures, &thrown.file);
            self.thrown = Some(value.clone());
            return;
        }
        if let Some(map) = value.read_lock::<Map>()
            && let Some(message) = map.get("message").filter(|message| message.is_string())
        {
            self.title = message.to_string();
            self.hint = map
                .get("hint")
                .filter(|hint| hint.is_string())
                .map(ToString::to_string);
            self.thrown = Some(value.clone());
            return;
        }
        let Some(error) = value.clone().try_cast::<Error>() else {
            self.title = match value.is_string() {
                true => value.to_string(),
                false => format!("the script threw {}", show::quoted(value)),
            };
            return;
        };
        self.title = error.to_string();
        self.rejected = error.rejected();
        if self.rejected.is_some() {
            let whole = std::mem::take(&mut self.title);
            let (title, notes) = words_about_xml(&whole);
            self.title = title;
            self.notes = notes;
        }
        self.code = Some(error.code());
        self.hint = error.hint().map(str::to_owned);
        let (position, source) = error.origin();
        let origin = Place::of_error(imports, source.unwrap_or(&thrown.file), position);
        if !position.is_none() && !origin.is_at(&thrown) {
            self.trail.insert(0, ("thrown again here".into(), thrown));
            self.place = Some(origin);
        }
        self.kind = "libvirt";
        self.error = Some(error);
    }
}

/// The kind of `value`, without its content.
fn a_value(value: &Dynamic) -> &'static str {
    match value.type_name() {
        "array" => "an array",
        "map" => "a map",
        _ => "a value",
    }
}

/// What sort of failure `error` is, in a word for programs; libvirt's are known by their value.
fn kind(error: &EvalAltResult) -> &'static str {
    match error {
        EvalAltResult::ErrorRuntime(..) => "thrown",
        EvalAltResult::ErrorParsing(..) => "syntax",
        EvalAltResult::ErrorFunctionNotFound(..) => "unknown-function",
        EvalAltResult::ErrorVariableNotFound(..) => "unknown-variable",
        EvalAltResult::ErrorDotExpr(message, _) if message.starts_with("Unknown property") => {
            "unknown-property"
        }
        EvalAltResult::ErrorTooManyOperations(_)
        | EvalAltResult::ErrorStackOverflow(_)
        | EvalAltResult::ErrorDataTooLarge(..) => "limit",
        _ => "failure",
    }
}

/// The text that the file `file` imports as `alias`.
fn imported(imports: &Imports, file: &str, alias: &str) -> Option<String> {
    let text = imports.text(file)?;
    let named = format!("as {alias}");
    let path = text.split("import").skip(1).find_map(|rest| {
        let statement = rest.split(';').next()?;
        let mut parts = statement.split('"');
        let path = parts.nth(1)?;
        (parts.next()?.trim() == named).then(|| path.to_owned())
    })?;
    let name = match path.strip_prefix("std/") {
        Some(_) => format!("{path}.rhai"),
        None => std::path::Path::new(file)
            .parent()?
            .join(format!("{path}.rhai"))
            .display()
            .to_string(),
    };
    imports.text(&name).map(|text| text.to_string())
}

/// What and where in the map that a script catches for one of Rhai's own errors.
fn caught_and_thrown(map: &Map) -> Option<(String, Position)> {
    let number = |name: &str| map.get(name).and_then(|value| value.as_int().ok());
    let line = u16::try_from(number("line")?).ok()?;
    let column = u16::try_from(number("position")?).ok()?;
    let message = map
        .get("message")
        .filter(|_| map.contains_key("error"))?
        .to_string();
    let title = message.lines().next().unwrap_or_default();
    let title = title.split(" @ '").next().unwrap_or_default().to_owned();
    Some((title, Position::new(line, column)))
}
