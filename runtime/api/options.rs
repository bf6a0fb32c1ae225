//! What recipes do with the options that they are given.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map, NativeCallContext, exported_module};

use super::arguments::{self, RhaiResultOf, duration, unknown_key};
use super::value_text;
use crate::error::Error;
use crate::session::Session;
use crate::size;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// These options with what they leave out taken from `defaults`, whose keys are all that
    /// there are; an unknown one is an error with a suggestion.
    ///
    /// ```rhai
    /// let options = #{ name: "web" }.with_defaults(#{ name: (), memory: "1GiB" });
    /// assert_eq(options, #{ name: "web", memory: "1GiB" });
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn with_defaults(
        ctx: NativeCallContext,
        options: &mut Map,
        defaults: Map,
    ) -> RhaiResultOf<Map> {
        unknown_key(&ctx, options, defaults.keys().map(|key| key.as_str()))?;
        let mut all = defaults;
        all.extend(
            options
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
        Ok(all)
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

    /// Throws unless each of `names` has a value in these options.
    ///
    /// ```rhai
    /// #{ name: "web", disk: () }.require(["name"]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn require(ctx: NativeCallContext, options: &mut Map, names: Array) -> RhaiResultOf<()> {
        for name in &names {
            let name = value_text::printed(&ctx, name)?;
            if options.get(name.as_str()).is_none_or(Dynamic::is_unit) {
                let message = format!("the option `{name}` is missing");
                return Err(Error::invalid(&ctx, message).throw());
            }
        }
        Ok(())
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
    pub fn parse_size(ctx: NativeCallContext, size: Dynamic) -> RhaiResultOf<i64> {
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
    pub fn parse_size_in(ctx: NativeCallContext, size: Dynamic, unit: &str) -> RhaiResultOf<i64> {
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
    pub fn parse_duration(ctx: NativeCallContext, time: Dynamic) -> RhaiResultOf<f64> {
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
