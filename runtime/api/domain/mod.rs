//! `Domain`: a guest, running or not.

mod autostart;
mod control;
mod devices;
mod identity;
mod jobs;
mod lifecycle;
mod managed_save;
mod memory;
mod metadata;
mod migration;
mod save;
pub(crate) mod state;
mod stats;
mod time;
mod vcpus;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rhai::{Engine, NativeCallContext, exported_module};
use virt::domain::Domain as Handle;

use super::arguments::RhaiResultOf;
use super::connection::Connection;
use crate::error::Error;
use crate::libvirt::{self, Failure};

/// A guest of a connection; copies are the same guest.
#[derive(Clone)]
pub struct Domain(Arc<Shared>);

struct Shared {
    connection: Connection,
    key: usize,
    name: String,
    uuid: String,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.connection.forget_domain(self.key);
    }
}

impl Domain {
    /// Gives libvirt's handle to the connection to keep.
    pub(crate) fn new(connection: Connection, handle: Handle) -> Self {
        let name = handle.name().unwrap_or_default();
        let uuid = handle.uuid_string().unwrap_or_default();
        let key = connection.keep_domain(handle);
        Self(Arc::new(Shared {
            connection,
            key,
            name,
            uuid,
        }))
    }

    /// The name as this handle knows it.
    pub fn name(&self) -> String {
        self.handle()
            .ok()
            .and_then(|handle| handle.name().ok())
            .unwrap_or_else(|| self.0.name.clone())
    }

    /// The UUID, which never changes.
    pub fn uuid(&self) -> &str {
        &self.0.uuid
    }

    /// The connection that this domain came from.
    pub(crate) fn connection(&self) -> &Connection {
        &self.0.connection
    }

    /// libvirt's handle, while the connection is open.
    pub(crate) fn handle(&self) -> Result<Arc<Handle>, Failure> {
        self.0.connection.domain(self.0.key)
    }

    /// Has all copies of this domain use `handle` from now on.
    fn replace(&self, handle: Handle) {
        self.0.connection.replace_domain(self.0.key, handle);
    }

    /// Makes one libvirt call while the script tries to `verb` this domain.
    pub(crate) fn call<T, E: Into<Failure>>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        verb: impl fmt::Display,
        run: impl FnOnce(&Handle) -> Result<T, E>,
    ) -> RhaiResultOf<T> {
        self.handle()
            .and_then(|handle| {
                let _permit = self.0.connection.permit()?;
                run(&handle).map_err(Into::into)
            })
            .map_err(|failure| self.error(ctx, failure, call, verb).throw())
    }

    /// Makes one long libvirt call, which an interrupt ends by aborting its job.
    pub(crate) fn job<T, E: Into<Failure>>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        verb: impl fmt::Display,
        run: impl FnOnce(&Handle) -> Result<T, E>,
    ) -> RhaiResultOf<T> {
        let handle = self
            .handle()
            .map_err(|failure| self.error(ctx, failure, call, &verb).throw())?;
        let interrupt = self.0.connection.session().interrupt();
        if interrupt.stopping().is_some() {
            let failure = Failure::new(
                virt_sys::VIR_ERR_OPERATION_ABORTED,
                "the script was stopped",
            );
            return Err(self.error(ctx, failure, call, verb).throw());
        }
        let ended = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&ended);
        let _guard = interrupt.on_stop(move || abort(&handle, &over));
        let result = self.call(ctx, call, verb, run);
        ended.store(true, Ordering::Release);
        result
    }

    /// The failure of `call` while the script tried to `verb` this domain.
    pub(crate) fn error(
        &self,
        ctx: &NativeCallContext,
        failure: Failure,
        call: &'static str,
        verb: impl fmt::Display,
    ) -> Error {
        let action = format!("{verb} domain `{}`", self.name());
        Error::new(ctx, failure, call, action, self.0.connection.uri())
    }
}

/// Aborts the job of a call that may not have begun it yet.
fn abort(handle: &Handle, over: &AtomicBool) {
    for _ in 0..100 {
        if over.load(Ordering::Acquire) || libvirt::domain::abort_job(handle).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Domain({})", self.name())
    }
}

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Domain>("Domain");
    engine.register_global_module(exported_module!(autostart::functions).into());
    engine.register_global_module(exported_module!(control::functions).into());
    engine.register_global_module(exported_module!(devices::functions).into());
    engine.register_global_module(exported_module!(identity::functions).into());
    engine.register_global_module(exported_module!(jobs::functions).into());
    engine.register_global_module(exported_module!(lifecycle::functions).into());
    engine.register_global_module(exported_module!(managed_save::functions).into());
    engine.register_global_module(exported_module!(memory::functions).into());
    engine.register_global_module(exported_module!(metadata::functions).into());
    engine.register_global_module(exported_module!(migration::functions).into());
    engine.register_global_module(exported_module!(save::functions).into());
    engine.register_global_module(exported_module!(state::functions).into());
    engine.register_global_module(exported_module!(stats::functions).into());
    engine.register_global_module(exported_module!(time::functions).into());
    engine.register_global_module(exported_module!(vcpus::functions).into());
}
