//! The runner: one script, from its text to an exit status.

mod supervise;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rhai::{AST, Array, CallFnOptions, Dynamic, Engine, EvalAltResult, Scope};
use serde_json::json;
use virhai::interrupt::Stop;
use virhai::runbook::inputs::{MAIN, VARIABLE, has_main};
use virhai::runbook::journal::{Change, Header, Journal};
use virhai::runbook::twin::Rehearsal;
use virhai::{Imports, Program, Session, Unnoticed, stack_size};
use virhai::{engine, extent};

use crate::args::{Args, Options, Source};
use crate::diagnostic::Diagnostic;
use crate::exit_status::{
    DOES_NOT_COMPILE, DONE, FAILED, INTERRUPTED, WRONG_USAGE, status_of, status_of_stop,
};
use crate::output::{print_line, print_result, reports_loss};
use crate::project::Project;
use crate::script::{Script, read, read_in_time};
use crate::session::rehearsing;
use crate::{check, inputs, outlet, rehearse, runs, signals};
pub(crate) use supervise::GRACE;
use supervise::{Event, Progress, Supervisor};

/// Runs `source` and returns the exit status.
pub(crate) fn run(args: &Args, source: Source) -> u8 {
    let recording = match args.options.no_journal {
        true => Recording::Nothing,
        false => Recording::New,
    };
    run_script(
        &args.options,
        read_in_time(&args.options, source),
        recording,
    )
}

/// Resumes or undoes the run of `script`, and returns the exit status.
pub(crate) fn run_again(options: &Options, script: Script, earlier: Earlier) -> u8 {
    run_script(options, Ok(script), Recording::Earlier(earlier))
}

/// The journal of a run.
#[derive(Clone)]
enum Recording {
    /// No journal.
    Nothing,
    /// A new journal, created with its first record.
    New,
    /// The inputs of an earlier attempt.
    Earlier(Earlier),
}

/// An earlier attempt of a run, which is resumed or undone.
#[derive(Clone)]
pub(crate) struct Earlier {
    pub(crate) journal: Journal,
    pub(crate) header: Box<Header>,
    /// True if the script may have changed.
    pub(crate) changed_is_fine: bool,
    /// The changes to undo; the script itself does not run then.
    pub(crate) undoes: Option<Vec<Change>>,
}

impl Recording {
    /// The changes to undo instead of running the script.
    fn undoes(&self) -> Option<&[Change]> {
        match self {
            Self::Earlier(earlier) => earlier.undoes.as_deref(),
            Self::Nothing | Self::New => None,
        }
    }
}

/// Runs the script in the file `path` and then its function `name`, and returns the exit status.
pub(crate) fn run_function(options: &Options, path: PathBuf, name: String) -> u8 {
    let script = read(Source::File(path, Vec::new()));
    run_script(
        options,
        script.map(|script| Script {
            function: Some(name),
            ..script
        }),
        Recording::Nothing,
    )
}

/// Runs `script`, and writes the reports of the run.
fn run_script(
    options: &Options,
    script: Result<Script, Box<Diagnostic>>,
    recording: Recording,
) -> u8 {
    let name = match &script {
        Ok(script) => script.name.clone(),
        Err(_) => String::new(),
    };
    let status = run_unreported(options, script, recording);
    runs::report::write(options, &name, status)
}

fn run_unreported(
    options: &Options,
    script: Result<Script, Box<Diagnostic>>,
    recording: Recording,
) -> u8 {
    let script = match script {
        Ok(script) => script,
        Err(wrong) => {
            wrong.report_plain(options);
            return WRONG_USAGE;
        }
    };
    let mut own = options.clone();
    match Project::load(options, &script.folder) {
        Ok(project) => own.project = project,
        Err(wrong) => {
            wrong.report_plain(options);
            return WRONG_USAGE;
        }
    }
    let options = &own;
    let folders = [script.folder.clone()].into_iter().chain(options.imports());
    let imports = Imports::new(folders);
    let mut script = script;
    if script.function.is_none()
        && recording.undoes().is_none()
        && let Err(status) = inputs::take(options, &imports, &mut script)
    {
        return status;
    }
    match rehearse::is_asked(options) {
        true => rehearse::run(options, |options, rehearsal| {
            // A rehearsal on twins has no report.
            let recording = match rehearsal.is_on_real_hosts() {
                true => recording.clone(),
                false => Recording::Nothing,
            };
            execute(
                options,
                &imports,
                script.clone(),
                Some(rehearsal),
                recording,
            )
        }),
        false => execute(options, &imports, script, None, recording),
    }
}

