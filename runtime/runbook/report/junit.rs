//! A run as JUnit, for build servers.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::timeline::Timeline;
use super::tree::branches;
use super::{error, verdict};
use crate::markup::visible;
use crate::runbook::journal::{Past, StepState};

/// The first line and the whole text of a failure.
type Failure = (String, String);

/// `failure` with the changes of `step` that could not be undone; of the run itself with `None`.
fn with_undo(failure: Option<Failure>, past: &Past, step: Option<u64>) -> Option<Failure> {
    let own = past.changes.iter().filter(|change| change.step == step);
    let undo = own.filter_map(|change| Some(format!("not undone: {}", change.failure.as_ref()?)));
    undo.fold(failure, |failure, why| match failure {
        Some((first, all)) => Some((first, format!("{all}\n{why}"))),
        None => Some((why.clone(), why)),
    })
}

/// The run as a JUnit test suite: one test case for the run itself, and one for each step.
///
/// # Errors
///
/// Why it cannot be written as XML.
pub fn junit(past: &Past, alive: bool) -> Result<String, String> {
    let script = visible(&past.header.script);
    let mut suite = TestSuite::new(script.as_ref());
    let mut add = |name: &str, failure: Option<Failure>, notes: &[String], took| {
        let status = match failure {
            None => TestCaseStatus::success(),
            Some((message, all)) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status
                    .set_message(visible(&message).as_ref())
                    .set_description(visible(&all).as_ref());
                status
            }
        };
        let mut case = TestCase::new(visible(name).as_ref(), status);
        case.set_classname(script.as_ref());
        if let Some(took) = took {
            case.set_time(took);
        }
        if !notes.is_empty() {
            case.set_system_out(visible(&notes.join("\n")).as_ref());
        }
        suite.add_test_case(case);
    };
    let failure = match &past.end {
        Some(end) if end.status == 0 => None,
        Some(end) => {
            let line = end.error.clone();
            let line = line.unwrap_or_else(|| format!("exit status {}", end.status));
            let message = end.message.clone().unwrap_or_else(|| line.clone());
            Some((line, message))
        }
        None => {
            let why = format!("the run is {}", verdict(past, alive));
            Some((why.clone(), why))
        }
    };
    let failure = with_undo(failure, past, None);
    let total = Timeline::new(past).total();
    add("run", failure, &past.notes, Some(total));
    for branch in branches(past) {
        let step = branch.step;
        let failure = error(step, alive).map(|why| (why.clone(), why));
        let failure = with_undo(failure, past, Some(step.number));
        let undone = match step.state {
            StepState::Undone => Some("the changes of this step were undone".to_owned()),
            _ => None,
        };
        let notes: Vec<String> = step.notes.iter().cloned().chain(undone).collect();
        add(&branch.path, failure, &notes, step.took());
    }
    let mut report = Report::new("virhai");
    report.set_time(total).add_test_suite(suite);
    report.to_string().map_err(|error| error.to_string())
}
