//! `AdminServer`: a server of a daemon.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use super::limits as read_limits;
use crate::api::arguments::{ArrayOf, RhaiResultOf, map, number};
use crate::error::Error;
use crate::objects::admin::{AdminClient, AdminServer, OfServer};
use crate::vocabulary::{OptionsOf, ParamType, RecordOf, parameters};

parameters! {
    /// Threads of a daemon's server, and their limits.
    pub(crate) struct ThreadPoolParameters {
        "minWorkers": ParamType::UInt, "minimum number of threads";
        "maxWorkers": ParamType::UInt, "maximum number of threads";
        "prioWorkers": ParamType::UInt, "number of threads that take only calls that cannot hang";
        "nWorkers": ParamType::UInt, "number of threads that exist";
        "freeWorkers": ParamType::UInt, "number of idle threads";
        "jobQueueDepth": ParamType::UInt, "number of calls that wait for a thread";
    } set ["minWorkers", "maxWorkers", "prioWorkers"]
}

parameters! {
    /// Numbers of clients of a daemon's server, and their limits.
    pub(crate) struct ClientLimits {
        "nclients_max": ParamType::UInt, "maximum number of clients";
        "nclients_unauth_max": ParamType::UInt, "maximum number of clients that have not yet logged in";
        "nclients": ParamType::UInt, "number of clients that are connected";
        "nclients_unauth": ParamType::UInt, "number of clients that have not yet logged in";
    } set ["nclients_max", "nclients_unauth_max"]
}

#[export_module]
pub(super) mod functions {
    /// The name, for use in text.
    ///
    /// ```rhai,admin
    /// assert_eq(connect_admin().lookup_server("libvirtd").name, "libvirtd");
    /// ```
    /// Calls virAdmServerGetName.
    #[rhai_fn(get = "name", pure)]
    pub fn get_name(server: &mut AdminServer) -> String {
        server.name().to_owned()
    }

    /// The name. libvirt keeps it with the handle: the call does not ask the daemon.
    ///
    /// ```rhai,admin
    /// assert_eq(connect_admin().lookup_server("admin").name(), "admin");
    /// ```
    /// Calls virAdmServerGetName.
    #[rhai_fn(pure)]
    pub fn name(server: &mut AdminServer) -> String {
        server.name().to_owned()
    }

    /// The threads of this server and their limits, under libvirt's names: `nWorkers` threads exist, `freeWorkers` of
    /// them are idle, `jobQueueDepth` calls wait for one; `prioWorkers` threads take only calls that cannot hang.
    ///
    /// ```rhai,admin
    /// let pool = connect_admin().lookup_server("libvirtd").thread_pool_parameters();
    /// assert(pool.minWorkers <= pool.nWorkers && pool.nWorkers <= pool.maxWorkers);
    /// ```
    /// Calls virAdmServerGetThreadPoolParameters.
    #[rhai_fn(pure, return_raw)]
    pub fn thread_pool_parameters(
        ctx: NativeCallContext,
        server: &mut AdminServer,
    ) -> RhaiResultOf<RecordOf<ThreadPoolParameters>> {
        let call = "virAdmServerGetThreadPoolParameters";
        let answer = server.call(&ctx, call, "read the thread pool of", OfServer::ThreadPool)?;
        Ok(map(answer.params()))
    }

    /// Sets limits of the threads: `minWorkers`, `maxWorkers`, `prioWorkers`.
    ///
    /// ```rhai,admin
    /// let server = connect_admin().lookup_server("libvirtd");
    /// server.set_thread_pool_parameters(#{ maxWorkers: 32 });
    /// assert_eq(server.thread_pool_parameters().maxWorkers, 32);
    /// ```
    /// Calls virAdmServerSetThreadPoolParameters.
    #[rhai_fn(pure, return_raw)]
    pub fn set_thread_pool_parameters(
        ctx: NativeCallContext,
        server: &mut AdminServer,
        parameters: OptionsOf<ThreadPoolParameters>,
    ) -> RhaiResultOf<()> {
        let params = read_limits(&ctx, &parameters, ThreadPoolParameters::OPTIONS)?;
        let call = "virAdmServerSetThreadPoolParameters";
        let request = OfServer::SetThreadPool(params);
        server
            .call(&ctx, call, "set the thread pool of", request)
            .map(drop)
    }

    /// The numbers of clients and their limits: `nclients` of at most `nclients_max` are connected, `nclients_unauth` of
    /// at most `nclients_unauth_max` have not yet logged in.
    ///
    /// ```rhai,admin
    /// let limits = connect_admin().lookup_server("libvirtd").client_limits();
    /// assert(limits.nclients <= limits.nclients_max);
    /// ```
    /// Calls virAdmServerGetClientLimits.
    #[rhai_fn(pure, return_raw)]
    pub fn client_limits(
        ctx: NativeCallContext,
        server: &mut AdminServer,
    ) -> RhaiResultOf<RecordOf<ClientLimits>> {
        let call = "virAdmServerGetClientLimits";
        let answer = server.call(
            &ctx,
            call,
            "read the client limits of",
            OfServer::ClientLimits,
        )?;
        Ok(map(answer.params()))
    }

