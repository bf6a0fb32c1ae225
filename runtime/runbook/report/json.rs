//! A run as JSON.

use serde_json::{Value as Json, json};

use crate::runbook::journal::{Past, StepState};

/// The run as JSON. `alive` is true if a process works on it.
pub fn json(past: &Past, alive: bool) -> Json {
    let steps = past.steps.iter().map(|step| {
        let error = match &step.state {
            StepState::Failed(error) => Some(error),
            _ => None,
        };
        json!({
            "number": step.number, "parent": step.parent, "title": step.title,
            "state": step.word(alive), "seconds": step.took().map(|took| took.as_secs_f64()), "error": error,
            "file": step.at.file, "line": step.at.line, "time": step.began, "notes": step.notes,
            "definitions": step.definitions, "guests": step.guests,
        })
    });
    let changes = past.changes.iter().map(|change| {
        json!({
            "number": change.number, "step": change.step, "file": change.at.file,
            "line": change.at.line, "error": change.failure,
        })
    });
    let answers = past.answers.iter().map(
        |(question, answer, user)| json!({ "question": question, "answer": answer, "user": user }),
    );
    let end = past.end.as_ref().map(|end| {
        json!({ "status": end.status, "error": end.error, "message": end.message, "time": end.time })
    });
    json!({
        "run": past.header.run, "state": past.state(alive), "header": past.header,
        "steps": steps.collect::<Vec<_>>(), "changes": changes.collect::<Vec<_>>(),
        "undone": past.undone, "notes": past.notes, "guests": past.guests, "answers": answers.collect::<Vec<_>>(),
        "resumed": past.resumed, "end": end,
    })
}
