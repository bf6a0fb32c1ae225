//! The variables in scope at a place in a script, with the knowledge about their values.
//!
//! A script may have a hundred thousand variables, closures and branches: nothing here goes through
//! all variables for one of them. Knowledge changes through [`Scope::know`], which records the
//! earlier knowledge; a [`Mark`] is a position in these records.

use std::collections::HashMap;

use super::Span;
use super::written::Value;
use crate::spec::Type;

/// The type of a value, if it is known.
pub(super) type KnownType = Option<Type>;

/// One variable.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) kind: KnownType,
    /// Its value, if it is a literal.
    pub(super) value: Option<Value>,
    /// The place of its definition; parameters have none.
    pub(super) place: Option<Span>,
    /// True if its value is used.
    pub(super) read: bool,
    /// True if code that runs at another time, such as a closure, may change its value.
    pub(super) untracked: bool,
    /// True if a value is assigned to it, so that a closure that runs later finds another value.
    pub(super) assigned: bool,
}

/// The known type of a value, and when it was found.
#[derive(Debug, Clone)]
struct Knowledge {
    kind: KnownType,
    value: Option<Value>,
    learned: usize,
}

#[derive(Debug)]
struct Entry {
    variable: Variable,
    learned: usize,
}

/// The variables in sight, the nearest last.
#[derive(Debug, Default)]
pub(super) struct Scope {
    variables: Vec<Entry>,
    /// The positions of the variables of each name.
    by_name: HashMap<String, Vec<usize>>,
    /// The facts that each change replaced, the oldest first.
    before: Vec<(usize, Knowledge)>,
    /// The number of the first variables that unseen code may have changed.
    forgotten: usize,
    clock: usize,
    /// Knowledge about assigned variables from before this point does not hold in the present closure.
    closure_began: usize,
}

/// A moment to which the knowledge can go back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    changes: usize,
    length: usize,
}

/// The facts found on one path through a script; they do not hold on another path.
pub(super) struct Learned(HashMap<usize, (KnownType, Option<Value>)>);

impl Scope {
    pub(super) fn push(&mut self, variable: Variable) {
        let index = self.variables.len();
        match self.by_name.get_mut(&variable.name) {
            Some(indices) => indices.push(index),
            None => drop(self.by_name.insert(variable.name.clone(), vec![index])),
        }
        self.clock += 1;
        self.variables.push(Entry {
            variable,
            learned: self.clock,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.variables.len()
    }

    /// Removes the variables after the first `length` and returns them in order.
    pub(super) fn leave(&mut self, length: usize) -> Vec<Variable> {
        let left = self.variables.split_off(length.min(self.variables.len()));
        for entry in &left {
            if let Some(indices) = self.by_name.get_mut(&entry.variable.name) {
                indices.pop();
                if indices.is_empty() {
                    self.by_name.remove(&entry.variable.name);
                }
            }
        }
        self.forgotten = self.forgotten.min(length);
        left.into_iter().map(|entry| entry.variable).collect()
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name)?.last().copied()
    }

    /// True if the variable `name` is among the first `length`.
    pub(super) fn stands_before(&self, name: &str, length: usize) -> bool {
        self.index(name).is_some_and(|index| index < length)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// True if other code, such as a closure that runs later, may change the variable `name`; `None` if there is no such variable.
    pub(super) fn is_untracked(&self, name: &str) -> Option<bool> {
        Some(self.variables[self.index(name)?].variable.untracked)
    }

    /// Marks the variable `name` as read, if it is one in sight.
    pub(super) fn read(&mut self, name: &str) -> bool {
        let index = self.index(name);
        if let Some(index) = index {
            self.variables[index].variable.read = true;
        }
        index.is_some()
    }

    /// The type of the variable `name`, if it is known.
    pub(super) fn kind(&self, name: &str) -> KnownType {
        self.known(self.index(name)?).0
    }

    /// The value of the variable `name`, as far as it is known.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        self.known(self.index(name)?).1
    }

    fn known(&self, index: usize) -> (KnownType, Option<Value>) {
        let Entry { variable, learned } = &self.variables[index];
        match variable.assigned && *learned <= self.closure_began {
            true => (None, None),
            false => (variable.kind.clone(), variable.value.clone()),
        }
    }

    /// Records the new value of the variable `name`.
    pub(super) fn know(&mut self, name: &str, kind: KnownType, value: Option<Value>) {
        if let Some(index) = self.index(name) {
            self.learn(index, kind, value);
        }
    }

    fn learn(&mut self, index: usize, kind: KnownType, value: Option<Value>) {
        self.clock += 1;
        let Entry { variable, learned } = &mut self.variables[index];
        let before = Knowledge {
            kind: std::mem::replace(&mut variable.kind, kind),
            value: std::mem::replace(&mut variable.value, value),
            learned: std::mem::replace(learned, self.clock),
        };
        self.before.push((index, before));
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let variables = self.variables.iter().rev();
        variables.map(|entry| entry.variable.name.as_str())
    }

    /// Forgets the values of all variables, and counts all as used: unseen code
    /// may read and write them.
    pub(super) fn forget_all(&mut self) {
        for Entry { variable, .. } in &mut self.variables[self.forgotten..] {
            variable.kind = None;
            variable.value = None;
            variable.untracked = true;
            variable.read = true;
        }
        self.forgotten = self.variables.len();
    }

    /// Begins a closure, which may run at any later time; returns the argument for
    /// [`Self::end_closure`].
    pub(super) fn begin_closure(&mut self) -> usize {
        std::mem::replace(&mut self.closure_began, self.clock)
    }

    pub(super) fn end_closure(&mut self, before: usize) {
        self.closure_began = before;
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            changes: self.before.len(),
            length: self.variables.len(),
        }
    }

