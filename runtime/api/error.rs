//! `Error`: the value that a script catches, whatever was thrown.

use std::sync::Arc;

use rhai::plugin::*;
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext, exported_module};

use super::arguments::RhaiResultOf;
use crate::error::Error;
use crate::run::session::Session;
use crate::script::imports::Imports;
use crate::script::language::ASKED;

/// A code of libvirt's, or the `code` of a thrown map.
type ErrorCodeValue = Dynamic;

/// A value of the type `T`, or `()`.
type IfKnownOf<T> = <T as Known>::Value;

/// A type of values that can be unknown.
trait Known {
    /// The value that scripts get.
    type Value;
}

impl Known for i64 {
    type Value = Dynamic;
}

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Error>("Error");
    engine.register_global_module(exported_module!(functions).into());
    // A thrown map's own keys are properties as well.
    engine.register_indexer_get(field);
}

/// The error that `error` is to a script which catches it.
pub(crate) fn caught(ctx: &NativeCallContext, error: Box<EvalAltResult>) -> Error {
    let imports = Session::of(ctx).kept::<Imports>();
    let file_of = |closure: &str| imports.as_ref()?.file_of(closure);
    Error::caught(ctx.engine(), &Arc::from(error), ctx.call_source(), &file_of)
}

fn field(error: &mut Error, name: ImmutableString) -> RhaiResultOf<Dynamic> {
    let (name, asked) = match name.strip_prefix(ASKED) {
        Some(name) => (name, true),
        None => (name.as_str(), false),
    };
    match error.field(name) {
        Some(value) => Ok(value),
        None if asked => Ok(Dynamic::UNIT),
        None => Err(error.without_field(name).throw()),
    }
}

#[export_module]
mod functions {
    /// libvirt's name of the error, the `code` of a thrown map, or `()`.
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
    pub fn code(error: &mut Error) -> ErrorCodeValue {
        let code = error.code().map(Dynamic::from);
        code.or_else(|| error.field("code")).unwrap_or_default()
    }

    /// libvirt's number of the error, or `()` for an error that is not libvirt's.
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
    pub fn number(error: &mut Error) -> IfKnownOf<i64> {
        match error.cause() {
            None => error.number().into(),
            Some(_) => Dynamic::UNIT,
        }
    }

    /// The part of libvirt that reports the failure; empty text for an error that is not libvirt's.
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

    /// libvirt's message; for other errors the thrown text, or the `message` of the thrown map.
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

    /// The failed action and its object; an empty text for an error that virhai did not make.
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

    /// The URI of the host that refused, or an empty text if no host was involved.
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

    /// The C function that failed, or an empty text if virhai refused before calling one.
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

    /// The next step to take, or an empty text if none is known.
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

    /// True if the connection broke, so that the outcome of the call is unknown.
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

    /// The value that a script threw, or `()` for an error that no script threw.
    ///
    /// The keys of a thrown map are properties of the error as well.
    ///
    /// ```rhai
    /// try {
    ///     throw #{ message: "two guests failed", guests: ["a", "b"] };
    /// } catch (err) {
    ///     assert_eq(err.message, "two guests failed");
    ///     assert_eq(err.guests, err.value.guests);
    ///     assert_eq(err?.hosts, ());
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "value", pure)]
    pub fn value(error: &mut Error) -> Dynamic {
        error.value().cloned().unwrap_or(Dynamic::UNIT)
    }

    /// True if the thrown value is a map with the key `name`.
    ///
    /// ```rhai
    /// try {
    ///     throw #{ message: "two guests failed", guests: ["a", "b"] };
    /// } catch (err) {
    ///     assert("guests" in err && !("hosts" in err));
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(global, name = "contains", pure)]
    pub fn contains(error: &mut Error, name: &str) -> bool {
        error.field(name).is_some()
    }

    /// The line where the error was first thrown, or `()` if it is unknown.
    ///
    /// ```rhai
    /// try {
    ///     throw "no";
    /// } catch (err) {
    ///     assert_eq(err.line, 2);
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "line", pure)]
    pub fn line(error: &mut Error) -> IfKnownOf<i64> {
        let line = error.origin().0.line();
        line.map_or(Dynamic::UNIT, |line| (line as i64).into())
    }

    /// The file where the error was first thrown, or an empty text if it is unknown.
    ///
    /// ```rhai
    /// try {
    ///     throw "no";
    /// } catch (err) {
    ///     assert(err.file != "");
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "file", pure)]
    pub fn file(error: &mut Error) -> String {
        error.origin().1.unwrap_or_default().to_owned()
    }

    /// True if both are the same error.
    ///
    /// ```rhai
    /// try {
    ///     throw "no";
    /// } catch (err) {
    ///     assert(err == err);
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(global, name = "==", pure)]
    pub fn equals(error: &mut Error, other: Error) -> bool {
        error.is_same(&other)
    }

    /// The error in one line, as virhai prints an uncaught error.
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
