//! libvirt's published names: each constant with its enumeration, value and sentence, and each function with its first
//! version and the enumerations of its parameters.
//!
//! `constants.txt` and `functions.txt` are derived from the API files of libvirt; a test compares them, and rewrites
//! them with `UPDATE=1`. Values are part of libvirt's binary interface and never change.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Constant, Value};

/// A line for each constant: the name, its enumeration (empty for a text), its value and libvirt's sentence, which may
/// be empty, with tabs between.
const CONSTANTS: &str = include_str!("constants.txt");

/// A line for each function: the name, the version of libvirt that it came with, and a field `PARAMETER=ENUMERATION
/// ENUMERATION` for each parameter that takes constants, with tabs between.
const FUNCTIONS: &str = include_str!("functions.txt");

/// Enumerations of parameters whose text in the API files does not name them.
const UNNAMED: &[(&str, &str, &[&str])] = &[
    ("virInterfaceGetXMLDesc", "flags", &["virInterfaceXMLFlags"]),
    (
        "virAdmConnectDaemonShutdown",
        "flags",
        &["virAdmConnectDaemonShutdownFlags"],
    ),
];

/// A parameter, and the enumerations whose constants it takes; none if libvirt demands 0.
type Parameter = (&'static str, Vec<&'static str>);

/// A function of libvirt's.
struct Function {
    version: &'static str,
    parameters: Vec<Parameter>,
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// Every constant, by enumeration and value.
pub(super) static ALL: LazyLock<Vec<Constant>> = LazyLock::new(|| {
    let read = |line: &'static str| {
        let mut fields = line.split('\t');
        let (name, group, value) = (fields.next()?, fields.next()?, fields.next()?);
        let value = match group {
            "" => Value::Text(value),
            _ => Value::Integer(value.parse().ok()?),
        };
        let sentence = fields.next().unwrap_or_default();
        Some(Constant {
            name,
            group,
            value,
            sentence,
        })
    };
    lines(CONSTANTS).filter_map(read).collect()
});

static BY_NAME: LazyLock<HashMap<&'static str, &'static Constant>> = LazyLock::new(|| {
    ALL.iter()
        .map(|constant| (constant.name, constant))
        .collect()
});

static FUNCTIONS_BY_NAME: LazyLock<HashMap<&'static str, Function>> = LazyLock::new(|| {
    let read = |line: &'static str| {
        let mut fields = line.split('\t');
        let (name, version) = (fields.next()?, fields.next()?);
        let mut parameters: Vec<Parameter> = fields
            .filter_map(|field| field.split_once('='))
            .map(|(name, enumerations)| (name, enumerations.split_whitespace().collect()))
            .collect();
        for (of, parameter, enumerations) in UNNAMED {
            let known = parameters.iter_mut().filter(|(name, _)| name == parameter);
            if *of == name {
                known.for_each(|(_, known)| *known = enumerations.to_vec());
            }
        }
        Some((
            name,
            Function {
                version,
                parameters,
            },
        ))
    };
    lines(FUNCTIONS).filter_map(read).collect()
});

/// The constant called `name`.
pub fn constant(name: &str) -> Option<&'static Constant> {
    BY_NAME.get(name).copied()
}

/// libvirt's description of the constant `name`, if there is one.
pub fn sentence(name: &str) -> Option<&'static str> {
    let sentence = constant(name)?.sentence;
    (!sentence.is_empty()).then_some(sentence)
}

/// True if libvirt has a function or a constant called `name`.
pub fn is_published(name: &str) -> bool {
    FUNCTIONS_BY_NAME.contains_key(name) || BY_NAME.contains_key(name)
}

/// Types of libvirt whose objects are not counted, and the host itself, which functions call `Node`.
const UNCOUNTED: [&str; 3] = ["AdmClient", "AdmServer", "Node"];

/// The name of the C function `call` without `vir` and the type that it is a method of: `CreateXML` of
/// `virDomainCreateXML`. Each type of libvirt's objects has a function that ends in `Ref`.
pub fn method_of(call: &str) -> &str {
    let name = call.strip_prefix("vir").unwrap_or(call);
    let is_type = |name: &str| {
        UNCOUNTED.contains(&name)
            || FUNCTIONS_BY_NAME.contains_key(format!("vir{name}Ref").as_str())
    };
    let ends = name.char_indices().rev();
    let mut words = ends.filter(|(at, letter)| *at > 0 && letter.is_ascii_uppercase());
    let method = words.find(|(at, _)| is_type(&name[..*at]));
    method.map_or(name, |(at, _)| &name[at..])
}

/// The version of libvirt that the C function `call` came with, such as `11.2.0`.
pub fn version_of(call: &str) -> Option<&'static str> {
    FUNCTIONS_BY_NAME.get(call).map(|function| function.version)
}

/// The enumerations whose constants the parameter of the C function `call` takes, none if libvirt demands 0;
/// nothing if that is not known.
pub fn enumerations(call: &str, parameter: &str) -> Option<&'static [&'static str]> {
    let (_, enumerations) = FUNCTIONS_BY_NAME
        .get(call)?
        .parameters
        .iter()
        .find(|(name, _)| *name == parameter)?;
    Some(enumerations)
}
