//! The strict parser of URIs that scripts give.

use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;

use super::drivers::{DRIVERS, Driver, driver};
use super::parameters::{PARAMETERS, Parameter, Rule, Values};
use super::{EMBED, Place, TRANSPORTS, Transport, Uri};
use crate::advice::suggest;

/// The reason why a URI is refused, and a suggestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) why: String,
    pub(crate) hint: Option<String>,
}

type Result<T> = std::result::Result<T, Malformed>;

const EXAMPLES: &str = "URIs look like qemu:///system, qemu+ssh://host/system, test:///default";

fn refused<T>(why: impl Into<String>) -> Result<T> {
    Err(Malformed {
        why: why.into(),
        hint: None,
    })
}

fn refused_hint<T>(why: impl Into<String>, hint: impl Into<String>) -> Result<T> {
    Err(Malformed {
        why: why.into(),
        hint: Some(hint.into()),
    })
}

fn did_you_mean<'a>(wrong: &str, names: impl Iterator<Item = &'a str>, other: &str) -> String {
    match suggest::nearest(&wrong.to_ascii_lowercase(), names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => other.into(),
    }
}

/// The longest URI that is looked at.
const LONGEST: usize = 4096;

/// The paths by which a daemon's driver is opened.
const PATHS: [&str; 4] = ["", "/", "/system", "/session"];

impl Uri {
    /// Parses `text`; each part must be known, in its own spelling.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return refused(format!("the URI is longer than {LONGEST} bytes"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return refused_hint("there is no `://` after the driver's name", EXAMPLES);
        };
        check_password(text)?;
        check_characters(text)?;
        let (driver, transport) = parse_scheme(scheme)?;
        let (before, query) = match rest.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = before.split_at(before.find('/').unwrap_or(before.len()));
        let (user, host, port) = parse_authority(authority)?;
        let mut uri = Self {
            driver,
            transport,
            user,
            host,
            port,
            path: String::new(),
            parameters: Vec::new(),
        };
        uri.path = uri.parse_path(path)?;
        uri.check_host()?;
        if let Some(query) = query {
            uri.parse_query(query)?;
        }
        if uri.path == EMBED && uri.parameter("root").is_none() {
            return refused_hint(
                "`/embed` needs the parameter `root`",
                "write qemu:///embed?root=DIR with an absolute path as DIR",
            );
        }
        Ok(uri)
    }

    /// The path, decoded: one of a few words, or a file of the test driver's.
    fn parse_path(&self, path: &str) -> Result<String> {
        let driver = self.driver.name;
        let text = decoded(path, "the path")?;
        if text == EMBED {
            let alone = self.transport.is_none() && self.host.is_none();
            return match self.driver.embeddable && alone && path == EMBED {
                true => Ok(text),
                false if alone && path != EMBED => refused("`/embed` must not be percent-encoded"),
                false if alone => refused(format!("the driver `{driver}` cannot be embedded")),
                false => refused("an embedded driver has no transport and no host"),
            };
        }
        if driver == "test" {
            return match text.len() {
                0 | 1 => refused_hint(
                    "the test driver needs a path",
                    "write test:///default, or test:///FILE for a host that FILE describes",
                ),
                _ => Ok(text),
            };
        }
        // A path names a datacenter or a cluster there.
        if self.driver.needs_host {
            return Ok(text);
        }
        if !PATHS.contains(&path) {
            return refused_hint(
                format!("`{path}` is not a path that libvirt knows"),
                did_you_mean(path, PATHS.into_iter().chain([EMBED]), EXAMPLES),
            );
        }
        Ok(path.into())
    }

    fn check_host(&self) -> Result<()> {
        let driver = self.driver.name;
        match (self.driver.needs_host, self.transport, &self.host) {
            (true, Some(_), _) => refused(format!("the driver `{driver}` has no transport")),
            (true, None, None) => refused(format!("the driver `{driver}` needs a host")),
            (_, Some(Transport::Unix), Some(_)) => refused("the transport `unix` has no host"),
            _ => Ok(()),
        }
    }

    fn parse_query(&mut self, query: &str) -> Result<()> {
        if query.contains(';') {
            return refused_hint(
                "the parameters contain a `;`",
                "separate parameters with `&`, and write a `;` in a value as %3B",
            );
        }
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let parameter = self.known_parameter(name)?;
            if !pair.contains('=') {
                return refused(format!("the parameter `{name}` has no value"));
            }
            if self.parameter(name).is_some() {
                return refused(format!("the parameter `{name}` is given twice"));
            }
            let value = decoded(value, &format!("the value of `{name}`"))?;
            check_value(parameter, &value)?;
            self.parameters.push((parameter, value));
        }
        Ok(())
    }

    /// The parameter called `name`, which must have an effect in this URI.
    fn known_parameter(&self, name: &str) -> Result<&'static Parameter> {
        let Some(parameter) = PARAMETERS.iter().find(|known| known.name == name) else {
            let names = PARAMETERS.iter().map(|known| known.name);
            return refused_hint(
                format!("libvirt has no parameter `{name}`"),
                did_you_mean(
                    name,
                    names,
                    "see https://libvirt.org/uri.html for the parameters",
                ),
            );
        };
        let shared = ["no_verify", "proxy"].contains(&name);
        let has_effect = match self.place() {
            Place::Here if self.path == EMBED => parameter.rule == Rule::Root,
            Place::Here if self.driver.needs_host => shared || parameter.rule == Rule::OfClients,
            Place::Here => false,
            Place::Daemon(transport) => parameter.transports.contains(&transport),
        };
        match has_effect {
            true => Ok(parameter),
            false => refused(format!("the parameter `{name}` has no effect in this URI")),
        }
    }
}

