//! The named hosts.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rhai::plugin::*;
use rhai::{Array, Engine, Map, NativeCallContext, exported_module};

use super::arguments::{ArrayOf, RhaiResultOf};
use crate::error::Error;
use crate::objects::connection::Connection;
use crate::objects::connection::open::{Target, connect_to};
use crate::run::hosts::NamedHost;
use crate::run::session::Session;
use crate::runbook::inputs::of_json;
use crate::vocabulary::{Declared, RecordOf, record};

/// The maps that these calls take and return.
pub(crate) const DECLARED: &[&Declared] = &[HostEntry::DECLARED];

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

record! {
    /// A host of the list of hosts.
    pub(crate) struct HostEntry {
        /// Name of the host.
        name: String,
        /// URI of the host.
        uri: String,
        /// Groups of the host.
        groups: Vec<String>,
        /// Variables of the host in the list.
        vars: Map,
    }
}

fn entry(host: &NamedHost) -> Map {
    let vars = host.vars.iter();
    HostEntry {
        name: host.name.clone(),
        uri: host.uri.clone(),
        groups: host.groups.clone(),
        vars: vars
            .map(|(name, value)| (name.as_str().into(), of_json(value)))
            .collect(),
    }
    .into_map()
}

fn chosen(ctx: &NativeCallContext, pattern: &str) -> RhaiResultOf<Array> {
    let session = Session::of(ctx);
    let fleet = session.fleet();
    if fleet.hosts().is_empty() {
        return Error::refuse(
            ctx,
            "the list of hosts is empty",
            "list hosts in virhai.toml, or name an inventory with `--inventory FILE`",
        );
    }
    match fleet.select(pattern) {
        Ok(hosts) => Ok(hosts.into_iter().map(|host| entry(host).into()).collect()),
        Err(why) => {
            let names: Vec<&str> = fleet
                .hosts()
                .iter()
                .flat_map(|host| host.groups.iter().chain([&host.name]))
                .map(String::as_str)
                .collect();
            let word = why.split('`').nth(1).unwrap_or_default();
            let near = crate::advice::suggest::nearest(word, names.iter().copied());
            let error = Error::invalid(ctx, why);
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            Err(error.with_hint_if_any(hint).throw())
        }
    }
}

/// The connections to named hosts, each opened once. Threads that want the same one wait for it.
#[derive(Default, Clone)]
pub(crate) struct Opened(Arc<Mutex<HashMap<String, Place>>>);

type Place = Arc<Mutex<Option<Connection>>>;

fn opened(ctx: &NativeCallContext, name: &str) -> RhaiResultOf<Connection> {
    let session = Session::of(ctx);
    let Some(host) = session.fleet().host(name).cloned() else {
        return Error::refuse(
            ctx,
            format!("no host is called `{name}`"),
            "`hosts()` lists all hosts",
        );
    };
    let kept = session.kept_or_default::<Opened>();
    let place = {
        let mut places = kept.0.lock();
        Arc::clone(places.entry(host.name.clone()).or_default())
    };
    let mut place = place.lock();
    if let Some(connection) = place
        .as_ref()
        .filter(|connection| connection.connect().is_ok())
    {
        return Ok(connection.clone());
    }
    let connection = connect_to(ctx, Target::new(&session, Some(&host.uri)))?;
    *place = Some(connection.clone());
    Ok(connection)
}

#[export_module]
mod functions {
    /// Returns all hosts of virhai.toml and `--inventory`, in their order.
    ///
    /// ```rhai
    /// try {
    ///     for host in hosts() { print(host.name); }
    /// } catch (err) {
    ///     assert(err.hint.contains("--inventory"));
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "hosts", volatile, return_raw)]
    pub fn all_hosts(ctx: NativeCallContext) -> RhaiResultOf<ArrayOf<RecordOf<HostEntry>>> {
        chosen(&ctx, "all")
    }

    /// Returns the hosts that match `pattern`: names of hosts and groups, separated by `:` or `,`; `*` matches any text. `&web`
    /// keeps only hosts of the group `web`, `!old` removes hosts of the group `old`, and `all` means every host.
    ///
    /// Throws if a name is not a host or a group.
    ///
    /// ```rhai
    /// try {
    ///     print(hosts("web:&prod:!old"));
    /// } catch (err) {
    ///     assert(err.hint.contains("--inventory"));
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "hosts", volatile, return_raw)]
    pub fn hosts(
        ctx: NativeCallContext,
        pattern: &str,
    ) -> RhaiResultOf<ArrayOf<RecordOf<HostEntry>>> {
        chosen(&ctx, pattern)
    }

    /// Connects to the host `name` of the list of hosts. Later calls return the same connection.
    ///
    /// Its URI follows the rules of `connect`.
    ///
    /// ```rhai
    /// try {
    ///     print(connect_host("web1").get_hostname());
    /// } catch (err) {
    ///     assert(err.message.contains("no host is called `web1`"));
    /// }
    /// ```
    /// Calls virConnectOpenAuth.
    #[rhai_fn(volatile, return_raw)]
    pub fn connect_host(ctx: NativeCallContext, name: &str) -> RhaiResultOf<Connection> {
        opened(&ctx, name)
    }
}
