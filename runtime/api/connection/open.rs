//! Opening and closing connections.

use std::time::Duration;

use rhai::plugin::*;
use rhai::{ImmutableString, NativeCallContext};
use virt::connect::Connect;

use crate::api::arguments::{RhaiResultOf, number, text};
use crate::objects::connection::Connection;
use crate::objects::connection::open::{Target, connect_to};
use crate::run::session::Session;
use crate::vocabulary::{OptionsOf, options};

options! {
    /// Options for opening a hypervisor.
    pub(crate) struct ConnectOptions {
        /// True if calls that change anything throw.
        read_only: bool = false,
        /// Time limit for the hypervisor to answer; the session's if not given.
        timeout: Option<Duration>,
    }
}

options! {
    /// Answers to a hypervisor's questions, such as a password.
    pub(crate) struct Credentials {
        /// Name of the user.
        username: Option<ImmutableString>,
        /// Password of the user.
        password: Option<ImmutableString>,
        /// Name of the user to authenticate as.
        authname: Option<ImmutableString>,
        /// Password of the key.
        passphrase: Option<ImmutableString>,
        /// Realm of the user.
        realm: Option<ImmutableString>,
        /// Language of the user.
        language: Option<ImmutableString>,
        /// Challenge of the client.
        cnonce: Option<ImmutableString>,
    }
}

#[export_module]
pub(super) mod functions {
    /// Opens the default hypervisor: `-c`, else `LIBVIRT_DEFAULT_URI`, else libvirt's own choice.
    ///
    /// Throws if the host does not answer within the session's time for connecting, 30 seconds by default. A remote
    /// connection is kept alive: if a host stops answering for about 20 seconds, the next call throws instead of
    /// hanging. A quick call, such as a lookup or `suspend`, throws `VIR_ERR_OPERATION_TIMEOUT` if libvirt does not
    /// answer within `--call-timeout` (60 seconds by default).
    ///
    /// ```rhai
    /// let conn = connect();
    /// assert(conn.is_alive());
    /// ```
    /// Calls virConnectOpenAuth.
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_default(ctx: NativeCallContext) -> RhaiResultOf<Connection> {
        let session = Session::of(&ctx);
        // libvirt reads it too, but would not name it in a failure.
        let default = std::env::var("LIBVIRT_DEFAULT_URI")
            .ok()
            .filter(|uri| !uri.is_empty());
        let uri = session.uri().map(str::to_owned).or(default);
        connect_to(&ctx, Target::new(&session, uri.as_deref()))
    }

    /// Opens the hypervisor at `uri`.
    ///
    /// A URI that names a program, a key, a socket or a driver that runs programs needs
    /// `--allow-connect URI`, unless the user gave it with `-c` or LIBVIRT_DEFAULT_URI.
    ///
    /// `test:///FILE` is a test host that the file describes; it needs `--allow-read FILE`.
    ///
    /// `qemu:///embed?root=DIR` is QEMU without a daemon: DIR is created if it does not exist, and holds all state of
    /// that hypervisor. Only one process can have it open. It needs `--allow-embed DIR`, which lets the script do
    /// everything that its user can.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.uri, "test:///default");
    /// ```
    /// Calls virConnectOpenAuth.
    #[rhai_fn(return_raw)]
    pub fn connect(ctx: NativeCallContext, uri: &str) -> RhaiResultOf<Connection> {
        connect_to(&ctx, Target::new(&Session::of(&ctx), Some(uri)))
    }

    /// Opens the hypervisor at `uri` with options: `read_only`, and `timeout` as a duration.
    ///
    /// ```rhai
    /// let conn = connect("test:///default", #{ timeout: "5s", read_only: true });
    /// assert(conn.is_alive());
    /// ```
    /// Calls virConnectOpenAuth.
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_with_options(
        ctx: NativeCallContext,
        uri: &str,
        options: OptionsOf<ConnectOptions>,
    ) -> RhaiResultOf<Connection> {
        let options = ConnectOptions::read(&ctx, &options)?;
        let mut target = Target::new(&Session::of(&ctx), Some(uri));
        target.timeout = options.timeout.unwrap_or(target.timeout);
        target.read_only |= options.read_only;
        connect_to(&ctx, target)
    }

    /// Opens the hypervisor at `uri` for reading only; calls that change anything throw.
    ///
    /// ```rhai
    /// let dom = connect_read_only("test:///default").lookup_by_name("test");
    /// try {
    ///     dom.destroy();
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_OPERATION_DENIED");
    /// }
    /// ```
    /// Calls virConnectOpenAuth.
    #[rhai_fn(return_raw)]
    pub fn connect_read_only(ctx: NativeCallContext, uri: &str) -> RhaiResultOf<Connection> {
        connect_to(
            &ctx,
            Target {
                read_only: true,
                ..Target::new(&Session::of(&ctx), Some(uri))
            },
        )
    }

