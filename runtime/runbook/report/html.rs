//! A run as a page.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value as Json;

use super::timeline::Timeline;
use super::tree::{Branch, branches};
use super::{date, error, plain, verdict};
use crate::markup::{document, escaped};
use crate::redact::HIDDEN;
use crate::runbook::journal::{Change, Definition, Guest, Past};

const STYLE: &str = include_str!("page.css");

/// The width of the chart in its own units.
const WIDTH: f64 = 1000.0;

/// The narrowest bar of the chart, so that a quick step can be seen.
const NARROWEST: f64 = 4.0;

/// The run as an HTML document in one file. `alive` is true if a process works on the run.
pub fn html(past: &Past, alive: bool) -> String {
    let page = Page {
        past,
        alive,
        branches: branches(past),
        timeline: Timeline::new(past),
    };
    let title = format!("{}: {}", past.header.script, verdict(past, alive));
    let mut body = String::new();
    page.push_summary(&mut body);
    page.push_error(&mut body);
    page.push_inputs(&mut body);
    page.push_chart(&mut body);
    page.push_steps(&mut body);
    push_lines(&mut body, "Notes outside of steps", &past.notes);
    if !past.guests.is_empty() {
        body.push_str("<section><h2>Guests at the failure</h2>");
        push_guests(&mut body, &past.guests);
        body.push_str("</section>");
    }
    page.push_answers(&mut body);
    page.push_changes(&mut body);
    page.push_files(&mut body);
    document(&title, STYLE, &body, None)
}

struct Page<'a> {
    past: &'a Past,
    alive: bool,
    branches: Vec<Branch<'a>>,
    timeline: Timeline<'a>,
}