/// Runs `script`, with `rehearsal` between it and its hosts, and returns the exit status.
fn execute(
    options: &Options,
    imports: &Imports,
    script: Script,
    rehearsal: Option<&Arc<Rehearsal>>,
    recording: Recording,
) -> u8 {
    let imports = imports.clone();
    if rehearsal.is_some() {
        imports.follow_places();
    }
    let session = rehearsing(options, rehearsal);
    let interrupt = session.interrupt().clone();
    let stop = interrupt.clone();
    let signals = signals::watch(
        move || stop.stop(Stop::Interrupted),
        signals::told(options.quiet),
        || crate::leave_now(INTERRUPTED),
    );
    if let Err(error) = &signals {
        Diagnostic::plain(format!("cannot watch for signals: {error}")).report_plain(options);
    }
    let supervisor = Supervisor::new(options, &session);
    // Built here, while the thread of `warm_up` prepares libvirt: the heap of the main thread grows
    // in large steps, those of other threads one page at a time.
    let engine = Arc::new(engine::build(&session, &options.limits(), imports.clone()));
    session.serve(&engine);
    let (own, sender) = (options.clone(), supervisor.sender());
    let progress = supervisor.progress();
    let worker = std::thread::Builder::new()
        .name("script".into())
        .stack_size(stack_size())
        .spawn(move || {
            let work = || {
                let status = work(
                    &own, &session, &engine, &imports, &script, &progress, recording,
                );
                written(&own, &session, status)
            };
            let status = catch_unwind(AssertUnwindSafe(work)).ok();
            let _ = sender.send(Event::Ended(status));
        });
    if let Err(error) = worker {
        Diagnostic::plain(format!("cannot start a thread: {error}")).report_plain(options);
        return FAILED;
    }
    let status = supervisor.wait();
    // A run after the rehearsal watches for them itself.
    if let (Ok(signals), Some(_)) = (signals, rehearsal) {
        signals.end();
    }
    status
}

/// Waits until all output is written. A stop ends that, and then decides the exit status.
fn written(options: &Options, session: &Session, status: u8) -> u8 {
    if outlet::drain() {
        return status;
    }
    let Some(stop) = session.interrupt().stopping() else {
        return status;
    };
    let stopped = status_of_stop(stop);
    if status != stopped {
        Diagnostic::of_stop(stop, options)
            .with_note("the script had ended; some of its output could not be written")
            .report_plain(options);
    }
    stopped
}

fn work(
    options: &Options,
    session: &Session,
    engine: &Engine,
    imports: &Imports,
    script: &Script,
    progress: &Progress,
    recording: Recording,
) -> u8 {
    if options.verbose {
        eprintln!(
            "running {} with libvirt {}",
            script.name,
            virhai::versions().libvirt_running
        );
    }
    let program = match compile(options, session, engine, imports, script, progress) {
        Ok(program) => program,
        Err(status) => return status,
    };
    let journal = match record(options, session, imports, script, &program, &recording) {
        Ok(journal) => journal,
        Err(status) => return status,
    };
    session.key_order().learn(&program.ast);
    let ast = imports.isolated(&script.name, &program.ast);
    // The supervisor has reported a script that was stopped before it began.
    if !progress.begin_to_run() {
        return INTERRUPTED;
    }
    session.interrupt().reach_this_thread();
    let began = Instant::now();
    if let Some(changes) = recording.undoes() {
        return undo(options, session, engine, progress, changes);
    }
    let result = engine::guarded(|| evaluate(engine, script, &program, &ast));
    let stop = session.interrupt().stopping();
    let unnoticed = session.end_background(GRACE);
    progress.end();
    let result = match (result, unnoticed) {
        (Ok(_), Some(Unnoticed { error, more })) => {
            if more > 0 {
                session.note(&match more {
                    1 => "1 more call of an event handler failed".into(),
                    more => format!("{more} more calls of event handlers failed"),
                });
            }
            Err(error)
        }
        (result, _) => result,
    };
    let error = result
        .as_ref()
        .err()
        .filter(|error| virhai::exit_status(error).is_none())
        .map(|error| virhai::failure_line(engine, error));
    if let Some(why) = &error {
        session.report_failure(why);
    }
    let status = finish(
        options,
        session,
        engine,
        imports,
        (&script.name, stop),
        result,
    );
    if let Some(journal) = journal {
        virhai::release_locks(session);
        journal.end(status, error, options.reporting.errors());
        if status != DONE
            && !options.quiet
            && let Some(run) = journal.run().filter(|_| journal.has_steps())
        {
            session.note(&format!("`virhai resume {run}` resumes the run from there"));
        }
    }
    if options.verbose {
        eprintln!(
            "ended after {:.3} s with status {status}",
            began.elapsed().as_secs_f64()
        );
    }
    status
}

