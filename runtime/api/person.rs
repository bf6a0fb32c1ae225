//! Questions to a person, whose answers the journal records.

use jiff::Timestamp;
use rhai::plugin::*;
use rhai::{Dynamic, Engine, Map, NativeCallContext, exported_module};

use super::arguments::RhaiResultOf;
use super::step::{Step, StepOptions};
use crate::error::Error;
use crate::redact;
use crate::run::exit::terminated;
use crate::run::person::{Answer, is_yes};
use crate::run::session::Session;
use crate::runbook::journal::{Journal, Record};
use crate::runbook::twin::Rehearsal;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

/// Asks `question`, and records the answer; `None` if no person is present.
fn asked(ctx: &NativeCallContext, question: &str) -> RhaiResultOf<Option<String>> {
    let session = Session::of(ctx);
    match session.person().ask(question) {
        Answer::Line(answer) => {
            record(&session, question, &answer);
            Ok(Some(answer))
        }
        Answer::Nobody => Ok(None),
        Answer::Stopped => Err(terminated(ctx)),
    }
}

/// True in a rehearsal, which then names `what` below its plan.
fn assumes(session: &Session, what: impl FnOnce() -> String) -> bool {
    Rehearsal::of(session).is_some_and(|rehearsal| rehearsal.assumes(&what()))
}

fn record(session: &Session, question: &str, answer: &str) {
    if let Some(journal) = Journal::of(session) {
        journal.write_lightly(&Record::Asked {
            question: redact::hide(question).into_owned(),
            answer: redact::hide(answer).into_owned(),
            user: session.person().name(),
            time: Timestamp::now(),
        });
    }
}

#[export_module]
mod functions {
    /// Asks a person to do the task `text`, and waits for the answer. A resumed run does not ask again.
    ///
    /// The journal records the user and the time of the answer. Throws if the person refuses, or if there is no terminal:
    /// resume the run on a terminal. A rehearsal does not ask: it assumes that the task is done.
    ///
    /// ```rhai
    /// let thrown = false;
    /// try { manual("connect the cable"); } catch (err) { thrown = err.message; }
    /// assert_eq(thrown, "a person must do this: connect the cable");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn manual(ctx: NativeCallContext, text: &str) -> RhaiResultOf<()> {
        let step = Step::new(&ctx, text)?;
        let options = StepOptions::read(&ctx, &Map::new())?;
        let session = Session::of(&ctx);
        step.run(options, || {
            if assumes(&session, || format!("a person does this: {text}")) {
                return Ok(Dynamic::UNIT);
            }
            let question = format!("{text} (Enter when it is done, `no` to stop): ");
            match asked(&ctx, &question)? {
                None => {
                    let what = format!("a person must do this: {text}");
                    Error::refuse(
                        &ctx,
                        what,
                        "resume the run on a terminal: `virhai resume RUN`",
                    )
                }
                Some(answer) if answer.trim().is_empty() || is_yes(&answer) => Ok(Dynamic::UNIT),
                Some(_) => Err(Error::invalid(&ctx, format!("not done: {text}")).throw()),
            }
        })
        .map(drop)
    }

    /// Asks a person to confirm `text`, such as `"delete all guests?"`. With `--yes`, virhai does not ask.
    ///
    /// Throws if the answer is not `yes` or `y`, and if there is no terminal. A rehearsal does not ask: the script
    /// continues as if the answer was `yes`.
    ///
    /// ```rhai
    /// let thrown = false;
    /// try { confirm("delete all guests?"); } catch (err) { thrown = err.message; }
    /// assert_eq(thrown, "no terminal to confirm: delete all guests?");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn confirm(ctx: NativeCallContext, text: &str) -> RhaiResultOf<()> {
        let question = format!("{text} (yes or no): ");
        let session = Session::of(&ctx);
        if session.person().has_agreed() {
            record(&session, &question, "yes, by --yes");
            return Ok(());
        }
        if assumes(&session, || format!("a person confirms: {text}")) {
            return Ok(());
        }
        match asked(&ctx, &question)? {
            None => {
                let what = format!("no terminal to confirm: {text}");
                Error::refuse(&ctx, what, "run it on a terminal, or with `--yes`")
            }
            Some(answer) if is_yes(&answer) => Ok(()),
            Some(_) => Err(Error::invalid(&ctx, format!("not confirmed: {text}")).throw()),
        }
    }
}
