//! `virhai test`: runs the tests of scripts, each in a separate process.

mod files;
mod junit;
mod report;
mod run;
mod watch;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DOES_NOT_COMPILE, DONE, FAILED, INTERRUPTED, WRONG_USAGE};
use crate::output::print_line;
use files::Tests;
use run::Runner;

/// Default time limit of a test.
const LONGEST: Duration = Duration::from_secs(60);

/// Arguments of `virhai test`.
#[derive(Debug, Args)]
pub(crate) struct Testing {
    /// Files, and folders with files called `*_test.rhai`; by default the current folder
    #[arg(value_name = "FILE|FOLDER")]
    paths: Vec<PathBuf>,

    /// Run only the tests whose names, as `file::test`, contain TEXT
    #[arg(short, long, value_name = "TEXT")]
    filter: Vec<String>,

    /// Number of tests that run at the same time; by default the number of processors
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// List the names of the tests without running them
    #[arg(long)]
    list: bool,

    /// Write the results to FILE in JUnit's XML format
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Keep running, and run the tests again that a changed file affects
    #[arg(long, conflicts_with_all = ["list", "junit"])]
    watch: bool,

    /// Run one test in this process
    #[arg(long, hide = true, num_args = 2, value_names = ["FILE", "TEST"])]
    only: Vec<String>,
}

/// Runs `virhai test`, and returns the exit status.
pub(crate) fn test(options: &Options, testing: &Testing) -> u8 {
    if let [file, name] = testing.only.as_slice() {
        return run::this(options, file, name);
    }
    let runner = match Runner::start(options, testing.jobs) {
        Ok(runner) => runner,
        Err(error) => {
            Diagnostic::plain(format!("cannot run tests: {error}")).report_plain(options);
            return FAILED;
        }
    };
    if testing.watch {
        return watch::watch(options, testing, &runner);
    }
    let found = match files::find(options, &testing.paths) {
        Ok(found) => found,
        Err(status) => return status,
    };
    let tests = found.only(&testing.filter);
    if tests.is_empty() {
        return nothing(options, testing, &found);
    }
    if testing.list {
        for test in tests.iter() {
            print_line(&test.to_string());
        }
        return DONE;
    }
    once(options, testing, &runner, &tests)
}

/// Runs `tests` and prints their results.
fn once(options: &Options, testing: &Testing, runner: &Runner, tests: &Tests) -> u8 {
    let began = Instant::now();
    let results = runner.run(tests, |result| report::ended(options, result));
    report::failures(options, &results);
    report::summary(options, tests, &results, began.elapsed());
    if let Some(file) = &testing.junit
        && let Err(error) = junit::write(file, &results)
    {
        let wrong = format!("cannot write {}: {error}", file.display());
        Diagnostic::plain(wrong).report_plain(options);
        return FAILED;
    }
    if runner.is_stopped() {
        return INTERRUPTED;
    }
    match results.iter().all(run::Ended::passed) {
        true => DONE,
        false => FAILED,
    }
}

fn nothing(options: &Options, testing: &Testing, found: &Tests) -> u8 {
    let (what, hint) = if found.is_empty() {
        (
            "there is no test".to_owned(),
            "a test is a function `test_...()` without parameters in a file `..._test.rhai`",
        )
    } else {
        let wanted = testing.filter.join("`, `");
        (
            format!("no test has `{wanted}` in its name"),
            "`--list` without `--filter` lists all tests",
        )
    };
    Diagnostic::plain(what)
        .with_hint(hint)
        .report_plain(options);
    WRONG_USAGE
}
