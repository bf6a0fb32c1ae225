//! The file that describes a host of the test driver, `test:///FILE`.

use std::path::{Path, PathBuf};

use rhai::NativeCallContext;

use crate::error::Error;
use crate::error::RhaiResultOf;
use crate::objects::granted;
use crate::xml::Xml;

/// The elements whose attribute `file` makes the test driver read another file in their place.
const INCLUDING: [&str; 7] = [
    "domain",
    "network",
    "interface",
    "pool",
    "volume",
    "device",
    "domainsnapshot",
];

/// The longest description that is looked at.
const LONGEST: u64 = 16 << 20;

/// Refuses a description that includes files which the script may not read, and one that cannot
/// be checked for that.
pub(super) fn check_included(ctx: &NativeCallContext, file: &Path) -> RhaiResultOf<()> {
    let mut checked: Vec<PathBuf> = Vec::new();
    let mut next = vec![file.to_owned()];
    while let Some(path) = next.pop() {
        if checked.contains(&path) {
            continue;
        }
        let names = included(&path).map_err(|why| {
            let message = format!("{} does not describe a test host: {why}", path.display());
            Error::invalid(ctx, message).throw()
        })?;
        for name in names {
            // The path in a file that is included is relative to the description as well.
            let included = file.parent().unwrap_or(file).join(name);
            let text = included.display().to_string();
            next.push(granted::readable(ctx, &text)?);
        }
        checked.push(path);
    }
    Ok(())
}

/// The files that the description in `path` includes. The error does not disclose content of the
/// file.
fn included(path: &Path) -> Result<Vec<String>, String> {
    let about = path.metadata().map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is not a file".into());
    }
    if about.len() > LONGEST {
        return Err(format!(
            "it exceeds the limit of {}",
            bytesize::ByteSize(LONGEST)
        ));
    }
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(text).map_err(|_| "it is not UTF-8 text")?;
    if text.contains("<!DOCTYPE") || text.contains("<!ENTITY") {
        return Err("it has a document type declaration, which is not allowed".into());
    }
    let declared = text.trim_start().strip_prefix("<?xml");
    let declaration = declared.and_then(|rest| rest.split_once("?>"));
    if declaration.is_some_and(|(words, _)| names_other_encoding(words)) {
        return Err("its encoding is not UTF-8".into());
    }
    let mut files = Vec::new();
    let mut next = vec![Xml::parse(text).map_err(|_| "it is not well-formed XML")?];
    while let Some(element) = next.pop() {
        let whole = element.name();
        let name = whole.rsplit(':').next().unwrap_or_default();
        if INCLUDING.contains(&name) {
            let attributes = element.attributes().unwrap_or_default();
            // libvirt takes an attribute of this name in any namespace.
            let named = |name: &str| name.rsplit(':').next() == Some("file");
            let named = attributes.into_iter().filter(|(name, _)| named(name));
            files.extend(named.map(|(_, value)| value));
        }
        next.extend(element.children().unwrap_or_default());
    }
    Ok(files)
}

/// True if an XML declaration names an encoding besides UTF-8.
fn names_other_encoding(declaration: &str) -> bool {
    let declaration = declaration.to_ascii_lowercase();
    let named = declaration.split_once("encoding");
    named.is_some_and(|(_, rest)| {
        let name = rest.trim_start_matches(['=', ' ', '\t', '\r', '\n', '\'', '"']);
        !name.starts_with("utf-8")
    })
}
