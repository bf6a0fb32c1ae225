//! `virhai events`: prints the events of a host until Ctrl-C.

use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;
use rhai::{Array, Dynamic, Map, Scope};
use virhai::events::{Filter, Given, Outcome, Refusal, Subscription, next_event, nouns};
use virhai::interrupt::Stop;
use virhai::{DateTime, Imports, engine, redact};

use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::output::print_line;
use crate::{exit_status, outlet, session, show, signals};

/// The options of `virhai events`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Watching {
    /// Print only these events: a kind and values of fields, such as `lifecycle,domain=web,event=stopped`.
    /// With several filters, an event must match one of them
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,

    /// Reconnect after a lost connection, and print the changes in between
    #[arg(long)]
    reconnect: bool,
}

/// Prints the events of the host that the command line names; returns the exit status.
pub(crate) fn run(options: &Options, watching: &Watching) -> u8 {
    let mut filters = Array::new();
    for text in &watching.filters {
        match filter(text) {
            Ok(filter) => filters.push(filter.into()),
            Err(Refusal { message, hint }) => {
                let wrong = Diagnostic::wrong_usage(message).with_hint(hint);
                wrong.report_plain(options);
                return exit_status::WRONG_USAGE;
            }
        }
    }
    let session = session::session(options);
    let stop = session.interrupt().clone();
    if let Err(error) = signals::watch(
        move || stop.stop(Stop::Interrupted),
        None,
        || crate::leave_now(exit_status::INTERRUPTED),
    ) {
        Diagnostic::plain(format!("cannot watch for signals: {error}")).report_plain(options);
    }
    let imports = Imports::default();
    let engine = Arc::new(engine::build(&session, &options.limits(), imports.clone()));
    session.interrupt().reach_this_thread();
    let mut scope = Scope::new();
    let wanted = match filters.is_empty() {
        true => "any".into(),
        false => Dynamic::from(filters),
    };
    scope.push("wanted", wanted);
    scope.push("options", subscription_options(options.timeout, watching));
    let code = "connect().events(wanted, options)";
    let events = match engine.eval_with_scope::<Subscription>(&mut scope, code) {
        Ok(events) => events,
        Err(error) => {
            if session.interrupt().stopping().is_some() {
                return exit_status::INTERRUPTED;
            }
            let failure = Diagnostic::of_error(&engine, &imports, "events", &error);
            failure.without_code().report(options, &imports);
            return exit_status::status_of(&error);
        }
    };
    drop(scope);
    if options.verbose {
        eprintln!("watching {}", redact::hide_uri(events.uri()));
    }
    print_all(options, &events)
}

fn print_all(options: &Options, events: &Subscription) -> u8 {
    loop {
        match next_event(events, None) {
            Outcome::Found(event) => {
                lines(options, &event)
                    .iter()
                    .for_each(|line| print_line(line));
                if outlet::stdout().has_closed() {
                    return exit_status::DONE;
                }
            }
            Outcome::TimedOut | Outcome::Closed => return exit_status::DONE,
            Outcome::Stopped => return exit_status::INTERRUPTED,
            Outcome::Lost => {
                let host = redact::hide_uri(events.uri());
                Diagnostic::plain(format!("the connection to {host} was lost"))
                    .with_hint("`--reconnect` reconnects as soon as the host answers")
                    .report_plain(options);
                return exit_status::FAILED;
            }
        }
    }
}

fn subscription_options(timeout: Option<Duration>, watching: &Watching) -> Map {
    let mut options = Map::new();
    options.insert("reconnect".into(), watching.reconnect.into());
    if let Some(timeout) = timeout {
        options.insert("timeout".into(), timeout.as_secs_f64().into());
    }
    options
}

/// Reads a filter: fields such as `domain=web` and a kind of event, separated by commas.
fn filter(text: &str) -> Result<Map, Refusal> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for word in text.split(',') {
        let (key, value) = word.split_once('=').unwrap_or(("kind", word));
        if fields.iter().any(|(known, _)| known == key) {
            return Err(Refusal {
                message: format!("the filter `{text}` names `{key}` twice"),
                hint: "separate two filters with a space: an event must match one of them".into(),
            });
        }
        fields.push((key.to_owned(), value.to_owned()));
    }
    let given = fields.iter().cloned().map(|(key, text)| Given {
        key,
        text,
        is_uuid: false,
    });
    Filter::new(given.collect())?;
    let fields = fields.into_iter();
    Ok(fields
        .map(|(key, value)| (key.into(), value.into()))
        .collect())
}