    /// Sets limits of the numbers of clients: `nclients_max`, `nclients_unauth_max`. Connected clients stay connected.
    ///
    /// ```rhai,admin
    /// let server = connect_admin().lookup_server("libvirtd");
    /// server.set_client_limits(#{ nclients_max: 200, nclients_unauth_max: 10 });
    /// assert_eq(server.client_limits().nclients_max, 200);
    /// ```
    /// Calls virAdmServerSetClientLimits.
    #[rhai_fn(pure, return_raw)]
    pub fn set_client_limits(
        ctx: NativeCallContext,
        server: &mut AdminServer,
        limits: OptionsOf<ClientLimits>,
    ) -> RhaiResultOf<()> {
        let params = read_limits(&ctx, &limits, ClientLimits::OPTIONS)?;
        let call = "virAdmServerSetClientLimits";
        let request = OfServer::SetClientLimits(params);
        server
            .call(&ctx, call, "set the client limits of", request)
            .map(drop)
    }

    /// Makes the server read its TLS certificates again, so that new clients see renewed ones. Connected clients stay
    /// connected.
    ///
    /// libvirt then reads the files in their usual places, such as `/etc/pki/libvirt`. It ignores other places that the daemon's
    /// configuration names, such as with `cert_file`. Throws if the server does not listen for TLS.
    ///
    /// ```rhai,admin
    /// let server = connect_admin().lookup_server("libvirtd");
    /// assert_throws(|| server.update_tls_files(), "VIR_ERR_INTERNAL_ERROR");
    /// ```
    /// Calls virAdmServerUpdateTlsFiles.
    #[rhai_fn(pure, return_raw)]
    pub fn update_tls_files(ctx: NativeCallContext, server: &mut AdminServer) -> RhaiResultOf<()> {
        let call = "virAdmServerUpdateTlsFiles";
        let request = OfServer::UpdateTlsFiles;
        server
            .call(&ctx, call, "update the TLS files of", request)
            .map(drop)
    }

    /// The clients that are connected to this server, in the order in which they connected.
    ///
    /// ```rhai,admin
    /// let server = connect_admin().lookup_server("libvirtd");
    /// let conn = connect();
    /// assert(conn.is_alive());
    /// assert(!server.list_clients().is_empty());
    /// ```
    /// Calls virAdmServerListClients.
    #[rhai_fn(pure, return_raw)]
    pub fn list_clients(
        ctx: NativeCallContext,
        server: &mut AdminServer,
    ) -> RhaiResultOf<ArrayOf<AdminClient>> {
        let call = "virAdmServerListClients";
        let answer = server.call(&ctx, call, "list the clients of", OfServer::Clients)?;
        let mut found = answer.clients();
        found.sort_by_key(|facts| facts.id);
        let value = |facts| Dynamic::from(server.client(facts));
        Ok(found.into_iter().map(value).collect())
    }

    /// The client with the number `id`; throws `VIR_ERR_NO_CLIENT` if it is not connected.
    ///
    /// ```rhai,admin
    /// let server = connect_admin().lookup_server("admin");
    /// let client = server.list_clients()[0];
    /// assert_eq(server.lookup_client(client.id), client);
    /// ```
    /// Calls virAdmServerLookupClient.
    #[rhai_fn(pure, return_raw)]
    pub fn lookup_client(
        ctx: NativeCallContext,
        server: &mut AdminServer,
        id: i64,
    ) -> RhaiResultOf<AdminClient> {
        let wanted = number(&ctx, "the client's number", id)?;
        let verb = format_args!("look up client {id} of");
        let call = "virAdmServerLookupClient";
        let answer = server.call(&ctx, call, verb, OfServer::LookUpClient(wanted))?;
        // The helper answers that client or fails.
        match answer.clients().pop() {
            Some(facts) => Ok(server.client(facts)),
            None => Err(Error::invalid(&ctx, format!("there is no client {id}")).throw()),
        }
    }

    /// The server as text.
    ///
    /// ```rhai,admin
    /// assert_eq(connect_admin().lookup_server("admin").to_string(), "AdminServer(admin)");
    /// ```
    /// Calls virAdmServerGetName.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(server: &mut AdminServer) -> String {
        server.to_string()
    }

    /// True if both are the same server on the same connection.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// assert(admin.lookup_server("admin") == admin.lookup_server("admin"));
    /// ```
    /// Calls virAdmServerGetName.
    #[rhai_fn(name = "==", pure)]
    pub fn equals(server: &mut AdminServer, other: AdminServer) -> bool {
        *server == other
    }

    /// True if they are different servers, or on different connections.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// assert(admin.lookup_server("admin") != admin.lookup_server("libvirtd"));
    /// ```
    /// Calls virAdmServerGetName.
    #[rhai_fn(name = "!=", pure)]
    pub fn differs(server: &mut AdminServer, other: AdminServer) -> bool {
        *server != other
    }
}