/// Compiles and checks the script.
///
/// # Errors
///
/// The exit status of a script that does not run, after that was reported.
fn compile(
    options: &Options,
    session: &Session,
    engine: &Engine,
    imports: &Imports,
    script: &Script,
    progress: &Progress,
) -> Result<Program, u8> {
    let stopped = || {
        let stop = session.interrupt().stopping()?;
        // Otherwise the supervisor has reported it.
        if progress.abandon() {
            Diagnostic::of_stop(stop, options).report_plain(options);
        }
        Some(status_of_stop(stop))
    };
    let program = match Program::compile(engine, imports, &script.name, &script.text) {
        Ok(program) => program,
        Err(error) => {
            return Err(stopped().unwrap_or_else(|| {
                Diagnostic::of_compile_error(&error).report(options, imports);
                DOES_NOT_COMPILE
            }));
        }
    };
    if options.no_check {
        return Ok(program);
    }
    let errors = check::before_run(options, engine, imports, &script.name, &program);
    if let Some(status) = stopped() {
        return Err(status);
    }
    let Some(first) = errors.first() else {
        return Ok(program);
    };
    if options.json {
        let mut failure = Diagnostic::of_finding(first).as_failure(imports);
        failure["findings"] = json!(errors);
        print_line(&failure.to_string());
    }
    Err(DOES_NOT_COMPILE)
}

/// Runs the statements of the script, or the function that is asked for, or `main` with the inputs.
fn evaluate(
    engine: &Engine,
    script: &Script,
    program: &Program,
    ast: &AST,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let mut scope = Scope::new();
    let args = script.args.iter().cloned().map(Dynamic::from);
    scope.push_constant("args", args.collect::<Array>());
    let with_ast = CallFnOptions::new().eval_ast(true);
    let inputs = script.inputs.clone();
    if let Some(name) = &script.function {
        return engine.call_fn_with_options(with_ast, &mut scope, ast, name, ());
    }
    if has_main(&program.ast) {
        let inputs = inputs.unwrap_or_default();
        return engine.call_fn_with_options(with_ast, &mut scope, ast, MAIN, (inputs,));
    }
    if let Some(inputs) = inputs {
        scope.push_constant(VARIABLE, inputs);
    }
    engine.eval_ast_with_scope(&mut scope, ast)
}

/// Undoes `changes`, and returns the exit status.
fn undo(
    options: &Options,
    session: &Session,
    engine: &Engine,
    progress: &Progress,
    changes: &[Change],
) -> u8 {
    let failures = virhai::undo_run(engine, changes);
    progress.end();
    let left = failures.min(changes.len());
    let all = match changes.len() {
        1 => "1 change".to_owned(),
        many => format!("{many} changes"),
    };
    session.note(&format!("undone: {} of {all}", changes.len() - left));
    let Some(stop) = session.interrupt().stopping() else {
        return match failures {
            0 => DONE,
            _ => FAILED,
        };
    };
    // A stop does not end the undo, as it does not end the undo of a script that is stopped.
    let told = match left {
        0 => "all changes were undone before virhai ended".to_owned(),
        _ => format!("{left} of {all} could not be undone"),
    };
    Diagnostic::of_stop(stop, options)
        .while_undoing()
        .with_note(told)
        .not_undone(session.not_undone())
        .report_plain(options);
    status_of_stop(stop)
}

