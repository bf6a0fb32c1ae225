//! Faults of a map of options.

/// A value or a key that a [`super::Spec`] does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its place: keys and indexes in lists, from the outside in. For an unknown key, the key is the last step; for a
    /// missing one, its expected place.
    pub path: Vec<Step>,
    /// The error.
    pub message: String,
    /// The suggestion, or the correct form.
    pub hint: Option<String>,
    /// The kind of the mistake.
    pub kind: FaultKind,
}

impl Fault {
    /// The place as a script writes it: `disks[1].bus`.
    pub fn written_path(&self) -> String {
        written(&self.path)
    }
}

/// A sort of mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A key that is not declared.
    UnknownKey,
    /// A key that must be given.
    MissingKey,
    /// A value that is not of the declared type.
    Value,
}

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key of a map.
    Key(String),
    /// An item of a list.
    Item(usize),
}

/// The path as a script writes it: `disks[1].bus`.
pub(super) fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Step::Item(number) => text.push_str(&format!("[{number}]")),
        }
    }
    text
}
