//! Declared options: the keys that a map may have, written once beside the function that takes it.
//!
//! A [`Spec`] says of each key its type, unit, default, allowed words, whether it is required, and one line of help.
//! A recipe or a user's script writes one as a literal constant, so that it can be read without running anything:
//!
//! ```rhai
//! // A disk of a guest.
//! const DISK = #{
//!     pool: #{ type: "pool", default: "default", help: "storage pool of the volume" },
//!     bus: #{ words: ["virtio", "sata", "scsi"], help: "bus" },
//!     size: #{ type: "size", min: "1MiB", help: "size of a new volume" },
//! };
//! const GUEST = #{
//!     include: "other::GUEST",
//!     name: #{ type: "string", required: true, help: "name of the guest" },
//!     disks: #{ type: ["array", "DISK", "path"], help: "disks, in boot order" },
//! };
//! ```
//!
//! `include` takes over the keys of another declaration, except those that the map itself declares;
//! `name: ()` leaves one of them out, and `called: "a guest"` is the map's name in messages, which
//! is otherwise derived from the name of the constant.
//!
//! An option of a recipe that writes XML names its place there, from the element that the map
//! stands for: `xml: "features/acpi"` or `xml: "os/bootmenu/@enable"`. `written: ["on", "off"]` has
//! the texts for `true` and `false`. With `short: "model"`, a value that is not a map is taken as
//! the key `model` of a map. With `several: true`, a list of such values is accepted as well.
//!
//! `needs: "kernel"` and `not_with: "bridge"` are conditions on other options of the same map; a list names several, and
//! `#{ type: ["unix", "tcp"] }` names values. Of `needs`, one must be met. No two maps of a list have the same value of
//! an option with `unique: true`. `one_of: ["pool", "folder"]` beside the options names options of which at least one must
//! be given, and `one_of: ()` leaves an included `one_of` out. With `partial: true` beside the options, options that are not given keep the values
//! that something has already: they do not break `needs`.
//!
//! `options.checked(global::GUEST)` reads it at run time; the static check, completion and the reference read the
//! same declaration.

mod condition;
mod consistency;
mod docs;
pub mod duration;
mod fault;
mod fill;
mod in_xml;
mod literal;
mod names;
mod read;
pub mod size;
#[cfg(test)]
mod tests;
mod ty;
mod value;

pub use condition::Other;
pub use docs::{
    names_of_parameters, names_of_result, options_line, options_place, parameters, result,
    returns_line, without_lines,
};
pub use fault::{Fault, FaultKind, Step};
pub use in_xml::InXml;
pub use literal::Literal;
pub use names::noun;
pub(crate) use read::{is_spec, read};
pub use ty::{HostName, Type, Words, typed_parameters};
pub use value::{Given, Shape, Value};

use std::sync::Arc;

/// The declaration of a map.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spec {
    /// The noun for the map in messages, if the declaration has one: "a network".
    pub called: String,
    /// The name of the constant that declares it; empty for one that is written inside another.
    pub name: String,
    /// A line about the map; empty if the declaration has none.
    pub about: String,
    /// The file that declares it, as positions call it.
    pub file: String,
    /// The keys, in the order of the declaration.
    pub keys: Vec<Key>,
    /// True if the map can have other keys as well, such as those of a newer libvirt.
    pub open: bool,
    /// True if options that are not given keep the values that something has already.
    pub partial: bool,
    /// Options of which at least one must be given.
    pub one_of: Vec<String>,
}

/// One key of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// The type of its value.
    pub ty: Type,
    /// The value that stands for a key that is not given.
    pub default: Option<Literal>,
    /// True if the key is required.
    pub required: bool,
    /// The least value of a number, a size or a duration.
    pub min: Option<Bound>,
    /// The largest value.
    pub max: Option<Bound>,
    /// Its place in XML, if `write_options` writes it.
    pub xml: Option<InXml>,
    /// The regular expression that all of a text must match.
    pub pattern: Option<String>,
    /// Other options of the map, of which it needs one.
    pub needs: Vec<Other>,
    /// Other options of the map with which it contradicts itself.
    pub not_with: Vec<Other>,
    /// True if no two maps of a list may have the same value.
    pub unique: bool,
    /// One line of documentation.
    pub help: String,
}

