//! `Stream`: a guest's console, or a transfer to or from a volume.

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
use crate::objects::blocking_stream::BlockingStream;
use crate::objects::connection::Connection;
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
    /// The key under which the connection keeps the stream, to end it on close.
    key: usize,
    kind: StreamKind,
    /// The target of the stream, for messages.
    goal: Mutex<String>,
}

enum StreamKind {
    /// The connection keeps a [`Console`].
    Console,
    /// The connection keeps a [`BlockingStream`] in a mutex.
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
        kind: StreamKind,
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

    /// Connects this stream by `connect`; messages call its target `goal`, and it holds `room` bytes at most.
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
            StreamKind::Console => self.0.connection.handle(self.0.key),
            StreamKind::Data => Err(Failure::new(
                virt_sys::VIR_ERR_OPERATION_INVALID,
                "the stream is not a console: use `send` and `recv`",
            )),
        }
    }

    fn pipe(&self) -> Result<Arc<Mutex<BlockingStream>>, Failure> {
        match self.0.kind {
            StreamKind::Data => self.0.connection.handle(self.0.key),
            StreamKind::Console => Err(Failure::new(
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
            (StreamKind::Console, "virStreamRecv") => format!("read the {goal}"),
            (StreamKind::Console, "virStreamSend") => format!("write to the {goal}"),
            (StreamKind::Console, _) => format!("use the {goal}"),
            (StreamKind::Data, _) => format!("use the stream ({goal})"),
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
