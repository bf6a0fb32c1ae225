//! Steps of a runbook: they are printed, timed and recorded, and a resumed run does not repeat finished steps.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::Mutex;
use rhai::plugin::*;
use rhai::{Dynamic, Engine, FnPtr, Map, NativeCallContext, exported_module};
use serde_json::Value as Json;

use super::arguments::RhaiResultOf;
use super::undo::{self, record::not_written};
use crate::error::Error;
use crate::error::failure_line;
use crate::objects::any;
use crate::redact;
use crate::run::session::Session;
use crate::run::sink::StepNews;
use crate::runbook::journal::{
    Journal, LARGEST_VALUE, Place, Record, Step as Earlier, StepKey, StepState,
    say_once_without_journal,
};
use crate::script::imports::Imports;
use crate::stored::{Revival, Store};
use crate::vocabulary::{Declared, OptionsOf, options};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

/// The maps that these calls take.
pub(super) const DECLARED: &[&Declared] = &[StepOptions::DECLARED];

/// The longest title of a step, in characters.
const LONGEST_TITLE: usize = 200;

options! {
    /// Closures to resume and undo a step.
    pub(crate) struct StepOptions {
        /// Closure without parameters, called when a run is resumed that ended during the step. It returns `()` or `false` if the
        /// step is not done, `true` if the step is done and has no value, and otherwise the value of the step.
        done: Option<FnPtr>,
        /// Closure that gets the value of the step and undoes the step.
        undo: Option<FnPtr>,
    }
}

/// A step that runs.
struct Frame {
    /// Its number in the journal.
    number: Option<u64>,
    key: StepKey,
    children: Children,
    touched: AtomicBool,
}

/// The steps with each title; copies share them.
#[derive(Clone, Default)]
struct Children(Arc<Mutex<HashMap<String, Namesakes>>>);

/// The steps with one title.
#[derive(Default)]
struct Namesakes {
    /// The number that have begun.
    begun: usize,
    /// True while one of them runs.
    running: bool,
}

impl Children {
    /// Begins a step with that title, and returns the number of such steps before it; `None` if one of them runs: a resumed
    /// run could not tell the two apart.
    fn begin(&self, title: &str) -> Option<usize> {
        let mut children = self.0.lock();
        let namesakes = children.entry(title.to_owned()).or_default();
        if std::mem::replace(&mut namesakes.running, true) {
            return None;
        }
        namesakes.begun += 1;
        Some(namesakes.begun - 1)
    }

    fn end(&self, title: &str) {
        if let Some(namesakes) = self.0.lock().get_mut(title) {
            namesakes.running = false;
        }
    }
}

thread_local! {
    /// The innermost step of this thread.
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// The step that a thread works for.
#[derive(Clone)]
pub(crate) struct Current(Arc<Frame>);

/// The step of this thread, for other threads that work for it.
pub(crate) fn current() -> Option<Current> {
    CURRENT.with_borrow(Clone::clone)
}

/// Does `work` as part of the step `current`.
pub(crate) fn within<T>(current: Option<Current>, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Current>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            CURRENT.with_borrow_mut(|current| *current = before);
        }
    }
    let _restore = Restore(CURRENT.with_borrow_mut(|own| std::mem::replace(own, current)));
    work()
}

/// The number of the step of this thread in the journal.
pub(super) fn current_number() -> Option<u64> {
    CURRENT.with_borrow(|current| current.as_ref().and_then(|current| current.0.number))
}

/// Records that the step of this thread makes a change that no undo list records.
pub(super) fn touch(journal: &Journal) -> Result<(), String> {
    let Some(Current(frame)) = current() else {
        return Ok(());
    };
    match frame.number {
        Some(step) if !frame.touched.swap(true, Ordering::SeqCst) => {
            journal.write(&Record::Touch { step })
        }
        _ => Ok(()),
    }
}

