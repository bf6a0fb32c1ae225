//! Commands on hosts, such as `:connect` and `:hosts`: each runs code that a script can run too.

use virhai::redact;
use virhai::show::Table;

use super::Done;
use crate::prompt::{Prompt, hosts, prompt_string};
use crate::show::quoted;
use crate::terminal;

/// Opens another host and makes it `conn`; without one, lists the connections.
pub(super) fn connect(prompt: &mut Prompt, arguments: &str) -> Done {
    let mut words = arguments.split_whitespace();
    let Some(uri) = words.next() else {
        return list(prompt);
    };
    let function = match (words.next(), words.next()) {
        (None, _) => "connect",
        (Some("ro"), None) => "connect_read_only",
        _ => return Err("`:connect URI` accepts only `ro` after the URI".into()),
    };
    let function = match prompt.worker.has_host(uri) {
        true if function == "connect" => "connect_host",
        _ => {
            prompt.worker.give_uri(uri);
            function
        }
    };
    let uri = quoted(&uri.to_owned().into());
    let scope = prompt.worker.scope();
    let code = match hosts::current(scope) {
        None => format!("let conn = {function}({uri}); conn"),
        Some(current) => {
            let is_named = hosts::all(scope)
                .iter()
                .any(|(name, known)| *known == current && name != "conn");
            let mut free = hosts::free_names(scope);
            // The current one keeps a name, so that there is a way back to it.
            let kept = match is_named {
                true => String::new(),
                false => format!("let {} = conn; ", free.next().unwrap_or_default()),
            };
            let next = free.next().unwrap_or_default();
            format!("let {next} = {function}({uri}); {kept}let conn = {next}; conn")
        }
    };
    Ok(prompt.evaluate_command(&code))
}

/// Opens the current host again.
pub(super) fn reconnect(prompt: &mut Prompt) -> Done {
    let scope = prompt.worker.scope();
    let Some(current) = hosts::current(scope) else {
        return Err("no host is connected; connect to one with `:connect URI`".into());
    };
    let function = match current.is_read_only() {
        true => "connect_read_only",
        false => "connect",
    };
    prompt.worker.give_uri(current.uri());
    let uri = quoted(&current.uri().to_owned().into());
    let named = hosts::all(scope)
        .into_iter()
        .find(|(_, known)| *known == current)
        .map(|(name, _)| name)
        .filter(|name| name != "conn");
    Ok(prompt.evaluate_command(&match named {
        Some(name) => format!("let {name} = {function}({uri}); let conn = {name}; conn"),
        None => format!("let conn = {function}({uri}); conn"),
    }))
}

fn list(prompt: &Prompt) -> Done {
    let scope = prompt.worker.scope();
    let heads = ["", "Name", "Mode", "State", "Host"];
    let mut table = Table {
        heads: heads.map(str::to_owned).to_vec(),
        rows: Vec::new(),
    };
    for (name, connection) in hosts::all(scope) {
        let current = if prompt_string::is_current(scope, &connection) {
            "*"
        } else {
            ""
        };
        let mode = if connection.is_read_only() {
            "ro"
        } else {
            "rw"
        };
        table.rows.push(vec![
            current.into(),
            name,
            mode.into(),
            hosts::state(&connection).into(),
            terminal::visible_line(&redact::hide_uri(connection.uri())).into_owned(),
        ]);
    }
    match table.rows.len() {
        0 => Err("no host is connected; connect to one with `:connect URI`".into()),
        _ => {
            prompt.show(&table.drawn(None));
            Ok(None)
        }
    }
}

/// Makes `conn` another one of the connections.
pub(super) fn switch(prompt: &mut Prompt, name: &str) -> Done {
    known(prompt, name)?;
    Ok(prompt.evaluate_command(&format!("let conn = {name}; conn")))
}

/// Closes a connection.
pub(super) fn disconnect(prompt: &mut Prompt, name: &str) -> Done {
    let name = if name.is_empty() { "conn" } else { name };
    known(prompt, name)?;
    Ok(prompt.evaluate_command(&format!("{name}.close()")))
}

fn known(prompt: &Prompt, name: &str) -> Result<(), String> {
    let scope = prompt.worker.scope();
    let connections = hosts::all(scope);
    if name == "conn" && hosts::current(scope).is_some()
        || connections.iter().any(|(known, _)| known == name)
    {
        return Ok(());
    }
    let names: Vec<String> = connections
        .into_iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    Err(match names.is_empty() {
        true => "no host is connected; connect to one with `:connect URI`".into(),
        false => format!(
            "`{name}` is not a connection; connections: {}",
            names.join(", ")
        ),
    })
}

/// Shows the state of each host of the list of hosts that matches `pattern`.
pub(super) fn status(prompt: &mut Prompt, pattern: &str) -> Done {
    let pattern = if pattern.is_empty() { "all" } else { pattern };
    Ok(of_fleet(prompt, "status", pattern, STATUS))
}

/// Lists the guests of the current host, or of the hosts that match `pattern`.
pub(super) fn list_guests(prompt: &mut Prompt, pattern: &str) -> Done {
    Ok(match pattern {
        "" => prompt.evaluate_command("conn.list_all_domains()"),
        pattern => of_fleet(prompt, "guests", pattern, GUEST),
    })
}

/// The columns of `:hosts`, in their order; a long error would not fit.
const STATUS: &str = r#"#{ host: row.host, state: row.state, running: row.running, guests: row.guests, free_kib: row.free_kib,
    error: if (row.error ?? "").len() > 40 { row.error.sub_string(0, 39) + "…" } else { row.error } }"#;

/// The columns of `:list`, in their order.
const GUEST: &str = "#{ host: row.host, name: row.name, state: row.state, memory_kib: row.memory_kib, vcpus: row.vcpus }";

/// Calls the function of `std/fleet` for the hosts that match `pattern`, and shows the columns `row` of its result.
fn of_fleet(prompt: &mut Prompt, function: &str, pattern: &str, row: &str) -> Option<u8> {
    let pattern = quoted(&pattern.to_owned().into());
    prompt.evaluate_command(&format!(
        "{{ import \"std/fleet\" as fleet; fleet::{function}({pattern}).map(|row| {row}) }}"
    ))
}

/// Shows the resources that guests use, until the user leaves: guests of the current host, or of the hosts that match `pattern`.
pub(super) fn top(prompt: &mut Prompt, pattern: &str) -> Done {
    let engine = std::sync::Arc::clone(prompt.worker.engine());
    if !pattern.is_empty() {
        let fleet = prompt.worker.fleet();
        if fleet.hosts().is_empty() {
            return Err(
                "the list of hosts is empty; list hosts in virhai.toml, or start virhai with `--inventory FILE`"
                    .into(),
            );
        }
        let hosts = fleet.select(pattern)?;
        let names: Vec<String> = hosts.iter().map(|host| host.name.clone()).collect();
        crate::top::show_hosts(engine, pattern, &names, prompt.worker.colors())?;
        return Ok(None);
    }
    let Some(connection) = hosts::current(prompt.worker.scope()) else {
        return Err("no host is connected; connect to one with `:connect URI`".into());
    };
    crate::top::show(engine, &connection, prompt.worker.colors())?;
    Ok(None)
}
