//! Checks a script against the catalogue, without a host and without running it.
//!
//! Only certain faults are reported: a value of unknown type may be anything, a map may hold
//! closures, and text that is run as code may define any name.

mod calls;
mod capture;
mod classes;
mod closure_parameters;
mod comparisons;
mod declared;
mod definitions;
mod effects;
mod event_filter;
mod expressions;
mod facts;
mod files;
mod finding;
mod flags;
mod import_path;
mod item_closures;
mod keys;
mod live_dump;
mod lost_writes;
mod main_function;
mod modules;
mod never_equal;
mod optional_inputs;
mod options;
mod paths;
mod phrases;
mod placeholders;
mod recovery;
mod scope;
mod script_options;
mod shadow;
mod state;
mod statements;
mod type_names;
mod unknown;
mod unused;
mod walk;
mod words;
mod written;

use rhai::Engine;

pub use crate::syntax::span::Span;
pub(crate) use event_filter::takes_event_filter;
pub use finding::{Code, Finding, Related, Severity};
pub use flags::enumerations;
pub use script_options::script_options;

use crate::catalog::Catalog;
use crate::script::imports::Imports;
use crate::script::program::{CompileError, Program};
use crate::spec::Type;
use crate::syntax::text::Text;
use files::Files;
use recovery::Rest;
use walk::Walk;

/// Checks scripts.
pub struct Checker<'a> {
    engine: &'a Engine,
    catalog: &'a Catalog,
    /// The variables that every script is given.
    variables: Vec<String>,
    /// True if the catalogue is complete; if not, findings that depend on it are checked again with a complete one.
    whole: bool,
}

/// The variable with the arguments of the script.
const ARGUMENTS: &str = "args";

/// Rhai's named types for which the catalogue has all functions.
const RANGES: [&str; 2] = ["ExclusiveRange", "InclusiveRange"];

impl<'a> Checker<'a> {
    /// A checker of scripts that `engine` would run, which see the array `args`.
    pub fn new(engine: &'a Engine, catalog: &'a Catalog) -> Self {
        Self {
            engine,
            catalog,
            variables: vec![ARGUMENTS.into()],
            whole: true,
        }
    }

    /// The same for scripts that also see these variables.
    #[must_use]
    pub fn with_variables(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.variables.extend(names);
        self
    }

    /// The findings in `text`, called `name` in positions, and in all its imports.
    pub fn check(&self, imports: &Imports, name: &str, text: &str) -> Vec<Finding> {
        match Program::compile(self.engine, imports, name, text) {
            Ok(program) => self.check_program(imports, name, &program),
            Err(error) => {
                let mut findings = vec![of_compile_error(imports, &error)];
                findings.extend(self.check_rest(imports, name, text, error));
                findings
            }
        }
    }

    /// The findings in the parts of the script `text` that do not depend on its syntax errors.
    fn check_rest(
        &self,
        imports: &Imports,
        name: &str,
        text: &str,
        error: CompileError,
    ) -> Vec<Finding> {
        let Some(rest) = Rest::of(self.engine, imports, name, text, error) else {
            return Vec::new();
        };
        let mut findings = self.check_program(imports, name, &rest.program);
        let text = Text::from(text);
        findings.retain(|finding| finding.file != name || !rest.is_doubtful(finding, &text));
        findings
    }

    /// The findings in `program`, which was compiled as `name`, and in all its imports.
    pub fn check_program(&self, imports: &Imports, name: &str, program: &Program) -> Vec<Finding> {
        self.check_files(&Files::of(imports, name, program))
    }

    fn check_files(&self, files: &Files) -> Vec<Finding> {
        let mut findings = Vec::new();
        for file in files.to_check() {
            let mut own = Walk::file(self, files, file);
            own.extend(unused::imports(files, file));
            own.extend(files.wrong_declarations(self, file));
            own.extend(type_names::unknown(self, files, file));
            own.extend(main_function::uncalled(files, file));
            own.extend(optional_inputs::untested(self, files, file));
            own.sort_by_key(|finding| (finding.span, finding.code));
            own.dedup_by(|one, other| one.span == other.span && one.message == other.message);
            let trail = match own.is_empty() {
                true => Vec::new(),
                false => files.trail(file),
            };
            for mut finding in own {
                finding.related.extend(trail.iter().cloned());
                findings.push(finding);
            }
        }
        findings
    }

    /// True if the catalogue has all methods of values of the type `ty`.
    fn is_sure(&self, ty: &Type) -> bool {
        match ty {
            Type::Unknown => false,
            Type::Object(name) => RANGES.contains(&name.as_str()) || self.catalog.has_kind(name),
            Type::OneOf(types) => types.iter().all(|ty| self.is_sure(ty)),
            _ => true,
        }
    }
}

/// The findings in `program`, which was compiled as `name` and is about to run; reads only the needed part of the
/// catalogue.
pub fn before_run(
    engine: &Engine,
    imports: &Imports,
    name: &str,
    program: &Program,
) -> Vec<Finding> {
    let files = Files::of(imports, name, program);
    let few = Catalog::with_names(engine, &files.names_called());
    let mut checker = Checker::new(engine, &few);
    checker.whole = false;
    if checker.check_files(&files).is_empty() {
        return Vec::new();
    }
    // Suggestions need all names.
    let catalog = Catalog::new(engine);
    Checker::new(engine, &catalog).check_files(&files)
}

fn of_compile_error(imports: &Imports, error: &CompileError) -> Finding {
    let span = |file: &str, position| {
        let text = imports.text(file).unwrap_or_default();
        Span::at(&text, position)
    };
    let code = if error.import {
        Code::UnresolvedImport
    } else {
        Code::Syntax
    };
    let trail = error.imported_by.iter().rev();
    Finding {
        code,
        severity: code.severity(),
        message: error.message.clone(),
        file: error.source.clone(),
        span: span(&error.source, error.position),
        label: String::new(),
        hint: error.hint.clone(),
        related: trail
            .map(|(file, position, _)| Related {
                message: "imported here".into(),
                file: file.clone(),
                span: span(file, *position),
            })
            .collect(),
    }
}
