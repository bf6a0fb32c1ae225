//! Calls that have no effect, or fail, in the state that the previous lines leave.

use rhai::{Expr, FnCallExpr, Position, Stmt};

use super::Code;
use super::walk::Walk;

/// The known state of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GuestState {
    Running,
    Paused,
    Off,
}

impl GuestState {
    fn word(self) -> &'static str {
        match self {
            Self::Running => "runs",
            Self::Paused => "is paused",
            Self::Off => "is off",
        }
    }

    /// The hint that makes the call valid.
    fn way_out(self) -> &'static str {
        match self {
            Self::Running => "leave it out, or check `state()` first",
            Self::Paused => "`resume()` first",
            Self::Off => "`create()` first",
        }
    }
}

/// The calls without an effect: the state, the method, and the outcome.
const IDLE: &[(GuestState, &str, &str)] = &[
    (GuestState::Running, "create", "fails"),
    (GuestState::Running, "resume", "fails"),
    (GuestState::Paused, "create", "fails"),
    (GuestState::Paused, "suspend", "does nothing"),
    (GuestState::Paused, "shutdown", "has no effect"),
    (GuestState::Paused, "reboot", "does nothing"),
    (GuestState::Off, "suspend", "fails"),
    (GuestState::Off, "resume", "fails"),
    (GuestState::Off, "shutdown", "fails"),
    (GuestState::Off, "reboot", "fails"),
    (GuestState::Off, "reset", "fails"),
    (GuestState::Off, "destroy", "fails"),
    (GuestState::Off, "managed_save", "fails"),
    (GuestState::Off, "inject_nmi", "fails"),
];

/// The result of the previous statement: the variable, its guest's state, and the method.
#[derive(Default)]
pub(super) struct Follow<'a>(Option<(&'a str, GuestState, &'a str)>);

impl<'a> Follow<'a> {
    /// Reports the next statement if it is such a call.
    pub(super) fn check(&mut self, walk: &mut Walk, statement: &'a Stmt) {
        let before = self.0.take();
        let Some((name, call, position)) = method_of_variable(statement) else {
            return;
        };
        let kind = walk.scope.kind(name);
        if !kind.is_some_and(|kind| kind.is_called("Domain")) || walk.trying > 0 {
            return;
        }
        if let Some((of, state, after)) = before
            && of == name
            && let Some((_, method, what)) = IDLE
                .iter()
                .find(|(idle, method, _)| *idle == state && *method == call.name)
        {
            let state_now = state.word();
            let message = format!("`{method}` {what}: after `{after}`, `{name}` {state_now}");
            walk.find(Code::WrongState, position, message).hint = Some(state.way_out().to_owned());
        }
        self.0 = after(call).map(|state| (name, state, call.name.as_str()));
    }
}

/// The state that a guest is in right after the call.
fn after(call: &FnCallExpr) -> Option<GuestState> {
    match (call.name.as_str(), &call.args[..]) {
        ("suspend", []) => Some(GuestState::Paused),
        ("resume", []) => Some(GuestState::Running),
        ("destroy", _) => Some(GuestState::Off),
        _ => None,
    }
}

/// The variable and the method of a statement such as `dom.create();`.
fn method_of_variable(statement: &Stmt) -> Option<(&str, &FnCallExpr, Position)> {
    let Stmt::Expr(expression) = statement else {
        return None;
    };
    let Expr::Dot(pair, ..) = &**expression else {
        return None;
    };
    match (&pair.lhs, &pair.rhs) {
        (Expr::Variable(variable, ..), Expr::MethodCall(call, position))
            if variable.2.is_empty() =>
        {
            Some((variable.1.as_str(), call, *position))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{GuestState, IDLE};

    /// Observations of libvirt's drivers, a line for each driver, state and operation.
    const SEEN: &str = include_str!("../../tests/data/lifecycle.tsv");

    #[test]
    fn calls_that_come_to_nothing_came_to_nothing_on_qemu() {
        for (state, method, _) in IDLE {
            let rows = match state {
                GuestState::Running => "running_persistent",
                GuestState::Paused => "paused_persistent",
                GuestState::Off => "shutoff",
            };
            let operation = match *method {
                "managed_save" => "managedSave(0)".to_owned(),
                "inject_nmi" => "injectNMI()".to_owned(),
                "reboot" | "reset" => format!("{method}(0)"),
                _ => format!("{method}()"),
            };
            let outcome = SEEN.lines().find_map(|line| {
                let cells: Vec<&str> = line.split('\t').collect();
                (cells[..3] == ["qemu", rows, operation.as_str()]).then(|| cells[3].to_owned())
            });
            let outcome = outcome.unwrap_or_else(|| panic!("nobody tried {operation} when {rows}"));
            assert!(
                outcome == "error" || outcome.starts_with("ok: no change"),
                "{operation} when {rows}: {outcome}"
            );
        }
    }
}
