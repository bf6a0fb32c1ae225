//! Records the changes of a script's calls on one host.

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
        let mut picture = Picture::of(connect);
        picture.freeze(&Picture::default(), &log.moving());
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

    /// True if the host is a twin.
    pub(crate) fn is_twin(&self) -> bool {
        self.is_twin
    }

    /// Makes the call `call` by running `work`, and then notes the changes of the host. `action`
    /// describes the call. A twin refuses calls that it cannot make.
    pub(crate) fn follow<T>(
        &self,
        call: &'static str,
        action: &dyn Fn() -> String,
        connect: Option<&Connect>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.follow_with(call, action, connect, None, work)
    }

    /// The same for a call that moves the domain with the UUID `uuid` to another host. While the move is under way,
    /// pictures of both hosts show the domain as it was before.
    pub(crate) fn follow_move<T>(
        &self,
        call: &'static str,
        action: &dyn Fn() -> String,
        connect: Option<&Connect>,
        uuid: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.follow_with(call, action, connect, Some(uuid), work)
    }

    /// Notes that the domain with the UUID `uuid` moves to another host until the result is dropped.
    pub(crate) fn begin_move(&self, uuid: &str) -> Moving {
        self.log.begin_move(uuid);
        Moving {
            log: Arc::clone(&self.log),
            uuid: uuid.to_owned(),
        }
    }

    fn follow_with<T>(
        &self,
        call: &'static str,
        action: &dyn Fn() -> String,
        connect: Option<&Connect>,
        moved: Option<&str>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let result = match (self.is_twin, connect) {
            (true, _) => self.rehearse(call, work),
            (false, Some(connect)) => {
                // Guests of a real host do things by themselves.
                self.look_with("", connect, moved);
                work()
            }
            (false, None) => work(),
        };
        if let Some(connect) = connect {
            let shows = self.look_with(call, connect, moved);
            if result.is_ok() && fidelity::is_noted_itself(call, shows) {
                self.add(Verb::Done, "", action(), call);
            }
        }
        result
    }

    /// Records that the rehearsal assumes `what`.
    pub(crate) fn assume(&self, what: &str) {
        self.log.note("", format!("assumed: {what}"));
    }

    fn rehearse<T>(&self, call: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        match fidelity::of_call(call) {
            Fidelity::Host | Fidelity::Twin | Fidelity::Agent => {}
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
            Err(failure) if is_wrong_state(&failure) => {
                let message = failure
                    .message
                    .replace("internal error", "Requested operation is not valid");
                Err(Failure::new(virt_sys::VIR_ERR_OPERATION_INVALID, message)
                    .in_domain(virt_sys::VIR_FROM_QEMU))
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

    /// Records the changes since the last check as changes by `call`.
    pub(crate) fn look(&self, call: &'static str, connect: &Connect) {
        self.look_with(call, connect, None);
    }

    /// The same at the end of a move of the domain with the UUID `moved`. Returns true if there are changes.
    fn look_with(&self, call: &'static str, connect: &Connect, moved: Option<&str>) -> bool {
        let mut last = self.last.lock();
        // A move can begin or end while the picture is taken.
        let mut moving = self.log.moving();
        let mut now = Picture::of(connect);
        moving.extend(self.log.moving());
        moving.retain(|uuid| Some(uuid.as_str()) != moved);
        now.freeze(&last, &moving);
        let changes = last.changes(&now);
        *last = now;
        let shows = !changes.is_empty();
        let mut left = false;
        let mut arrived: Vec<String> = Vec::new();
        for change in changes {
            let Change {
                verb,
                kind,
                id,
                name,
                differences,
            } = change;
            if kind == "domain" {
                if left && moved == Some(id.as_str()) {
                    continue;
                }
                if moved == Some(id.as_str()) && verb == Verb::Stopped {
                    let entry = self.entry(Verb::Migrated, kind, name, call);
                    self.log.add_move(&id, entry);
                    left = true;
                    continue;
                }
                if arrived.contains(&id) || self.log.arrived(&id, &self.host) {
                    arrived.push(id);
                    continue;
                }
            }
            let entry = self.entry(verb, kind, name, call);
            self.log.add(Entry {
                differences,
                ..entry
            });
        }
        // Until here, so that two threads report events in their order.
        drop(last);
        shows
    }

    /// Notes the changes after `call` moved the domain with the UUID `uuid` from another host to this one.
    pub(crate) fn receive(&self, call: &'static str, uuid: &str, connect: &Connect) {
        self.look_with(call, connect, Some(uuid));
        self.log.arrived(uuid, &self.host);
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

/// True if the test driver refused a call in the state of the guest. QEMU has another code for it.
fn is_wrong_state(failure: &Failure) -> bool {
    let told = ["not running", "not paused", "already running"];
    failure.domain == i64::from(virt_sys::VIR_FROM_TEST)
        && failure.code == i64::from(virt_sys::VIR_ERR_INTERNAL_ERROR)
        && told.iter().any(|text| failure.message.contains(text))
}

/// The move of a domain, until it is dropped.
pub(crate) struct Moving {
    log: Arc<Log>,
    uuid: String,
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.log.end_move(&self.uuid);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::libvirt::connection::{Credentials, open_auth};
    use crate::libvirt::event_loop;

    const GUEST: &str = "<domain type='test'><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid>\
        <memory>8192</memory><os><type>hvm</type></os></domain>";
    const UUID: &str = "7e1a0000-0000-4000-8000-000000000001";

    fn host() -> Connect {
        event_loop::start();
        let mut file = tempfile::NamedTempFile::new().expect("there is room");
        file.write_all(b"<node/>").expect("there is room");
        let uri = format!("test://{}", file.path().display());
        open_auth(Some(&uri), &Credentials::default(), 0).expect("the host opens")
    }

    #[test]
    fn calls_of_other_threads_do_not_see_half_of_a_move() {
        let (here, there) = (host(), host());
        let guest = here.define_domain_xml(GUEST).expect("it is defined");
        guest.create().expect("it starts");
        let log: Arc<Log> = Arc::default();
        let source = Recorder::of_real("here".into(), Arc::clone(&log), &here);
        let destination = Recorder::of_real("there".into(), Arc::clone(&log), &there);
        let (call, other) = ("virDomainMigrate3", "virDomainSuspend");
        let moving = source.begin_move(UUID);
        source
            .follow_move(call, &String::new, Some(&here), UUID, || {
                there.create_domain_xml(GUEST, 0)?;
                destination.look(other, &there);
                there.define_domain_xml(GUEST)?;
                destination.look(other, &there);
                guest.destroy()?;
                source.look(other, &here);
                guest.undefine()?;
                source.look(other, &here);
                Ok(())
            })
            .expect("the move succeeds");
        destination.receive(call, UUID, &there);
        drop(moving);
        destination.look("", &there);
        let entries = log.entries();
        let [entry] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        assert_eq!((entry.verb, entry.call), (Verb::Migrated, call));
        assert_eq!(entry.to.as_deref(), Some("there"));
    }
}
