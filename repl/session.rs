//! The session that the command line describes.

use std::sync::Arc;

use virhai::runbook::twin::Rehearsal;
use virhai::{Session, SessionOptions, Sink};

use crate::args::{IfBusy, Log, Options};
use crate::outlet::{self, JsonLog, Lines};
use crate::permissions::OnTerminal;
use crate::person::AtTerminal;
use crate::waits::Waits;

/// The session that `options` describe.
pub(crate) fn session(options: &Options) -> Session {
    rehearsing(options, None)
}

/// The session that `options` describe, with a rehearsal between its scripts and hosts.
pub(crate) fn rehearsing(options: &Options, rehearsal: Option<&Arc<Rehearsal>>) -> Session {
    let log_is_json = options.log == Log::Json;
    let output: Box<dyn Sink> = match (options.json, log_is_json) {
        (true, true) => Box::new(JsonLog("output")),
        (true, false) => Box::new(Lines(outlet::stderr())),
        (false, _) => Box::new(Lines(outlet::stdout())),
    };
    let notes: Box<dyn Sink> = match log_is_json {
        true => Box::new(JsonLog("note")),
        false => Box::new(Lines(outlet::stderr())),
    };
    let session = Session::new(SessionOptions {
        uri: options.connect.clone(),
        read_only: options.readonly,
        // Runs this program even if an update has replaced its file.
        admin_helper: Some("/proc/self/exe".into()),
        connect_timeout: options.connect_timeout,
        call_timeout: Some(options.call_timeout).filter(|time| !time.is_zero()),
        undo_timeout: options.undo_timeout,
        grants: options.grants(),
        fleet: options.project.fleet.clone(),
        asker: Box::new(OnTerminal::new(options)),
        output,
        notes,
        waits: Box::new(Waits::new(options)),
        rehearsal: rehearsal.map(Rehearsal::for_session),
        person: Box::new(AtTerminal::new(options.yes)),
        narrates: !options.quiet,
        waits_for_others: options.if_busy == IfBusy::Wait,
    });
    for uri in &options.project.given {
        session.give(uri);
    }
    session
}
