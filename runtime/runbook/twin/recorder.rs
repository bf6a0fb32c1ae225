//! Notes what the calls of a script change on one host.

use std::sync::Arc;

use parking_lot::Mutex;
use virt::connect::Connect;

use super::fidelity::{self, Fidelity};
use super::log::{Entry, Log, Verb};
use super::picture::{Change, Picture};
use crate::libvirt::{Failure, Result};
use crate::run::place;

/// Follows the calls on one host.
pub(crate) struct Recorder {
    host: String,
    log: Arc<Log>,
    is_twin: bool,
    last: Mutex<Picture>,
}

impl Recorder {
    pub(super) fn of_twin(host: String, log: Arc<Log>, connect: &Connect) -> Self {
        let picture = Picture::of(connect);
        log.runs(&host, picture.running());
        Self {
            host,
            log,
            is_twin: true,
            last: Mutex::new(picture),
        }
    }

    pub(super) fn of_real(host: String, log: Arc<Log>, connect: &Connect) -> Self {
        Self {
            is_twin: false,
            ..Self::of_twin(host, log, connect)
        }
    }

    /// Whether the host is a twin.
    pub(crate) fn is_twin(&self) -> bool {
        self.is_twin
    }

    /// Makes the call `call`, which does what `action` says, by `work`. What it `changes` is noted after it. A twin
    /// refuses a call that it cannot do.
    pub(crate) fn follow<T>(
        &self,
        call: &'static str,
        action: &dyn Fn() -> String,
        connect: Option<&Connect>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let moves = is_migration(call);
        if moves {
            self.log.count_moves(true);
        }
        let result = match (self.is_twin, connect) {
            (true, _) => self.rehearse(call, work),
            (false, Some(connect)) => {
                // Guests of a real host do things by themselves.
                self.look("", connect);
                work()
            }
            (false, None) => work(),
        };
        if let Some(connect) = connect {
            self.look(call, connect);
            if moves {
                self.log.count_moves(false);
            }
            if result.is_ok() && fidelity::shows_nowhere(call) {
                self.add(Verb::Done, "", action(), call);
            }
        }
        result
    }

    /// Notes that the rehearsal takes `what` for true.
    pub(crate) fn assume(&self, what: &str) {
        self.log.note("", format!("assumed: {what}"));
    }

    fn rehearse<T>(&self, call: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        match fidelity::of_call(call) {
            Fidelity::Host | Fidelity::Twin => {}
            Fidelity::Shim(differs) => {
                if !differs.is_empty() {
                    self.log.note(call, differs);
                }
            }
            Fidelity::NotRehearsed(why) => return Err(self.not_rehearsed(call, why)),
        }
        match work() {
            Err(failure) if failure.code == i64::from(virt_sys::VIR_ERR_NO_SUPPORT) => {
                let own = failure.domain == i64::from(virt_sys::VIR_FROM_TEST);
                let why = match own {
                    true => failure.message.as_str(),
                    false => "libvirt's test driver does not have this call",
                };
                Err(self.not_rehearsed(call, why))
            }
            Err(failure)
                if failure.domain == i64::from(virt_sys::VIR_FROM_TEST)
                    && failure.message.contains("unsupported flags (") =>
            {
                Err(self.not_rehearsed(call, "libvirt's test driver does not have these flags"))
            }
            result => result,
        }
    }

    /// The failure of a call that cannot be rehearsed, which is noted too.
    fn not_rehearsed(&self, call: &'static str, why: &str) -> Failure {
        self.log.note(call, format!("not rehearsed: {why}"));
        let message = format!("{call} was not rehearsed: {why}");
        Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message)
            .advise("the plan ends here; only a real run shows the changes after this line")
    }

    /// Notes what changed since the last look, as the doing of `call`.
    pub(crate) fn look(&self, call: &'static str, connect: &Connect) {
        let mut last = self.last.lock();
        let now = Picture::of(connect);
        let changes = last.changes(&now);
        let running = now.running();
        *last = now;
        let moves = is_migration(call);
        let mut moved: Vec<String> = Vec::new();
        let mut arrived: Vec<String> = Vec::new();
        for change in changes {
            let Change {
                verb,
                kind,
                name,
                differences,
            } = change;
            let is_guest = kind == "domain";
            if is_guest && moves && verb == Verb::Stopped {
                self.log
                    .add_move(self.entry(Verb::Migrated, kind, name.clone(), call));
                moved.push(name);
                continue;
            }
            if is_guest && moved.contains(&name) {
                continue;
            }
            if is_guest
                && (arrived.contains(&name)
                    || self.log.arrived(&name, &self.host)
                    || self.log.is_on_its_way(&name, &self.host))
            {
                arrived.push(name);
                continue;
            }
            let entry = self.entry(verb, kind, name, call);
            self.log.add(Entry {
                differences,
                ..entry
            });
        }
        self.log.runs(&self.host, running);
        // Until here, so that two threads tell what they saw in the order in which it happened.
        drop(last);
    }

    /// Notes the changes after `call` moved the domain `name` from another host to this one.
    pub(crate) fn receive(&self, call: &'static str, name: &str, connect: &Connect) {
        self.look(call, connect);
        self.log.arrived(name, &self.host);
    }

    fn add(&self, verb: Verb, kind: &'static str, name: String, call: &'static str) {
        self.log.add(self.entry(verb, kind, name, call));
    }

    fn entry(&self, verb: Verb, kind: &'static str, name: String, call: &'static str) -> Entry {
        Entry {
            host: self.host.clone(),
            verb,
            kind,
            name,
            differences: Vec::new(),
            to: None,
            call,
            place: place::now(),
        }
    }
}

/// Whether `call` moves a guest.
fn is_migration(call: &str) -> bool {
    call.starts_with("virDomainMigrate") && !call.contains("Set") && !call.contains("Get")
}
