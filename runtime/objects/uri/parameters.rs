//! The parameters that libvirt has in URIs, and which of them a script may use.

use super::Transport::{self, Ext, Libssh, Libssh2, Ssh, Tcp, Tls, Unix};

/// A parameter of a URI.
#[derive(Debug, PartialEq)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// The transports that use it; libvirt ignores it with others.
    pub(super) transports: &'static [Transport],
    pub(super) rule: Rule,
}

/// The rule for a parameter in a script's URI.
#[derive(Debug, PartialEq)]
pub(super) enum Rule {
    /// Nothing, if its value is one of these words.
    Free(Values),
    /// No permission for this value; other values need one, for the given reason.
    Default(&'static str, &'static str),
    /// No permission with these transports; others need one, for the given reason.
    FreeOver(&'static [Transport], Values, &'static str),
    /// A permission, for the given reason.
    Permission(&'static str),
    /// It is the folder of an embedded driver.
    Root,
    /// It belongs to a driver that needs a permission for every URI.
    OfClients,
}

/// The values that a parameter takes.
#[derive(Debug, PartialEq)]
pub(super) enum Values {
    /// `0` or `1`.
    Switch,
    Words(&'static [&'static str]),
    /// Words of the list, separated by commas.
    List(&'static [&'static str]),
    /// The characters of a GnuTLS priority string.
    Priority,
}

impl Values {
    pub(super) fn takes(&self, value: &str) -> bool {
        match self {
            Self::Switch => ["0", "1"].contains(&value),
            Self::Words(words) => words.contains(&value),
            Self::List(words) => value.split(',').all(|word| words.contains(&word)),
            Self::Priority => value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b":+!%@,_=-.".contains(&byte)),
        }
    }

    /// The valid values, for a message.
    pub(super) fn expected(&self) -> String {
        match self {
            Self::Switch => "0 or 1".into(),
            Self::Words(words) => words.join(" or "),
            Self::List(words) => format!("{}, separated by commas", words.join(" or ")),
            Self::Priority => "a GnuTLS priority string".into(),
        }
    }
}

const ALL: &[Transport] = &[Unix, Ssh, Libssh, Libssh2, Tls, Tcp, Ext];
const ANY_SSH: &[Transport] = &[Ssh, Libssh, Libssh2];
const LIBRARIES: &[Transport] = &[Libssh, Libssh2];

const fn parameter(name: &'static str, transports: &'static [Transport], rule: Rule) -> Parameter {
    Parameter {
        name,
        transports,
        rule,
    }
}

/// All parameters, with the reason for each rule.
pub(super) static PARAMETERS: [Parameter; 21] = [
    // These run a program, here or on the other host.
    parameter(
        "command",
        &[Ssh, Ext],
        Rule::Permission("names a program that runs on this machine"),
    ),
    parameter(
        "netcat",
        ANY_SSH,
        Rule::Permission("names a program that runs on the other host"),
    ),
    parameter(
        "proxy",
        ANY_SSH,
        Rule::Permission("chooses the program that runs on the other host"),
    ),
    // These name files of the user's, or a socket that anything may listen on.
    parameter(
        "socket",
        &[Unix, Ssh, Libssh, Libssh2],
        Rule::Permission("names a socket"),
    ),
    parameter(
        "keyfile",
        ANY_SSH,
        Rule::Permission("names one of your private keys"),
    ),
    parameter(
        "known_hosts",
        LIBRARIES,
        Rule::Permission("names a file that libvirt may write"),
    ),
    parameter(
        "pkipath",
        &[Tls],
        Rule::Permission("names a folder with private keys"),
    ),
    parameter(
        "authfile",
        ALL,
        Rule::Permission("names a file with passwords"),
    ),
    // It chooses how your credentials are used.
    parameter(
        "auth",
        ALL,
        Rule::Permission("chooses how your credentials are sent"),
    ),
    // The daemon opens this URI with its own rights, which would bypass all other rules.
    parameter(
        "name",
        ALL,
        Rule::Permission("names another URI that the daemon opens"),
    ),
    // Without the check, `ssh` writes unknown keys to the user's known_hosts, and later
    // connections trust them. Over TLS nothing is written, and only this connection is affected.
    parameter(
        "no_verify",
        &[Ssh, Tls],
        Rule::FreeOver(
            &[Tls],
            Values::Switch,
            "makes ssh add unknown keys to your known_hosts",
        ),
    ),
    // `auto` writes unknown keys to the user's known_hosts, `ignore` skips the check.
    parameter(
        "known_hosts_verify",
        LIBRARIES,
        Rule::Default("normal", "changes which hosts you trust"),
    ),
    // It skips the check of the user's own certificates before they are used; the host's
    // certificate is still checked.
    parameter("no_sanity", &[Tls], Rule::Free(Values::Switch)),
    // It affects the encryption of this connection alone.
    parameter("tls_priority", &[Tls], Rule::Free(Values::Priority)),
    // It keeps ssh from asking at the terminal.
    parameter("no_tty", &[Ssh], Rule::Free(Values::Switch)),
    // It chooses among the ways to log in that the user has set up, in an order.
    parameter(
        "sshauth",
        LIBRARIES,
        Rule::Free(Values::List(&[
            "agent",
            "privkey",
            "password",
            "keyboard-interactive",
        ])),
    ),
    // It chooses between libvirtd and the daemon of one driver, both at their usual sockets.
    parameter(
        "mode",
        &[Unix, Ssh, Libssh, Libssh2],
        Rule::Free(Values::Words(&["auto", "legacy", "direct"])),
    ),
    parameter("root", &[], Rule::Root),
    // Drivers that are clients of a host over HTTP; `no_verify` and `proxy` are theirs as well.
    parameter("transport", &[], Rule::OfClients),
    parameter("vcenter", &[], Rule::OfClients),
    parameter("auto_answer", &[], Rule::OfClients),
];
