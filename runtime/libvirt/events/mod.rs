//! libvirt's events, each as a name with fields, and the closing of a connection.

mod close;
mod domain;
mod others;
mod qemu_monitor;

use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use virt::connect::Connect;
use virt_sys::virConnectPtr;

use super::typed_params::Scalar;
use super::{Failure, Result, borrowed_text};
use crate::constants::Words;
pub use close::{CloseGuard, on_close};

/// Something that happened to an object.
#[derive(Debug, Clone)]
pub struct Event {
    /// Which kind, such as `lifecycle`.
    pub kind: &'static str,
    /// What the object is, such as `domain`.
    pub noun: &'static str,
    /// The object's name at that moment.
    pub name: String,
    /// The object's UUID; empty for objects that have none.
    pub uuid: String,
    /// What the kind tells besides.
    pub fields: Vec<(String, Scalar)>,
}

/// Who is told of events; runs on the event-loop thread and must not block.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;

/// A function that libvirt calls with the arguments that the number of its kind says.
type Callback = unsafe extern "C" fn();

/// A sort of object that libvirt tells events of.
pub struct Family {
    /// What an event calls the object.
    pub noun: &'static str,
    /// The C function that asks for its events.
    pub call: &'static str,
    /// The kind that tells of its coming and going.
    pub lifecycle: &'static str,
    register: unsafe fn(virConnectPtr, c_int, Callback, *mut c_void) -> c_int,
    deregister: unsafe extern "C" fn(virConnectPtr, c_int) -> c_int,
}

/// A kind of event: its name, libvirt's number for it, and its callback.
struct Kind {
    name: &'static str,
    family: &'static Family,
    id: u32,
    callback: Callback,
}

macro_rules! families {
    ($($name:ident $noun:literal $lifecycle:literal $object:ident $register:ident $deregister:ident;)*) => {
        $(static $name: Family = Family {
            noun: $noun,
            call: stringify!($register),
            lifecycle: $lifecycle,
            // SAFETY: as C's casts to the generic callback do: libvirt casts it back, and calls it
            // with what the number says. It frees the target once.
            register: |connect, id, callback, target| unsafe {
                type Generic = unsafe extern "C" fn(virConnectPtr, virt_sys::$object, *mut c_void);
                let callback = std::mem::transmute::<Callback, Generic>(callback);
                let any = std::ptr::null_mut();
                virt_sys::$register(connect, any, id, Some(callback), target, Some(free_target))
            },
            deregister: virt_sys::$deregister,
        };)*

        /// Every sort of object that libvirt tells events of.
        pub static FAMILIES: &[&Family] = &[$(&$name),*];
    };
}

families! {
    DOMAIN "domain" "lifecycle" virDomainPtr
        virConnectDomainEventRegisterAny virConnectDomainEventDeregisterAny;
    NETWORK "network" "network_lifecycle" virNetworkPtr
        virConnectNetworkEventRegisterAny virConnectNetworkEventDeregisterAny;
    STORAGE_POOL "storage_pool" "storage_pool_lifecycle" virStoragePoolPtr
        virConnectStoragePoolEventRegisterAny virConnectStoragePoolEventDeregisterAny;
    NODE_DEVICE "node_device" "node_device_lifecycle" virNodeDevicePtr
        virConnectNodeDeviceEventRegisterAny virConnectNodeDeviceEventDeregisterAny;
    SECRET "secret" "secret_lifecycle" virSecretPtr
        virConnectSecretEventRegisterAny virConnectSecretEventDeregisterAny;
}

fn all() -> impl Iterator<Item = &'static Kind> {
    std::iter::once(&domain::LIFECYCLE)
        .chain(domain::KINDS)
        .chain(others::KINDS)
        .chain([&qemu_monitor::KIND])
}

/// The names of the kinds of event.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    all().map(|kind| kind.name)
}

/// The words that an event of the kind `kind` can have under the key `field`; `event` is what
/// happened, where a `lifecycle` has details. Nothing for a field that has no words of its own.
pub fn words_of(kind: &str, field: &str, event: Option<&str>) -> Option<Vec<&'static str>> {
    let tables: Vec<&'static Words> = match (kind, field) {
        ("lifecycle", "detail") => domain::details_of(event),
        _ => domain::WORDS
            .iter()
            .chain(others::WORDS)
            .filter(|(of, name, _)| *of == kind && *name == field)
            .map(|(.., words)| *words)
            .collect(),
    };
    if tables.is_empty() {
        return None;
    }
    let words = tables.into_iter().flat_map(Words::all);
    Some(
        words
            .map(|word| word.as_str())
            .filter(|word| !word.is_empty())
            .collect(),
    )
}

/// The sort of object that events of the kind `name` tell of.
pub fn family(name: &str) -> Option<&'static Family> {
    all().find(|kind| kind.name == name).map(|kind| kind.family)
}

/// A callback that libvirt calls until this is dropped.
pub struct Registration {
    connect: Connect,
    family: &'static Family,
    id: c_int,
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: the handle is alive, and the id is one that it gave for this sort of object.
        unsafe { (self.family.deregister)(self.connect.as_ptr(), self.id) };
    }
}

