//! The journal of a run that begins.

use jiff::Timestamp;
use serde_json::Value as Json;
use virhai::runbook::inputs::{Inputs, is_secret};
use virhai::runbook::journal::{self, File, Header, Journal};
use virhai::{Imports, Program, redact};

use crate::person::user_name;
use crate::script::{STANDARD_INPUT, Script};

/// The journal of a run of `script`, or `None` without a folder for it.
pub(crate) fn begin(imports: &Imports, script: &Script, program: &Program) -> Option<Journal> {
    let all = journal::of_all_runs()?;
    Some(Journal::begin(
        all,
        header(imports, script, program),
        (script.name == STANDARD_INPUT).then(|| script.text.clone()),
    ))
}

fn header(imports: &Imports, script: &Script, program: &Program) -> Header {
    let (mut inputs, mut secrets) = (serde_json::Map::new(), Vec::new());
    let declared = Inputs::of(imports, &script.name, &script.text);
    if let (Ok(Some(declared)), Some(values)) = (declared, &script.inputs) {
        for key in declared.keys() {
            let value = values
                .get(key.name.as_str())
                .filter(|value| !value.is_unit());
            match value {
                Some(_) if is_secret(key) => secrets.push(key.name.clone()),
                Some(value) => {
                    let json = serde_json::to_value(value).unwrap_or_default();
                    let shown = journal::without_secrets(json.clone());
                    match shown == json {
                        true => drop(inputs.insert(key.name.clone(), shown)),
                        false => secrets.push(key.name.clone()),
                    }
                }
                None => {
                    inputs.insert(key.name.clone(), Json::Null);
                }
            }
        }
    }
    Header {
        files: files(imports, script, program),
        inputs,
        secrets,
        ..minimal_header(&script.name)
    }
}

/// The header of a run of the script `name`, without other details.
pub(super) fn minimal_header(name: &str) -> Header {
    let (mut command, mut hidden) = (Vec::new(), Vec::new());
    for (place, word) in std::env::args_os().enumerate() {
        let word = word.to_string_lossy();
        let shown = redact::hide(&word).into_owned();
        if shown != word {
            hidden.push(place);
        }
        command.push(shown);
    }
    Header {
        format: journal::FORMAT,
        run: String::new(),
        virhai: virhai::versions().virhai.to_string(),
        script: name.to_owned(),
        files: Vec::new(),
        command,
        hidden,
        default_uri: default_uri(),
        folder: std::env::current_dir().unwrap_or_default(),
        user: user_name(),
        inputs: serde_json::Map::new(),
        secrets: Vec::new(),
        pid: std::process::id(),
        time: Timestamp::now(),
    }
}

/// The host in LIBVIRT_DEFAULT_URI, without secrets.
pub(super) fn default_uri() -> Option<String> {
    let uri = std::env::var("LIBVIRT_DEFAULT_URI").ok()?;
    Some(redact::hide_uri(&uri)).filter(|uri| !uri.is_empty())
}

/// The script and the files that it imports, without recipes: those are part of virhai.
pub(crate) fn files(imports: &Imports, script: &Script, program: &Program) -> Vec<File> {
    let mut names: Vec<&str> = program
        .imported()
        .filter(|name| !name.starts_with("std/"))
        .collect();
    names.sort_unstable();
    names.dedup();
    let imported = names.into_iter().filter_map(|name| {
        let text = imports.text(name)?;
        Some(journal::file(name, &text))
    });
    std::iter::once(journal::file(&script.name, &script.text))
        .chain(imported)
        .collect()
}
