//! `virhai runs`: the recorded runs.

use std::io::IsTerminal;

use jiff::tz::TimeZone;
use serde_json::json;
use virhai::runbook::journal::{self, Past, StepState};
use virhai::show::Table;

use crate::args::Options;
use crate::columns::columns;
use crate::exit_status::DONE;
use crate::output::print_line;
use crate::terminal;

/// The number of finished steps, and of all that began.
pub(super) fn progress(past: &Past) -> (usize, usize) {
    let done = past
        .steps
        .iter()
        .filter(|step| matches!(step.state, StepState::Done { .. }));
    (done.count(), past.steps.len())
}

/// Lists the runs, the newest last, and returns the exit status.
pub(crate) fn list(options: &Options) -> u8 {
    let all = match super::folder(options) {
        Ok(all) => all,
        Err(status) => return status,
    };
    let runs = journal::runs(&all);
    if options.json {
        let runs = runs.iter().map(|run| match &run.past {
            Ok(past) => {
                let (done, begun) = progress(past);
                json!({
                    "run": run.name, "state": run.state(), "script": past.header.script,
                    "time": past.header.time, "user": past.header.user,
                    "steps": begun, "steps_done": done, "changes": past.changes.len(),
                    "status": past.end.as_ref().map(|end| end.status),
                    "folder": run.folder,
                })
            }
            Err(why) => {
                json!({ "run": run.name, "state": "damaged", "error": why, "folder": run.folder })
            }
        });
        print_line(&serde_json::Value::from_iter(runs).to_string());
        return DONE;
    }
    if runs.is_empty() {
        print_line(&format!("no runs in {}", all.display()));
        return DONE;
    }
    let heads = ["RUN", "SCRIPT", "BEGAN", "STATE", "STEPS", "CAN BE UNDONE"];
    let rows = runs.iter().map(|run| {
        let cells = match &run.past {
            Ok(past) => {
                let (done, begun) = progress(past);
                let began = past.header.time.to_zoned(TimeZone::system());
                let steps = match begun {
                    0 => "-".to_owned(),
                    begun => format!("{done} of {begun}"),
                };
                let changes = match past.changes.len() {
                    0 => "-".to_owned(),
                    1 => "1 change".to_owned(),
                    many => format!("{many} changes"),
                };
                [
                    run.name.clone(),
                    past.header.script.clone(),
                    began.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                    run.state().to_owned(),
                    steps,
                    changes,
                ]
            }
            Err(why) => [
                run.name.clone(),
                why.clone(),
                String::new(),
                run.state().to_owned(),
                String::new(),
                String::new(),
            ],
        };
        cells.to_vec()
    });
    let table = Table {
        heads: heads.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    };
    let table = table.map(|cell| terminal::visible_line(&cell).into_owned());
    let width = std::io::stdout().is_terminal().then(columns);
    print_line(&table.drawn(width));
    DONE
}
