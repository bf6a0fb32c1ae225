//! Reports diagnostics to people and programs.

use serde_json::{Value, json};
use virhai::Imports;

use super::Diagnostic;
use crate::args::{Log, Options};
use crate::outlet;
use crate::output::print_line;

impl Diagnostic {
    /// Shows why a command failed: as text on standard error and, with `--json`, as data on standard
    /// output.
    pub(crate) fn report(&self, options: &Options, imports: &Imports) {
        match options.log {
            Log::Text => eprintln!("{}", self.render(imports, options.colors())),
            Log::Json => {
                let fields = json!({ "kind": "error", "error": self.json(imports) });
                outlet::log(fields, true);
            }
        }
        options.reporting.add_error(&self.render(imports, false));
        if options.json {
            print_line(&self.as_failure(imports).to_string());
        }
    }

    /// The same for a failure that no script has a part in.
    pub(crate) fn report_plain(&self, options: &Options) {
        self.report(options, &Imports::default());
    }

    /// The JSON of a command that failed.
    pub(crate) fn as_failure(&self, imports: &Imports) -> Value {
        json!({ "error": self.json(imports) })
    }
}
