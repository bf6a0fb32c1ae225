//! Files of inputs, and files with a secret.

use std::path::Path;

use rhai::Map;
use virhai::files;
use virhai::runbook::data::Format;
use virhai::runbook::inputs::of_json;

/// The largest file, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The inputs in the file `path`. The end of its name chooses JSON, TOML or YAML.
pub(super) fn read(path: &Path) -> Result<Map, String> {
    let text = text(path)?;
    let end = path
        .extension()
        .and_then(|end| end.to_str())
        .unwrap_or_default();
    let format =
        Format::of_ending(end).ok_or("its name must end in .json, .toml, .yaml or .yml")?;
    of_json(&format.parse(&text)?)
        .try_cast::<Map>()
        .ok_or_else(|| "it must contain a map of names and values".into())
}

/// The secret in the file `path`, without line breaks at its end.
pub(super) fn secret(path: &Path) -> Result<String, String> {
    let text = text(path)?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

fn text(path: &Path) -> Result<String, String> {
    files::read_text(path, LARGEST).map_err(|error| files::reason(&error))
}
