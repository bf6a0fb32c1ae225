//! Objects by their XML or by their name.

use std::fmt;

use rhai::{Array, Dynamic, NativeCallContext};
use virt::connect::Connect;

use super::live_dump;
use crate::api::arguments::{RhaiResultOf, flag_bits};
use crate::api::xml::xml_text;
use crate::error::{Error, OfXml, On, Subject, Task};
use crate::libvirt::Failure;
use crate::objects::connection::Connection;
use crate::objects::natural_order;
use crate::objects::object::{Kind, Object};
use crate::run::session::Lockable;
use crate::xml::Xml;

/// A call on an object that XML describes, for messages: the verb, the kind of the object and the XML.
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
    /// The object of the kind `K` that `call` finds by the name `name`; an error for a missing one suggests the nearest
    /// name that is there.
    pub(crate) fn look_up<K: Kind>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        name: &str,
    ) -> RhaiResultOf<Object<K>> {
        let task = On(&"look up", K::NOUN, name);
        let wanted = name.to_owned();
        let found = self.call(ctx, call, task, move |c| K::by_name(c, &wanted));
        let found = found.map_err(|thrown| {
            Error::with_nearest(thrown, K::MISSING, name, || {
                let list = |c: &Connect| K::list(c, 0);
                let all = self.attempt(call, list).unwrap_or_default();
                all.iter().filter_map(K::name).collect()
            })
        })?;
        Ok(Object::new(self.clone(), found))
    }

    /// The object of the kind `K` that `call` finds by its UUID.
    pub(crate) fn look_up_uuid<K: Kind<Facts = String>>(
        &self,
        ctx: &NativeCallContext,
        uuid: &str,
    ) -> RhaiResultOf<Object<K>> {
        let action = format_args!("look up the {} with UUID {uuid}", K::NOUN);
        let uuid = uuid.to_owned();
        let found = self.call(ctx, K::LOOK_UP, action, move |c| K::find(c, &uuid, ""))?;
        Ok(Object::new(self.clone(), found))
    }

    /// The object of the kind `K` that `call` defines by `xml`.
    pub(crate) fn define<K: Kind, E: Into<Failure>>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        xml: &Dynamic,
        define: impl Fn(&Connect, &str) -> Result<K::Handle, E> + Send + Sync + 'static,
    ) -> RhaiResultOf<Object<K>> {
        live_dump::check_live::<K>(ctx, self, xml)?;
        self.make_by_xml(ctx, ("define", call), xml, define)
    }

    /// Locks the object that `xml` describes for the run, as the first change of the object would. For XML without a UUID,
    /// libvirt only makes a new object.
    pub(super) fn lock_described<K: Kind>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        xml: &str,
    ) -> RhaiResultOf<()> {
        if self.is_in_process() {
            return Ok(());
        }
        let described = || {
            let uuid = Xml::parse(xml).ok()?.find("uuid").ok()??;
            Some(Lockable {
                kind: K::TYPE,
                noun: K::NOUN,
                uuid: uuid::Uuid::parse_str(uuid.trim()).ok()?.to_string(),
                name: name(xml).unwrap_or_default(),
            })
        };
        self.session().before_object(described).map_err(|why| {
            let failure = Failure::new(virt_sys::VIR_ERR_RESOURCE_BUSY, why);
            self.error(ctx, failure, call, About("define", K::NOUN, xml))
                .throw()
        })
    }

    /// The object of the kind `K` that `call` creates by `xml`.
    pub(crate) fn create<K: Kind, E: Into<Failure>>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        xml: &Dynamic,
        create: impl Fn(&Connect, &str) -> Result<K::Handle, E> + Send + Sync + 'static,
    ) -> RhaiResultOf<Object<K>> {
        self.make_by_xml(ctx, ("create", call), xml, create)
    }

    fn make_by_xml<K: Kind, E: Into<Failure>>(
        &self,
        ctx: &NativeCallContext,
        (verb, call): (&'static str, &'static str),
        xml: &Dynamic,
        make: impl Fn(&Connect, &str) -> Result<K::Handle, E> + Send + Sync + 'static,
    ) -> RhaiResultOf<Object<K>> {
        let text = xml_text(ctx, &format!("the {}'s XML", K::NOUN), xml)?;
        if verb == "define" {
            self.lock_described::<K>(ctx, call, &text)?;
        }
        let action = About(verb, K::NOUN, &text);
        let owned = text.clone();
        let made = self.call(ctx, call, action, move |c| make(c, &owned));
        Ok(Object::new(self.clone(), made.of_xml(&text)?))
    }

    /// The objects of the kind `K` that `call` lists for `flags`, sorted by name.
    pub(crate) fn list<K: Kind>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        flags: i64,
    ) -> RhaiResultOf<Vec<K::Handle>> {
        let flags = flag_bits(ctx, flags)?;
        let action = format_args!("list {}s", K::NOUN);
        let mut found = self.call(ctx, call, action, move |c| K::list(c, flags))?;
        natural_order::sort(&mut found, |handle| K::name(handle).ok_or(()));
        Ok(found)
    }

    /// The same as values for scripts.
    pub(crate) fn list_objects<K: Kind>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        flags: i64,
    ) -> RhaiResultOf<Array> {
        let found = self.list::<K>(ctx, call, flags)?.into_iter();
        let object = |handle| Dynamic::from(Object::<K>::new(self.clone(), handle));
        Ok(found.map(object).collect())
    }

    /// The names of the same.
    pub(crate) fn list_names<K: Kind>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        flags: u32,
    ) -> RhaiResultOf<Array> {
        let found = self.list::<K>(ctx, call, flags.into())?;
        let names = found.iter().filter_map(K::name);
        Ok(names.map(Dynamic::from).collect())
    }
}
