//! Objects by what a script says of them: their XML, or their name.

use std::fmt;

use rhai::NativeCallContext;
use virt::connect::Connect;

use super::Connection;
use crate::api::arguments::RhaiResultOf;
use crate::error::Error;
use crate::libvirt::Failure;
use crate::suggest;
use crate::xml::Xml;

/// What the script wants to do with the object that the XML describes, for messages: a verb, what
/// such an object is called, and the XML.
pub(super) struct About<'a>(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) &'a str,
);

impl fmt::Display for About<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self(verb, noun, xml) = self;
        match name(xml).filter(|name| !name.is_empty() && name.len() <= 200) {
            Some(name) => write!(f, "{verb} {noun} `{name}`"),
            None => write!(f, "{verb} a {noun}"),
        }
    }
}

/// The name of the object that `xml` describes, if it is XML and has one.
pub(super) fn name(xml: &str) -> Option<String> {
    Xml::parse(xml)
        .and_then(|xml| xml.find("name"))
        .ok()
        .flatten()
}

/// What libvirt answers where nothing has the name that was asked for.
const NOT_FOUND: [virt_sys::virErrorNumber; 4] = [
    virt_sys::VIR_ERR_NO_DOMAIN,
    virt_sys::VIR_ERR_NO_NETWORK,
    virt_sys::VIR_ERR_NO_INTERFACE,
    virt_sys::VIR_ERR_NO_STORAGE_POOL,
];

impl Connection {
    /// Finds the `noun` called `name` with `call`; where there is none, the error tells the nearest
    /// of `names`.
    pub(super) fn look_up<T>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        (noun, name): (&str, &str),
        find: impl FnOnce(&Connect) -> Result<T, virt::error::Error>,
        names: impl FnOnce(&Connect) -> Vec<String>,
    ) -> RhaiResultOf<T> {
        let fail = |failure| {
            let action = format_args!("look up {noun} `{name}`");
            Error::new(ctx, failure, call, action, self.uri())
        };
        let connect = self.connect().map_err(|failure| fail(failure).throw())?;
        let found = self
            .permit()
            .and_then(|_permit| find(&connect).map_err(Failure::from));
        found.map_err(|failure| {
            let missing = NOT_FOUND
                .iter()
                .any(|code| i64::from(*code) == failure.code);
            let known = if missing { names(&connect) } else { Vec::new() };
            match suggest::nearest(name, known.iter().map(String::as_str)) {
                Some(near) => fail(failure).with_hint(format!("did you mean `{near}`?")),
                None => fail(failure),
            }
            .throw()
        })
    }
}
