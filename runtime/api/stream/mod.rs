//! `Stream`: a guest's console, or the way into a volume and out of it.

mod channel;
mod console;
mod data;

use std::fmt;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rhai::{Engine, NativeCallContext, exported_module};

use super::arguments::RhaiResultOf;
use crate::error::Error;
use crate::libvirt::Failure;
use crate::objects::connection::Connection;
use crate::objects::pipe::Pipe;
use console::Console;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Stream>("Stream");
    engine.register_global_module(exported_module!(channel::functions).into());
    engine.register_global_module(exported_module!(console::functions).into());
    engine.register_global_module(exported_module!(data::functions).into());
}

/// An open stream; copies are the same one, and the last one ends it.
#[derive(Clone)]
pub struct Stream(Arc<Shared>);

struct Shared {
    connection: Connection,
    /// What the connection keeps, so that it ends when that is closed.
    key: usize,
    kind: Kind,
    /// Where the stream leads, for messages.
    goal: Mutex<String>,
}

enum Kind {
    /// The connection keeps a [`Console`].
    Console,
    /// The connection keeps a [`Pipe`] in a mutex.
    Data,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.connection.end_stream(self.key);
    }
}

impl Stream {
    fn new(
        connection: &Connection,
        kind: Kind,
        handle: impl std::any::Any + Send + Sync,
        goal: String,
    ) -> Self {
        Self(Arc::new(Shared {
            connection: connection.clone(),
            key: connection.keep(handle),
            kind,
            goal: Mutex::new(goal),
        }))
    }

    /// Has `connect` connect this stream with what messages will call `goal`, and which takes
    /// `room` bytes at most.
    pub(crate) fn lead(
        &self,
        ctx: &NativeCallContext,
        goal: String,
        room: Option<u64>,
        connect: impl FnOnce(&virt::stream::Stream) -> RhaiResultOf<()>,
    ) -> RhaiResultOf<()> {
        let pipe = self.pipe().map_err(|failure| self.fail(ctx, failure, ""))?;
        let mut pipe = lock(&pipe);
        connect(pipe.stream())?;
        if let Some(room) = room {
            pipe.limit(room);
        }
        *lock(&self.0.goal) = goal;
        Ok(())
    }

    fn console(&self) -> Result<Arc<Console>, Failure> {
        match self.0.kind {
            Kind::Console => self.0.connection.handle(self.0.key),
            Kind::Data => Err(Failure::new(
                virt_sys::VIR_ERR_OPERATION_INVALID,
                "the stream is no console: `send` and `recv` are its calls",
            )),
        }
    }

    fn pipe(&self) -> Result<Arc<Mutex<Pipe>>, Failure> {
        match self.0.kind {
            Kind::Data => self.0.connection.handle(self.0.key),
            Kind::Console => Err(Failure::new(
                virt_sys::VIR_ERR_OPERATION_INVALID,
                "the stream is a console: `write`, `read` and `wait` are its calls",
            )),
        }
    }

    fn fail(
        &self,
        ctx: &NativeCallContext,
        failure: Failure,
        call: &'static str,
    ) -> Box<rhai::EvalAltResult> {
        let goal = lock(&self.0.goal);
        let action = match (&self.0.kind, call) {
            (Kind::Console, "virStreamRecv") => format!("read the {goal}"),
            (Kind::Console, "virStreamSend") => format!("write to the {goal}"),
            (Kind::Console, _) => format!("use the {goal}"),
            (Kind::Data, _) => format!("use the stream ({goal})"),
        };
        Error::new(ctx, failure, call, action, self.0.connection.uri()).throw()
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Stream({})", lock(&self.0.goal))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
