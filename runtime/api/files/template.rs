//! Fills templates.

use std::fmt;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use rhai::plugin::*;
use rhai::{Dynamic, Map, NativeCallContext};

use super::data;
use crate::api::arguments::RhaiResultOf;
use crate::api::room::{MOST, ensure_room};
use crate::error::Error;

/// The work that a template may cause: each costs one step, or 64 bytes of text.
const FUEL: u64 = 1_000_000;

/// The bytes that a template may hold while it runs.
const ROOM: usize = 64 * 1024 * 1024;

/// The deepest nesting of macros and loops.
const DEEPEST: usize = 50;

fn fill(ctx: &NativeCallContext, text: &str, values: &Map) -> RhaiResultOf<String> {
    let values = data::json(ctx, &Dynamic::from_map(values.clone()))?;
    ensure_room(ctx, ROOM)?;
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEEPEST);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let mut syntax = SyntaxConfig::builder();
    let syntax = syntax
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true);
    if let Ok(syntax) = syntax.build() {
        environment.set_syntax(syntax);
    }
    environment.add_filter("xml", |text: String| {
        quick_xml::escape::escape(text.as_str()).into_owned()
    });
    let made = environment.render_str(text, Serde(&values));
    let made = made.map_err(|error| {
        let missing = match error.kind() {
            ErrorKind::UndefinedError => missing(&environment, text, &values),
            _ => Vec::new(),
        };
        wrong(ctx, &error, &missing)
    })?;
    match made.len() <= MOST {
        true => Ok(made),
        false => Err(Error::invalid(ctx, "the text would exceed the limit of 16 MiB").throw()),
    }
}

/// The names in the template `text` that `values` does not have.
fn missing(environment: &Environment, text: &str, values: &serde_json::Value) -> Vec<String> {
    let Ok(template) = environment.template_from_str(text) else {
        return Vec::new();
    };
    let names = template.undeclared_variables(false).into_iter();
    let mut missing: Vec<String> = names.filter(|name| values.get(name).is_none()).collect();
    missing.sort_unstable();
    missing
}

fn wrong(
    ctx: &NativeCallContext,
    error: &minijinja::Error,
    missing: &[String],
) -> Box<EvalAltResult> {
    let place = error
        .line()
        .map_or_else(String::new, |line| format!(" in line {line}"));
    let why = match error.kind() {
        ErrorKind::OutOfFuel => {
            format!("it exceeds the limit of work, {FUEL} steps; 64 bytes of text count as one")
        }
        _ => match error.detail() {
            Some("recursion limit exceeded") => {
                format!("calls are nested more than {DEEPEST} deep")
            }
            Some(detail) if detail.contains("maximum recursion") => {
                "expressions or blocks are nested too deeply".into()
            }
            _ => Why(error).to_string(),
        },
    };
    let message = format!("the template is wrong{place}: {why}");
    let error = Error::invalid(ctx, message);
    match missing {
        [] => error.throw(),
        names => error
            .with_hint(format!("the values have no `{}`", names.join("`, `")))
            .throw(),
    }
}

/// The message of minijinja, without the place.
struct Why<'a>(&'a minijinja::Error);

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0.detail() {
            Some(detail) => write!(f, "{}: {detail}", self.0.kind()),
            None => write!(f, "{}", self.0.kind()),
        }
    }
}

#[export_module]
pub(super) mod functions {
    /// Fills the Jinja template `text` with `values`, and returns the result. A template can have `{{ name }}`,
    /// `{% for disk in disks %}`, `{% if ... %}` and Jinja's filters. `{{ name|xml }}` escapes a value for XML.
    ///
    /// Throws if `values` does not have a name of the template. A template cannot include files. The length of the result is
    /// limited to 16 MiB, and the work of the template is limited too.
    ///
    /// ```rhai
    /// let made = template("<name>{{ name|xml }}</name>", #{ name: "a & b" });
    /// assert_eq(made, "<name>a &amp; b</name>");
    /// let list = template("{% for host in hosts %}{{ host }} {% endfor %}", #{ hosts: ["a", "b"] });
    /// assert_eq(list, "a b ");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn template(ctx: NativeCallContext, text: &str, values: Map) -> RhaiResultOf<String> {
        fill(&ctx, text, &values)
    }
}
