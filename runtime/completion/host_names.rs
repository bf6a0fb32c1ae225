//! The names of objects on the hosts of a session, for completion: requested in the background,
//! kept for a moment, and never waited for long.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rhai::Dynamic;

use crate::completion::Holder;
use crate::libvirt::Failure;
use crate::objects::any;
use crate::objects::connection::Connection;
use crate::run::waiting;

/// Time that typing may wait for a host.
const PATIENCE: Duration = Duration::from_millis(150);

/// Time for which names of a host are used without asking again.
const FRESH: Duration = Duration::from_secs(3);

/// The maximum number of requests to hosts that do not answer.
const MOST_QUESTIONS: usize = 8;

/// The names of objects on the hosts that a session has open.
#[derive(Default)]
pub struct HostNames {
    holders: HashMap<String, Held>,
    asked: Arc<Asked>,
}

/// A variable's value, of which names can be asked.
#[derive(Clone)]
struct Held {
    value: Dynamic,
    connection: Connection,
}

/// An object with named parts, and the type of the parts.
type Question = (String, Holder);

#[derive(Default)]
struct Asked {
    state: Mutex<NamesState>,
    answered: Condvar,
}

#[derive(Default)]
struct NamesState {
    known: HashMap<Question, (Vec<String>, Instant)>,
    pending: HashSet<Question>,
}

impl HostNames {
    /// Records the variables of the session. Earlier answers are asked for again.
    pub fn see<'a>(&mut self, variables: impl Iterator<Item = (&'a str, &'a Dynamic)>) {
        self.holders = variables
            .filter_map(|(name, value)| Some((name.to_owned(), Held::of(value)?)))
            .collect();
        self.asked.forget();
    }

    /// The names of the objects of the type `kind` that `holder` has, or else any open
    /// connection; those that were known last if a host does not answer at once.
    pub fn names(&self, kind: &str, holder: &Holder) -> Vec<String> {
        let question = (kind.to_owned(), holder.clone());
        let state = self.asked.lock();
        let known = state.known.get(&question);
        if let Some((names, at)) = known
            && at.elapsed() < FRESH
        {
            return names.clone();
        }
        let mut state = self.ask(state, &question);
        let waiting = |state: &mut NamesState| state.pending.contains(&question);
        self.asked
            .answered
            .wait_while_for(&mut state, waiting, PATIENCE);
        let known = state.known.get(&question);
        known.map_or_else(Vec::new, |(names, _)| names.clone())
    }

    /// Asks in the background, unless that was done already.
    fn ask<'s>(
        &'s self,
        mut state: MutexGuard<'s, NamesState>,
        question: &Question,
    ) -> MutexGuard<'s, NamesState> {
        if state.pending.contains(question) || state.pending.len() >= MOST_QUESTIONS {
            return state;
        }
        let holders = self.holders(&question.1, &question.0);
        let asked = Arc::clone(&self.asked);
        let own = question.clone();
        let asking = std::thread::Builder::new()
            .name("names".into())
            .spawn(move || {
                waiting::hush_this_thread();
                let names: Vec<String> = holders
                    .into_iter()
                    .filter_map(|held| {
                        let (kind, holder) = own.clone();
                        let connection = held.connection.clone();
                        let ask = move || names_of(&kind, &holder, &held);
                        connection
                            .make("virConnectListAllDomains", &[], &String::new, ask)
                            .ok()
                    })
                    .flatten()
                    .collect();
                asked.answer(own, names);
            });
        if asking.is_ok() {
            state.pending.insert(question.clone());
        }
        state
    }

    /// The values that can have the requested names.
    fn holders(&self, holder: &Holder, kind: &str) -> Vec<Held> {
        let mut root = holder;
        while let Holder::Found { on, .. } = root {
            root = on;
        }
        if let Holder::Variable(name) = root
            && let Some(held) = self.holders.get(name)
        {
            return vec![held.clone()];
        }
        // Only a connection has names without its being known which one it is.
        if any::is_part(kind) && matches!(holder, Holder::Unknown) {
            return Vec::new();
        }
        let mut connections: Vec<Held> = Vec::new();
        for held in self.holders.values() {
            let known = |other: &Held| other.connection == held.connection;
            if held.value.is::<Connection>() && !connections.iter().any(known) {
                connections.push(held.clone());
            }
        }
        connections
    }
}

impl Asked {
    fn lock(&self) -> MutexGuard<'_, NamesState> {
        self.state.lock()
    }

    /// Asks for all names again, and keeps the old ones until there is an answer.
    fn forget(&self) {
        let long_ago = Instant::now().checked_sub(FRESH);
        let mut state = self.lock();
        match long_ago {
            Some(long_ago) => state.known.values_mut().for_each(|(_, at)| *at = long_ago),
            None => state.known.clear(),
        }
    }

    fn answer(&self, question: Question, names: Vec<String>) {
        let mut state = self.lock();
        state.pending.remove(&question);
        state.known.insert(question, (names, Instant::now()));
        self.answered.notify_all();
    }
}

impl Held {
    fn of(value: &Dynamic) -> Option<Self> {
        let value = value.flatten_clone();
        let connection = any::connection(&value)?;
        Some(Self { value, connection })
    }
}

/// The names of the objects of the type `kind` that `holder`, whose root is `root`, has.
fn names_of(kind: &str, holder: &Holder, root: &Held) -> Result<Vec<String>, Failure> {
    let found = match holder {
        Holder::Found {
            kind: whole, name, ..
        } if any::is_part(kind) => any::find(whole, &root.connection, name),
        _ => None,
    };
    let holder = found.transpose()?.unwrap_or_else(|| root.value.clone());
    any::names(kind, &holder).unwrap_or_else(|| Ok(Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::HostNames;
    use crate::completion::Holder;
    use crate::engine::{self, Limits};
    use crate::{Imports, Session, SessionOptions};

    #[test]
    fn a_host_tells_the_names_of_what_it_has() {
        crate::warm_up();
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let mut scope = rhai::Scope::new();
        let script = r#"
            let conn = connect("test:///default");
            let dom = conn.lookup_by_name("test");
            dom.snapshot_create_xml("<domainsnapshot><name>clean</name></domainsnapshot>");
            let pool = conn.storage_pool_lookup_by_name("default-pool");
            pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
        "#;
        let run = engine.run_with_scope(&mut scope, script);
        run.expect("the script runs");
        let mut names = HostNames::default();
        names.see(scope.iter_raw().map(|(name, _, value)| (name, value)));
        let variable = |name: &str| Holder::Variable(name.into());
        let found = |kind: &str, name: &str| Holder::Found {
            kind: kind.into(),
            name: name.into(),
            on: Box::new(variable("conn")),
        };
        for (kind, holder, name) in [
            ("Domain", variable("conn"), "test"),
            ("Domain", Holder::Unknown, "test"),
            ("Domain", variable("dom"), "test"),
            ("Network", variable("conn"), "default"),
            ("StoragePool", variable("conn"), "default-pool"),
            ("StorageVol", variable("pool"), "a.img"),
            ("StorageVol", variable("conn"), "a.img"),
            ("StorageVol", found("StoragePool", "default-pool"), "a.img"),
            ("DomainSnapshot", variable("dom"), "clean"),
            ("DomainSnapshot", found("Domain", "test"), "clean"),
        ] {
            assert_eq!(names.names(kind, &holder), [name], "{kind} of {holder:?}");
        }
        assert!(
            names
                .names("Domain", &found("Network", "default"))
                .contains(&"test".into())
        );
        assert!(names.names("StorageVol", &Holder::Unknown).is_empty());
    }
}
