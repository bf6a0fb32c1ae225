//! The prompt text: the host, and the state of the connection.

use rhai::Scope;
use virhai::Connection;

use super::hosts;
use crate::terminal;

/// The prompt for the connection that `conn` is.
pub(super) fn build(scope: &Scope) -> String {
    let Some(current) = hosts::current(scope) else {
        return "virhai> ".into();
    };
    let open = hosts::all(scope);
    let open: Vec<_> = open.iter().filter(|(_, conn)| !conn.is_closed()).collect();
    let name = open
        .iter()
        .find(|(_, conn)| *conn == current)
        .filter(|_| open.len() > 1)
        .map_or_else(String::new, |(name, _)| format!("{name} "));
    let state = hosts::state(&current);
    let read_only = match current.is_read_only() {
        true => " [ro]",
        false => "",
    };
    let state = match state {
        "open" => String::new(),
        state => format!(" [{state}]"),
    };
    let host = host(current.uri());
    format!(
        "{name}{}{read_only}{state}> ",
        terminal::visible_line(&host)
    )
}

/// A host in a word: its name if it is another, else the driver, with the path where that is
/// not the usual one.
pub(super) fn host(uri: &str) -> String {
    let (scheme, rest) = uri.split_once(':').unwrap_or((uri, ""));
    let driver = scheme.split('+').next().unwrap_or(scheme);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let machine = authority.rsplit('@').next().unwrap_or_default();
    let machine = match machine.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or(address),
        None => machine.split(':').next().unwrap_or_default(),
    };
    match (driver, machine, path) {
        (_, machine, _) if !machine.is_empty() => machine.to_owned(),
        ("test", ..) | (_, _, "" | "system") => driver.to_owned(),
        (driver, _, path) => format!("{driver}:{path}"),
    }
}

/// True if `connection` is the session's current connection, `conn`.
pub(super) fn is_current(scope: &Scope, connection: &Connection) -> bool {
    hosts::current(scope).as_ref() == Some(connection)
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn a_host_is_told_in_a_word() {
        for (uri, word) in [
            ("qemu:///system", "qemu"),
            ("qemu:///session", "qemu:session"),
            ("qemu+ssh://root@kvm1.example:2222/system", "kvm1.example"),
            ("qemu+tls://[2001:db8::1]:16514/system", "2001:db8::1"),
            ("qemu+unix:///session?socket=/run/x", "qemu:session"),
            ("qemu:///embed?root=/srv/vm", "qemu:embed"),
            ("test:///tmp/node.xml", "test"),
            ("lxc:///", "lxc"),
        ] {
            assert_eq!(host(uri), word, "{uri}");
        }
    }
}