struct Target {
    kind: &'static Kind,
    sink: Sink,
}

/// Tells `sink` of every event of the kind `name` on the host.
pub fn register(connect: &Connect, name: &str, sink: Sink) -> Result<Registration> {
    let Some(kind) = all().find(|kind| kind.name == name) else {
        return Err(Failure::new(
            virt_sys::VIR_ERR_INVALID_ARG,
            format!("there is no kind of event `{name}`"),
        ));
    };
    let target = Box::into_raw(Box::new(Target { kind, sink })).cast::<c_void>();
    // SAFETY: the callback is the one for this kind, and the target was made for it.
    let id = unsafe {
        (kind.family.register)(connect.as_ptr(), kind.id as c_int, kind.callback, target)
    };
    if id < 0 {
        let failure = Failure::last();
        // SAFETY: libvirt did not take the target, so it is still ours.
        unsafe { free_target(target) };
        return Err(failure);
    }
    Ok(Registration {
        connect: connect.clone(),
        family: kind.family,
        id,
    })
}

unsafe extern "C" fn free_target(target: *mut c_void) {
    // SAFETY: the pointer is the box made in `register`, and libvirt frees it once.
    drop(unsafe { Box::from_raw(target.cast::<Target>()) });
}

/// libvirt's pointer to an object that events tell of.
trait Subject {
    /// The object's name and UUID, as the handle itself knows them.
    ///
    /// # Safety
    /// The pointer is one that libvirt gave to a callback, which runs.
    unsafe fn identity(self) -> (String, String);
}

/// Passes an event on, and lets no panic reach libvirt.
///
/// # Safety
/// `object` and `target` are the pointers that libvirt gave to a callback.
unsafe fn deliver(object: impl Subject, target: *mut c_void, fields: Vec<(String, Scalar)>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: both live during the callback.
        let (target, (name, uuid)) = unsafe { (&*target.cast::<Target>(), object.identity()) };
        debug_assert!(
            are_declared(target.kind.name, &fields),
            "{}: {fields:?}",
            target.kind.name
        );
        (target.sink)(Event {
            kind: target.kind.name,
            noun: target.kind.family.noun,
            name,
            uuid,
            fields,
        });
    }));
}

/// The UUID that `write` puts as text into the buffer that it is given.
fn uuid(write: impl FnOnce(*mut c_char) -> c_int) -> String {
    let mut buffer = [0; virt_sys::VIR_UUID_STRING_BUFLEN as usize];
    write(buffer.as_mut_ptr());
    // SAFETY: libvirt ends the text with NUL, and the buffer begins with one.
    unsafe { borrowed_text(buffer.as_ptr()) }.unwrap_or_default()
}

/// Whether the words of an event are those that [`words_of`] tells.
fn are_declared(kind: &str, fields: &[(String, Scalar)]) -> bool {
    let event = fields.iter().find_map(|(name, value)| match value {
        Scalar::Text(text) if name == "event" => Some(text.as_str()),
        _ => None,
    });
    fields
        .iter()
        .all(|(name, value)| match (value, words_of(kind, name, event)) {
            (Scalar::Text(text), Some(words)) => {
                text.starts_with("unknown-") || words.contains(&text.as_str())
            }
            _ => true,
        })
}

fn word(name: &str, words: &Words, number: c_int) -> (String, Scalar) {
    let word = words.word(i64::from(number)).to_string();
    (name.into(), Scalar::Text(word))
}

fn text(name: &str, value: *const c_char) -> (String, Scalar) {
    // SAFETY: only called on strings that libvirt gave to a callback, which live during it.
    let text = unsafe { borrowed_text(value) }.unwrap_or_default();
    (name.into(), Scalar::Text(text))
}

macro_rules! words {
    ($($name:ident = $group:literal less $prefix:literal;)*) => {
        $(static $name: Words = Words::new($group, $prefix);)*
    };
}
use words;

/// Defines callbacks and the table of kinds from one list. For each sort of object: the name, libvirt's
/// number, the arguments that it calls back with, and the fields they become.
macro_rules! callbacks {
    ($($family:ident $subject:ident {
        $($name:literal $id:ident $callback:ident($($argument:ident: $type:ty),*) -> $fields:expr;)*
    })*) => {
        $($(unsafe extern "C" fn $callback(
            _: virConnectPtr, object: $subject, $($argument: $type,)* target: *mut c_void,
        ) {
            // SAFETY: libvirt gave the pointers to this callback.
            unsafe { deliver(object, target, $fields.into()) };
        })*)*

        pub(super) static KINDS: &[Kind] = &[
            $($(Kind {
                name: $name,
                family: &$family,
                id: virt_sys::$id,
                // SAFETY: libvirt calls it as what it is, which the number says.
                callback: unsafe { std::mem::transmute::<*const (), Callback>($callback as *const ()) },
            },)*)*
        ];
    };
}
use callbacks;