/// Records a note of the script.
pub(super) fn noted(session: &Session, text: &str) {
    if let Some(journal) = Journal::of(session) {
        journal.write_lightly(&Record::Note {
            step: current_number(),
            text: redact::hide(text).into_owned(),
            time: Timestamp::now(),
        });
    }
}

/// The place of the call of `ctx`.
pub(super) fn place(ctx: &NativeCallContext) -> Place {
    Place {
        file: ctx.call_source().unwrap_or_default().to_owned(),
        line: ctx.call_position().line().unwrap_or_default(),
    }
}

/// A step that is about to run.
pub(super) struct Step<'a> {
    ctx: &'a NativeCallContext<'a>,
    session: Session,
    journal: Option<Journal>,
    title: String,
    parent: Option<Current>,
    key: StepKey,
    /// The steps beside this one.
    children: Children,
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.children.end(&self.title);
    }
}

impl<'a> Step<'a> {
    pub(super) fn new(ctx: &'a NativeCallContext<'a>, title: &str) -> RhaiResultOf<Self> {
        if title.trim().is_empty() || title.contains('\n') {
            return Err(
                Error::invalid(ctx, "the title of a step must be one line of text").throw(),
            );
        }
        if title.chars().count() > LONGEST_TITLE {
            let why =
                format!("the title of a step exceeds the limit of {LONGEST_TITLE} characters");
            return Err(Error::invalid(ctx, why).throw());
        }
        let session = Session::of(ctx);
        let title = redact::hide(title).into_owned();
        let parent = current();
        let children = match &parent {
            Some(Current(frame)) => frame.children.clone(),
            None => session.kept_or_default::<Children>(),
        };
        let mut key = match &parent {
            Some(Current(frame)) => frame.key.clone(),
            None => StepKey::new(),
        };
        let Some(nth) = children.begin(&title) else {
            let why = format!("two steps called `{title}` run at the same time");
            let hint = "give each step its own title, such as with the name of its guest";
            return Error::refuse(ctx, why, hint);
        };
        key.push((title.clone(), nth));
        let journal = Journal::of(&session);
        match &journal {
            Some(journal) => journal.ensure_made().map_err(|why| not_written(ctx, why))?,
            None => say_once_without_journal(&session),
        }
        Ok(Self {
            ctx,
            session,
            journal,
            title,
            parent,
            key,
            children,
        })
    }

    fn earlier(&self) -> Option<&Earlier> {
        self.journal.as_ref()?.earlier(&self.key)
    }

    /// Prints the progress of the step.
    fn tell(&self, number: Option<u64>, event: &'static str, took: Option<Duration>) {
        self.session.narrate(&StepNews {
            title: &self.title,
            number,
            depth: self.key.len() - 1,
            event,
            took,
        });
    }

    /// Runs the step, unless an earlier attempt of the run has done it.
    pub(super) fn run(
        self,
        options: StepOptions,
        action: impl FnOnce() -> RhaiResultOf<Dynamic>,
    ) -> RhaiResultOf<Dynamic> {
        if let Some(value) = self.value_of_earlier()? {
            let number = self.earlier().map(|earlier| earlier.number);
            self.tell(number, "done before", None);
            return Ok(value);
        }
        let number = self.journal.as_ref().map(|journal| match self.earlier() {
            Some(earlier) => earlier.number,
            None => journal.number(),
        });
        let found = match (self.earlier(), &options.done) {
            (Some(_), Some(done)) => self.value_if_done(done)?,
            _ => None,
        };
        if found.is_none() {
            self.take_back_earlier(options.done.is_some())?;
        }
        self.begin(number)?;
        let began = Instant::now();
        let mut frame = None;
        let outcome: RhaiResultOf<Dynamic> = match found {
            Some(value) => self.adopt(number, &options, value),
            None => {
                self.tell(number, "begins", None);
                let own = self.frame(number);
                frame = Some(own.clone());
                within(Some(own), || {
                    let made = action()?;
                    if let Some(unmake) = &options.undo {
                        undo::done(self.ctx, unmake, &made)?;
                    }
                    Ok(made)
                })
            }
        };
        let took = began.elapsed();
        let outcome = outcome.and_then(|value| {
            self.record_value(number, &value, took.as_secs_f64())?;
            Ok(value)
        });
        match &outcome {
            Ok(_) => self.tell(number, "done", Some(took)),
            Err(error) => {
                let why = failure_line::line(self.ctx.engine(), error);
                self.tell(number, "failed", Some(took));
                if let (Some(step), Some(journal)) = (number, &self.journal) {
                    let error = redact::hide(&why).into_owned();
                    let time = Timestamp::now();
                    // The failure itself is reported even if the record cannot be written.
                    let _ = journal.write(&Record::Failed { step, error, time });
                    within(frame, || self.session.report_failure(&why));
                }
            }
        }
        outcome
    }

