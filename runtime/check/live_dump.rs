//! Definitions from the XML of a running object: `conn.define_xml(dom.xml())`.

use std::collections::HashMap;

use rhai::{Expr, FnCallExpr};

use super::Code;
use super::walk::Walk;

/// Variables by name, and whether all their values are the XML of an object that may be running.
#[derive(Debug, Default)]
pub(super) struct LiveDumps(HashMap<String, bool>);

impl LiveDumps {
    /// Records the value that the variable `name` gets.
    pub(super) fn see(&mut self, name: &str, value: &Expr) {
        let live = is_live(value);
        match self.0.get_mut(name) {
            Some(known) => *known &= live,
            None if live => drop(self.0.insert(name.to_owned(), true)),
            None => drop(self.0.insert(name.to_owned(), false)),
        }
    }

    fn are_in(&self, name: &str) -> bool {
        self.0.get(name).copied().unwrap_or_default()
    }
}

/// True if it is a call of `xml` or `xml_desc` whose flags do not select the definition.
fn is_live(expression: &Expr) -> bool {
    let Expr::Dot(pair, ..) = expression else {
        return false;
    };
    match &pair.rhs {
        Expr::MethodCall(call, _) => {
            ["xml", "xml_desc"].contains(&call.name.as_str())
                && call.args.iter().all(are_other_flags)
        }
        rest @ Expr::Dot(..) => is_live(rest),
        _ => false,
    }
}

/// True if the flags are literals, and none of them selects the definition.
fn are_other_flags(flags: &Expr) -> bool {
    match flags {
        Expr::IntegerConstant(..) => true,
        Expr::Variable(variable, ..) => {
            variable.1.starts_with("VIR_") && !variable.1.ends_with("_INACTIVE")
        }
        Expr::FnCall(call, _) => call.op_token.is_some() && call.args.iter().all(are_other_flags),
        _ => false,
    }
}

/// Reports a `define_xml` with the XML of an object that may be running.
pub(super) fn check(walk: &mut Walk, call: &FnCallExpr) {
    let Some(given) = call.args.first().filter(|_| call.name == "define_xml") else {
        return;
    };
    let live = match given {
        Expr::Variable(variable, ..) if variable.2.is_empty() => {
            walk.facts.live_dumps.are_in(&variable.1)
        }
        given => is_live(given),
    };
    if !live || walk.trying > 0 {
        return;
    }
    let message = "this defines the XML of the running domain: it lacks passwords, and devices attached for this run would become permanent";
    walk.find(Code::LiveDump, given.start_position(), message.to_owned())
        .hint = Some(
        "`dom.edit(|xml| ...)` changes the definition; `VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE` reads it"
            .to_owned(),
    );
}
