//! libvirt URIs: those that a script may open without a permission, and those that need one.
//!
//! libvirt's own parser is lenient: it takes any case in transports and parameter names, decodes
//! percent-encoded names, and passes unknown parts to a daemon. A URI of a script is parsed
//! strictly instead: each part must be in the lists of this module. libvirt gets the URI that is
//! rebuilt from these parts, and never the script's text, so that the two parsers cannot disagree.
//! [`Reading`] is libvirt's own view, for URIs that the user gives.

mod drivers;
mod needs;
mod parameters;
mod parse;
mod reading;
#[cfg(test)]
mod tests;

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use drivers::Driver;
pub(crate) use needs::Need;
use parameters::Parameter;
pub(crate) use parse::{Malformed, check_password};
pub(crate) use reading::{Reading, host_of, in_process, is_private};

/// A URI whose every part is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Uri {
    driver: &'static Driver,
    transport: Option<Transport>,
    user: Option<String>,
    /// A host name, or an IPv6 address without its brackets.
    host: Option<String>,
    port: Option<u16>,
    /// The path, decoded.
    path: String,
    /// The parameters, decoded.
    parameters: Vec<(&'static Parameter, String)>,
}

/// The transports of the remote driver, which a scheme names after a `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Unix,
    Ssh,
    Libssh,
    Libssh2,
    Tls,
    Tcp,
    Ext,
}

/// All transports that libvirt has.
const TRANSPORTS: [(Transport, &str); 7] = [
    (Transport::Unix, "unix"),
    (Transport::Ssh, "ssh"),
    (Transport::Libssh, "libssh"),
    (Transport::Libssh2, "libssh2"),
    (Transport::Tls, "tls"),
    (Transport::Tcp, "tcp"),
    (Transport::Ext, "ext"),
];

/// The process in which a URI's driver works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Within this process.
    Here,
    /// In a daemon, through a transport.
    Daemon(Transport),
}

/// The path that asks for a driver within this process instead of its daemon's.
const EMBED: &str = "/embed";

impl Uri {
    /// The process in which libvirt runs the driver.
    fn place(&self) -> Place {
        let runs_here = match self.host {
            Some(_) => self.driver.runs_here && self.driver.needs_host,
            None => self.driver.runs_here || self.path == EMBED,
        };
        match self.transport {
            Some(transport) => Place::Daemon(transport),
            None if runs_here => Place::Here,
            None if self.host.is_some() => Place::Daemon(Transport::Tls),
            None => Place::Daemon(Transport::Unix),
        }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known.name == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The same URI with `root` as the root of an embedded driver.
    pub(crate) fn with_root(mut self, root: &str) -> Self {
        for (parameter, value) in &mut self.parameters {
            if parameter.name == "root" {
                root.clone_into(value);
            }
        }
        self
    }

    /// The same URI with the path `path`.
    pub(crate) fn with_path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }
}

/// Characters that no URI parser takes for anything but themselves.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.');

/// The canonical form, which libvirt gets.
impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.driver.name)?;
        if let Some(transport) = self.transport {
            let known = TRANSPORTS.iter().find(|(known, _)| *known == transport);
            write!(f, "+{}", known.map_or("", |(_, name)| name))?;
        }
        f.write_str("://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{host}]")?,
            Some(host) => f.write_str(host)?,
            None => {}
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", utf8_percent_encode(&self.path, PLAIN))?;
        for (index, (parameter, value)) in self.parameters.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            let value = utf8_percent_encode(value, PLAIN);
            write!(f, "{separator}{}={value}", parameter.name)?;
        }
        Ok(())
    }
}