/// The lines that show an event: one, and one more for each change of a `gap`.
fn lines(options: &Options, event: &Map) -> Vec<String> {
    if options.json {
        return vec![show::json(&Dynamic::from(event.clone())).to_string()];
    }
    let time = event.get("time").map_or_else(String::new, |time| {
        let date = time.read_lock::<DateTime>();
        date.map_or_else(String::new, |date| date.precise())
    });
    let kind = event
        .get("kind")
        .map_or_else(String::new, ToString::to_string);
    let mut lines = vec![format!("{time} {kind}{}", pairs(event))];
    if let Some(changes) = event.get("changes").and_then(|c| c.read_lock::<Array>()) {
        for change in changes.iter().filter_map(|c| c.read_lock::<Map>()) {
            lines.push(format!("{time} change{}", pairs(&change)));
        }
    }
    lines
}

/// The keys of a line that follow those of objects, in their order. All others come last.
const AFTER_OBJECTS: [&str; 4] = ["connection", "event", "before", "after"];

/// The fields of `event` as `key=value`, without empty ones.
fn pairs(event: &Map) -> String {
    let first: Vec<&str> = nouns().chain(AFTER_OBJECTS).collect();
    let rank = |key: &str| {
        let place = first.iter().position(|first| *first == key);
        place.unwrap_or(first.len())
    };
    let mut fields: Vec<(&str, String)> = event
        .iter()
        .filter(|(key, _)| !["kind", "time", "uuid"].contains(&key.as_str()))
        .map(|(key, value)| (key.as_str(), value_text(key, value)))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    fields.sort_by_key(|(key, _)| rank(key));
    let pair = |(key, value): &(&str, String)| format!(" {key}={value}");
    fields.iter().map(pair).collect()
}

fn value_text(key: &str, value: &Dynamic) -> String {
    if value.is_unit() {
        return "none".into();
    }
    if let Some(list) = value.read_lock::<Array>() {
        return list.len().to_string();
    }
    if key == "gap_s"
        && let Ok(seconds) = value.as_float()
    {
        return format!("{seconds:.1}");
    }
    let text = value.to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "_-.:/+@%".contains(letter);
    match text.chars().all(plain) {
        true => text,
        // Names of guests can contain any character, such as line breaks and control characters.
        false => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use rhai::{Dynamic, Map};

    use super::{filter, pairs};

    #[test]
    fn a_filter_is_a_kind_and_fields() {
        let fields = filter("lifecycle,domain=web,event=stopped").expect("it is a filter");
        let fields: Vec<String> = fields
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        assert_eq!(fields, ["domain=web", "event=stopped", "kind=lifecycle"]);
        assert!(filter("livecycle").is_err());
        assert!(filter("domain=web,domain=db").is_err());
        assert!(filter("domain=web,colour=red").is_err());
    }

    #[test]
    fn control_characters_are_escaped() {
        let mut event = Map::new();
        event.insert("domain".into(), "evil\u{9b}2J\u{202e}\x1b[8m".into());
        assert_eq!(
            pairs(&event),
            " domain=\"evil\\u{9b}2J\\u{202e}\\u{1b}[8m\""
        );
    }

    #[test]
    fn a_line_begins_with_the_object_and_the_event() {
        let mut event = Map::new();
        for (key, value) in [
            ("kind", "lifecycle"),
            ("detail", "destroyed"),
            ("event", "stopped"),
            ("domain", "my\nguest"),
            ("reason", ""),
        ] {
            event.insert(key.into(), value.into());
        }
        event.insert("vcpu".into(), Dynamic::from(2_i64));
        assert_eq!(
            pairs(&event),
            " domain=\"my\\nguest\" event=stopped detail=destroyed vcpu=2"
        );
    }
}
