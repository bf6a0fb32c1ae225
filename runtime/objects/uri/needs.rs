//! The permissions that a script needs to open a URI.

use super::parameters::Rule;
use super::{EMBED, Place, Transport, Uri};

/// The permission that a script needs to open a URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Need {
    /// Permission to open exactly this URI, for the given reason.
    Connect(String),
    /// A hypervisor in this process, with its files below this folder.
    Embed(String),
    /// Permission to read this file.
    Read(String),
}

/// The host that libvirt's test driver has built in.
const DEFAULT: &str = "/default";

impl Uri {
    /// The permission that a script needs to open this URI; `None` if it needs none.
    pub(crate) fn need(&self) -> Option<Need> {
        match self.place() {
            Place::Here if self.path == EMBED => Some(Need::Embed(
                self.parameter("root").unwrap_or_default().into(),
            )),
            Place::Here => self.need_here(),
            Place::Daemon(transport) => self.need_of_daemon(transport),
        }
    }

    fn need_here(&self) -> Option<Need> {
        let driver = self.driver.name;
        match driver {
            "test" if self.path == DEFAULT => None,
            "test" => Some(Need::Read(self.path.clone())),
            _ if self.driver.needs_host => Some(Need::Connect(format!(
                "the `{driver}` driver connects to the host by HTTP from this process"
            ))),
            _ => Some(Need::Connect(format!(
                "the `{driver}` driver runs programs on this machine"
            ))),
        }
    }

    fn need_of_daemon(&self, transport: Transport) -> Option<Need> {
        if transport == Transport::Ext {
            let why = "the `ext` transport runs a program on this machine";
            return Some(Need::Connect(why.into()));
        }
        if self.driver.name == "test" && self.path != DEFAULT {
            return Some(Need::Connect("the daemon would read a file".into()));
        }
        self.parameters.iter().find_map(|(parameter, value)| {
            let why = match parameter.rule {
                Rule::Free(_) => return None,
                Rule::Default(free, _) if value == free => return None,
                Rule::FreeOver(free, ..) if free.contains(&transport) || value == "0" => {
                    return None;
                }
                Rule::Default(_, why) | Rule::FreeOver(_, _, why) | Rule::Permission(why) => why,
                // The parser has refused these with a daemon.
                Rule::Root | Rule::OfClients => "has no effect in this URI",
            };
            Some(Need::Connect(format!("`{}` {why}", parameter.name)))
        })
    }
}