/// Opens the session's journal, if the run is recorded.
///
/// # Errors
///
/// The exit status of a run that cannot continue; the reason was reported.
fn record(
    options: &Options,
    session: &Session,
    imports: &Imports,
    script: &Script,
    program: &Program,
    recording: &Recording,
) -> Result<Option<Journal>, u8> {
    let earlier = match recording {
        Recording::Nothing => return Ok(None),
        Recording::New => {
            let Some(journal) = runs::begin(imports, script, program) else {
                virhai::has_no_journal(session);
                return Ok(None);
            };
            journal.keep_for(session);
            options.reporting.follow(&journal, false);
            virhai::follow_in_journal(session, imports);
            follow_for_report(options, session);
            return Ok(Some(journal));
        }
        Recording::Earlier(earlier) => earlier,
    };
    let (journal, header) = (&earlier.journal, &earlier.header);
    let undoes = earlier.undoes.is_some();
    let now = runs::files(imports, script, program);
    let version = virhai::versions().virhai.to_string();
    let changed = runs::changes_since(&header.files, &now, (&header.virhai, &version));
    if !changed.is_empty() && !earlier.changed_is_fine {
        let mut refused = Diagnostic::plain("the script or virhai has changed since the run began");
        for change in changed {
            refused = refused.with_note(change);
        }
        refused
            .with_hint(match undoes {
                true => "`--changed` undoes the run all the same",
                false => "`--changed` resumes the run with the changes",
            })
            .report_plain(options);
        return Err(FAILED);
    }
    if !undoes && let Err(why) = journal.resume() {
        Diagnostic::plain(why).report_plain(options);
        return Err(FAILED);
    }
    journal.keep_for(session);
    options.reporting.follow(journal, undoes);
    virhai::follow_in_journal(session, imports);
    follow_for_report(options, session);
    Ok(Some(journal.clone()))
}

/// Records the details that only a report shows, if the user asked for one.
fn follow_for_report(options: &Options, session: &Session) {
    if !options.report.is_empty() {
        virhai::follow_for_report(session);
    }
}

/// Reports a script that was stopped before it ran, and returns its exit status.
pub(crate) fn stopped(options: &Options, session: &Session) -> Option<u8> {
    let stop = session.interrupt().stopping()?;
    Diagnostic::of_stop(stop, options).report_plain(options);
    Some(status_of_stop(stop))
}

fn finish(
    options: &Options,
    session: &Session,
    engine: &Engine,
    imports: &Imports,
    (name, stop): (&str, Option<Stop>),
    result: Result<Dynamic, Box<EvalAltResult>>,
) -> u8 {
    let error = match result {
        Ok(value) => {
            if (options.json || !options.quiet) && !extent::can_be_shown(&value) {
                Diagnostic::plain("the result is too large to show")
                    .with_hint("print the parts that you need, or end the script with `()`")
                    .report(options, imports);
                return FAILED;
            }
            print_result(options, &value, session.key_order());
            return match reports_loss(options, true) {
                true => FAILED,
                false => DONE,
            };
        }
        Err(error) => error,
    };
    if let Some(status) = virhai::exit_status(&error) {
        return status;
    }
    // An effect of a stop, such as an aborted save, is not a failure of the script.
    let failure = Diagnostic::of_error(engine, imports, name, &error);
    let (diagnostic, status) = match stop {
        Some(stop) => {
            let stopped = Diagnostic::of_stop(stop, options).leaving(&error);
            (stopped.at_place_of(failure), status_of_stop(stop))
        }
        None => (failure, status_of(&error)),
    };
    let diagnostic = diagnostic.not_undone(session.not_undone());
    diagnostic.report(options, imports);
    status
}
