//! The action of a script whose call failed, and its object.

use std::fmt;

/// The kind and the name of a libvirt object, such as the domain `web`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The noun for the object, such as "storage pool".
    pub kind: &'static str,
    /// Its name, UUID, key or path, as the script gave it.
    pub name: String,
}

/// A task of a script: its words, such as "start domain `web`", and its object.
pub(crate) trait Task: fmt::Display {
    /// The object, if the task is about a single one.
    fn subject(&self) -> Option<Subject> {
        None
    }
}

impl Task for str {}
impl Task for String {}
impl Task for fmt::Arguments<'_> {}

impl<T: Task + ?Sized> Task for &T {
    fn subject(&self) -> Option<Subject> {
        (**self).subject()
    }
}

/// A task on one object: a verb, and the object's kind and name.
#[derive(Clone, Copy)]
pub(crate) struct On<'a>(
    pub(crate) &'a dyn fmt::Display,
    pub(crate) &'static str,
    pub(crate) &'a str,
);

impl fmt::Display for On<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self(verb, kind, name) = self;
        write!(f, "{verb} {kind} `{name}`")
    }
}

impl Task for On<'_> {
    fn subject(&self) -> Option<Subject> {
        let Self(_, kind, name) = *self;
        Some(Subject {
            kind,
            name: name.to_owned(),
        })
    }
}