    fn frame(&self, number: Option<u64>) -> Current {
        Current(Arc::new(Frame {
            number,
            key: self.key.clone(),
            children: Children::default(),
            touched: AtomicBool::new(false),
        }))
    }

    /// Takes over the work of an earlier attempt with the value `value`, and returns the value. The attempt ended before it
    /// could record how to undo the step, unless the journal has changes of the step.
    fn adopt(
        &self,
        number: Option<u64>,
        options: &StepOptions,
        value: Dynamic,
    ) -> RhaiResultOf<Dynamic> {
        let recorded = |journal: &Journal| journal.has_change(|change| change.step == number);
        if let Some(unmake) = &options.undo
            && !self.journal.as_ref().is_some_and(recorded)
        {
            within(Some(self.frame(number)), || {
                undo::done(self.ctx, unmake, &value)
            })?;
        }
        Ok(value)
    }

    /// The value of the step, if an earlier attempt has done it.
    fn value_of_earlier(&self) -> RhaiResultOf<Option<Dynamic>> {
        let Some(StepState::Done { value, .. }) = self.earlier().map(|earlier| &earlier.state)
        else {
            return Ok(None);
        };
        let lost = |why: String| {
            let what = format!("the value of the step `{}` is lost: {why}", self.title);
            Error::invalid(self.ctx, what)
                .with_hint("undo this run with `virhai undo`, and start a new run")
                .throw()
        };
        let value = Revival::new(self.ctx, undo::record::new_list)
            .value(value)
            .map_err(lost)?;
        any::ensure_exists(&value).map_err(|failure| lost(failure.message))?;
        Ok(Some(value))
    }

    /// The result of the closure `done` for a step that an earlier attempt began.
    fn value_if_done(&self, done: &FnPtr) -> RhaiResultOf<Option<Dynamic>> {
        let answer = done.call_within_context::<Dynamic>(self.ctx, ())?;
        Ok(match answer.as_bool() {
            Ok(true) => Some(Dynamic::UNIT),
            Ok(false) => None,
            Err(_) => Some(answer).filter(|answer| !answer.is_unit()),
        })
    }

    /// Undoes the changes of an earlier attempt of the step, so that it can be repeated. `is_not_done` is true if the option
    /// `done` has found that the attempt did not do the step.
    fn take_back_earlier(&self, is_not_done: bool) -> RhaiResultOf<()> {
        let (Some(journal), Some(earlier)) = (&self.journal, self.earlier()) else {
            return Ok(());
        };
        let was_killed = matches!(earlier.state, StepState::Begun);
        if was_killed && earlier.touched && !is_not_done && !journal.may_repeat() {
            let what = format!(
                "the step `{}` was interrupted, and its effect is unknown: it made a change that no undo list records",
                self.title
            );
            let hint = "look at the host, then repeat the step with `virhai resume RUN --repeat`; to avoid this, give the step the option `done`";
            return Error::refuse(self.ctx, what, hint);
        }
        let changes = journal.take_changes(|change| change.step == Some(earlier.number));
        if changes.is_empty() {
            return Ok(());
        }
        self.tell(
            Some(earlier.number),
            "undoing its interrupted changes",
            None,
        );
        match undo::record::undo_changes(self.ctx, &changes) {
            0 => Ok(()),
            _ => {
                let what = format!(
                    "the step `{}` cannot be repeated: its changes cannot be undone",
                    self.title
                );
                Err(Error::invalid(self.ctx, what).throw())
            }
        }
    }

