//! `AdminClient`: a client that is connected to a server of a daemon.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{RhaiResultOf, integer, map};
use crate::objects::admin::{AdminClient, OfServer};
use crate::vocabulary::{ClientTransport, ParamType, RecordOf, WordOf, parameters};

parameters! {
    /// Identity of a daemon's client; the keys depend on its transport.
    pub(crate) struct ClientInfo = "VIR_CLIENT_INFO_", |name| match name {
        "readonly" => ParamType::Bool,
        "unix_user_id" | "unix_group_id" | "unix_process_id" => ParamType::Int,
        _ => ParamType::Text,
    };
}

#[export_module]
pub(super) mod functions {
    /// The number of the client, for use in text. The daemon counts its clients from 1.
    ///
    /// ```rhai,admin
    /// let server = connect_admin().lookup_server("admin");
    /// assert(server.list_clients()[0].id > 0);
    /// ```
    /// Calls virAdmClientGetID.
    #[rhai_fn(get = "id", pure, return_raw)]
    pub fn get_id(ctx: NativeCallContext, client: &mut AdminClient) -> RhaiResultOf<i64> {
        integer(&ctx, client.facts().id)
    }

    /// The number of the client. libvirt keeps it with the handle: the call does not ask the daemon.
    ///
    /// ```rhai,admin
    /// let client = connect_admin().lookup_server("admin").list_clients()[0];
    /// assert_eq(client.id(), client.id);
    /// ```
    /// Calls virAdmClientGetID.
    #[rhai_fn(pure, return_raw)]
    pub fn id(ctx: NativeCallContext, client: &mut AdminClient) -> RhaiResultOf<i64> {
        integer(&ctx, client.facts().id)
    }

    /// The time when the client connected, in seconds since 1970.
    ///
    /// ```rhai,admin
    /// let client = connect_admin().lookup_server("admin").list_clients()[0];
    /// assert(client.timestamp() > 1_500_000_000);
    /// ```
    /// Calls virAdmClientGetTimestamp.
    #[rhai_fn(pure)]
    pub fn timestamp(client: &mut AdminClient) -> i64 {
        client.facts().timestamp
    }

    /// The transport of the client's connection: `unix`, `tcp` or `tls`.
    ///
    /// ```rhai,admin
    /// let client = connect_admin().lookup_server("admin").list_clients()[0];
    /// assert_eq(client.transport(), "unix");
    /// ```
    /// Calls virAdmClientGetTransport.
    #[rhai_fn(pure)]
    pub fn transport(client: &mut AdminClient) -> WordOf<ClientTransport> {
        ClientTransport::TABLE.word(client.facts().transport)
    }

    /// The identity of the client: `readonly`, and, depending on the transport, `unix_user_name`,
    /// `unix_process_id`, `sock_addr`, `sasl_user_name`, `tls_x509_dname` and others.
    ///
    /// ```rhai,admin
    /// let client = connect_admin().lookup_server("admin").list_clients()[0];
    /// assert(!client.info().readonly);
    /// assert(client.info().unix_process_id > 0);
    /// ```
    /// Calls virAdmClientGetInfo.
    #[rhai_fn(pure, return_raw)]
    pub fn info(
        ctx: NativeCallContext,
        client: &mut AdminClient,
    ) -> RhaiResultOf<RecordOf<ClientInfo>> {
        let call = "virAdmClientGetInfo";
        let answer = client.call(&ctx, call, "read the identity of", OfServer::ClientInfo)?;
        Ok(map(answer.params()))
    }

    /// Ends the connection of the client. The client's next call fails.
    ///
    /// ```rhai,admin
    /// let server = connect_admin().lookup_server("libvirtd");
    /// let conn = connect();
    /// server.list_clients().pop().close();
    /// let failed = false;
    /// try { conn.get_hostname(); } catch { failed = true; }
    /// assert(failed);
    /// ```
    /// Calls virAdmClientClose.
    #[rhai_fn(pure, return_raw)]
    pub fn close(ctx: NativeCallContext, client: &mut AdminClient) -> RhaiResultOf<()> {
        let call = "virAdmClientClose";
        client
            .call(&ctx, call, "disconnect", OfServer::CloseClient)
            .map(drop)
    }

    /// The client as text.
    ///
    /// ```rhai,admin
    /// let client = connect_admin().lookup_server("admin").list_clients()[0];
    /// assert_eq(client.to_string(), `AdminClient(${client.id} of admin)`);
    /// ```
    /// Calls virAdmClientGetID.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(client: &mut AdminClient) -> String {
        client.to_string()
    }

    /// True if both are the same client on the same connection.
    ///
    /// ```rhai,admin
    /// let server = connect_admin().lookup_server("admin");
    /// assert(server.list_clients()[0] == server.list_clients()[0]);
    /// ```
    /// Calls virAdmClientGetID.
    #[rhai_fn(name = "==", pure)]
    pub fn equals(client: &mut AdminClient, other: AdminClient) -> bool {
        *client == other
    }

    /// True if they are different clients, or on different connections.
    ///
    /// ```rhai,admin
    /// let server = connect_admin().lookup_server("admin");
    /// let other = connect_admin();
    /// assert(other.is_alive());
    /// assert(server.list_clients()[0] != server.list_clients()[1]);
    /// ```
    /// Calls virAdmClientGetID.
    #[rhai_fn(name = "!=", pure)]
    pub fn differs(client: &mut AdminClient, other: AdminClient) -> bool {
        *client != other
    }
}