impl Page<'_> {
    fn push_summary(&self, body: &mut String) {
        let (past, header) = (self.past, &self.past.header);
        let _ = write!(
            body,
            "<header><h1>{}</h1><p class=\"verdict {}\">{}</p><dl>",
            escaped(&header.script),
            past.state(self.alive),
            verdict(past, self.alive),
        );
        let mut fact = |name: &str, value: &str| {
            if !value.is_empty() {
                let _ = write!(body, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
            }
        };
        fact("Run", &header.run);
        fact("Began", &date(header.time));
        if let Some(end) = &past.end {
            fact("Ended", &date(end.time));
            fact("Exit status", &end.status.to_string());
        }
        fact("Took", &plain(self.timeline.total()));
        match past.resumed {
            0 => {}
            1 => fact("Resumed", "once"),
            times => fact("Resumed", &format!("{times} times")),
        }
        fact("User", &header.user);
        fact("Folder", &header.folder.to_string_lossy());
        fact("Command", &header.command.join(" "));
        body.push_str("</dl></header>");
    }

    fn push_error(&self, body: &mut String) {
        let Some(end) = &self.past.end else {
            return;
        };
        if let Some(text) = end.message.as_ref().or(end.error.as_ref()) {
            let _ = write!(
                body,
                "<section id=\"error\"><h2>Error</h2><pre class=\"error\">{}</pre></section>",
                escaped(text)
            );
        }
    }

    fn push_inputs(&self, body: &mut String) {
        let header = &self.past.header;
        let inputs = header.inputs.iter().map(|(name, value)| {
            let value = match value {
                Json::Null => "not given".to_owned(),
                Json::String(text) => text.clone(),
                value => value.to_string(),
            };
            vec![name.clone(), value]
        });
        let secrets = header
            .secrets
            .iter()
            .map(|name| vec![name.clone(), HIDDEN.to_owned()]);
        push_table(
            body,
            "Inputs",
            &["Name", "Value"],
            inputs.chain(secrets).collect(),
        );
    }

    fn push_chart(&self, body: &mut String) {
        if self.branches.is_empty() {
            return;
        }
        body.push_str("<section id=\"timeline\"><h2>Timeline</h2><ol class=\"chart\">");
        let mut resumptions = String::new();
        for part in self.timeline.resumptions() {
            let at = part * WIDTH;
            let _ = write!(
                resumptions,
                "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"0\" y2=\"16\" vector-effect=\"non-scaling-stroke\"/>"
            );
        }
        for Branch { step, depth, .. } in &self.branches {
            let (from, to) = self.timeline.span(step);
            let x = self.timeline.part(from) * WIDTH;
            let width = (self.timeline.part(to) * WIDTH - x).max(NARROWEST);
            let x = x.min(WIDTH - width);
            let word = step.word(self.alive);
            let took = step.took().map_or(word.to_owned(), plain);
            let _ = write!(
                body,
                "<li><a href=\"#step-{}\" style=\"--depth:{depth}\">{}</a>\
                 <svg viewBox=\"0 0 1000 16\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{word}, from {} to {}\">\
                 <rect class=\"{word}\" x=\"{x:.1}\" y=\"2\" width=\"{width:.1}\" height=\"12\"/>{resumptions}</svg>\
                 <span class=\"took\">{}</span></li>",
                step.number,
                escaped(&step.title),
                plain(from),
                plain(to),
                escaped(&took),
            );
        }
        let _ = write!(
            body,
            "</ol><p class=\"quiet scale\"><span>{}</span><span>The bars span {}</span></p></section>",
            match self.past.resumed {
                0 => "",
                _ => "Dashed lines: the run was resumed",
            },
            plain(self.timeline.total())
        );
    }

    fn push_steps(&self, body: &mut String) {
        if self.branches.is_empty() {
            return;
        }
        let mut changes: BTreeMap<Option<u64>, Vec<&Change>> = BTreeMap::new();
        for change in &self.past.changes {
            changes.entry(change.step).or_default().push(change);
        }
        body.push_str("<section id=\"steps\"><h2>Steps</h2>");
        for Branch { step, depth, .. } in &self.branches {
            let word = step.word(self.alive);
            let took = step.took().map(|took| format!("took {}, ", plain(took)));
            let _ = write!(
                body,
                "<article id=\"step-{}\" style=\"--depth:{depth}\"><h3>{} <span class=\"state {word}\">{word}</span></h3>\
                 <p class=\"quiet\">{}began {}, line {} of {}</p>",
                step.number,
                escaped(&step.title),
                took.unwrap_or_default(),
                date(step.began),
                step.at.line,
                escaped(&step.at.file),
            );
            if let Some(why) = error(step, self.alive) {
                let _ = write!(body, "<pre class=\"error\">{}</pre>", escaped(&why));
            }
            if !step.notes.is_empty() {
                let _ = write!(body, "<pre>{}</pre>", escaped(&step.notes.join("\n")));
            }
            push_definitions(body, &step.definitions);
            push_guests(body, &step.guests);
            let own = changes.get(&Some(step.number)).map_or(0, Vec::len);
            let mut said = match own {
                0 => Vec::new(),
                1 => vec!["1 change, see below".to_owned()],
                own => vec![format!("{own} changes, see below")],
            };
            if step.touched {
                said.push("made changes that `virhai undo` cannot undo".into());
            }
            if !said.is_empty() {
                let _ = write!(body, "<p class=\"quiet\">{}</p>", said.join("; "));
            }
            body.push_str("</article>");
        }
        body.push_str("</section>");
    }

    fn push_answers(&self, body: &mut String) {
        let rows = self.past.answers.iter().map(|(question, answer, user)| {
            vec![question.trim().to_owned(), answer.clone(), user.clone()]
        });
        let heads = ["Question", "Answer", "User"];
        push_table(body, "Answers", &heads, rows.collect());
    }

    fn push_changes(&self, body: &mut String) {
        let past = self.past;
        let titles: BTreeMap<u64, &str> = self
            .branches
            .iter()
            .map(|branch| (branch.step.number, branch.path.as_str()))
            .collect();
        let rows = past.changes.iter().map(|change| {
            let title = change.step.and_then(|step| titles.get(&step));
            let undo = match change.obstacle() {
                Some(why) => format!("no: {why}"),
                None => "yes".to_owned(),
            };
            vec![
                format!("line {} of {}", change.at.line, change.at.file),
                title.map_or("-", |title| title).to_owned(),
                undo,
            ]
        });
        let heads = ["Made by", "Step", "Can be undone"];
        push_table(body, "Changes", &heads, rows.collect());
        let undone = match past.undone {
            0 => None,
            1 => Some("1 change was undone.".to_owned()),
            undone => Some(format!("{undone} changes were undone.")),
        };
        let command = (!past.changes.is_empty() && !past.header.run.is_empty())
            .then(|| format!("`virhai undo {}` undoes the run.", past.header.run));
        for line in undone.into_iter().chain(command) {
            let _ = write!(body, "<p class=\"quiet\">{}</p>", escaped(&line));
        }
    }

    fn push_files(&self, body: &mut String) {
        let header = &self.past.header;
        let rows = header
            .files
            .iter()
            .map(|file| vec![file.name.clone(), file.sha256.clone()]);
        push_table(body, "Files", &["Name", "SHA-256"], rows.collect());
        let _ = write!(
            body,
            "<footer class=\"quiet\">virhai {}</footer>",
            escaped(&header.virhai)
        );
    }
}

