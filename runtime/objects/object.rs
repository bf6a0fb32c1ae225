//! Values for scripts that stand for libvirt's objects.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use rhai::{Dynamic, NativeCallContext};
use serde::Serialize;
use serde::de::DeserializeOwned;
use virt::connect::Connect;

use super::call_class::{CallClass, changes};
use super::connection::{Connection, Permit, again_where_undone};
use crate::error::RhaiResultOf;
use crate::error::{Error, On, state_may_matter};
use crate::libvirt::{self, Failure};
use crate::run::session::Lockable;

/// The entry of a kind in the list of kinds.
pub trait Listed: Sized + 'static {
    /// The type's name in scripts.
    const TYPE: &'static str;
    /// libvirt's error for an object that does not exist.
    const MISSING: virt_sys::virErrorNumber;
    /// The call that reads the XML.
    const GET_XML: &'static str;
}

/// A kind of object.
pub trait Kind: Listed {
    /// libvirt's handle.
    type Handle: Send + Sync + 'static;
    /// Facts about the object that remain known after its connection is closed.
    type Facts: Send + Sync + Serialize + DeserializeOwned;
    /// The noun for messages.
    const NOUN: &'static str;
    /// The names of options and parameters for its name.
    const OPTIONS: &'static [&'static str];
    /// The name of the root element of its XML.
    const ELEMENT: &'static str;
    /// The path of the name in its XML.
    const NAME_PATH: &'static str = "name";
    /// The flag that reads the definition, for kinds whose XML otherwise describes the running
    /// object.
    const INACTIVE: Option<(&'static str, u32)> = None;
    /// The name of `object` for rules; for a part of an object, the name of the whole object.
    fn names(object: &Object<Self>) -> Vec<String> {
        let mut names = vec![object.given_name(), object.name()];
        names.dedup();
        names
    }

    /// True if it is part of another object.
    const IS_PART: bool = false;

    /// The heads of the columns in a table of such objects.
    const COLUMNS: &'static [&'static str];

    /// The row of `object` in a table, a text for each column.
    fn row(object: &Object<Self>) -> Vec<String>;

    /// The data of `object` for programs besides its identity, under keys with their units.
    fn data(_object: &Object<Self>) -> rhai::Map {
        rhai::Map::new()
    }

    /// Details besides the data, which the prompt shows for a single `object`.
    fn details(_object: &Object<Self>) -> rhai::Map {
        rhai::Map::new()
    }

    /// The fields that identify `object` besides its name, with their texts.
    fn identity(object: &Object<Self>) -> Vec<(&'static str, String)> {
        let uuid = Self::uuid(object.facts());
        uuid.map(|uuid| ("uuid", uuid.to_owned()))
            .into_iter()
            .collect()
    }

    /// True if both, of one host, are the same object.
    fn is_same(one: &Object<Self>, other: &Object<Self>) -> bool {
        match (Self::uuid(one.facts()), Self::uuid(other.facts())) {
            (Some(one), Some(other)) => one == other,
            _ => one.name() == other.name(),
        }
    }

    /// The name that libvirt knows it by.
    fn name(handle: &Self::Handle) -> Option<String>;

    /// The state that it is in, where calls fail because of it.
    fn state(_handle: &Self::Handle) -> Option<String> {
        None
    }

    /// Facts that do not change while the object exists.
    fn facts(handle: &Self::Handle) -> Self::Facts;

    /// The UUID, for kinds that libvirt looks up by it.
    fn uuid(_facts: &Self::Facts) -> Option<&str> {
        None
    }

    /// The XML.
    fn xml(handle: &Self::Handle, flags: u32) -> libvirt::Result<String>;

    /// The call that finds such objects.
    const LOOK_UP: &'static str;

    /// Finds the object again, by an identifier that never changes or else by its name.
    fn find(connect: &Connect, facts: &Self::Facts, name: &str) -> libvirt::Result<Self::Handle>;

    /// The object of a host that is called `name`; fails for kinds that are parts of other objects.
    fn by_name(_connect: &Connect, name: &str) -> libvirt::Result<Self::Handle> {
        let message = format!(
            "a {} cannot be looked up by its name alone: `{name}`",
            Self::NOUN
        );
        Err(Failure::new(Self::MISSING, message))
    }

    /// The objects of a host that `flags` select; of the parts of others, those that can be listed at once.
    fn list(_connect: &Connect, _flags: u32) -> libvirt::Result<Vec<Self::Handle>> {
        Ok(Vec::new())
    }

    /// The objects that are parts of the object `whole`, if it has such parts.
    fn parts(_whole: &Dynamic) -> Option<libvirt::Result<Vec<Self::Handle>>> {
        None
    }
}

