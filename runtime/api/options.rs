//! What recipes do with the options that they are given.

use std::sync::Arc;

use rhai::plugin::*;
use rhai::{Dynamic, Engine, Map, NativeCallContext, exported_module};

use super::arguments::{self, DurationValue, RhaiResultOf, SizeValue, duration};
use crate::error::Error;
use crate::error::extent::is_within;
use crate::run::session::Session;
use crate::script::declarations;
use crate::spec::{Spec, size};

/// The largest declaration, in bytes of text.
const LARGEST: usize = 1024 * 1024;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

/// What `spec`, a map in the file that calls, declares.
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

#[export_module]
mod functions {
    /// Checks these options against their declaration `spec`, a constant map of options, and returns them with the
    /// defaults of those that are not given; `()` for options without a default.
    ///
    /// Throws at the first option that is not declared, of the wrong type or missing; the error stands where the
    /// options were given. Each option is declared by a map with a `type` ("string", "int", "float", "bool", "size",
    /// "duration", "path", "pool", "network", "domain", "map", "array", "function", a type such as "Domain", or the
    /// name of another declaration; a list for several, and `["array", "string"]` for a list of texts), and where they
    /// make sense with `words`, `default`, `required`, `unit`, `min`, `max` and `help`. `include: "NAME"` takes over the
    /// options of another declaration.
    ///
    /// ```rhai
    /// const BACKUP = #{
    ///     name: #{ type: "string", required: true, help: "name of the copy" },
    ///     mode: #{ words: ["full", "incremental"], default: "full", help: "what is copied" },
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
                Err(match fault.hint {
                    Some(hint) => error.with_hint(hint),
                    None => error,
                }
                .throw())
            }
        }
    }

    /// Refuses options that are not a map, at the line where they were given.
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

    /// Throws `message` about options that were given to a function of this file: the error stands where they were
    /// given, outside the file and outside the standard library.
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

    /// Takes the option `name` out of these and returns it, or `()` where it is not among them.
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
    /// Units are libvirt's, in either case of letters: `K`, `M`, `G`, `T` and `KiB`, `MiB`, `GiB`, `TiB`
    /// are powers of 1024, `kB`, `MB`, `GB`, `TB` powers of 1000, `B` is a byte. All calls and options that
    /// take a size read it so; a number without a unit counts the unit that each of them names.
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

    /// A size in bytes, where a number without a unit counts the unit `unit`, such as `"KiB"`.
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

    /// A number of bytes in words, in the largest unit that divides it.
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

    /// Says `text` on standard error, beside the script's own output.
    ///
    /// ```rhai
    /// note("web is up");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile)]
    pub fn note(ctx: NativeCallContext, text: &str) {
        Session::of(&ctx).note(text);
    }
}
