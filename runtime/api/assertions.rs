//! Assertions for tests, and the messages of their failures.

use std::time::Duration;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, FnPtr, Map, NativeCallContext, exported_module};
use similar::TextDiff;

use super::arguments::RhaiResultOf;
use super::error::caught;
use super::prelude::failed;
use crate::error::Error;
use crate::error::extent::{is_within, shortened};
use crate::error::plain::type_name;
use crate::xml::Xml;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Throws unless `truth` holds.
    ///
    /// ```rhai
    /// assert(1 + 1 == 2);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "assert", return_raw)]
    pub fn assert(ctx: NativeCallContext, truth: bool) -> RhaiResultOf<()> {
        if truth {
            Ok(())
        } else {
            Err(failed(&ctx, "the assertion does not hold".into()))
        }
    }

    /// Throws `message` unless `truth` holds.
    ///
    /// ```rhai
    /// assert(1 + 1 == 2, "arithmetic is broken");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "assert", return_raw)]
    pub fn assert_message(ctx: NativeCallContext, truth: bool, message: &str) -> RhaiResultOf<()> {
        if truth {
            Ok(())
        } else {
            Err(failed(&ctx, message.to_owned()))
        }
    }

    /// Throws unless both values are equal, and shows them.
    ///
    /// ```rhai
    /// assert_eq([1, 2].len(), 2);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn assert_eq(ctx: NativeCallContext, left: Dynamic, right: Dynamic) -> RhaiResultOf<()> {
        if equal(&ctx, &left, &right) {
            return Ok(());
        }
        Err(failed(&ctx, difference(&ctx, &left, &right)))
    }

    /// Throws if both values are equal.
    ///
    /// ```rhai
    /// assert_ne("web", "db");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn assert_ne(ctx: NativeCallContext, left: Dynamic, right: Dynamic) -> RhaiResultOf<()> {
        if equal(&ctx, &left, &right) {
            let message = format!("both values are {}", shown(&ctx, &left));
            return Err(failed(&ctx, shortened(message)));
        }
        Ok(())
    }

    /// Throws unless `action` throws; returns the thrown error.
    ///
    /// ```rhai
    /// let error = assert_throws(|| connect("test:///default").lookup_by_name("nobody"));
    /// assert_eq(error.code, "VIR_ERR_NO_DOMAIN");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "assert_throws", return_raw)]
    pub fn assert_throws(ctx: NativeCallContext, action: FnPtr) -> RhaiResultOf<Error> {
        thrown(&ctx, &action)
    }

    /// Throws unless `action` throws an `Error` with this code; returns it.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.lookup_by_name("nobody"), "VIR_ERR_NO_DOMAIN");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "assert_throws", return_raw)]
    pub fn assert_throws_code(
        ctx: NativeCallContext,
        action: FnPtr,
        code: &str,
    ) -> RhaiResultOf<Error> {
        let error = thrown(&ctx, &action)?;
        let seen = match error.code() {
            Some(other) if other == code => return Ok(error),
            Some(other) => format!("{other}: {}", error.message()),
            None => error.message().to_owned(),
        };
        Err(failed(
            &ctx,
            format!("expected {code} to be thrown, not {seen}"),
        ))
    }
}

/// The most bytes of text of a value that is shown.
const MOST: usize = 1024 * 1024;

/// The time limit for finding the shortest difference.
const PATIENCE: Duration = Duration::from_secs(1);

/// The error that `action` throws. A stop of the script is passed on.
fn thrown(ctx: &NativeCallContext, action: &FnPtr) -> RhaiResultOf<Error> {
    let error = match action.call_within_context::<Dynamic>(ctx, ()) {
        Ok(_) => return Err(failed(ctx, "nothing was thrown".into())),
        Err(error) => error,
    };
    if !error.is_catchable() {
        return Err(error);
    }
    Ok(caught(ctx, error))
}

/// True if two values are equal by the `==` of scripts.
fn equal(ctx: &NativeCallContext, left: &Dynamic, right: &Dynamic) -> bool {
    ctx.call_fn::<bool>("==", (left.clone(), right.clone()))
        .unwrap_or(false)
}

fn shown(ctx: &NativeCallContext, value: &Dynamic) -> String {
    if !is_within(value, MOST) {
        return format!(
            "a value of type {} that is too large to show",
            type_name(value)
        );
    }
    ctx.call_fn::<rhai::ImmutableString>("to_debug", (value.clone(),))
        .map_or_else(|_| value.to_string(), |text| text.to_string())
}

/// The difference of two values: on one line if they are short, otherwise line by line.
fn difference(ctx: &NativeCallContext, left: &Dynamic, right: &Dynamic) -> String {
    if !is_within(left, MOST) || !is_within(right, MOST) {
        return "the values differ, and they are too large to show".into();
    }
    let (one, other) = (lines(ctx, left), lines(ctx, right));
    if one.len() < 2 && other.len() < 2 {
        let (left, right) = (shown(ctx, left), shown(ctx, right));
        return format!("the values differ: {left} is not {right}");
    }
    let (one, other) = (one.join("\n") + "\n", other.join("\n") + "\n");
    let diff = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_lines(&one, &other);
    let changes = diff.unified_diff().context_radius(2).to_string();
    format!("the values differ:\n{}", changes.trim_end())
}

/// A value in lines: of text and XML as they are, of lists and maps one for each thing in them.
fn lines(ctx: &NativeCallContext, value: &Dynamic) -> Vec<String> {
    if let Some(xml) = value.read_lock::<Xml>() {
        return xml.to_string().lines().map(str::to_owned).collect();
    }
    if let Some(list) = value.read_lock::<Array>() {
        return list.iter().map(|item| shown(ctx, item)).collect();
    }
    if let Some(map) = value.read_lock::<Map>() {
        let field =
            |(key, value): (&rhai::Identifier, &Dynamic)| format!("{key}: {}", shown(ctx, value));
        return map.iter().map(field).collect();
    }
    match value.clone().into_immutable_string() {
        Ok(text) => text.lines().map(str::to_owned).collect(),
        Err(_) => vec![shown(ctx, value)],
    }
}