/// The part of a [`Kind`] whose objects libvirt looks up by their UUIDs: the handle's type, the call, and the function
/// of [`Connect`] that finds one.
macro_rules! known_by_uuid {
    ($handle:ty, $call:literal, $find:ident) => {
        type Handle = $handle;
        /// The UUID.
        type Facts = String;
        const LOOK_UP: &'static str = $call;

        fn facts(handle: &$handle) -> String {
            // libvirt takes longer to write it.
            let uuid = handle.uuid().map(|uuid| uuid.to_string());
            uuid.unwrap_or_default()
        }

        fn uuid(facts: &String) -> Option<&str> {
            Some(facts)
        }

        fn find(
            connect: &virt::connect::Connect,
            uuid: &String,
            _name: &str,
        ) -> crate::libvirt::Result<$handle> {
            Ok(connect.$find(uuid)?)
        }
    };
}
pub(crate) use known_by_uuid;

/// The part of a [`Kind`] whose handle has `name` and `xml_desc`.
macro_rules! usual_handle {
    ($handle:ty) => {
        fn name(handle: &$handle) -> Option<String> {
            handle.name().ok()
        }

        fn xml(handle: &$handle, flags: u32) -> crate::libvirt::Result<String> {
            Ok(handle.xml_desc(flags)?)
        }
    };
}
pub(crate) use usual_handle;

/// An object of a connection, which keeps libvirt's handle of it; copies are the same object.
pub struct Object<K: Kind>(Arc<Shared<K>>);

struct Shared<K: Kind> {
    connection: Connection,
    key: usize,
    name: String,
    facts: K::Facts,
}

impl<K: Kind> Drop for Shared<K> {
    fn drop(&mut self) {
        self.connection.forget(self.key);
    }
}

impl<K: Kind> Clone for Object<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Kind> Object<K> {
    /// Stores libvirt's handle in the connection.
    pub(crate) fn new(connection: Connection, handle: K::Handle) -> Self {
        let name = K::name(&handle).unwrap_or_default();
        let facts = K::facts(&handle);
        if let Some(uuid) = K::uuid(&facts) {
            connection.note_name(K::TYPE, uuid, &name);
        }
        let key = connection.keep(handle);
        Self(Arc::new(Shared {
            connection,
            key,
            name,
            facts,
        }))
    }

    /// The object that was known by `name` and `facts`; libvirt looks it up when it is used.
    pub(crate) fn remembered(connection: Connection, name: String, facts: K::Facts) -> Self {
        let key = connection.keep_place();
        Self(Arc::new(Shared {
            connection,
            key,
            name,
            facts,
        }))
    }

    /// The name as it was last seen.
    pub fn name(&self) -> String {
        K::uuid(self.facts())
            .and_then(|uuid| self.0.connection.noted_name(K::TYPE, uuid))
            .unwrap_or_else(|| self.given_name())
    }

    /// The name that the object had when this handle was made.
    fn given_name(&self) -> String {
        let handle = self.0.connection.handle(self.0.key);
        let name = handle.ok().and_then(|handle| K::name(&handle));
        name.unwrap_or_else(|| self.0.name.clone())
    }

    /// Facts that do not change while the object exists.
    pub(crate) fn facts(&self) -> &K::Facts {
        &self.0.facts
    }

    /// The UUID, which never changes; empty for kinds without one.
    pub fn uuid(&self) -> &str {
        K::uuid(self.facts()).unwrap_or_default()
    }

    /// The connection that this object came from.
    pub(crate) fn connection(&self) -> &Connection {
        &self.0.connection
    }

    /// libvirt's handle, while the connection is open.
    pub(crate) fn handle(&self) -> Result<Arc<K::Handle>, Failure> {
        match self.0.connection.live_handle(self.0.key)? {
            Some(handle) => Ok(handle),
            None => self.find_again(),
        }
    }

