//! `AdminConnection`: the admin socket of a daemon.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use crate::api::arguments::{
    ArrayOf, DurationValue, RhaiResultOf, duration, flag_bits, number, text, whole_seconds,
};
use crate::api::connection::host::version;
use crate::error::{Error, On};
use crate::objects::admin::{AdminConnection, AdminServer, Answer, Request};
use crate::vocabulary::{CloseReason, WordOf};

#[export_module]
pub(super) mod functions {
    /// Opens the admin API of the daemon that LIBVIRT_ADMIN_DEFAULT_URI names.
    ///
    /// Throws if that environment variable is not set. The rest is as for `connect_admin(uri)`.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// assert(admin.is_alive());
    /// ```
    /// Calls virAdmConnectOpen, virAdmConnectRegisterCloseCallback.
    #[rhai_fn(name = "connect_admin", return_raw)]
    pub fn connect_admin_default(ctx: NativeCallContext) -> RhaiResultOf<AdminConnection> {
        AdminConnection::open(&ctx, None)
    }

    /// Opens the admin API of the daemon at `uri`, such as `libvirtd:///system` or `virtqemud:///session`.
    ///
    /// With `libvirtd+unix:///session?socket=PATH`, PATH is the admin socket; the other parts of the URI have no effect. Only the user who
    /// runs the daemon may open it. A script needs `--allow-connect URI`, since the admin API changes the daemon for all
    /// its clients. Throws `VIR_ERR_NO_SUPPORT` if the library libvirt-admin is not installed.
    ///
    /// A call throws `VIR_ERR_OPERATION_TIMEOUT` if the daemon does not answer within `--call-timeout`; the admin API
    /// has no keepalive.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// assert_eq(connect_admin(admin.uri).list_servers().len(), 2);
    /// ```
    /// Calls virAdmConnectOpen, virAdmConnectRegisterCloseCallback.
    #[rhai_fn(return_raw)]
    pub fn connect_admin(ctx: NativeCallContext, uri: &str) -> RhaiResultOf<AdminConnection> {
        AdminConnection::open(&ctx, Some(uri))
    }

    /// Ends the connection; its servers and clients can no longer be used. A second `close` does nothing.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// admin.close();
    /// assert_throws(|| admin.list_servers(), "VIR_ERR_INVALID_CONN");
    /// ```
    /// Calls virAdmConnectClose, virAdmConnectUnregisterCloseCallback.
    #[rhai_fn(pure)]
    pub fn close(admin: &mut AdminConnection) {
        admin.end();
    }

    /// The URI of the daemon, for use in text.
    ///
    /// ```rhai,admin
    /// assert(connect_admin().uri.starts_with("libvirtd"));
    /// ```
    /// Calls virAdmConnectGetURI.
    #[rhai_fn(get = "uri", pure)]
    pub fn uri(admin: &mut AdminConnection) -> String {
        admin.uri().to_owned()
    }

    /// The URI of the daemon.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// assert_eq(admin.get_uri(), admin.uri);
    /// ```
    /// Calls virAdmConnectGetURI.
    #[rhai_fn(pure)]
    pub fn get_uri(admin: &mut AdminConnection) -> String {
        admin.uri().to_owned()
    }

    /// True if the connection is open. The daemon is not asked.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// assert(admin.is_alive());
    /// admin.close();
    /// assert(!admin.is_alive());
    /// ```
    /// Calls virAdmConnectIsAlive.
    #[rhai_fn(pure)]
    pub fn is_alive(admin: &mut AdminConnection) -> bool {
        admin.is_alive()
    }

    /// The version of the daemon's libvirt as text, such as `11.3.0`.
    ///
    /// ```rhai,admin
    /// assert_eq(connect_admin().get_lib_version(), connect().get_lib_version());
    /// ```
    /// Calls virAdmConnectGetLibVersion.
    #[rhai_fn(pure, return_raw)]
    pub fn get_lib_version(
        ctx: NativeCallContext,
        admin: &mut AdminConnection,
    ) -> RhaiResultOf<String> {
        let call = "virAdmConnectGetLibVersion";
        admin
            .call(&ctx, call, "read libvirt's version", Request::LibVersion)
            .map(|answer| version(answer.number()))
    }

