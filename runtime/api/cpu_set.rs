//! CPUs of a host, as scripts write them.

use std::collections::BTreeSet;

use rhai::{Array, Dynamic, NativeCallContext};

use super::arguments::RhaiResultOf;
use crate::error::Error;

/// CPUs: a list of their numbers, or text such as `"0-3,^2"`; the catalogue shows both.
pub(crate) type CpuSet = Dynamic;

const HINT: &str = "CPUs are a list of numbers, `[0, 2]`, or text such as \"0-3,^2\"";

/// The numbers of the CPUs that a script gave, sorted; at least one.
pub(crate) fn cpu_set(ctx: &NativeCallContext, value: &CpuSet) -> RhaiResultOf<Vec<usize>> {
    let refuse = |message: String| Err(Error::invalid(ctx, message).with_hint(HINT).throw());
    let mut cpus = BTreeSet::new();
    if let Some(list) = value.read_lock::<Array>() {
        for cpu in list.iter() {
            match cpu.as_int().map(number) {
                Ok(Some(cpu)) => {
                    cpus.insert(cpu);
                }
                Ok(None) => return refuse(format!("{cpu} is not the number of a CPU")),
                Err(kind) => {
                    return refuse(format!("a CPU is a number, not a value of type {kind}"));
                }
            }
        }
    } else {
        let text = match value.clone().into_immutable_string() {
            Ok(text) => text,
            Err(kind) => return refuse(format!("{kind} is not a set of CPUs")),
        };
        match parse(&text) {
            Some(parsed) => cpus = parsed,
            None => return refuse(format!("`{text}` is not a set of CPUs")),
        }
    }
    if cpus.is_empty() {
        return refuse("the set of CPUs is empty".to_owned());
    }
    Ok(cpus.into_iter().collect())
}

/// More CPUs than any host has.
const MOST: usize = 1 << 16;

fn number(number: i64) -> Option<usize> {
    usize::try_from(number).ok().filter(|cpu| *cpu < MOST)
}

/// The CPUs of a list of numbers and ranges, without those after a `^`.
fn parse(text: &str) -> Option<BTreeSet<usize>> {
    let one = |text: &str| number(text.trim().parse().ok()?);
    let mut cpus = BTreeSet::new();
    for part in text.split(',') {
        let part = part.trim();
        let (without, part) = match part.strip_prefix('^') {
            Some(part) => (true, part),
            None => (false, part),
        };
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (one(first)?, one(last)?),
            None => (one(part)?, one(part)?),
        };
        if first > last {
            return None;
        }
        match without {
            true => cpus.retain(|cpu| !(first..=last).contains(cpu)),
            false => cpus.extend(first..=last),
        }
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::{BTreeSet, parse};

    #[test]
    fn sets_of_cpus_are_lists_ranges_and_exceptions() {
        for (text, cpus) in [
            ("0", Some(vec![0])),
            ("0-3,^2", Some(vec![0, 1, 3])),
            ("1,0-2,1", Some(vec![0, 1, 2])),
            (" 1 , 4-5 ", Some(vec![1, 4, 5])),
            ("^1", Some(vec![])),
            ("", None),
            ("3-1", None),
            ("-1", None),
            ("0-99999999", None),
            ("a", None),
        ] {
            let cpus = cpus.map(BTreeSet::from_iter);
            assert_eq!(parse(text), cpus, "{text:?}");
        }
    }
}
