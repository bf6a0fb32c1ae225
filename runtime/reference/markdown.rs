//! A reference as Markdown.

use std::fmt::Write;

use super::{Part, Reference, options};
use crate::spec::Spec;

/// The whole of `reference` as one Markdown document.
pub fn markdown(reference: &Reference) -> String {
    let mut text = format!("# {}\n", reference.title);
    if !reference.docs.is_empty() {
        let _ = write!(text, "\n{}\n", reference.docs);
    }
    let mut group = "";
    for part in &reference.parts {
        if part.group != group {
            group = part.group;
            let _ = write!(text, "\n## {group}\n");
        }
        if part.name != part.group {
            let _ = write!(text, "\n### {}\n", part.name);
        }
        if !part.docs.is_empty() {
            let _ = write!(text, "\n{}\n", deeper(&part.docs));
        }
        if is_list(part) {
            text.push('\n');
            for (way, docs) in part.entries.iter().flat_map(|entry| &entry.ways) {
                let _ = match docs.is_empty() {
                    true => writeln!(text, "- `{way}`"),
                    false => writeln!(text, "- `{way}`: {docs}"),
                };
            }
            continue;
        }
        for entry in &part.entries {
            let _ = write!(text, "\n#### {}\n", entry.name);
            for (way, docs) in &entry.ways {
                let _ = write!(text, "\n    {way}\n");
                if !docs.is_empty() {
                    let _ = write!(text, "\n{}\n", deeper(docs));
                }
            }
        }
        for (at, table) in part.tables.iter().enumerate() {
            let name = |spec: &Spec| format!("`{}`", spec.name);
            let keys = options::markdown(table, &part.tables[..at], &name);
            let _ = write!(text, "\n#### {}\n\n{keys}", table.label);
        }
    }
    text
}

/// True if no entry has documentation, so that a list suffices.
pub(super) fn is_list(part: &Part) -> bool {
    let mut docs = part.entries.iter().flat_map(|entry| &entry.ways);
    part.group == "Constants" || docs.all(|(_, docs)| docs.is_empty())
}

/// Documentation whose own headings stand below those of the reference.
fn deeper(docs: &str) -> String {
    let mut code = false;
    let mut lines = Vec::new();
    for line in docs.trim_end().lines() {
        code ^= line.trim_start().starts_with("```");
        match line.starts_with('#') && !code {
            true => lines.push(format!("####{line}")),
            false => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}
