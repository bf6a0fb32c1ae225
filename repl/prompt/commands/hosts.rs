//! `:connect`, `:switch` and `:disconnect`: each is code that a script could have as well.

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
    prompt.worker.give_uri(uri);
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

/// Shows what the guests of the current host take, until the user leaves.
pub(super) fn top(prompt: &mut Prompt) -> Done {
    let Some(connection) = hosts::current(prompt.worker.scope()) else {
        return Err("no host is connected; connect to one with `:connect URI`".into());
    };
    let engine = std::sync::Arc::clone(prompt.worker.engine());
    crate::top::show(engine, &connection, prompt.worker.colors())?;
    Ok(None)
}