impl Key {
    /// A key of the result of a call.
    pub fn of_result(name: &str, ty: Type) -> Self {
        Self {
            name: name.to_owned(),
            ty,
            default: None,
            required: false,
            min: None,
            max: None,
            xml: None,
            pattern: None,
            needs: Vec::new(),
            not_with: Vec::new(),
            unique: false,
            help: String::new(),
        }
    }

    /// Its type and its help, for readers of a result.
    pub fn of_answer(&self) -> String {
        let ty = match self.ty {
            Type::Unknown => String::new(),
            ref ty => ty.to_string(),
        };
        match (ty.is_empty(), self.help.is_empty()) {
            (_, true) => ty,
            (true, false) => self.help.clone(),
            (false, false) => format!("{ty}: {}", self.help),
        }
    }

    /// The limits of its value, and its conditions.
    pub fn limits(&self) -> Option<String> {
        let bounds = match (&self.min, &self.max) {
            (Some(min), Some(max)) => Some(format!("{} to {}", min.text, max.text)),
            (Some(min), None) => Some(format!("{} or more", min.text)),
            (None, Some(max)) => Some(format!("{} or less", max.text)),
            (None, None) => None,
        };
        let pattern = self.pattern.as_ref();
        let pattern = pattern.map(|pattern| format!("matches `{pattern}`"));
        let limits = bounds.into_iter().chain(pattern);
        let limits: Vec<String> = limits.chain(self.conditions()).collect();
        (!limits.is_empty()).then(|| limits.join(", "))
    }

    /// Its type, default and limits, and its help.
    pub fn in_a_line(&self) -> String {
        let mut line = self.ty.to_string();
        if self.required {
            line.push_str(", required");
        }
        if let Some(default) = &self.default {
            line.push_str(&format!(", default {default}"));
        }
        if let Some(limits) = self.limits() {
            line.push_str(&format!(", {limits}"));
        }
        match self.help.is_empty() {
            true => line,
            false => format!("{line}: {}", self.help),
        }
    }
}

/// A limit of a number, a size or a duration.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// The number, the bytes or the seconds.
    pub number: f64,
    /// The limit as the declaration writes it.
    pub text: String,
}

impl Spec {
    /// The message that the value is not a map.
    pub fn not_a_map(&self) -> String {
        format!(
            "the options of {} must be a map such as #{{ name: \"web\" }}",
            self.noun()
        )
    }

    /// The key called `name`.
    pub fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The options of which at least one must be given, in words.
    pub fn choice(&self) -> Option<String> {
        (!self.one_of.is_empty()).then(|| condition::choice_of(&self.one_of))
    }

    /// The noun for the map in messages, such as "a disk"; empty for a map without a name.
    pub fn noun(&self) -> String {
        match self.called.is_empty() {
            true => noun(&self.name),
            false => self.called.clone(),
        }
    }

    /// `spec`, and those inside it and inside these, each once.
    pub fn with_nested(spec: &Arc<Self>) -> Vec<Arc<Self>> {
        fn add(found: &mut Vec<Arc<Spec>>, spec: &Arc<Spec>) {
            if found.contains(spec) {
                return;
            }
            // One that is written inside another is described there.
            if !spec.name.is_empty() {
                found.push(Arc::clone(spec));
            }
            for nested in spec.nested() {
                add(found, &nested);
            }
        }
        let mut found = Vec::new();
        add(&mut found, spec);
        found
    }

    /// The specs inside this one, each once, in the order of the declaration.
    pub fn nested(&self) -> Vec<Arc<Spec>> {
        let mut found: Vec<Arc<Spec>> = Vec::new();
        for key in &self.keys {
            for spec in key.ty.specs() {
                if !found.contains(spec) {
                    found.push(Arc::clone(spec));
                }
            }
        }
        found
    }
}
