//! Functions with which recipes read their options.

use std::sync::Arc;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map, NativeCallContext, exported_module};

use super::arguments::{self, DurationValue, RhaiResultOf, SizeValue, duration};
use super::step;
use crate::error::Error;
use crate::error::extent::is_within;
use crate::run::session::Session;
use crate::script::declarations;
use crate::spec::{FaultKind, Key, Spec, Type, size};

/// The largest declaration, in bytes of text.
const LARGEST: usize = 1024 * 1024;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

/// The declaration `spec`, a map in the calling file.
pub(super) fn declared(ctx: &NativeCallContext, spec: Map) -> RhaiResultOf<Arc<Spec>> {
    let file = ctx.call_source().unwrap_or_default();
    let spec = Dynamic::from(spec);
    if !is_within(&spec, LARGEST) {
        return Err(Error::invalid(ctx, "the declaration of the options is too large").throw());
    }
    let spec = spec.cast::<Map>();
    let sources = declarations::of_imports(&Session::of(ctx).kept().unwrap_or_default());
    declarations::of_map(&sources, file, &spec).map_err(|why| Error::invalid(ctx, why).throw())
}

/// `spec` for a result: only keys that can be `()` may be missing.
fn complete(spec: &Spec) -> Spec {
    let optional = |ty: &Type| matches!(ty, Type::Unit | Type::Unknown);
    let keys = spec.keys.iter().map(|key| Key {
        required: key.default.is_none() && !key.ty.alternatives().iter().any(optional),
        ..key.clone()
    });
    Spec {
        keys: keys.collect(),
        ..spec.clone()
    }
}

/// `result` with all keys of `spec`; throws if it does not match `spec`.
fn checked_result(ctx: &NativeCallContext, spec: &Spec, result: &Map) -> RhaiResultOf<Map> {
    let Some(fault) = spec.first_fault(ctx.engine(), result) else {
        return Ok(spec.filled(result.clone()));
    };
    let declares = match spec.name.as_str() {
        "" => "the declaration",
        name => name,
    };
    let path = fault.written_path();
    let message = match fault.kind {
        FaultKind::UnknownKey => {
            format!("the result has the key `{path}`, which {declares} does not declare")
        }
        FaultKind::MissingKey => format!("the result is not complete: {}", fault.message),
        FaultKind::Value => format!("the result does not match {declares}: {}", fault.message),
    };
    Err(Error::invalid(ctx, message).throw())
}

#[export_module]
mod functions {
    /// Checks these options against their declaration `spec`, a constant map of options, and returns them with the
    /// defaults of those that are not given; `()` for options without a default.
    ///
    /// Throws at the first option that is not declared, of the wrong type or missing; the error points at the place
    /// where the options were given. Each option is declared by a map with a `type` ("string", "int", "float", "bool",
    /// "size", "duration", "path", "uri", "secret", "pool", "network", "domain", "map", "array", "function", a type
    /// such as "Domain", or the name of another declaration; a list for several, and `["array", "string"]` for a list
    /// of texts), and optionally `words`, `default`, `required`, `unit`, `min`, `max`, `pattern`, `needs`, `not_with`, `unique`
    /// and `help`. `include: "NAME"` adds the options of another declaration.
    ///
    /// ```rhai
    /// const BACKUP = #{
    ///     name: #{ type: "string", required: true, help: "name of the copy" },
    ///     mode: #{ words: ["full", "incremental"], default: "full", help: "data to copy" },
    ///     keep: #{ type: "int", min: 1, help: "number of older copies that are kept" },
    /// };
    /// let options = #{ name: "monday" }.checked(BACKUP);
    /// assert_eq(options, #{ name: "monday", mode: "full", keep: () });
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn checked(ctx: NativeCallContext, options: &mut Map, spec: Map) -> RhaiResultOf<Map> {
        let spec = super::declared(&ctx, spec)?;
        match spec.first_fault(ctx.engine(), options) {
            None => Ok(spec.filled(options.clone())),
            Some(fault) => {
                let error = Error::of_options(&ctx, fault.message, &spec.file);
                Err(error.with_hint_if_any(fault.hint).throw())
            }
        }
    }

    /// Throws if the options are not a map; the error points at the line where they were given.
    ///
    /// ```rhai
    /// let error = assert_throws(|| "web".checked(#{ name: #{ type: "string", help: "name" } }));
    /// assert(error.message.contains("must be a map"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "checked", return_raw)]
    pub fn checked_value(ctx: NativeCallContext, _options: Dynamic, spec: Map) -> RhaiResultOf<()> {
        let spec = super::declared(&ctx, spec)?;
        Err(Error::of_options(&ctx, spec.not_a_map(), &spec.file).throw())
    }

