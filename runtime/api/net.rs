//! Network access outside of libvirt, which needs a permission.

use std::net::{TcpStream, ToSocketAddrs};

use rhai::plugin::*;
use rhai::{Engine, NativeCallContext, exported_module};

use super::arguments::{DurationValue, RhaiResultOf, duration, number};
use super::prelude::failed;
use crate::objects::granted::reachable;
use crate::run::exit::terminated;
use crate::run::session::Session;
use crate::run::timeout::{self, NoAnswer};
use crate::run::waiting::Waiting;
use crate::runbook::twin::Rehearsal;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// True if a program accepts TCP connections at `port` of `host` within `timeout`; needs permission to connect.
    ///
    /// ```rhai
    /// try {
    ///     tcp_answers("localhost", 22, "2s");
    /// } catch (err) {
    ///     assert(err.hint.contains("--allow-net"));
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn tcp_answers(
        ctx: NativeCallContext,
        host: &str,
        port: i64,
        timeout: DurationValue,
    ) -> RhaiResultOf<bool> {
        let port: u16 = number(&ctx, "a port", port)?;
        let timeout = duration(&ctx, &timeout)?;
        reachable(&ctx, host, port)?;
        let session = Session::of(&ctx);
        // A guest of a rehearsal has no address.
        let rehearsal = Rehearsal::of(&session);
        if rehearsal.is_some_and(|one| one.assumes(&format!("port {port} of {host} answers"))) {
            return Ok(true);
        }
        let host = host.to_owned();
        let _waiting = Waiting::new(&session, || format!("an answer of {host} on port {port}"));
        // Neither the resolver nor a host with many addresses keeps a time limit.
        let answer = timeout::run_with_timeout("tcp", timeout, session.interrupt(), move || {
            let found = (host.as_str(), port).to_socket_addrs();
            let mut addresses = found.into_iter().flatten();
            !timeout.is_zero()
                && addresses.any(|address| TcpStream::connect_timeout(&address, timeout).is_ok())
        });
        match answer {
            Ok(answers) => Ok(answers),
            Err(NoAnswer::TimedOut) => Ok(false),
            Err(NoAnswer::Stopped) => Err(terminated(&ctx)),
            Err(NoAnswer::NoThread(error)) => Err(failed(&ctx, error.to_string())),
        }
    }
}
