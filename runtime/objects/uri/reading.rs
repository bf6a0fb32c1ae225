//! A URI as libvirt itself reads it: leniently, by the rules of libxml2 and of its own parameters.

use percent_encoding::percent_decode_str;

use super::EMBED;
use super::drivers::driver;

/// The parts of a URI as libvirt reads it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) scheme: String,
    pub(crate) user: Option<String>,
    /// Empty where an authority without a host is given.
    pub(crate) server: Option<String>,
    pub(crate) path: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) fragment: Option<String>,
}

impl Reading {
    /// The parts that libvirt reads from `text`; `None` if it has no scheme.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if !scheme.starts_with(|char: char| char.is_ascii_alphabetic()) || !scheme.bytes().all(good)
        {
            return None;
        }
        let (rest, fragment) = divided(rest, '#');
        let (rest, query) = divided(rest, '?');
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        let (user, server) = match authority.map(|text| text.split_once('@').ok_or(text)) {
            Some(Ok((user, place))) => (Some(decoded(user)), Some(server(place))),
            Some(Err("")) | None => (None, None),
            Some(Err(place)) => (None, Some(server(place))),
        };
        Some(Self {
            scheme: scheme.to_owned(),
            user,
            server,
            path: decoded(path),
            parameters: query.map(parameters).unwrap_or_default(),
            fragment: fragment.map(decoded),
        })
    }

    /// The value of the parameter `name`, in any case, as libvirt looks for it.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self
            .parameters
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// True if libvirt runs a driver within this process for it.
    pub(crate) fn is_embedded(&self) -> bool {
        self.path == EMBED && !self.scheme.contains('+')
    }

    fn is_in_process(&self) -> bool {
        let known = driver(&self.scheme).filter(|driver| driver.runs_here);
        self.is_embedded() || known.is_some_and(|driver| driver.needs_host == self.server.is_some())
    }
}

/// The name of the host that `uri` leads to, `localhost` if it names none.
pub(crate) fn host_of(uri: &str) -> String {
    let server = Reading::of(uri).and_then(|reading| reading.server);
    let server = server.filter(|server| !server.is_empty());
    server.unwrap_or_else(|| "localhost".into())
}

/// True if the driver behind `uri` runs in this process instead of a daemon.
pub(crate) fn in_process(uri: &str) -> bool {
    Reading::of(uri).is_some_and(|reading| reading.is_in_process())
}

/// True if two connections to `uri` are two hosts. This is so for a test host that libvirt reads from a file.
pub(crate) fn is_private(uri: &str) -> bool {
    Reading::of(uri).is_some_and(|reading| {
        reading.is_in_process() && reading.scheme == "test" && reading.path != "/default"
    })
}

fn divided(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// The host of an authority without its user, its port and the brackets of an address.
fn server(place: &str) -> String {
    match place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, _)) => address.to_owned(),
        None => decoded(divided(place, ':').0),
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The parameters of a query. libvirt looks for a `;` only where no `&` follows.
fn parameters(query: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = query;
    while !rest.is_empty() {
        let end = rest
            .find('&')
            .or_else(|| rest.find(';'))
            .unwrap_or(rest.len());
        let (pair, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !name.is_empty() {
            found.push((decoded(name), decoded(value)));
        }
    }
    found
}