    /// The servers of the daemon: `admin`, and the one that clients connect to, such as `libvirtd`.
    ///
    /// ```rhai,admin
    /// let names = connect_admin().list_servers().map(|server| server.name);
    /// assert_eq(names, ["admin", "libvirtd"]);
    /// ```
    /// Calls virAdmConnectListServers.
    #[rhai_fn(pure, return_raw)]
    pub fn list_servers(
        ctx: NativeCallContext,
        admin: &mut AdminConnection,
    ) -> RhaiResultOf<ArrayOf<AdminServer>> {
        let call = "virAdmConnectListServers";
        let found = admin.call(&ctx, call, "list the servers", Request::Servers)?;
        let mut names = found.texts();
        names.sort();
        let value = |name| Dynamic::from(admin.server(name));
        Ok(names.into_iter().map(value).collect())
    }

    /// The server called `name`; throws `VIR_ERR_NO_SERVER` if the daemon does not have it.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// assert_eq(admin.lookup_server("libvirtd").name, "libvirtd");
    /// assert_throws(|| admin.lookup_server("web"), "VIR_ERR_NO_SERVER");
    /// ```
    /// Calls virAdmConnectLookupServer.
    #[rhai_fn(pure, return_raw)]
    pub fn lookup_server(
        ctx: NativeCallContext,
        admin: &mut AdminConnection,
        name: &str,
    ) -> RhaiResultOf<AdminServer> {
        let call = "virAdmConnectLookupServer";
        let task = On(&"look up", "server", name);
        let name = text(&ctx, "the name", name)?;
        let found = admin.call(&ctx, call, task, Request::LookUpServer(name.to_owned()));
        let found = found.map_err(|thrown| {
            Error::with_nearest(thrown, virt_sys::VIR_ERR_NO_SERVER, name, || {
                let all = admin.attempt("virAdmConnectListServers", &task, Request::Servers);
                all.map(Answer::texts).unwrap_or_default()
            })
        })?;
        Ok(admin.server(found.text()))
    }

    /// The daemon's log outputs, as `LEVEL:OUTPUT` with a space between outputs: `3:stderr`,
    /// `1:file:/var/log/libvirt/libvirtd.log`. Level 1 is debug, 2 info, 3 warning, 4 error.
    ///
    /// ```rhai,admin
    /// assert(connect_admin().get_logging_outputs().contains(":"));
    /// ```
    /// Calls virAdmConnectGetLoggingOutputs.
    #[rhai_fn(pure, return_raw)]
    pub fn get_logging_outputs(
        ctx: NativeCallContext,
        admin: &mut AdminConnection,
    ) -> RhaiResultOf<String> {
        let call = "virAdmConnectGetLoggingOutputs";
        let request = Request::LoggingOutputs;
        let answer = admin.call(&ctx, call, "read the log's outputs", request)?;
        Ok(answer.text())
    }

    /// Sets where the daemon writes its log, in the form of `get_logging_outputs`; empty text sets the default.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// admin.set_logging_outputs("4:stderr");
    /// assert_eq(admin.get_logging_outputs(), "4:stderr");
    /// assert_throws(|| admin.set_logging_outputs("9:nowhere"), "VIR_ERR_INVALID_ARG");
    /// ```
    /// Calls virAdmConnectSetLoggingOutputs.
    #[rhai_fn(pure, return_raw)]
    pub fn set_logging_outputs(
        ctx: NativeCallContext,
        admin: &mut AdminConnection,
        outputs: &str,
    ) -> RhaiResultOf<()> {
        let outputs = text(&ctx, "the outputs", outputs)?.to_owned();
        let call = "virAdmConnectSetLoggingOutputs";
        let request = Request::SetLoggingOutputs(outputs);
        admin
            .call(&ctx, call, "set the log's outputs", request)
            .map(drop)
    }

    /// The daemon's log filters, as `LEVEL:*MODULE*` with a space between filters.
    ///
    /// A filter applies to the modules whose names contain the text, such as `util.file` for `*util*`; for the levels
    /// see `get_logging_outputs`.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// admin.set_logging_filters("");
    /// assert_eq(admin.get_logging_filters(), "");
    /// ```
    /// Calls virAdmConnectGetLoggingFilters.
    #[rhai_fn(pure, return_raw)]
    pub fn get_logging_filters(
        ctx: NativeCallContext,
        admin: &mut AdminConnection,
    ) -> RhaiResultOf<String> {
        let call = "virAdmConnectGetLoggingFilters";
        let request = Request::LoggingFilters;
        let answer = admin.call(&ctx, call, "read the log's filters", request)?;
        Ok(answer.text())
    }

