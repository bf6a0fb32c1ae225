//! Panics of this program: it reports them and continues.

use parking_lot::Mutex;

use super::Diagnostic;

/// The place of the last defect on a thread that runs scripts.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Keeps the standard library from printing defects that a diagnostic reports.
pub(crate) fn watch() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if !matches!(thread.name(), Some("script" | "input")) {
            return usual(panic);
        }
        *LAST.lock() = panic.location().map(ToString::to_string);
    }));
}

impl Diagnostic {
    /// A defect of this program, in its own words.
    pub(crate) fn of_defect(words: &str) -> Self {
        let title = match words {
            "" => "internal error (please report this)".to_owned(),
            words => format!("internal error (please report this): {words}"),
        };
        let diagnostic = Self::plain(title).of_kind("defect").with_hint(
            "this is a bug in virhai, not in the script: please report it with this output",
        );
        let at = LAST.lock().take();
        match at {
            Some(at) => diagnostic.with_note(format!("at {at}")),
            None => diagnostic,
        }
    }
}

#[cfg(test)]
mod tests {
    use rhai::Dynamic;
    use virhai::engine::{self, Limits};
    use virhai::{Imports, Session, SessionOptions};

    use crate::diagnostic::Diagnostic;

    #[test]
    fn a_defect_is_told_as_such() {
        let session = Session::new(SessionOptions::default());
        let imports = Imports::default();
        let mut engine = engine::build(&session, &Limits::default(), imports.clone());
        engine.register_fn("stumble", || -> i64 { panic!("no such luck") });
        let text = "let n = 1;\nstumble();\n";
        imports.remember("main.rhai", text);
        let error = engine::guarded(|| engine.eval::<Dynamic>(text)).expect_err("it stumbles");
        let diagnostic = Diagnostic::of_error(&engine, &imports, "main.rhai", &error);
        assert_eq!(
            diagnostic.render(&imports, false),
            "error: internal error (please report this): no such luck\n |\n = help: this is a bug in virhai, not in the script: please report it with this output"
        );
        assert_eq!(diagnostic.json(&imports)["kind"], "defect");
    }
}
