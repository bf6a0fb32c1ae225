//! The reference as one HTML page with a search.

use std::fmt::Write;

use pulldown_cmark::{HeadingLevel, Options, Parser, html::push_html};

use super::markdown::is_list;
use super::{Entry, Part, Reference, guide, options};
use crate::markup::{document, escaped};
use crate::spec::Spec;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The complete `reference` as one HTML document that needs no other files and no network.
pub fn html(reference: &Reference) -> String {
    let mut contents = String::new();
    let mut body = String::new();
    let mut group = "";
    for part in &reference.parts {
        // A group with one part of the same name needs one heading.
        if part.group != group && part.group != part.name {
            let _ = write!(contents, "<h2>{}</h2>", escaped(part.group));
            let _ = write!(body, "<h2>{}</h2>", escaped(part.group));
        }
        group = part.group;
        let id = anchor(&part.name);
        let _ = write!(contents, "<a href=\"#{id}\">{}</a>", escaped(&part.name));
        push_part(&mut body, part, &id);
    }
    let title = escaped(&reference.title);
    let docs = rendered(&reference.docs);
    let body = format!(
        "<nav><h1>{title}</h1><input id=\"search\" type=\"search\" placeholder=\"Search\" \
         aria-label=\"Search\"><p id=\"found\" role=\"status\"></p>\
         <details id=\"contents\" open><summary>Contents</summary>{contents}</details></nav>\
         <main><ol id=\"results\" hidden></ol><div id=\"all\">{docs}{body}</div></main>"
    );
    document(&reference.title, STYLE, &body, Some(SCRIPT))
}

fn push_part(body: &mut String, part: &Part, id: &str) {
    let _ = write!(
        body,
        "<section id=\"{id}\"{}><h3>{}</h3>",
        match part.is_chapter() {
            true => format!(" class=\"chapter\" data-name=\"{}\"", escaped(&part.name)),
            false => String::new(),
        },
        escaped(&part.name)
    );
    body.push_str(&rendered(&part.docs));
    let list = is_list(part);
    if !list && part.entries.len() > 1 {
        body.push_str("<p class=\"index\">");
        for entry in &part.entries {
            let id = anchor(&format!("{}.{}", part.name, entry.name));
            let _ = write!(body, "<a href=\"#{id}\">{}</a> ", escaped(&entry.name));
        }
        body.push_str("</p>");
    }
    for entry in &part.entries {
        push_entry(body, part, entry, list);
    }
    for (at, table) in part.tables.iter().enumerate() {
        let label = &table.label;
        let link = |spec: &Spec| match part.tables.iter().find(|known| *known.spec == *spec) {
            Some(known) => format!("[{}](#{})", spec.name, table_anchor(part, &known.label)),
            None => spec.name.clone(),
        };
        let _ = write!(
            body,
            "<article id=\"{}\" data-name=\"{}\"><pre class=\"way\">{}</pre>{}</article>",
            table_anchor(part, label),
            escaped(label),
            escaped(label),
            rendered(&options::markdown(table, &part.tables[..at], &link)),
        );
    }
    body.push_str("</section>");
}

fn push_entry(body: &mut String, part: &Part, entry: &Entry, list: bool) {
    let id = anchor(&format!("{}.{}", part.name, entry.name));
    let class = if list { " class=\"short\"" } else { "" };
    let _ = write!(
        body,
        "<article id=\"{id}\"{class} data-name=\"{}\">",
        escaped(&entry.name)
    );
    for (way, docs) in &entry.ways {
        let _ = write!(body, "<pre class=\"way\">{}</pre>", escaped(way));
        body.push_str(&rendered(docs));
    }
    body.push_str("</article>");
}

/// The anchor of the table `label`.
fn table_anchor(part: &Part, label: &str) -> String {
    anchor(&format!("{}.{label}", part.name))
}

/// Markdown as HTML; HTML markup in it is shown as text. Its headings are nested below those of the
/// page, and links to chapters of the guide lead to them; links to other files are text.
fn rendered(markdown: &str) -> String {
    use pulldown_cmark::{Event, Tag, TagEnd};
    let mut within_file = false;
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| {
        Some(match event {
            Event::Html(markup) | Event::InlineHtml(markup) => Event::Text(markup),
            Event::Start(Tag::Heading {
                level,
                id,
                classes,
                attrs,
            }) => Event::Start(Tag::Heading {
                level: lower(level),
                id,
                classes,
                attrs,
            }),
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => {
                let chapter = guide::linked(&dest_url).map(|title| format!("#{}", anchor(title)));
                let goes_out = dest_url.contains("://") || dest_url.starts_with('#');
                within_file = chapter.is_none() && !goes_out;
                if within_file {
                    return None;
                }
                let dest_url = chapter.map_or(dest_url, Into::into);
                Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    title,
                    id,
                })
            }
            Event::End(TagEnd::Link) if std::mem::take(&mut within_file) => return None,
            other => other,
        })
    });
    let mut html = String::new();
    push_html(&mut html, events);
    html
}

/// The level of a heading within a part, whose own is the third.
fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

/// A name as the end of a link.
fn anchor(name: &str) -> String {
    name.chars()
        .map(|letter| match letter {
            letter if letter.is_ascii_alphanumeric() || letter == '.' || letter == '_' => letter,
            _ => '-',
        })
        .collect()
}
