//! The failure that stopped a script, as a diagnostic.

use rhai::{Array, Dynamic, Engine, EvalAltResult, Map};
use virhai::syntax::bindings::defined_names;
use virhai::syntax::lexer;
use virhai::syntax::written_names;
use virhai::{Error, Imports, Rejected, engine as engines, extent, names, plain};

use super::place::{Place, shorten};
use super::rhai_messages::{failures, qualified, words_about_xml};
use super::{Diagnostic, missing_input};
use crate::imported;
use crate::show;

impl Diagnostic {
    /// The failure that stopped the script that was compiled as `name`.
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
            let place = Place::new(&file, inner.position());
            match inner {
                EvalAltResult::ErrorInFunctionCall(function, source, next, _) => {
                    let closure = written_names::is_closure(function);
                    // Rhai names the file that called a closure.
                    let written = closure.then(|| imports.file_of(function)).flatten();
                    let function = match closure {
                        true => "a closure".to_owned(),
                        false => format!("`{}`", written_names::as_written(function)),
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
        let mut place = Place::new(&file, inner.position());
        // An error that a script caught and threw again, or Rhai's own error as a value.
        let again = match inner {
            EvalAltResult::ErrorRuntime(value, _) => value.clone().try_cast::<Error>(),
            _ => None,
        };
        let frames: Vec<(&str, bool)> = trail
            .iter()
            .map(|(_, place)| (place.file.as_str(), place.line.is_some()))
            .collect();
        let given = again
            .as_ref()
            .and_then(|error| error.options_given_at(&frames));
        if let Some(at) = given {
            place = trail.drain(..=at).next_back().map_or(place, |(_, at)| at);
        }
        let mut hint = None;
        if let Some(error) = &again
            && let Some(cause) = error.cause()
        {
            let origin = origin_of(error, &place);
            if !origin.is_at(&place) {
                trail.insert(0, ("thrown again here".into(), place));
                file.clone_from(&origin.file);
                place = origin;
            }
            hint = error.hint().map(str::to_owned);
            inner = cause;
        }
        let as_written = written_names::error_as_written(inner);
        let inner = as_written.as_ref().unwrap_or(inner);
        let left_out = shorten(&mut trail);
        let mut diagnostic = Self {
            place: Some(place.clone()),
            trail,
            left_out,
            kind: kind(inner),
            hint,
            ..Self::plain("")
        };
        match inner {
            EvalAltResult::ErrorRuntime(value, _) => {
                diagnostic.describe_thrown(value, place.clone());
                if given.is_some() {
                    diagnostic.trail.retain(|(_, other)| !other.is_at(&place));
                    diagnostic.place = Some(place);
                }
            }
            other => {
                let (title, hint) = plain::words(engine, other);
                diagnostic.title = title;
                diagnostic.hint = diagnostic.hint.or(hint);
            }
        }
        if let EvalAltResult::ErrorFunctionNotFound(signature, _) = inner
            && let Some((alias, name)) = qualified(signature)
            && let Some(outline) = imported::imported_as(imports, &file, alias)
        {
            let known = outline.public_names();
            diagnostic.hint = virhai::suggest::nearest(name, known.iter().map(String::as_str))
                .map(|near| format!("did you mean `{alias}::{near}`?"))
                .or_else(|| Some(format!("`{alias}` has {}", known.join(", "))));
        }
        if let EvalAltResult::ErrorFunctionNotFound(signature, _) = inner
            && let Some((name, arguments)) = signature.split_once(" (")
            && let count = arguments.split(", ").filter(|one| *one != ")").count()
            && let Some(alias) = imported::alias_of(imports, &file, name, count)
        {
            diagnostic.hint = Some(format!("write `{alias}::{name}(...)`"));
        }
        if let EvalAltResult::ErrorArrayBounds(..) = inner
            && let Some(text) = imports.text(&file)
            && let Some(at) = text.byte_at(inner.position())
            && let [.., name, bracket] = &lexer::code(&text[..at])[..]
            && (name.of(&text), bracket.of(&text)) == ("args", "[")
        {
            diagnostic.hint = Some(
                "give arguments after the file: `virhai run FILE ARGUMENT`; `args.len()` is their number".into(),
            );
        }
        if let Some(hint) = missing_input::hint(imports, &file, inner) {
            diagnostic.hint = Some(hint);
        }
        if diagnostic.hint.is_none() {
            let known = imports
                .text(&file)
                .map(|text| defined_names(&text))
                .unwrap_or_default();
            diagnostic.hint = names::advice(engine, inner, &known);
        }
        if diagnostic.hint.is_none()
            && let EvalAltResult::ErrorVariableNotFound(name, position) = inner
            && let Some(text) = imports.text(&file)
            && let Some(at) = text.byte_at(*position)
            && let [variable, sign, ..] = &lexer::code(&text[at..])[..]
            && (variable.of(&text[at..]), sign.of(&text[at..])) == (name.as_str(), "=")
        {
            diagnostic.hint = Some(names::for_undeclared(name));
        }
        diagnostic.title = extent::shortened(diagnostic.title);
        diagnostic
    }

    /// The failures of several calls in parallel; `lines` are the failures in words.
    fn describe_parallel(&mut self, list: &Array, lines: Vec<String>, file: &str) {
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
            let place = Place::new(source.unwrap_or(file), position);
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

    fn describe_thrown(&mut self, value: &Dynamic, thrown: Place) {
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
        if let Some(list) = value.read_lock::<Array>()
            && let Some(failures) = failures(&list)
        {
            self.describe_parallel(&list, failures, &thrown.file);
            self.thrown = Some(value.clone());
            return;
        }
        if let Some(map) = value.read_lock::<Map>()
            && let Some(message) = map.get("message").filter(|message| message.is_string())
        {
            self.title = message.to_string();
            let hint = map.get("hint").filter(|hint| hint.is_string());
            self.hint = hint.map(ToString::to_string).or(self.hint.take());
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
            let (title, notes) = against_schema(&error, &whole, self.rejected.as_ref())
                .unwrap_or_else(|| words_about_xml(&whole));
            self.title = title;
            self.notes = notes;
        }
        self.code = error.code();
        self.hint = error.hint().map(str::to_owned);
        let origin = origin_of(&error, &thrown);
        if !origin.is_at(&thrown) {
            self.trail.insert(0, ("thrown again here".into(), thrown));
            self.place = Some(origin);
        }
        self.kind = "libvirt";
        self.error = Some(error);
    }
}

/// The place where `error` was first thrown, if it was thrown at `last` in the end. A function that a closure calls knows
/// only the file that called the closure.
fn origin_of(error: &Error, last: &Place) -> Place {
    let (position, source) = error.origin();
    let origin = Place::new(source.unwrap_or(&last.file), position);
    match position.is_none() || (origin.line, origin.column) == (last.line, last.column) {
        true => last.clone(),
        false => origin,
    }
}

/// The title and the notes of an error of libvirt's schema about an element that is known; `whole` is the error as text.
fn against_schema(
    error: &Error,
    whole: &str,
    rejected: Option<&Rejected>,
) -> Option<(String, Vec<String>)> {
    let element = rejected?.spot.as_ref()?.element.as_deref()?;
    if error.code().as_deref() != Some("VIR_ERR_XML_INVALID_SCHEMA") {
        return None;
    }
    let begin = whole.strip_suffix(error.message())?;
    let (first, mut notes) = words_about_xml(error.message());
    notes.insert(0, first);
    let title = format!("{begin}the XML does not follow libvirt's schema at `{element}`");
    Some((title, notes))
}

/// The kind of `value`, without its content.
fn a_value(value: &Dynamic) -> &'static str {
    match value.type_name() {
        "array" => "an array",
        "map" => "a map",
        _ => "a value",
    }
}

/// The kind of the failure `error`, in a word for programs; errors of libvirt are known by their value.
fn kind(error: &EvalAltResult) -> &'static str {
    match error {
        EvalAltResult::ErrorRuntime(..) => "thrown",
        EvalAltResult::ErrorParsing(..) => "syntax",
        EvalAltResult::ErrorFunctionNotFound(..) => "unknown-function",
        EvalAltResult::ErrorVariableNotFound(..) => "unknown-variable",
        EvalAltResult::ErrorPropertyNotFound(..) => "unknown-key",
        EvalAltResult::ErrorDotExpr(message, _) if message.starts_with("Unknown property") => {
            "unknown-property"
        }
        EvalAltResult::ErrorTooManyOperations(_)
        | EvalAltResult::ErrorStackOverflow(_)
        | EvalAltResult::ErrorDataTooLarge(..) => "limit",
        _ => "failure",
    }
}
