//! What a connection gives out: a value for scripts that stands for one of libvirt's objects.

use std::fmt;
use std::sync::Arc;

use rhai::NativeCallContext;

use super::arguments::RhaiResultOf;
use super::call_class::Class;
use super::connection::Connection;
use crate::error::{Error, state_may_matter};
use crate::libvirt::Failure;

/// A kind of object: what libvirt's handle of it is, and how messages call it.
pub trait Kind: Sized + 'static {
    /// libvirt's handle.
    type Handle: Send + Sync + 'static;
    /// What is remembered of the object, for when its connection is closed.
    type Facts: Send + Sync;
    /// The type's name in scripts.
    const TYPE: &'static str;
    /// What messages call it.
    const NOUN: &'static str;

    /// The heads of the columns in a table of such objects.
    const COLUMNS: &'static [&'static str];

    /// What a table shows of `object`, a text for each column.
    fn row(object: &Object<Self>) -> Vec<String>;

    /// What tells `object` from others besides its name, as fields and their texts.
    fn identity(object: &Object<Self>) -> Vec<(&'static str, String)>;

    /// The name that libvirt knows it by.
    fn name(handle: &Self::Handle) -> Option<String>;

    /// The state that it is in, where calls fail because of it.
    fn state(_handle: &Self::Handle) -> Option<String> {
        None
    }

    /// What does not change while the object lives.
    fn facts(handle: &Self::Handle) -> Self::Facts;
}

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
    /// Gives libvirt's handle to the connection to keep.
    pub(crate) fn new(connection: Connection, handle: K::Handle) -> Self {
        let name = K::name(&handle).unwrap_or_default();
        let facts = K::facts(&handle);
        let key = connection.keep(handle);
        Self(Arc::new(Shared {
            connection,
            key,
            name,
            facts,
        }))
    }

    /// The name as this handle knows it.
    pub fn name(&self) -> String {
        self.handle()
            .ok()
            .and_then(|handle| K::name(&handle))
            .unwrap_or_else(|| self.0.name.clone())
    }

    /// What does not change while the object lives.
    pub(crate) fn facts(&self) -> &K::Facts {
        &self.0.facts
    }

    /// The connection that this object came from.
    pub(crate) fn connection(&self) -> &Connection {
        &self.0.connection
    }

    /// libvirt's handle, while the connection is open.
    pub(crate) fn handle(&self) -> Result<Arc<K::Handle>, Failure> {
        self.0.connection.handle(self.0.key)
    }

    /// Has all copies of this object use `handle` from now on.
    pub(crate) fn replace(&self, handle: K::Handle) {
        self.0.connection.replace(self.0.key, handle);
    }

    /// Makes one libvirt call while the script tries to `verb` this object.
    pub(crate) fn call<T: Send + 'static, E: Into<Failure>>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        verb: impl fmt::Display,
        run: impl FnOnce(&K::Handle) -> Result<T, E> + Send + 'static,
    ) -> RhaiResultOf<T> {
        self.attempt(call, run)
            .map_err(|failure| self.error(ctx, failure, call, verb).throw())
    }

    /// Makes one libvirt call whose failure the caller sees to.
    pub(crate) fn attempt<T: Send + 'static, E: Into<Failure>>(
        &self,
        call: &'static str,
        run: impl FnOnce(&K::Handle) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Failure> {
        let handle = self.handle()?;
        self.0
            .connection
            .make(call, move || run(&handle).map_err(Into::into))
    }

    /// The failure of `call` while the script tried to `verb` this object.
    pub(crate) fn error(
        &self,
        ctx: &NativeCallContext,
        failure: Failure,
        call: &'static str,
        verb: impl fmt::Display,
    ) -> Error {
        let action = format!("{verb} {} `{}`", K::NOUN, self.name());
        // Known before the error takes what libvirt said.
        let state = state_may_matter(&failure)
            .then(|| self.state_now(call))
            .flatten();
        let error = Error::new(ctx, failure, call, action, self.0.connection.uri());
        match state {
            Some(state) => error.in_state(state),
            None => error,
        }
    }

    /// The state after `call` failed, where a call about it can be made at once.
    fn state_now(&self, call: &str) -> Option<String> {
        // What virhai refused by itself has a reason of its own.
        if call.is_empty() {
            return None;
        }
        let handle = self.handle().ok()?;
        let permit = self.0.connection.permit_now()?;
        let connection = &self.0.connection;
        let state = connection.wait_for(Class::Read, permit, move || Ok(K::state(&handle)));
        state.ok().flatten()
    }
}

impl<K: Kind> fmt::Display for Object<K> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}({})", K::TYPE, self.name())
    }
}
