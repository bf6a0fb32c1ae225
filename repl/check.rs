//! `virhai check`: finds errors in scripts, without a host and without running them.

use std::collections::HashSet;
use std::path::PathBuf;

use rhai::Engine;
use serde_json::{Value, json};
use virhai::catalog::Catalog;
use virhai::check::{self, Checker, Code, Finding, Severity, Span};
use virhai::files::scripts_below;
use virhai::interrupt::Stop;
use virhai::{Imports, Program, Session, engine};

use crate::args::{CheckOptions, Format, Options};
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DOES_NOT_COMPILE, DONE, WRONG_USAGE};
use crate::output::print_line;
use crate::project::Project;
use crate::run;
use crate::{script, session};

/// Checks the files that `check` names, and returns the exit status.
pub(crate) fn check(options: &Options, check: &CheckOptions) -> u8 {
    let (files, unlisted) = scripts(&check.paths);
    let is_incomplete = !unlisted.is_empty();
    for wrong in unlisted {
        wrong.report_plain(options);
    }
    let session = session::session(options);
    if let Some(timeout) = options.timeout {
        let interrupt = session.interrupt().clone();
        // If the thread cannot be started, the time limit does not apply. Ctrl-C still works.
        let _ = std::thread::Builder::new()
            .name("timeout".into())
            .spawn(move || {
                std::thread::sleep(timeout);
                interrupt.stop(Stop::TimedOut);
            });
    }
    let engine = engine::build(&session, &options.limits(), Imports::default());
    let catalog = Catalog::new(&engine);
    let checker = Checker::new(&engine, &catalog);
    let format = match options.json {
        true => Format::Json,
        false => check.format(),
    };
    let mut seen = HashSet::new();
    let (mut all, mut checked) = (Vec::new(), 0);
    for path in &files {
        let text = match script::text_of(path) {
            Ok(text) => text,
            Err(wrong) => {
                wrong.report_plain(options);
                continue;
            }
        };
        checked += 1;
        let folder = script::folder_of(path);
        let more = Project::known_imports(options, &folder);
        let folders = [folder].into_iter().chain(options.imports()).chain(more);
        let imports = Imports::new(folders);
        let found = checker.check(&imports, &path.display().to_string(), &text);
        if let Some(status) = run::stopped(options, &session) {
            return status;
        }
        for finding in found {
            // A finding in a file that several scripts import is reported once.
            let place = (finding.file.clone(), finding.span, finding.message.clone());
            if !seen.insert(place) {
                continue;
            }
            if format == Format::Text {
                eprintln!(
                    "{}\n",
                    Diagnostic::of_finding(&finding).render(&imports, options.colors())
                );
            }
            all.push(finding);
        }
    }
    let is_incomplete = is_incomplete || checked < files.len();
    if checked == 0 && is_incomplete {
        return WRONG_USAGE;
    }
    match format {
        Format::Text if !options.quiet => eprintln!("{}", summary(checked, &all)),
        Format::Text => {}
        Format::Json => print_line(&json!({ "files": checked, "findings": all }).to_string()),
        Format::Sarif => print_line(&sarif(&all).to_string()),
    }
    let bad = |finding: &Finding| check.deny_warnings || finding.severity == Severity::Error;
    if all.iter().any(bad) {
        DOES_NOT_COMPILE
    } else if is_incomplete {
        WRONG_USAGE
    } else {
        DONE
    }
}

/// Checks a compiled script before it is run: shows its errors, and its warnings where the user
/// wants to see more. Answers the errors.
pub(crate) fn before_run(
    options: &Options,
    engine: &Engine,
    imports: &Imports,
    name: &str,
    program: &Program,
) -> Vec<Finding> {
    let found = check::before_run(engine, imports, name, program);
    let (errors, warnings): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|finding| finding.severity == Severity::Error);
    let shown = warnings.iter().filter(|_| options.verbose).chain(&errors);
    let shown: Vec<String> = shown
        .map(|finding| Diagnostic::of_finding(finding).render(imports, options.colors()))
        .collect();
    if !shown.is_empty() && !Session::is_stopping(engine) {
        eprintln!("{}", shown.join("\n\n"));
    }
    for error in &errors {
        let text = Diagnostic::of_finding(error).render(imports, false);
        options.reporting.add_error(&text);
    }
    errors
}

/// The scripts that `paths` name: files, and all `*.rhai` below folders; and why others cannot be found.
fn scripts(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Diagnostic>) {
    let (mut files, mut wrong) = (Vec::new(), Vec::new());
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len() + wrong.len();
        for found in scripts_below(path) {
            match found {
                Ok(file) => files.push(file),
                Err((path, error)) => wrong.push(Diagnostic::unreadable(&path, &error)),
            }
        }
        if files.len() + wrong.len() == before {
            let message = format!("no script (*.rhai) in {}", path.display());
            wrong.push(Diagnostic::wrong_usage(message));
        }
    }
    (files, wrong)
}

fn summary(files: usize, findings: &[Finding]) -> String {
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let many = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let found = match (errors, warnings) {
        (0, 0) => "no findings".to_owned(),
        _ => format!("{}, {}", many(errors, "error"), many(warnings, "warning")),
    };
    format!("{} checked: {found}", many(files, "script"))
}

/// The findings in the format of code hosts, SARIF 2.1.0.
fn sarif(findings: &[Finding]) -> Value {
    let rules: Vec<Value> = Code::ALL
        .iter()
        .map(|code| {
            json!({
                "id": code.id(),
                "shortDescription": { "text": code.explanation() },
                "defaultConfiguration": { "level": code.severity().word() },
            })
        })
        .collect();
    let place = |file: &str, span: Span| {
        json!({
            "artifactLocation": { "uri": uri(file) },
            "region": {
                "startLine": span.line,
                "startColumn": span.column,
                "endColumn": span.column + span.width,
            },
        })
    };
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let text = match &finding.hint {
                Some(hint) => format!("{}: {hint}", finding.message),
                None => finding.message.clone(),
            };
            let related: Vec<Value> = finding
                .related
                .iter()
                .enumerate()
                .map(|(id, at)| {
                    json!({
                        "id": id,
                        "message": { "text": at.message },
                        "physicalLocation": place(&at.file, at.span),
                    })
                })
                .collect();
            json!({
                "ruleId": finding.code.id(),
                "ruleIndex": Code::ALL.iter().position(|code| *code == finding.code),
                "level": finding.severity.word(),
                "message": { "text": text },
                "locations": [{ "physicalLocation": place(&finding.file, finding.span) }],
                "relatedLocations": related,
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "virhai",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// A file's name as the path of a URI.
fn uri(file: &str) -> String {
    let mut uri = String::with_capacity(file.len());
    if file.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into());
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