    /// True if the host says that it no longer has the object.
    pub(crate) fn does_not_exist(&self) -> bool {
        let (own, name) = (self.clone(), self.given_name());
        let found = self.0.connection.attempt(K::LOOK_UP, move |connect| {
            K::find(connect, own.facts(), &name)
        });
        found.is_err_and(|failure| failure.code == i64::from(K::MISSING))
    }

    /// Finds the object on a connection that was lost and opened again.
    fn find_again(&self) -> Result<Arc<K::Handle>, Failure> {
        let (own, name) = (self.clone(), self.given_name());
        let connection = &self.0.connection;
        let found = connection.attempt(K::LOOK_UP, move |connect| {
            K::find(connect, own.facts(), &name)
        })?;
        self.replace(found);
        connection.handle(self.0.key)
    }

    /// Makes all copies of this object use `handle` from now on.
    pub(crate) fn replace(&self, handle: K::Handle) {
        if let (Some(uuid), Some(name)) = (K::uuid(self.facts()), K::name(&handle)) {
            self.0.connection.note_name(K::TYPE, uuid, &name);
        }
        self.0.connection.replace(self.0.key, handle);
    }

    /// Makes one libvirt call while the script tries to `verb` this object.
    pub(crate) fn call<T: Send + 'static, E: Into<Failure>>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        verb: impl fmt::Display,
        run: impl Fn(&K::Handle) -> Result<T, E> + Send + Sync + 'static,
    ) -> RhaiResultOf<T> {
        self.attempt_to(call, &|| self.action(&verb), run)
            .map_err(|failure| self.error(ctx, failure, call, &verb).throw())
    }

    /// Makes one libvirt call; the caller handles its failure.
    pub(crate) fn attempt<T: Send + 'static, E: Into<Failure>>(
        &self,
        call: &'static str,
        run: impl Fn(&K::Handle) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, Failure> {
        self.attempt_to(call, &|| self.action(&format_args!("{call} of")), run)
    }

    /// The same; `action` describes the call.
    fn attempt_to<T: Send + 'static, E: Into<Failure>>(
        &self,
        call: &'static str,
        action: &dyn Fn() -> String,
        run: impl Fn(&K::Handle) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, Failure> {
        let run = Arc::new(run);
        let changes = CallClass::of(call).may_change();
        again_where_undone(|again| {
            let result = self.handle().and_then(|handle| {
                let (run, own) = (Arc::clone(&run), self.clone());
                self.make(call, action, move || {
                    if changes {
                        own.refuse_namesake(&handle)?;
                    }
                    run(&handle).map_err(Into::into)
                })
            });
            match result {
                // The first attempt removed the object and lost the connection before the reply; or
                // the host is still taking over its guests, and then ends the guest but reports
                // that it does not exist.
                Err(failure)
                    if removes(call)
                        && (again || self.0.connection.undoes_after_a_loss())
                        && self.is_gone(call, &failure) =>
                {
                    nothing().ok_or(failure)
                }
                result => result,
            }
        })
    }

    /// Makes the libvirt call `call` on this object by `work`.
    fn make<T: Send + 'static>(
        &self,
        call: &'static str,
        action: &dyn Fn() -> String,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let connection = &self.0.connection;
        if !changes(call) && connection.session().grants().rules.is_empty() {
            return connection.make(call, &[], action, work);
        }
        if changes(call) {
            self.lock_for_run()?;
        }
        let names = K::names(self);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        connection.make(call, &names, action, work)
    }

    /// Locks this object for the run, as the first change of it would.
    pub(crate) fn lock_for_run(&self) -> Result<(), Failure> {
        let refused = |why| Failure::new(virt_sys::VIR_ERR_RESOURCE_BUSY, why);
        let session = self.0.connection.session();
        session.before_object(|| self.lockable()).map_err(refused)
    }

    /// The object that a run locks before it changes this one. A host inside this process needs no lock against other processes.
    fn lockable(&self) -> Option<Lockable> {
        let uuid = K::uuid(self.facts()).filter(|_| !self.0.connection.is_in_process())?;
        Some(Lockable {
            kind: K::TYPE,
            noun: K::NOUN,
            uuid: uuid.to_owned(),
            name: self.given_name(),
        })
    }

    /// Refuses to give this object the name `name` by `call`, if rules forbid it.
    pub(crate) fn refuse_name(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        verb: &'static str,
        name: &str,
    ) -> RhaiResultOf<()> {
        let refused = self.0.connection.refuse(call, &[name]);
        refused.map_err(|failure| self.error(ctx, failure, call, verb).throw())
    }

    /// The right to make the libvirt call `call` on this object.
    pub(crate) fn permit(&self, call: &'static str) -> Result<Permit, Failure> {
        let names = K::names(self);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.0.connection.permit(call, &names)
    }

    /// True if `call`, which removes or stops the object, failed because the object is already gone or stopped.
    fn is_gone(&self, call: &str, failure: &Failure) -> bool {
        let stopped = call.contains("Destroy")
            && failure.code == i64::from(virt_sys::VIR_ERR_OPERATION_INVALID);
        // With advice, the UUID belongs to another object.
        stopped || (failure.code == i64::from(K::MISSING) && failure.advice.is_none())
    }

    /// Refuses to change another object than the one that this handle was made for: libvirt finds
    /// objects by their UUID, which may have been given to another one since.
    pub(crate) fn refuse_namesake(&self, handle: &K::Handle) -> Result<(), Failure> {
        let (Some(uuid), Some(given)) = (K::uuid(self.facts()), K::name(handle)) else {
            return Ok(());
        };
        let connect = self.0.connection.connect();
        let now = connect
            .and_then(|connect| K::find(&connect, self.facts(), &given))
            .ok();
        // For an object that is gone, libvirt's call itself fails.
        let Some(now) = now
            .and_then(|now| K::name(&now))
            .filter(|now| *now != given)
        else {
            return Ok(());
        };
        self.0.connection.note_name(K::TYPE, uuid, &now);
        Err(Failure::new(
            K::MISSING,
            format!(
                "the {0} `{given}` no longer exists: its UUID now belongs to the {0} `{now}`",
                K::NOUN
            ),
        )
        .advise("look it up again by its name"))
    }

    /// The action of a script that tries to `verb` this object.
    pub(crate) fn action(&self, verb: &dyn fmt::Display) -> String {
        On(verb, K::NOUN, &self.given_name()).to_string()
    }

    /// The failure of `call` while the script tried to `verb` this object.
    pub(crate) fn error(
        &self,
        ctx: &NativeCallContext,
        failure: Failure,
        call: &'static str,
        verb: impl fmt::Display,
    ) -> Error {
        let name = self.given_name();
        let task = On(&verb, K::NOUN, &name);
        // Read first, since the error takes `failure`.
        let state = state_may_matter(&failure)
            .then(|| self.state_now(call))
            .flatten();
        let error = self.0.connection.error(ctx, failure, call, task);
        match state {
            Some(state) => error.in_state(state),
            None => error,
        }
    }

    /// The state after `call` failed, where a call about it can be made at once.
    fn state_now(&self, call: &str) -> Option<String> {
        // A refusal by virhai has its own reason.
        if call.is_empty() {
            return None;
        }
        let handle = self.handle().ok()?;
        let permit = self.0.connection.permit_now()?;
        let connection = &self.0.connection;
        let action = || self.action(&"look at");
        let state = connection.wait_for(CallClass::Read, permit, &action, move || {
            Ok(K::state(&handle))
        });
        state.ok().flatten()
    }
}

/// True if `call` removes its object.
fn removes(call: &str) -> bool {
    ["Undefine", "Destroy", "Delete"]
        .iter()
        .any(|verb| call.contains(verb))
}

/// The result of a call that returns no value.
fn nothing<T: 'static>() -> Option<T> {
    let mut unit = Some(());
    let unit: &mut dyn Any = &mut unit;
    unit.downcast_mut::<Option<T>>().and_then(Option::take)
}

impl<K: Kind> fmt::Display for Object<K> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}({})", K::TYPE, self.name())
    }
}

impl<K: Kind> PartialEq for Object<K> {
    fn eq(&self, other: &Self) -> bool {
        self.connection().is_same_host(other.connection()) && K::is_same(self, other)
    }
}
