//! What the arguments of functions can be: flags of a C enumeration, keys of options.

use std::collections::BTreeSet;

use crate::catalog::Function;
use crate::check::option_keys;
use crate::lexer::{Class, Piece, pieces};
use crate::{constants, imports};

/// The C enumeration whose constants the parameter number `parameter` of `function` takes.
pub(super) fn flags(function: &Function, parameter: usize) -> Option<&'static str> {
    let (name, kind) = function.parameters.get(parameter)?;
    if kind != "int" {
        return None;
    }
    let by_name = match (name.as_str(), function.name.as_str()) {
        ("source", "interface_addresses") => Some("virDomainInterfaceAddressesSource"),
        ("types", "guest_info") => Some("virDomainGuestInfoTypes"),
        ("kind", "metadata" | "set_metadata") if function.receiver() == Some("Network") => {
            Some("virNetworkMetadataType")
        }
        ("kind", "metadata" | "set_metadata") => Some("virDomainMetadataType"),
        ("codeset", _) => Some("virKeycodeSet"),
        ("format", "core_dump_with_format") => Some("virDomainCoreDumpFormat"),
        ("target", "pm_suspend_for_duration") => Some("virNodeSuspendTarget"),
        ("command", "update") => Some("virNetworkUpdateCommand"),
        ("section", "update") => Some("virNetworkUpdateSection"),
        _ => None,
    };
    if by_name.is_some() || name != "flags" {
        return by_name;
    }
    function.calls().find_map(flags_of_call)
}

/// C functions whose flags are named after another thing than themselves.
const NAMED_APART: &[(&str, &str)] = &[
    ("virDomainAttachDevice", "virDomainDeviceModifyFlags"),
    ("virDomainDetachDevice", "virDomainDeviceModifyFlags"),
    ("virDomainUpdateDevice", "virDomainDeviceModifyFlags"),
    ("virDomainSetMemoryStats", "virDomainModificationImpact"),
    ("virDomainSetMemory", "virDomainMemoryModFlags"),
    ("virDomainSetVcpus", "virDomainVcpuFlags"),
    ("virDomainGetVcpus", "virDomainVcpuFlags"),
    ("virDomainGetXMLDesc", "virDomainXMLFlags"),
    ("virDomainManagedSaveDefineXML", "virDomainSaveRestoreFlags"),
    ("virDomainManagedSave", "virDomainSaveRestoreFlags"),
    ("virDomainSaveImageDefineXML", "virDomainSaveRestoreFlags"),
    ("virDomainSave", "virDomainSaveRestoreFlags"),
    ("virDomainRestore", "virDomainSaveRestoreFlags"),
    ("virDomainMigrate", "virDomainMigrateFlags"),
    ("virDomainDefineXML", "virDomainDefineFlags"),
    ("virDomainCreate", "virDomainCreateFlags"),
    ("virDomainSetMetadata", "virDomainModificationImpact"),
    ("virDomainGetMetadata", "virDomainModificationImpact"),
    (
        "virDomainSnapshotListAllChildren",
        "virDomainSnapshotListFlags",
    ),
    ("virDomainListAllSnapshots", "virDomainSnapshotListFlags"),
    ("virDomainSnapshotNum", "virDomainSnapshotListFlags"),
    ("virDomainRevertToSnapshot", "virDomainSnapshotRevertFlags"),
    ("virDomainCoreDump", "virDomainCoreDumpFlags"),
    ("virDomainMemoryPeek", "virDomainMemoryFlags"),
    ("virNetworkSetMetadata", "virNetworkUpdateFlags"),
    ("virNetworkGetMetadata", "virNetworkUpdateFlags"),
    ("virStoragePoolCreate", "virStoragePoolCreateFlags"),
    ("virStorageVolCreate", "virStorageVolCreateFlags"),
];

fn flags_of_call(call: &str) -> Option<&'static str> {
    let group = |wanted: &str| {
        constants::all()
            .map(|constant| constant.group)
            .find(|group| *group == wanted)
    };
    let base = ["WithFlags", "Flags", "Params", "2", "3"]
        .iter()
        .find_map(|ending| call.strip_suffix(ending))
        .unwrap_or(call);
    ["Flags", "FlagsValues", "FlagValues"]
        .iter()
        .find_map(|ending| group(&format!("{base}{ending}")))
        .or_else(|| {
            NAMED_APART
                .iter()
                .find(|(begin, _)| base.starts_with(begin))
                .and_then(|(_, name)| group(name))
        })
}

/// The keys that the map in the parameter number `parameter` of `function` can have, where
/// `within` leads from it to the place.
pub(super) fn keys(function: &Function, parameter: usize, within: &[&str]) -> Vec<String> {
    if !within.is_empty() {
        return Vec::new();
    }
    // What each kind of event has besides is libvirt's, and no mistake.
    let keys = match function.name.as_str() {
        "wait_event" if parameter == 1 => crate::api::option_keys::event(),
        _ => option_keys(function, parameter).unwrap_or_default(),
    };
    keys.into_iter().map(str::to_owned).collect()
}

/// The keys that the recipe `path` knows in the parameter number `parameter` of its `function`.
pub(super) fn recipe_keys(
    path: &str,
    function: &str,
    parameter: usize,
    within: &[&str],
) -> Vec<String> {
    if !within.is_empty() {
        return Vec::new();
    }
    let mut keys = BTreeSet::new();
    let mut seen = BTreeSet::new();
    read(path, function, parameter, &mut keys, &mut seen);
    keys.into_iter().collect()
}

