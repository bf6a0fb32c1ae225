//! Constants of libvirt in calls that do not accept them.

use rhai::Expr;

use super::Code;
use super::walk::Walk;
use crate::advice::suggest;
use crate::catalog::Function;
use crate::constants::{self, Constant, Value};
use crate::spec::Type;

/// Enumerations that libvirt defines by the constants of another one, so that both are accepted.
const ALIKE: &[&[&str]] = &[
    &[
        "virDomainModificationImpact",
        "virDomainDeviceModifyFlags",
        "virDomainMemoryModFlags",
        "virDomainVcpuFlags",
        "virNetworkUpdateFlags",
    ],
    &[
        "virDomainXMLFlags",
        "virDomainSnapshotXMLFlags",
        "virDomainSaveImageXMLFlags",
        "virDomainCheckpointXMLFlags",
    ],
    &["virDomainMetadataType", "virNetworkMetadataType"],
];

/// The C enumerations whose constants the parameter number `parameter` of `function` takes, the
/// receiver being number 0. Nothing if it takes no constants, or it is not known which.
pub fn enumerations(function: &Function, parameter: usize) -> Option<Vec<&'static str>> {
    let (name, kind) = function.parameters.get(parameter)?;
    if !kind.alternatives().contains(&Type::Int) {
        return None;
    }
    // Names that differ in C.
    let name = match name.as_str() {
        "kind" => "type",
        "format" => "dumpformat",
        name => name,
    };
    let mut taken: Option<Vec<&'static str>> = None;
    for call in function.calls() {
        for enumeration in constants::enumerations(call, name).into_iter().flatten() {
            let taken = taken.get_or_insert_default();
            if !taken.contains(enumeration) {
                taken.push(enumeration);
            }
        }
        if constants::enumerations(call, name).is_some() {
            taken.get_or_insert_default();
        }
    }
    taken
}

/// Reports constants in the argument for the parameter `index` that none of `taken` takes.
pub(super) fn check(walk: &mut Walk, taken: &[&Function], index: usize, argument: &Expr) {
    let mut named = Vec::new();
    collect(argument, &mut named);
    if named.is_empty() {
        return;
    }
    let mut fitting: Vec<&str> = Vec::new();
    for function in taken {
        match enumerations(function, index) {
            Some(more) => fitting.extend(more),
            None => return,
        }
    }
    let Some(function) = taken.first() else {
        return;
    };
    for (constant, position) in named {
        let fits = |group: &&str| {
            let alike = ALIKE.iter().find(|alike| alike.contains(group));
            constant.group == *group || alike.is_some_and(|alike| alike.contains(&constant.group))
        };
        let nothing = matches!(constant.value, Value::Integer(0));
        if nothing || matches!(constant.group, "macro" | "") || fitting.iter().any(fits) {
            continue;
        }
        let message = format!("`{}` does not take `{}`", function.name, constant.name);
        let hint = match meant(constant, &fitting) {
            _ if fitting.is_empty() => "libvirt has no flags for this call yet: pass 0".to_owned(),
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it takes {}", some(&fitting)),
        };
        let label = format!("this belongs to {}", constant.group);
        let finding = walk.find(Code::WrongFlag, position, message);
        finding.label = label;
        finding.hint = Some(hint);
    }
}

/// The constants that are joined in `expression`.
fn collect(expression: &Expr, into: &mut Vec<(&'static Constant, rhai::Position)>) {
    match expression {
        Expr::Variable(variable, _, position) if variable.1.starts_with("VIR_") => {
            let constant = constants::constant(variable.1.as_str());
            into.extend(constant.map(|constant| (constant, *position)));
        }
        Expr::FnCall(call, _) if matches!(call.name.as_str(), "|" | "+") => {
            for argument in &call.args {
                collect(argument, into);
            }
        }
        _ => {}
    }
}

/// The constant of one of `groups` that ends as `constant` does, or is spelt nearly so.
fn meant(constant: &Constant, groups: &[&str]) -> Option<&'static str> {
    let names: Vec<&'static str> = groups
        .iter()
        .flat_map(|group| constants::group(group))
        .map(|known| known.name)
        .collect();
    let last = constant.name.rsplit('_').next()?;
    let ending = format!("_{last}");
    names
        .iter()
        .copied()
        .find(|name| name.ends_with(&ending))
        .or_else(|| suggest::nearest(constant.name, names.iter().copied()))
}

/// The constants of `groups`, or the first few of them.
fn some(groups: &[&str]) -> String {
    let names: Vec<&str> = groups
        .iter()
        .flat_map(|group| constants::group(group))
        .filter(|constant| !matches!(constant.value, Value::Integer(0)))
        .map(|constant| constant.name)
        .collect();
    const MOST: usize = 5;
    match names.len() > MOST {
        true => format!("{}, ...", names[..MOST].join(", ")),
        false => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::enumerations;
    use crate::catalog;
    use crate::constants;
    use crate::engine::{self, Limits};
    use crate::spec::Type;
    use crate::{Imports, Session, SessionOptions};

    #[test]
    fn the_flags_of_functions_are_known_and_exist() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let mut offenders = Vec::new();
        for function in catalog::functions(&engine) {
            for (index, (name, kind)) in function.parameters.iter().enumerate() {
                // libvirt does not document the flags of QEMU's own commands.
                let told = !function.name.starts_with("qemu_");
                if name != "flags" || *kind != Type::Int || !told {
                    continue;
                }
                match enumerations(&function, index) {
                    Some(groups) => offenders.extend(
                        groups
                            .iter()
                            .filter(|group| constants::group(group).next().is_none())
                            .map(|group| format!("{}: no constants of {group}", function.name)),
                    ),
                    None => offenders.push(format!("{}: flags of an unknown kind", function.name)),
                }
            }
        }
        assert_eq!(offenders, [""; 0], "{offenders:#?}");
    }
}