/// Refuses a password in `scheme://user:password@host`: libvirt takes it as a part of the user's name, and hands it to `ssh` as an
/// argument, which other users of this machine can read.
pub(crate) fn check_password(text: &str) -> Result<()> {
    let Some((_, rest)) = text.split_once("://") else {
        return Ok(());
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let is_given = match authority.rsplit_once('@') {
        Some((user, _)) => user.contains(':') || user.to_ascii_lowercase().contains("%3a"),
        // A password with a slash, as in `user:a/b@host`.
        None => path.contains('@') && !authority.starts_with('[') && !has_port(authority),
    };
    match is_given {
        true => refused_hint(
            "libvirt takes no password from a URI, and it would be readable in the list of processes",
            "with ssh, use a key or ssh-agent; otherwise give the login to `connect_auth`, or write it into libvirt's file auth.conf",
        ),
        false => Ok(()),
    }
}

/// True if `place` is a host, or a host and a port.
fn has_port(place: &str) -> bool {
    let port = place.split_once(':').map(|(_, port)| port);
    port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Refuses characters that no part of a URI can have.
fn check_characters(text: &str) -> Result<()> {
    if text.contains('#') {
        return refused_hint(
            "a `#` starts a fragment, which libvirt ignores",
            "write a `#` in a value as %23",
        );
    }
    let wrong = text
        .chars()
        .find(|char| !char.is_ascii_graphic() || "\"<>\\^`{|}".contains(*char));
    match wrong {
        Some(char) => refused_hint(
            format!("the character {char:?} is not allowed in a URI"),
            "percent-encode it; a space, for example, is %20",
        ),
        None => Ok(()),
    }
}

fn parse_scheme(scheme: &str) -> Result<(&'static Driver, Option<Transport>)> {
    let (name, transport) = match scheme.split_once('+') {
        Some((name, transport)) => (name, Some(transport)),
        None => (scheme, None),
    };
    let Some(driver) = driver(name) else {
        let names = DRIVERS.iter().map(|driver| driver.name);
        return refused_hint(
            format!("libvirt has no driver `{name}`"),
            did_you_mean(name, names, EXAMPLES),
        );
    };
    let Some(transport) = transport else {
        return Ok((driver, None));
    };
    let names = TRANSPORTS.iter().map(|(_, name)| *name);
    match TRANSPORTS.iter().find(|(_, name)| *name == transport) {
        Some((transport, _)) => Ok((driver, Some(*transport))),
        None => refused_hint(
            format!("libvirt has no transport `{transport}`"),
            did_you_mean(
                transport,
                names,
                "use unix, ssh, libssh, libssh2, tls, tcp or ext",
            ),
        ),
    }
}

type Authority = (Option<String>, Option<String>, Option<u16>);

fn parse_authority(text: &str) -> Result<Authority> {
    if text.is_empty() {
        return Ok((None, None, None));
    }
    let (user, place) = match text.split_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, text),
    };
    if let Some(user) = user {
        check_name(user, "the user", b"._+-")?;
    }
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let Some((address, rest)) = rest.split_once(']') else {
                return refused("an IPv6 address lacks its `]`");
            };
            if address.parse::<Ipv6Addr>().is_err() {
                return refused(format!("`{address}` is not an IPv6 address"));
            }
            match (rest, rest.strip_prefix(':')) {
                ("", _) => (address, None),
                (_, Some(port)) => (address, Some(port)),
                _ => return refused(format!("`{rest}` follows the address")),
            }
        }
        None => {
            let (host, port) = match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            };
            check_name(host, "the host", b"._-")?;
            (host, port)
        }
    };
    let port = port.map(parse_port).transpose()?;
    Ok((user.map(str::to_owned), Some(host.to_owned()), port))
}

/// Checks a name that a program such as `ssh` gets as an argument.
fn check_name(name: &str, what: &str, punctuation: &[u8]) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || punctuation.contains(&byte);
    if name.is_empty() {
        return refused(format!("{what} is empty"));
    }
    if name.starts_with('-') {
        return refused(format!("{what} begins with `-`"));
    }
    match name.bytes().find(|byte| !good(*byte)) {
        Some(byte) => refused(format!("`{}` is not allowed in {what}", char::from(byte))),
        None => Ok(()),
    }
}

fn parse_port(text: &str) -> Result<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port @ 1..) if digits => Ok(port),
        _ => refused(format!("`{text}` is not a port from 1 to 65535")),
    }
}

/// The text behind percent-encoding, without control characters.
fn decoded(text: &str, what: &str) -> Result<String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let valid = after.get(..2);
        if !valid.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return refused_hint(
                format!("a `%` in {what} is not followed by two hexadecimal digits"),
                "write a `%` as %25",
            );
        }
        rest = after;
    }
    let Ok(text) = percent_decode_str(text).decode_utf8() else {
        return refused(format!("{what} is not UTF-8 text"));
    };
    if text.chars().any(char::is_control) {
        return refused(format!("{what} contains a control character"));
    }
    Ok(text.into_owned())
}

fn check_value(parameter: &Parameter, value: &str) -> Result<()> {
    let name = parameter.name;
    let values = match &parameter.rule {
        Rule::Free(values) | Rule::FreeOver(_, values, _) => values,
        Rule::Default(..) => &Values::Words(&["normal", "auto", "ignore"]),
        Rule::Root if !value.starts_with('/') => {
            return refused(format!("`{name}` must be an absolute path, not `{value}`"));
        }
        Rule::Permission(_) | Rule::Root | Rule::OfClients => return Ok(()),
    };
    match values.takes(value) {
        true => Ok(()),
        false => refused(format!(
            "`{name}` must be {}, not `{value}`",
            values.expected()
        )),
    }
}