    /// Checks the result of a function against its declaration `spec`, a constant map as for options, and returns it. Missing
    /// keys become `()` if their type allows it.
    ///
    /// Throws if the result has a key that is not declared, lacks one that cannot be `()`, or has a value of another
    /// type. The doc comment of the function names the declaration: `Returns: NAME.`
    ///
    /// ```rhai
    /// const COUNTED = #{
    ///     running: #{ type: "int", help: "number of guests that run" },
    ///     why: #{ type: ["string", "()"], help: "why some do not, if that is known" },
    /// };
    /// assert_eq(#{ running: 3 }.as_declared(COUNTED), #{ running: 3, why: () });
    /// let error = ();
    /// try { #{ runing: 3 }.as_declared(COUNTED); } catch (err) { error = err; }
    /// assert_eq(error.message, "the result has the key `runing`, which COUNTED does not declare");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn as_declared(ctx: NativeCallContext, result: &mut Map, spec: Map) -> RhaiResultOf<Map> {
        let spec = super::complete(&*super::declared(&ctx, spec)?);
        super::checked_result(&ctx, &spec, result)
    }

    /// Checks each result of a list as above.
    ///
    /// ```rhai
    /// const GUEST = #{ name: #{ type: "string", help: "name of the guest" } };
    /// assert_eq([#{ name: "web" }].as_declared(GUEST).len(), 1);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "as_declared", pure, return_raw)]
    pub fn as_declared_each(
        ctx: NativeCallContext,
        results: &mut Array,
        spec: Map,
    ) -> RhaiResultOf<Array> {
        let spec = super::complete(&*super::declared(&ctx, spec)?);
        let checked = |result: &Dynamic| match result.read_lock::<Map>() {
            Some(map) => super::checked_result(&ctx, &spec, &map).map(Dynamic::from_map),
            None => Err(Error::invalid(&ctx, "each result of the list must be a map").throw()),
        };
        results.iter().map(checked).collect()
    }

    /// Throws `message` about options that were given to a function of this file. The error points at the place where
    /// they were given, outside the file and outside the standard library.
    ///
    /// ```rhai
    /// fn backup(options) {
    ///     if options.first > options.last { refuse_options("`first` must not be after `last`"); }
    /// }
    /// let error = assert_throws(|| backup(#{ first: 2, last: 1 }));
    /// assert_eq(error.message, "`first` must not be after `last`");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn refuse_options(ctx: NativeCallContext, message: &str) -> RhaiResultOf<()> {
        let file = ctx.call_source().unwrap_or_default();
        Err(Error::of_options(&ctx, message, file).throw())
    }

    /// The same with `hint`, which says what to write instead.
    ///
    /// ```rhai
    /// let error = assert_throws(|| refuse_options("`keep` must not be 0", "leave it out to keep all copies"));
    /// assert_eq(error.hint, "leave it out to keep all copies");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "refuse_options", return_raw)]
    pub fn refuse_options_with_hint(
        ctx: NativeCallContext,
        message: &str,
        hint: &str,
    ) -> RhaiResultOf<()> {
        let file = ctx.call_source().unwrap_or_default();
        Err(Error::of_options(&ctx, message, file)
            .with_hint(hint)
            .throw())
    }

    /// Removes the option `name` from these and returns it, or `()` if it is not set.
    ///
    /// ```rhai
    /// let options = #{ name: "web", start: false };
    /// assert_eq(options.take("start"), false);
    /// assert_eq(options, #{ name: "web" });
    /// ```
    /// Calls no libvirt function.
    pub fn take(options: &mut Map, name: &str) -> Dynamic {
        options.remove(name).unwrap_or(Dynamic::UNIT)
    }

    /// A size in bytes: a number of them, or text such as `"20GiB"`.
    ///
    /// Units are libvirt's, in upper or lower case: `K`, `M`, `G`, `T` and `KiB`, `MiB`, `GiB`, `TiB` are powers of
    /// 1024, `kB`, `MB`, `GB`, `TB` powers of 1000, `B` is a byte. All calls and options that take a size accept this
    /// form; the unit of a number without a unit is described with each of them.
    ///
    /// ```rhai
    /// assert_eq(parse_size("2KiB"), 2048);
    /// assert_eq(parse_size("2K"), 2048);
    /// assert_eq(parse_size("2KB"), 2000);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn parse_size(ctx: NativeCallContext, size: SizeValue) -> RhaiResultOf<i64> {
        arguments::bytes(&ctx, &size).and_then(|number| arguments::integer(&ctx, number))
    }

    /// A size in bytes; a number without a unit is counted in `unit`, such as `"KiB"`.
    ///
    /// ```rhai
    /// assert_eq(parse_size(2, "KiB"), 2048);
    /// assert_eq(parse_size("2MiB", "KiB"), 2097152);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "parse_size", return_raw)]
    pub fn parse_size_in(ctx: NativeCallContext, size: SizeValue, unit: &str) -> RhaiResultOf<i64> {
        let unit = arguments::bytes(&ctx, &Dynamic::from(format!("1{unit}")))?;
        arguments::size_in(&ctx, &size, unit).and_then(|number| arguments::integer(&ctx, number))
    }

    /// The size of `bytes` bytes as text, in the largest unit that divides it.
    ///
    /// ```rhai
    /// assert_eq(format_size(5368709120), "5 GiB");
    /// assert_eq(format_size(1000), "1000 bytes");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn format_size(ctx: NativeCallContext, bytes: i64) -> RhaiResultOf<String> {
        arguments::number(&ctx, "a size", bytes).map(size::words)
    }

    /// A duration in seconds: a number of them, or text such as `"90s"`.
    ///
    /// ```rhai
    /// assert_eq(parse_duration("1m 30s"), 90.0);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn parse_duration(ctx: NativeCallContext, time: DurationValue) -> RhaiResultOf<f64> {
        duration(&ctx, &time).map(|time| time.as_secs_f64())
    }

    /// Prints `text` on standard error, apart from the script's output.
    ///
    /// ```rhai
    /// note("web is up");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile)]
    pub fn note(ctx: NativeCallContext, text: &str) {
        let session = Session::of(&ctx);
        session.note(text);
        step::noted(&session, text);
    }
}
