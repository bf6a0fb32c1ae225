//! Objects by what a script says of them: their XML, or their name.

use std::fmt;

use rhai::NativeCallContext;
use virt::connect::Connect;

use crate::api::arguments::RhaiResultOf;
use crate::error::{Error, On, Subject, Task};
use crate::libvirt::Failure;
use crate::objects::connection::Connection;
use crate::xml::Xml;

/// What the script wants to do with the object that the XML describes, for messages: a verb, what
/// such an object is called, and the XML.
pub(crate) struct About<'a>(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'a str,
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

impl Task for About<'_> {
    fn subject(&self) -> Option<Subject> {
        let Self(_, kind, xml) = *self;
        let name = name(xml).filter(|name| !name.is_empty())?;
        Some(Subject { kind, name })
    }
}

/// The name of the object that `xml` describes, if it is XML and has one.
pub(super) fn name(xml: &str) -> Option<String> {
    Xml::parse(xml)
        .and_then(|xml| xml.find("name"))
        .ok()
        .flatten()
}

impl Connection {
    /// Finds the `noun` called `name` with `call`; where there is none, the error tells the nearest
    /// of `names`.
    pub(super) fn look_up<T: Send + 'static>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        (noun, name): (&'static str, &str),
        find: impl Fn(&Connect) -> Result<T, virt::error::Error> + Send + Sync + 'static,
        names: impl Fn(&Connect) -> Vec<String> + Send + Sync + 'static,
    ) -> RhaiResultOf<T> {
        let task = On(&"look up", noun, name);
        self.call(ctx, call, task, find).map_err(|thrown| {
            Error::with_nearest(thrown, name, || {
                let names = move |c: &Connect| Ok::<_, Failure>(names(c));
                self.attempt(call, names).unwrap_or_default()
            })
        })
    }
}
