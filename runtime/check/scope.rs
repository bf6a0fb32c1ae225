//! The variables that a place in a script sees, with what is known of their values.

use std::rc::Rc;

use super::Span;

/// The type of a value, where it is known.
pub(super) type Kind = Option<String>;

/// The keys of a map that was written out, and where each stands.
pub(super) type Keys = Rc<Vec<(String, Span)>>;

/// One variable.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The keys of the map that it holds, where that was written out.
    pub(super) keys: Option<Keys>,
    /// Where it is introduced; parameters have no place.
    pub(super) place: Option<Span>,
    /// Whether its value is used somewhere.
    pub(super) read: bool,
    /// Whether it cannot be told by its name alone when its value changes: something that runs at
    /// another time writes to it.
    pub(super) loose: bool,
}

/// The variables in sight, the nearest last.
#[derive(Debug, Default)]
pub(super) struct Scope {
    variables: Vec<Variable>,
}

/// What was known of all variables at one moment.
pub(super) struct Snapshot(Vec<(Kind, Option<Keys>)>);

impl Scope {
    pub(super) fn push(&mut self, variable: Variable) {
        self.variables.push(variable);
    }

    pub(super) fn len(&self) -> usize {
        self.variables.len()
    }

    /// Takes away the variables beyond the first `length`, the last first.
    pub(super) fn leave(&mut self, length: usize) -> Vec<Variable> {
        self.variables.split_off(length.min(self.variables.len()))
    }

    pub(super) fn find(&self, name: &str) -> Option<&Variable> {
        self.variables
            .iter()
            .rev()
            .find(|variable| variable.name == name)
    }

    pub(super) fn find_mut(&mut self, name: &str) -> Option<&mut Variable> {
        self.variables
            .iter_mut()
            .rev()
            .find(|variable| variable.name == name)
    }

    pub(super) fn names(&self) -> Vec<String> {
        let names = self.variables.iter().rev();
        names.map(|variable| variable.name.clone()).collect()
    }

    /// Forgets what is known of every variable, and takes all for used: something that cannot be
    /// seen reads and writes them.
    pub(super) fn blur(&mut self) {
        for variable in &mut self.variables {
            variable.kind = None;
            variable.keys = None;
            variable.loose = true;
            variable.read = true;
        }
    }

    /// Forgets what is known of the variables that `which` names.
    pub(super) fn forget(&mut self, which: impl Fn(&str) -> bool) {
        for variable in &mut self.variables {
            if which(&variable.name) {
                variable.kind = None;
                variable.keys = None;
            }
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let known = |variable: &Variable| (variable.kind.clone(), variable.keys.clone());
        Snapshot(self.variables.iter().map(known).collect())
    }

    /// Goes back to what was known then.
    pub(super) fn restore(&mut self, snapshot: &Snapshot) {
        for (variable, (kind, keys)) in self.variables.iter_mut().zip(&snapshot.0) {
            if !variable.loose {
                variable.kind.clone_from(kind);
                variable.keys.clone_from(keys);
            }
        }
    }

    /// Keeps only what was known at the end of the other way, too.
    pub(super) fn join(&mut self, other: &Snapshot) {
        for (variable, (kind, keys)) in self.variables.iter_mut().zip(&other.0) {
            if variable.kind != *kind {
                variable.kind = None;
            }
            let same = match (&variable.keys, keys) {
                (Some(one), Some(other)) => one == other,
                (None, None) => true,
                _ => false,
            };
            if !same {
                variable.keys = None;
            }
        }
    }
}
