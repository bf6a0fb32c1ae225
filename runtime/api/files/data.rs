//! JSON, TOML and YAML files, and JSON as text.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};
use serde_json::Value;

use super::place::{self, failed};
use crate::api::arguments::RhaiResultOf;
use crate::api::room::ensure_room;
use crate::api::value_text;
use crate::error::Error;
use crate::runbook::data::Format;
use crate::runbook::inputs::of_json;

/// The most bytes of values for a byte of text: `{"":0},` is a map, which has room for more.
const VALUES: usize = 96;

/// The most bytes of values that the references of a YAML file can add.
const REFERENCES: usize = 128 * 1024 * 1024;

/// `value` as text that ends its last line.
fn written(format: Format, value: &Value) -> Result<String, String> {
    let mut text = match format {
        Format::Json => serde_json::to_string_pretty(value).map_err(|error| error.to_string())?,
        Format::Toml => toml::to_string_pretty(value).map_err(|error| error.to_string())?,
        Format::Yaml => serde_saphyr::to_string(value).map_err(|error| error.to_string())?,
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn read(ctx: &NativeCallContext, path: &str, format: Format) -> RhaiResultOf<Dynamic> {
    let text = place::read_text(ctx, path)?;
    parsed(ctx, &text, format)?.map_err(|why| failed(ctx, "read", path, why))
}

/// The value of `text`, or the reason why it does not have the format.
fn parsed(
    ctx: &NativeCallContext,
    text: &str,
    format: Format,
) -> RhaiResultOf<Result<Dynamic, String>> {
    let more = match format == Format::Yaml && text.contains('*') {
        true => REFERENCES,
        false => 0,
    };
    ensure_room(ctx, text.len().saturating_mul(VALUES).saturating_add(more))?;
    let value = format.parse(text);
    Ok(match value {
        Ok(value) => Ok(of_json(&value)),
        Err(why) => Err(why.trim_end().to_owned()),
    })
}

/// The error that text is not in the format `format`.
fn unreadable(ctx: &NativeCallContext, format: &str, why: &str) -> Box<EvalAltResult> {
    Error::invalid(ctx, format!("the text is not {format}: {why}")).throw()
}

fn write(ctx: &NativeCallContext, path: &str, value: &Dynamic, format: Format) -> RhaiResultOf<()> {
    let value = json(ctx, value)?;
    let text = written(format, &value);
    let text = text.map_err(|why| failed(ctx, "write", path, why))?;
    place::write(ctx, path, text.as_bytes())
}

/// `value` as data. Dates and libvirt's objects become text.
pub(super) fn json(ctx: &NativeCallContext, value: &Dynamic) -> RhaiResultOf<Value> {
    let text = value_text::json_of(ctx, value)?;
    ensure_room(ctx, text.len().saturating_mul(VALUES))?;
    serde_json::from_str(&text).map_err(|error| {
        let why = format!("the value is nested too deeply: {error}");
        Error::invalid(ctx, why).throw()
    })
}

#[export_module]
pub(super) mod functions {
    /// Returns the value of the JSON text `json`.
    ///
    /// Throws if the text is not JSON, if a map has the same key twice, and if a whole number has more than 64 bits.
    ///
    /// ```rhai
    /// let guest = parse_json(`{"name": "web", "vcpus": 2}`);
    /// assert_eq(guest.vcpus, 2);
    /// assert_throws(|| parse_json("[9223372036854775808]"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn parse_json(ctx: NativeCallContext, json: &str) -> RhaiResultOf<Dynamic> {
        super::parsed(&ctx, json, Format::Json)?
            .map_err(|why| super::unreadable(&ctx, "JSON", &why))
    }

    /// Returns the value in the JSON file `path`, at most 16 MiB.
    ///
    /// Needs `--allow-read`.
    ///
    /// ```rhai
    /// write_json("/tmp/guests.json", [#{ name: "web", vcpus: 2 }]);
    /// assert_eq(read_json("/tmp/guests.json")[0].vcpus, 2);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn read_json(ctx: NativeCallContext, path: &str) -> RhaiResultOf<Dynamic> {
        read(&ctx, path, Format::Json)
    }

    /// Returns the map in the TOML file `path`, at most 16 MiB.
    ///
    /// Needs `--allow-read`. Dates become text.
    ///
    /// ```rhai
    /// write_text("/tmp/lab.toml", "[network]\nname = 'lab'\n");
    /// assert_eq(read_toml("/tmp/lab.toml").network.name, "lab");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn read_toml(ctx: NativeCallContext, path: &str) -> RhaiResultOf<Dynamic> {
        read(&ctx, path, Format::Toml)
    }

    /// Returns the value in the YAML file `path`, at most 16 MiB.
    ///
    /// Needs `--allow-read`. References (`*name`) are followed, up to a limit. A whole number with a zero before it, such as
    /// `0644`, is text.
    ///
    /// ```rhai
    /// write_text("/tmp/guests.yaml", "- name: web\n  vcpus: 2\n");
    /// assert_eq(read_yaml("/tmp/guests.yaml")[0].name, "web");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn read_yaml(ctx: NativeCallContext, path: &str) -> RhaiResultOf<Dynamic> {
        read(&ctx, path, Format::Yaml)
    }

    /// Returns the value of `text`, which is YAML.
    ///
    /// References (`*name`) are followed, up to a limit. Bytes (`!!binary`) stay text in base64.
    ///
    /// ```rhai
    /// assert_eq(parse_yaml("- name: web\n  vcpus: 2\n")[0].vcpus, 2);
    /// let error = assert_throws(|| parse_yaml("users: ["));
    /// assert(error.message.contains("line 1"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn parse_yaml(ctx: NativeCallContext, text: &str) -> RhaiResultOf<Dynamic> {
        let value = super::parsed(&ctx, text, Format::Yaml)?;
        value.map_err(|why| Error::invalid(&ctx, format!("the text is not YAML: {why}")).throw())
    }

    /// Writes `value` as JSON to the file `path`, and replaces the old file as `write_text` does.
    ///
    /// Dates and libvirt's objects are written as text.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// write_json("/tmp/test.json", #{ name: dom.name, state: dom.state() });
    /// assert_eq(read_json("/tmp/test.json").state, "running");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn write_json(ctx: NativeCallContext, path: &str, value: Dynamic) -> RhaiResultOf<()> {
        write(&ctx, path, &value, Format::Json)
    }

    /// Writes the map `value` as TOML to the file `path`, and replaces the old file as `write_text` does.
    ///
    /// Throws if `value` contains `()`: TOML has no such value.
    ///
    /// ```rhai
    /// write_toml("/tmp/lab.toml", #{ network: #{ name: "lab" } });
    /// assert_eq(read_text("/tmp/lab.toml"), "[network]\nname = \"lab\"\n");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn write_toml(ctx: NativeCallContext, path: &str, value: Dynamic) -> RhaiResultOf<()> {
        write(&ctx, path, &value, Format::Toml)
    }

    /// Writes `value` as YAML to the file `path`, and replaces the old file as `write_text` does.
    ///
    /// ```rhai
    /// write_yaml("/tmp/guests.yaml", [#{ name: "web", vcpus: 2 }]);
    /// assert_eq(read_yaml("/tmp/guests.yaml")[0].vcpus, 2);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn write_yaml(ctx: NativeCallContext, path: &str, value: Dynamic) -> RhaiResultOf<()> {
        write(&ctx, path, &value, Format::Yaml)
    }
}