    /// Sets which messages the daemon writes to its log, in the form of `get_logging_filters`, where the `*` may be left
    /// out; empty text removes all filters.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// admin.set_logging_filters("1:qemu 3:remote");
    /// assert_eq(admin.get_logging_filters(), "1:*qemu* 3:*remote*");
    /// ```
    /// Calls virAdmConnectSetLoggingFilters.
    #[rhai_fn(pure, return_raw)]
    pub fn set_logging_filters(
        ctx: NativeCallContext,
        admin: &mut AdminConnection,
        filters: &str,
    ) -> RhaiResultOf<()> {
        let filters = text(&ctx, "the filters", filters)?.to_owned();
        let call = "virAdmConnectSetLoggingFilters";
        let request = Request::SetLoggingFilters(filters);
        admin
            .call(&ctx, call, "set the log's filters", request)
            .map(drop)
    }

    /// Sets the idle time after which the daemon ends: a duration in whole seconds, such as `"2m"`; 0 for never. The daemon
    /// is idle without clients and running guests.
    ///
    /// ```rhai,admin
    /// connect_admin().set_daemon_timeout("10m");
    /// ```
    /// Calls virAdmConnectSetDaemonTimeout.
    #[rhai_fn(pure, return_raw)]
    pub fn set_daemon_timeout(
        ctx: NativeCallContext,
        admin: &mut AdminConnection,
        timeout: DurationValue,
    ) -> RhaiResultOf<()> {
        let seconds = number(&ctx, "the timeout", whole_seconds(&ctx, &timeout)?)?;
        let call = "virAdmConnectSetDaemonTimeout";
        let request = Request::SetTimeout(seconds);
        admin
            .call(&ctx, call, "set the daemon's timeout", request)
            .map(drop)
    }

    /// Ends the daemon. Guests keep running; connections to the daemon are lost.
    ///
    /// Needs libvirt 11.2.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// admin.daemon_shutdown();
    /// assert_eq(admin.wait_closed("30s"), "eof");
    /// ```
    /// Calls virAdmConnectDaemonShutdown.
    #[rhai_fn(pure, return_raw)]
    pub fn daemon_shutdown(
        ctx: NativeCallContext,
        admin: &mut AdminConnection,
    ) -> RhaiResultOf<()> {
        daemon_shutdown_flags(ctx, admin, 0)
    }

    /// Ends the daemon; with `VIR_DAEMON_SHUTDOWN_PRESERVE` the daemon first does to its guests what its configuration
    /// says for the host's shutdown, such as saving them.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// admin.daemon_shutdown(0);
    /// assert_eq(admin.wait_closed("30s"), "eof");
    /// ```
    /// Calls virAdmConnectDaemonShutdown.
    #[rhai_fn(name = "daemon_shutdown", pure, return_raw)]
    pub fn daemon_shutdown_flags(
        ctx: NativeCallContext,
        admin: &mut AdminConnection,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let call = "virAdmConnectDaemonShutdown";
        let request = Request::Shutdown(wanted);
        admin.call(&ctx, call, "end the daemon", request).map(drop)
    }

    /// Waits until the daemon ends the connection, and returns the reason: `eof` if the daemon closed it, `error` for a
    /// failure of the socket.
    ///
    /// Returns at once if the connection has ended already. Throws `VIR_ERR_OPERATION_TIMEOUT` if it is still open after
    /// `timeout`, and `VIR_ERR_INVALID_CONN` if the script has closed it.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// assert_throws(|| admin.wait_closed("10ms"), "VIR_ERR_OPERATION_TIMEOUT");
    /// ```
    /// Calls virAdmConnectRegisterCloseCallback, virAdmConnectUnregisterCloseCallback.
    #[rhai_fn(pure, return_raw)]
    pub fn wait_closed(
        ctx: NativeCallContext,
        admin: &mut AdminConnection,
        timeout: DurationValue,
    ) -> RhaiResultOf<WordOf<CloseReason>> {
        let timeout = duration(&ctx, &timeout)?;
        let reason = admin.wait_for_end(&ctx, timeout)?;
        Ok(CloseReason::TABLE.word(reason))
    }

    /// The connection as text.
    ///
    /// ```rhai,admin
    /// assert(connect_admin().to_string().starts_with("AdminConnection(libvirtd"));
    /// ```
    /// Calls virAdmConnectGetURI.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(admin: &mut AdminConnection) -> String {
        admin.to_string()
    }

    /// True if both are the same connection.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// let same = admin;
    /// assert(same == admin);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "==", pure)]
    pub fn equals(admin: &mut AdminConnection, other: AdminConnection) -> bool {
        *admin == other
    }

    /// True if they are different connections, even to the same daemon.
    ///
    /// ```rhai,admin
    /// let admin = connect_admin();
    /// assert(admin != connect_admin());
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "!=", pure)]
    pub fn differs(admin: &mut AdminConnection, other: AdminConnection) -> bool {
        *admin != other
    }
}