    fn begin(&self, number: Option<u64>) -> RhaiResultOf<()> {
        let (Some(step), Some(journal)) = (number, &self.journal) else {
            return Ok(());
        };
        let (title, nth) = self.key.last().cloned().unwrap_or_default();
        let record = Record::Begin {
            step,
            parent: self.parent.as_ref().and_then(|parent| parent.0.number),
            title,
            nth,
            at: place(self.ctx),
            time: Timestamp::now(),
        };
        let written = journal.write_before(&record);
        written.map_err(|why| not_written(self.ctx, why))
    }

    fn record_value(&self, number: Option<u64>, value: &Dynamic, seconds: f64) -> RhaiResultOf<()> {
        let (Some(step), Some(journal)) = (number, &self.journal) else {
            return Ok(());
        };
        let imports = self.session.kept::<Imports>().unwrap_or_default();
        let stored = Store::new(&imports, std::any::type_name::<undo::Undo>()).json(value);
        let is_large = |json: &Json| json.to_string().len() > LARGEST_VALUE;
        let value = match stored {
            Ok(json) if !is_large(&json) => json,
            stored => {
                let why = stored.err().unwrap_or_else(|| "it is too large".into());
                let what = format!(
                    "the value of the step `{}` cannot be kept in the journal: {why}",
                    self.title
                );
                let hint = "return data, libvirt objects, or `()` from the step";
                return Error::refuse(self.ctx, what, hint);
            }
        };
        let time = Timestamp::now();
        let record = Record::Done {
            step,
            value,
            seconds,
            time,
        };
        journal
            .write(&record)
            .map_err(|why| not_written(self.ctx, why))
    }
}

#[export_module]
mod functions {
    /// Runs `action` as a step of the runbook, and returns its value.
    ///
    /// virhai prints when the step begins and ends, and writes both to the journal of the run on the disk. In a resumed run, a
    /// finished step does not run again: `step` returns the recorded value. So the value must be data, a libvirt object, or
    /// `()`. A step can contain other steps.
    ///
    /// If virhai is killed during the step, `virhai resume` first undoes the changes that undo lists recorded, and then repeats
    /// the step. If the step also made other changes, `virhai resume` needs `--repeat`, or the step needs the option `done`.
    ///
    /// Throws the error of `action`. Also throws if the journal cannot be written; `action` then does not run.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = step("find the guest", || conn.lookup_by_name("test"));
    /// assert_eq(dom.name, "test");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn step(ctx: NativeCallContext, title: &str, action: FnPtr) -> RhaiResultOf<Dynamic> {
        super::step(&ctx, title, action, &Map::new())
    }

    /// Runs `action` as a step of the runbook, with closures to resume and undo the step.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.lookup_by_name("test");
    /// step("suspend the guest", || dom.suspend(), #{
    ///     done: || dom.state() == "paused",
    ///     undo: |value| dom.resume(),
    /// });
    /// assert_eq(dom.state(), "paused");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "step", volatile, return_raw)]
    pub fn step_with_options(
        ctx: NativeCallContext,
        title: &str,
        action: FnPtr,
        options: OptionsOf<StepOptions>,
    ) -> RhaiResultOf<Dynamic> {
        super::step(&ctx, title, action, &options)
    }
}

fn step(
    ctx: &NativeCallContext,
    title: &str,
    action: FnPtr,
    options: &Map,
) -> RhaiResultOf<Dynamic> {
    let options = StepOptions::read(ctx, options)?;
    Step::new(ctx, title)?.run(options, || action.call_within_context::<Dynamic>(ctx, ()))
}
