//! Finds the tests in files.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use virhai::catalog::Catalog;
use virhai::check::{Checker, Severity};
use virhai::files::scripts_below;
use virhai::syntax::outline::Outline;
use virhai::syntax::text::Text;
use virhai::{Imports, Program, engine};

use super::{DOES_NOT_COMPILE, Options, WRONG_USAGE};
use crate::diagnostic::{Diagnostic, Place};
use crate::project::Project;
use crate::{script, session};

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) file: PathBuf,
    pub(super) name: String,
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}::{}", self.file.display(), self.name)
    }
}

/// Tests, and the files that they depend on.
#[derive(Debug, Default)]
pub(super) struct Tests {
    tests: Vec<Test>,
    /// For each test file, the files that it imports, directly or through others, with links resolved.
    pub(super) imported: Vec<(PathBuf, HashSet<PathBuf>)>,
}

impl Tests {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Test> {
        self.tests.iter()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Test> {
        self.tests.get(index)
    }

    pub(super) fn len(&self) -> usize {
        self.tests.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// The tests with one of `texts` in their names; all tests if `texts` is empty.
    pub(super) fn only(&self, texts: &[String]) -> Self {
        self.those(|test| {
            let name = test.to_string();
            texts.is_empty() || texts.iter().any(|text| name.contains(text.as_str()))
        })
    }

    /// The tests that a change of one of `files` may affect.
    pub(super) fn touched_by(&self, files: &HashSet<PathBuf>) -> Self {
        let touched = |file: &Path| {
            let imported = self.imported.iter().find(|(of, _)| of == file);
            imported.is_none_or(|(_, imported)| !imported.is_disjoint(files))
        };
        self.those(|test| touched(&test.file))
    }

    fn those(&self, wanted: impl Fn(&Test) -> bool) -> Self {
        Self {
            tests: self
                .tests
                .iter()
                .filter(|test| wanted(test))
                .cloned()
                .collect(),
            imported: self.imported.clone(),
        }
    }
}

/// The tests of the files, and of the files below the folders, that `paths` name; a status where
/// one of them is wrong, which is reported.
pub(super) fn find(options: &Options, paths: &[PathBuf]) -> Result<Tests, u8> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let mut files = Vec::new();
    for path in paths {
        files_of(path, &mut files).map_err(|why| {
            Diagnostic::wrong_usage(why).report_plain(options);
            WRONG_USAGE
        })?;
    }
    let session = session::session(options);
    let engine = engine::build(&session, &options.limits(), Imports::default());
    let catalog = Catalog::new(&engine);
    let checker = Checker::new(&engine, &catalog);
    let mut found = Tests::default();
    let mut wrong = false;
    for file in files {
        wrong |= !read(options, &engine, &checker, &file, &mut found)?;
    }
    if wrong {
        Err(DOES_NOT_COMPILE)
    } else {
        Ok(found)
    }
}

fn files_of(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    // Opening refuses everything that is neither a file nor a folder.
    if path.exists() && !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for found in scripts_below(path) {
        let file = found.map_err(|(path, error)| {
            format!("cannot look for tests in {}: {error}", path.display())
        })?;
        if file.to_string_lossy().ends_with("_test.rhai") {
            let plain = file.strip_prefix(".").map(Path::to_owned);
            files.push(plain.unwrap_or(file));
        }
    }
    Ok(())
}

/// Adds the tests of `file` to those `found`, unless something is wrong with it.
fn read(
    options: &Options,
    engine: &rhai::Engine,
    checker: &Checker,
    file: &Path,
    found: &mut Tests,
) -> Result<bool, u8> {
    let text = script::text_of(file).map_err(|wrong| {
        wrong.report_plain(options);
        WRONG_USAGE
    })?;
    let name = file.display().to_string();
    let folder = script::folder_of(file);
    let more = Project::known_imports(options, &folder);
    let folders = [folder].into_iter().chain(options.imports()).chain(more);
    let imports = Imports::new(folders);
    let program = match Program::compile(engine, &imports, &name, &text) {
        Ok(program) => program,
        Err(error) => {
            Diagnostic::of_compile_error(&error).report(options, &imports);
            return Ok(false);
        }
    };
    let mut good = true;
    if !options.no_check {
        let all = checker.check_program(&imports, &name, &program);
        for finding in all
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
        {
            Diagnostic::of_finding(finding).report(options, &imports);
            good = false;
        }
    }
    let functions = Outline::of(&text).functions.into_iter();
    for function in functions.filter(|function| function.name.starts_with("test_")) {
        if !function.parameters.is_empty() {
            good = false;
            let span = Text::from(text.as_str()).span(&function.name_span);
            Diagnostic::plain(format!("the test `{}` has parameters", function.name))
                .with_hint("tests are called without arguments: remove the parameters, or rename the function")
                .at(Place::of_span(&name, span), "")
                .report(options, &imports);
            continue;
        }
        found.tests.push(Test {
            file: file.to_owned(),
            name: function.name,
        });
    }
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let imported = program.imported().map(|file| real(Path::new(file)));
    let imported = imported.chain([real(file)]).collect();
    found.imported.push((file.to_owned(), imported));
    Ok(good)
}
