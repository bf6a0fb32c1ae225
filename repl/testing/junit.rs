//! Results of tests in the JUnit format.

use std::path::Path;

use anyhow::Context;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::run::Ended;
use crate::terminal::visible;

/// Writes `results` to `file`, a suite for each file of tests.
pub(super) fn write(file: &Path, results: &[Ended]) -> anyhow::Result<()> {
    let mut report = Report::new("virhai");
    let mut suites: Vec<TestSuite> = Vec::new();
    for result in results {
        let name = result.test.file.display().to_string();
        let index = match suites.iter().position(|suite| suite.name.as_str() == name) {
            Some(index) => index,
            None => {
                suites.push(TestSuite::new(name));
                suites.len() - 1
            }
        };
        suites[index].add_test_case(case(result));
    }
    report.add_test_suites(suites);
    let text = report
        .to_string()
        .context("the results cannot be written as XML")?;
    virhai::files::write(file, text)?;
    Ok(())
}

fn case(result: &Ended) -> TestCase {
    let status = match result.passed() {
        true => TestCaseStatus::success(),
        false => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let message = result.stderr.lines().next().unwrap_or("failed");
            status
                .set_message(visible(message).as_ref())
                .set_description(visible(&result.stderr).as_ref());
            status
        }
    };
    let mut case = TestCase::new(result.test.name.clone(), status);
    case.set_classname(result.test.file.display().to_string())
        .set_time(result.took)
        .set_system_out(visible(&result.stdout).as_ref())
        .set_system_err(visible(&result.stderr).as_ref());
    case
}