    /// Opens the hypervisor at `uri` and answers its questions with `credentials`.
    ///
    /// `credentials` is a map with `username`, `password`, and, if the host asks for them, `authname`, `passphrase`,
    /// `realm`, `language`, `cnonce`. If `authname` is given, it is the name to log in with, and `username` is the user
    /// to act as.
    ///
    /// ```rhai
    /// let conn = connect_auth("test:///default", #{ username: "admin", password: "secret" });
    /// assert(conn.is_alive());
    /// ```
    /// Calls virConnectOpenAuth.
    #[rhai_fn(return_raw)]
    pub fn connect_auth(
        ctx: NativeCallContext,
        uri: &str,
        credentials: OptionsOf<Credentials>,
    ) -> RhaiResultOf<Connection> {
        let answers = Credentials::read(&ctx, &credentials)?;
        let mut target = Target::new(&Session::of(&ctx), Some(uri));
        // libvirt calls the name to log in with `authname`, and `username` the user to act as.
        let as_user = match answers.authname {
            Some(_) => virt_sys::VIR_CRED_USERNAME,
            None => virt_sys::VIR_CRED_AUTHNAME,
        };
        for (name, kind, answer) in [
            ("username", as_user, answers.username),
            ("password", virt_sys::VIR_CRED_PASSPHRASE, answers.password),
            ("authname", virt_sys::VIR_CRED_AUTHNAME, answers.authname),
            (
                "passphrase",
                virt_sys::VIR_CRED_PASSPHRASE,
                answers.passphrase,
            ),
            ("realm", virt_sys::VIR_CRED_REALM, answers.realm),
            ("language", virt_sys::VIR_CRED_LANGUAGE, answers.language),
            ("cnonce", virt_sys::VIR_CRED_CNONCE, answers.cnonce),
        ] {
            if let Some(answer) = answer {
                target
                    .credentials
                    .answers
                    .push((kind, text(&ctx, name, &answer)?.to_owned()));
            }
        }
        connect_to(&ctx, target)
    }

    /// Ends the connection; its domains can no longer be used. A second `close` does nothing.
    ///
    /// Guests started with `VIR_DOMAIN_START_AUTODESTROY` are destroyed.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.close();
    /// conn.close();
    /// try {
    ///     conn.get_hostname();
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_INVALID_CONN");
    /// }
    /// ```
    /// Calls virConnectClose.
    #[rhai_fn(pure)]
    pub fn close(conn: &mut Connection) {
        conn.end();
    }

    /// True if the connection is open and its host still answers.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(conn.is_alive());
    /// conn.close();
    /// assert(!conn.is_alive());
    /// ```
    /// Calls virConnectIsAlive.
    #[rhai_fn(pure)]
    pub fn is_alive(conn: &mut Connection) -> bool {
        conn.connect()
            .is_ok_and(|connect| connect.is_alive().unwrap_or(false))
    }

    /// True if the connection is encrypted.
    ///
    /// ```rhai
    /// assert(!connect("test:///default").is_encrypted());
    /// ```
    /// Calls virConnectIsEncrypted.
    #[rhai_fn(pure, return_raw)]
    pub fn is_encrypted(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<bool> {
        conn.call(
            &ctx,
            "virConnectIsEncrypted",
            "ask whether the connection is encrypted",
            Connect::is_encrypted,
        )
    }

    /// True if the connection is encrypted or stays on this machine.
    ///
    /// ```rhai
    /// assert(connect("test:///default").is_secure());
    /// ```
    /// Calls virConnectIsSecure.
    #[rhai_fn(pure, return_raw)]
    pub fn is_secure(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<bool> {
        conn.call(
            &ctx,
            "virConnectIsSecure",
            "ask whether the connection is secure",
            Connect::is_secure,
        )
    }

    /// Asks a silent host every `interval` seconds, and closes the connection after `count` missing answers.
    ///
    /// Every remote connection starts with 5 seconds and 3 answers; an interval of 0 turns keepalive off. While it is
    /// on, libvirt 11.3 ignores other values. Drivers within the process need no keepalive and throw.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.set_keep_alive(1, 3), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virConnectSetKeepAlive.
    #[rhai_fn(pure, return_raw)]
    pub fn set_keep_alive(
        ctx: NativeCallContext,
        conn: &mut Connection,
        interval: i64,
        count: i64,
    ) -> RhaiResultOf<()> {
        let (interval, count) = (
            number(&ctx, "the interval", interval)?,
            number(&ctx, "the count", count)?,
        );
        conn.call(
            &ctx,
            "virConnectSetKeepAlive",
            "keep the connection alive",
            move |c| c.set_keep_alive(interval, count),
        )
    }
}