/// Collects what a recipe's function, and those that it hands its options to, look for in them.
fn read(
    path: &str,
    function: &str,
    parameter: usize,
    keys: &mut BTreeSet<String>,
    seen: &mut BTreeSet<(String, String, usize)>,
) {
    let place = (path.to_owned(), function.to_owned(), parameter);
    let recipe = path.strip_prefix("std/").map(imports::embedded);
    let Some(Ok(found)) = recipe else { return };
    if !seen.insert(place) {
        return;
    }
    let pieces: Vec<Piece> = pieces(&found.text)
        .into_iter()
        .filter(|piece| !matches!(piece.class, Class::Comment { .. }))
        .collect();
    let recipe = Text {
        text: &found.text,
        pieces: &pieces,
    };
    let Some((parameters, body)) = recipe.function(function) else {
        return;
    };
    let Some(options) = parameters.get(parameter) else {
        return;
    };
    for index in body {
        if recipe.word(index) != *options {
            continue;
        }
        match (recipe.word(index + 1), recipe.word(index + 2)) {
            (".", "with_defaults") => {
                let from = match recipe.word(index + 4) {
                    "global" => recipe.constant(recipe.word(index + 6)),
                    _ => Some(index + 4),
                };
                keys.extend(from.map_or_else(Vec::new, |from| recipe.keys(from)));
            }
            (".", "take") => {
                keys.insert(recipe.word(index + 4).trim_matches('"').to_owned());
            }
            _ => {
                let Some((module, called, number)) = recipe.call_around(index) else {
                    continue;
                };
                let path = match module {
                    Some(alias) => recipe.import(alias),
                    None => Some(path),
                };
                if let Some(path) = path {
                    read(path, called, number, keys, seen);
                }
            }
        }
    }
}

/// A recipe in pieces.
struct Text<'a> {
    text: &'a str,
    pieces: &'a [Piece],
}

impl<'a> Text<'a> {
    fn word(&self, index: usize) -> &'a str {
        self.pieces
            .get(index)
            .map_or("", |piece| piece.of(self.text))
    }

    /// The parameters of the function `name`, and the pieces that it consists of.
    fn function(&self, name: &str) -> Option<(Vec<&'a str>, std::ops::Range<usize>)> {
        let start = (0..self.pieces.len())
            .find(|index| self.word(*index) == "fn" && self.word(index + 1) == name)?;
        let body = (start..self.pieces.len()).find(|index| self.word(*index) == "{")?;
        let parameters = (start + 3..body)
            .filter(|index| self.pieces[*index].class == Class::Name)
            .map(|index| self.word(index))
            .collect();
        Some((parameters, body..self.close(body)))
    }

    /// The piece that closes the bracket `open`.
    fn close(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for index in open..self.pieces.len() {
            match self.pieces[index].class {
                Class::Open => depth += 1,
                Class::Close => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return index;
            }
        }
        self.pieces.len()
    }

    /// Where the value of the constant `name` begins.
    fn constant(&self, name: &str) -> Option<usize> {
        (0..self.pieces.len())
            .find(|index| self.word(*index) == "const" && self.word(index + 1) == name)
            .map(|index| index + 3)
    }

    /// The keys of the map that begins at `open`.
    fn keys(&self, open: usize) -> Vec<String> {
        let mut depth = 0_usize;
        let mut keys = Vec::new();
        for index in open..self.close(open) {
            match self.pieces[index].class {
                Class::Open => depth += 1,
                Class::Close => depth = depth.saturating_sub(1),
                Class::Name | Class::Keyword if depth == 1 && self.word(index + 1) == ":" => {
                    keys.push(self.word(index).to_owned());
                }
                _ => {}
            }
        }
        keys
    }

    /// The path that the module `alias` is imported from.
    fn import(&self, alias: &str) -> Option<&'a str> {
        (0..self.pieces.len())
            .find(|index| {
                self.word(*index) == "import"
                    && self.word(index + 2) == "as"
                    && self.word(index + 3) == alias
            })
            .map(|index| self.word(index + 1).trim_matches('"'))
    }

    /// The call that the piece `index` is an argument of by itself: its module, its name, and
    /// the number of the argument.
    fn call_around(&self, index: usize) -> Option<(Option<&'a str>, &'a str, usize)> {
        if !matches!(self.word(index + 1), "," | ")") {
            return None;
        }
        let mut number = 0;
        let mut depth = 0_usize;
        let mut open = index;
        if !matches!(self.word(index.checked_sub(1)?), "," | "(") {
            return None;
        }
        loop {
            open = open.checked_sub(1)?;
            match (self.pieces[open].class, self.word(open)) {
                (Class::Close, _) => depth += 1,
                (Class::Open, "(") if depth == 0 => break,
                (Class::Open, _) if depth == 0 => return None,
                (Class::Open, _) => depth -= 1,
                (Class::Sign, ",") if depth == 0 => number += 1,
                _ => {}
            }
        }
        let name = open.checked_sub(1)?;
        if self.pieces[name].class != Class::Name {
            return None;
        }
        let module = match name.checked_sub(2) {
            Some(alias) if self.word(name - 1) == "::" => Some(self.word(alias)),
            _ => None,
        };
        Some((module, self.word(name), number))
    }
}