/// The changed definitions of a step.
fn push_definitions(body: &mut String, definitions: &[Definition]) {
    for one in definitions {
        let _ = write!(
            body,
            "<section class=\"definition\"><h4>{} <code>{}</code> {}</h4><p class=\"quiet\">by {} on {}</p>",
            escaped(&one.kind),
            escaped(&one.name),
            escaped(&one.change),
            escaped(&one.call),
            escaped(&one.host),
        );
        if !one.differences.is_empty() {
            body.push_str("<dl class=\"differences\">");
            for difference in &one.differences {
                let live = match difference.live {
                    true => " <span class=\"quiet\">of the running object</span>",
                    false => "",
                };
                let _ = write!(body, "<dt>{}{live}</dt><dd>", escaped(&difference.path));
                if let Some(from) = &difference.from {
                    let _ = write!(body, "<del>{}</del>", escaped(from));
                }
                if let Some(to) = &difference.to {
                    let _ = write!(body, "<ins>{}</ins>", escaped(to));
                }
                body.push_str("</dd>");
            }
            body.push_str("</dl>");
        }
        if one.more > 0 {
            let _ = write!(
                body,
                "<p class=\"quiet\">and {} more differences</p>",
                one.more
            );
        }
        body.push_str("</section>");
    }
}

/// The screens and consoles of guests at a failure.
fn push_guests(body: &mut String, guests: &[Guest]) {
    for guest in guests {
        let name = escaped(&guest.name);
        let _ = write!(
            body,
            "<figure><figcaption>Guest <code>{name}</code> on {} at the failure</figcaption>",
            escaped(&guest.host)
        );
        // The journal is a file: its text is data, and never markup.
        let is_data = |text: &&String| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
            text.bytes().all(plain)
        };
        if let Some(screen) = guest.screen.as_ref().filter(is_data) {
            let _ = write!(
                body,
                "<img alt=\"the screen of {name}\" src=\"data:image/png;base64,{screen}\">"
            );
        }
        if let Some(console) = &guest.console {
            let _ = write!(
                body,
                "<p class=\"quiet\">The last lines of its console</p><pre>{}</pre>",
                escaped(console)
            );
        }
        body.push_str("</figure>");
    }
}

/// A section with the table, if it has rows.
fn push_table(body: &mut String, title: &str, heads: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let _ = write!(
        body,
        "<section id=\"{}\"><h2>{title}</h2><table><thead><tr>",
        title.to_lowercase()
    );
    for head in heads {
        let _ = write!(body, "<th>{head}</th>");
    }
    body.push_str("</tr></thead><tbody>");
    for row in rows {
        body.push_str("<tr>");
        for cell in row {
            let _ = write!(body, "<td>{}</td>", escaped(&cell));
        }
        body.push_str("</tr>");
    }
    body.push_str("</tbody></table></section>");
}

/// A section with the lines, if there are any.
fn push_lines(body: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        let _ = write!(
            body,
            "<section><h2>{title}</h2><pre>{}</pre></section>",
            escaped(&lines.join("\n"))
        );
    }
}