    /// Goes back to the facts at `mark`; returns the facts that were learned since.
    pub(super) fn go_back(&mut self, mark: Mark) -> Learned {
        let mut learned = HashMap::new();
        for at in mark.changes..self.before.len() {
            let index = self.before[at].0;
            if index < mark.length {
                learned.entry(index).or_insert_with(|| self.known(index));
            }
        }
        for (index, before) in self.before.drain(mark.changes..).rev() {
            if let Some(entry) = self.variables[..mark.length].get_mut(index)
                && !entry.variable.untracked
            {
                entry.variable.kind = before.kind;
                entry.variable.value = before.value;
                entry.learned = before.learned;
            }
        }
        Learned(learned)
    }

    /// Keeps only the facts that both branches since `mark` know: the present branch and `other`.
    pub(super) fn join(&mut self, mark: Mark, other: &Learned) {
        // The first change since the mark replaced the facts that held at the mark.
        let mut at_mark: HashMap<usize, (KnownType, Option<Value>)> = HashMap::new();
        for (index, before) in &self.before[mark.changes..] {
            if *index < mark.length {
                let assigned = self.variables[*index].variable.assigned;
                let holds = !assigned || before.learned > self.closure_began;
                at_mark.entry(*index).or_insert_with(|| match holds {
                    true => (before.kind.clone(), before.value.clone()),
                    false => (None, None),
                });
            }
        }
        let mut indices: Vec<usize> = at_mark.keys().chain(other.0.keys()).copied().collect();
        indices.sort_unstable();
        indices.dedup();
        for index in indices {
            let (kind, value) = self.known(index);
            let there = other.0.get(&index).or_else(|| at_mark.get(&index));
            let Some((other_kind, other_value)) = there else {
                continue;
            };
            let same_kind = kind == *other_kind;
            let same_value = value == *other_value;
            if !(same_kind && same_value) {
                self.learn(
                    index,
                    kind.filter(|_| same_kind),
                    value.filter(|_| same_value),
                );
            }
        }
    }

    /// Keeps only the knowledge at `mark` that still holds.
    pub(super) fn join_mark(&mut self, mark: Mark) {
        self.join(mark, &Learned(HashMap::new()));
    }
}

impl Learned {
    /// Adds the knowledge of another branch from the same mark; differences become unknown.
    pub(super) fn add(&mut self, other: Self) {
        for (index, known) in other.0 {
            self.0
                .entry(index)
                .and_modify(|own| {
                    own.0 = own.0.take().filter(|kind| known.0.as_ref() == Some(kind));
                    own.1 = own.1.take().filter(|value| known.1.as_ref() == Some(value));
                })
                .or_insert_with(|| known.clone());
        }
    }

    /// No facts were found.
    pub(super) fn nothing() -> Self {
        Self(HashMap::new())
    }
}
