//! The undo lists in the journal of the run, so that another process can undo the changes of this one.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rhai::{Dynamic, Engine, NativeCallContext, Position};
use serde_json::{Value as Json, json};

use super::action::{Action, Step};
use super::{Undo, current, locks};
use crate::api::arguments::RhaiResultOf;
use crate::api::step;
use crate::error::Error;
use crate::redact;
use crate::run::interrupt;
use crate::run::session::Session;
use crate::runbook::journal::{Change, Journal, OnDisk, Place, Record, say_once_without_journal};
use crate::script::imports::Imports;
use crate::stored::{self, Revival, Store};

/// The changes of this process whose undo action can still change; copies share the list.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<OpenChanges>>);

#[derive(Default)]
struct OpenChanges {
    /// By their numbers, the oldest first.
    changes: BTreeMap<u64, OpenChange>,
    /// The first of the older changes to compare next.
    next: u64,
}

struct OpenChange {
    action: Action,
    written: Json,
    step: Option<u64>,
    at: Place,
    /// True if a captured value was changed after the first record.
    varies: bool,
}

impl Open {
    fn lock(&self) -> MutexGuard<'_, OpenChanges> {
        self.0.lock()
    }
}

impl OpenChanges {
    /// The changes whose closures are compared with their records before the next change: the newest, those whose values
    /// were changed before, and some of the others in turn. Comparing all of them before each change would take a time that
    /// grows with the square of their number.
    fn numbers_to_compare(&mut self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.changes.keys().rev().take(NEWEST).copied().collect();
        let oldest_new = numbers.last().copied().unwrap_or_default();
        let older = self.changes.range(..oldest_new);
        let varying = older.filter(|(_, change)| change.varies);
        numbers.extend(varying.map(|(number, _)| *number).take(NEWEST));
        let in_turn = self.changes.range(self.next..).map(|(number, _)| *number);
        let in_turn: Vec<u64> = in_turn.take(IN_TURN).collect();
        self.next = match in_turn.last() {
            Some(last) if *last < oldest_new => last + 1,
            _ => 0,
        };
        numbers.extend(in_turn);
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// The number of changes that are compared before each change: the newest, and as many older ones that vary.
const NEWEST: usize = 64;

/// The number of the other changes that are compared before each change.
const IN_TURN: usize = 16;

/// The journal for changes. Changes by undo actions are not recorded.
fn journal(session: &Session) -> Option<Journal> {
    match interrupt::shielded() {
        true => None,
        false => Journal::of(session),
    }
}

/// True if changes are recorded.
pub(super) fn is_on(ctx: &NativeCallContext) -> bool {
    journal(&Session::of(ctx)).is_some()
}

/// Makes the journal of `session`, if it has one, record the changes of its scripts.
pub fn follow(session: &Session, imports: &Imports) {
    let Some(journal) = Journal::of(session) else {
        return;
    };
    let open = Open::default();
    session.keep(open.clone());
    locks::follow(session, &journal, || {
        current().is_some() || step::current().is_some()
    });
    let imports = imports.clone();
    session.on_change(move || {
        if interrupt::shielded() {
            return Ok(());
        }
        journal.sync()?;
        {
            let mut open = open.lock();
            let numbers = open.numbers_to_compare();
            refresh(&journal, &mut open, &numbers, &imports)?;
        }
        match current() {
            // An undo list that is being filled has each change.
            Some(_) => Ok(()),
            None => step::touch(&journal),
        }
    });
}

/// Records the closures of the open changes `numbers` again if their captured values have changed.
fn refresh(
    journal: &Journal,
    open: &mut OpenChanges,
    numbers: &[u64],
    imports: &Imports,
) -> Result<(), String> {
    for number in numbers {
        let Some(change) = open.changes.get_mut(number) else {
            continue;
        };
        let action = written(&change.action, Some(&change.written), imports);
        if action == change.written {
            continue;
        }
        journal.write(&Record::Undo {
            undo: *number,
            step: change.step,
            action: action.clone(),
            at: change.at.clone(),
        })?;
        change.written = action;
        change.varies = true;
    }
    Ok(())
}

/// Records how to undo a change that is made or about to be made, and returns the record's number.
/// The record is on the disk by the time that `on_disk` gives.
///
/// # Errors
///
/// The journal cannot be written: then nothing must be done. A journal that could not even be made only leads to a note.
pub(super) fn undo(
    ctx: &NativeCallContext,
    action: &Action,
    on_disk: OnDisk,
) -> RhaiResultOf<Option<u64>> {
    let session = Session::of(ctx);
    let Some(journal) = journal(&session) else {
        say_once_without_journal(&session);
        return Ok(None);
    };
    if let Err(why) = journal.ensure_made() {
        journal.say_once(|| {
            session.note(&format!(
                "{why}: if virhai is killed, `virhai undo` cannot undo this run"
            ));
        });
        return Ok(None);
    }
    let imports = session.kept::<Imports>().unwrap_or_default();
    let written = written(action, None, &imports);
    let number = journal.number();
    let (step, at) = (step::current_number(), step::place(ctx));
    let record = Record::Undo {
        undo: number,
        step,
        action: written.clone(),
        at: at.clone(),
    };
    let written_down = match on_disk {
        OnDisk::Now => journal.write_before(&record),
        later => journal.write_by(&record, later),
    };
    written_down.map_err(|why| not_written(ctx, why))?;
    if let Some(open) = session.kept::<Open>() {
        let change = OpenChange {
            action: action.clone(),
            written,
            step,
            at,
            varies: false,
        };
        open.lock().changes.insert(number, change);
    }
    Ok(Some(number))
}

/// The error of a journal that cannot be written.
pub(crate) fn not_written(ctx: &NativeCallContext, why: String) -> Box<rhai::EvalAltResult> {
    Error::invalid(ctx, why)
        .with_hint("free space on the disk, make the folder writable, or choose another folder with XDG_STATE_HOME")
        .throw()
}

/// Waits until the records are on the disk that a change must not overtake.
pub(super) fn sync(ctx: &NativeCallContext) -> RhaiResultOf<()> {
    match journal(&Session::of(ctx)) {
        Some(journal) => journal.sync().map_err(|why| not_written(ctx, why)),
        None => Ok(()),
    }
}

/// Records that the steps are not to be undone.
pub(super) fn forget(ctx: &NativeCallContext, steps: &[Step], on_disk: OnDisk) {
    ended(ctx, steps, on_disk, |undo| Record::Forget { undo }, false);
}

/// Records that these changes stay, and are undone only by `virhai undo`.
pub(super) fn keep(ctx: &NativeCallContext, steps: &[Step]) {
    // Without the record, they can be undone just the same.
    let keep = |undo| Record::Keep { undo };
    ended(ctx, steps, OnDisk::Lightly, keep, true);
}

fn ended(
    ctx: &NativeCallContext,
    steps: &[Step],
    on_disk: OnDisk,
    record: impl Fn(Vec<u64>) -> Record,
    refreshes: bool,
) {
    let numbers: Vec<u64> = steps.iter().filter_map(|step| step.recorded).collect();
    let session = Session::of(ctx);
    let Some(journal) = Journal::of(&session).filter(|_| !numbers.is_empty()) else {
        return;
    };
    if let Some(open) = session.kept::<Open>() {
        let imports = session.kept::<Imports>().unwrap_or_default();
        let mut open = open.lock();
        if refreshes {
            let _ = refresh(&journal, &mut open, &numbers, &imports);
        }
        for number in &numbers {
            open.changes.remove(number);
        }
    }
    // There is room for it: the disk was asked before the change.
    if let Err(why) = journal.write_by(&record(numbers), on_disk) {
        session.note(&why);
    }
}

/// Records that the change with that number is being undone. A full disk does not stop the undo.
pub(super) fn undoing(ctx: &NativeCallContext, number: Option<u64>) {
    if let (Some(undo), Some(journal)) = (number, Journal::of(&Session::of(ctx))) {
        journal.write_lightly(&Record::Undoing { undo });
    }
}

/// Records that the change with that number was undone, or why it could not be undone.
pub(super) fn undone(ctx: &NativeCallContext, number: Option<u64>, error: Option<String>) {
    let session = Session::of(ctx);
    if let (Some(undo), Some(journal)) = (number, Journal::of(&session)) {
        if let Some(open) = session.kept::<Open>() {
            open.lock().changes.remove(&undo);
        }
        let error = error.map(|error| redact::hide(&error).into_owned());
        let _ = journal.write(&Record::Undone { undo, error });
    }
}

/// The action as JSON for the journal. `before` is its earlier JSON.
fn written(action: &Action, before: Option<&Json>, imports: &Imports) -> Json {
    let store = Store::new(imports, std::any::type_name::<Undo>());
    let part = |name: &str| before.and_then(|before| before.get(name));
    let stored = match action {
        Action::Call(call) => store
            .closure(call, part("call"))
            .map(|call| json!({ "call": call })),
        Action::Find {
            find,
            unmake,
            takes_found,
        } => (|| {
            Ok(json!({
                "find": store.closure(find, part("find"))?,
                "unmake": store.closure(unmake, part("unmake"))?,
                "takes_found": takes_found,
            }))
        })(),
        Action::Unknown(why) => Ok(json!({ "unknown": redact::hide(why) })),
    };
    stored.unwrap_or_else(|why| json!({ "not_stored": why }))
}

/// An undo list that is never run, for closures that captured their own list.
pub(crate) fn new_list() -> Dynamic {
    Dynamic::from(Undo::default())
}

/// Undoes `changes` of a run whose script does not run, in the order given. Returns the number of failures.
pub fn undo_run(engine: &Engine, changes: &[Change]) -> usize {
    let global = engine.new_global_runtime_state();
    let ctx = NativeCallContext::new_with_all_fields(
        engine,
        "virhai undo",
        None,
        &global,
        Position::NONE,
    );
    undo_changes(&ctx, changes)
}

/// True if a function of the script or of a file that it imports undoes `change`; recipes are part of virhai.
pub fn needs_script(change: &Change) -> bool {
    let files = stored::functions(&change.action);
    files.iter().any(|file| !file.starts_with("std/"))
}

/// Undoes `changes` of another process, in the order given. Returns the number of failures.
pub(crate) fn undo_changes(ctx: &NativeCallContext, changes: &[Change]) -> usize {
    let revival = Revival::new(ctx, new_list);
    let revived = changes.iter().map(|change| {
        let action = revived(&revival, &change.action);
        let at = &change.at;
        let action = action.unwrap_or_else(|why| {
            Action::Unknown(format!("{why} (line {} of {})", at.line, at.file))
        });
        (change.number, action)
    });
    let revived: Vec<_> = revived.collect();
    let library = revival.library();
    let undo = Undo::default();
    // The list is undone from its end.
    for (number, action) in revived.into_iter().rev() {
        let step = Step::revived(ctx, action, number, &library);
        undo.list().steps.push(step);
    }
    undo.run(ctx)
}

fn revived(revival: &Revival, action: &Json) -> Result<Action, String> {
    let closure = |name: &str| revival.closure(&action[name]);
    if let Some(why) = action["unknown"].as_str() {
        return Ok(Action::Unknown(why.to_owned()));
    }
    if let Some(why) = action["not_stored"].as_str() {
        return Err(format!(
            "the journal could not record how to undo this: {why}"
        ));
    }
    if action.get("call").is_some() {
        return Ok(Action::Call(closure("call")?));
    }
    Ok(Action::Find {
        find: closure("find")?,
        unmake: closure("unmake")?,
        takes_found: action["takes_found"].as_bool().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(count: u64) -> OpenChanges {
        let change = || OpenChange {
            action: Action::Unknown(String::new()),
            written: Json::Null,
            step: None,
            at: Place {
                file: String::new(),
                line: 1,
            },
            varies: false,
        };
        OpenChanges {
            changes: (1..=count).map(|number| (number, change())).collect(),
            next: 0,
        }
    }

    #[test]
    fn few_changes_are_all_compared() {
        assert_eq!(open(20).numbers_to_compare(), (1..=20).collect::<Vec<_>>());
    }

    #[test]
    fn of_many_changes_the_newest_and_the_varying_are_always_compared_and_the_others_in_turn() {
        let mut open = open(1000);
        open.changes.get_mut(&7).unwrap().varies = true;
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 / IN_TURN {
            let compared = open.numbers_to_compare();
            assert!(compared.len() <= NEWEST + IN_TURN + 1);
            assert!(compared.contains(&7) && compared.ends_with(&[999, 1000]));
            seen.extend(compared);
        }
        assert_eq!(seen.len(), 1000);
    }
}
