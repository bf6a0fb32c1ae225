//! `Error`: what a script catches when libvirt refuses.

use rhai::plugin::*;
use rhai::{Engine, exported_module};

use crate::error::Error;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Error>("Error");
    engine.register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// libvirt's name for what went wrong.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.lookup_by_name("no-such-domain");
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_DOMAIN");
    /// }
    /// ```
    /// Calls virGetLastError.
    #[rhai_fn(get = "code", pure)]
    pub fn code(error: &mut Error) -> String {
        error.code()
    }

    /// libvirt's number for what went wrong.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.lookup_by_name("no-such-domain");
    /// } catch (err) {
    ///     assert_eq(err.number, VIR_ERR_NO_DOMAIN);
    /// }
    /// ```
    /// Calls virGetLastError.
    #[rhai_fn(get = "number", pure)]
    pub fn number(error: &mut Error) -> i64 {
        error.number()
    }

    /// The part of libvirt that reports the failure.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.lookup_by_name("no-such-domain");
    /// } catch (err) {
    ///     assert_eq(err.domain, "VIR_FROM_TEST");
    /// }
    /// ```
    /// Calls virGetLastError.
    #[rhai_fn(get = "domain", pure)]
    pub fn domain(error: &mut Error) -> String {
        error.domain()
    }

    /// libvirt's own words for the failure.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.lookup_by_name("no-such-domain");
    /// } catch (err) {
    ///     assert(err.message.contains("Domain not found"));
    /// }
    /// ```
    /// Calls virGetLastError.
    #[rhai_fn(get = "message", pure)]
    pub fn message(error: &mut Error) -> String {
        error.message().to_owned()
    }

    /// What the script tried to do, and to which object.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// try {
    ///     dom.rename("");
    /// } catch (err) {
    ///     assert_eq(err.action, "rename domain `test`");
    /// }
    /// ```
    /// Calls virGetLastError.
    #[rhai_fn(get = "action", pure)]
    pub fn action(error: &mut Error) -> String {
        error.action().to_owned()
    }

    /// The URI of the host that refused, or empty text where none was involved.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.lookup_by_name("no-such-domain");
    /// } catch (err) {
    ///     assert_eq(err.uri, "test:///default");
    /// }
    /// ```
    /// Calls virConnectGetURI.
    #[rhai_fn(get = "uri", pure)]
    pub fn uri(error: &mut Error) -> String {
        error.uri().to_owned()
    }

    /// The C function that failed, or empty text where virhai refused before calling one.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.lookup_by_name("no-such-domain");
    /// } catch (err) {
    ///     assert_eq(err.call, "virDomainLookupByName");
    /// }
    /// ```
    /// Calls virGetLastError.
    #[rhai_fn(get = "call", pure)]
    pub fn call(error: &mut Error) -> String {
        error.call().to_owned()
    }

    /// What to do next, or empty text where nothing is known.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.lookup_by_name("no-such-domain");
    /// } catch (err) {
    ///     assert(err.hint.contains("list_all_domains"));
    /// }
    /// ```
    /// Calls virGetLastError.
    #[rhai_fn(get = "hint", pure)]
    pub fn hint(error: &mut Error) -> String {
        error.hint().unwrap_or_default().to_owned()
    }

    /// Whether the connection broke, so that the outcome of the call is unknown.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.lookup_by_name("no-such-domain");
    /// } catch (err) {
    ///     assert(!err.lost_connection);
    /// }
    /// ```
    /// Calls virGetLastError.
    #[rhai_fn(get = "lost_connection", pure)]
    pub fn lost_connection(error: &mut Error) -> bool {
        error.lost_connection()
    }

    /// The error in one line, as an uncaught one is shown.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.lookup_by_name("nemo");
    /// } catch (err) {
    ///     assert(err.to_string().contains("cannot look up domain `nemo` on test:///default"));
    /// }
    /// ```
    /// Calls virGetLastError.
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn to_string(error: &mut Error) -> String {
        error.to_string()
    }
}
