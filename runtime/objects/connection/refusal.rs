//! Refuses calls: on a read-only connection, or against the rules of the session.

use super::Connection;
use crate::libvirt::Failure;
use crate::objects::call_class::changes;
use crate::objects::uri::host_of;
use crate::run::grants::Call;

impl Connection {
    /// Refuses the call `call` on the object called `names` before libvirt is asked, if it is not allowed.
    pub(crate) fn refuse(&self, call: &'static str, names: &[&str]) -> Result<(), Failure> {
        if refused_when_read_only(call) && self.is_read_only() {
            // As libvirt says it.
            let message = format!("operation forbidden: read only access prevents {call}");
            return Err(Failure::new(virt_sys::VIR_ERR_OPERATION_DENIED, message));
        }
        let grants = self.session().grants();
        if grants.rules.is_empty() {
            return Ok(());
        }
        let host = host_of(self.uri());
        let call = Call {
            function: call,
            changes: changes(call),
            names,
            hosts: &[self.uri(), &host],
        };
        match grants.refusal(&call) {
            Some(why) => Err(Failure::new(virt_sys::VIR_ERR_ACCESS_DENIED, why)),
            None => Ok(()),
        }
    }
}

/// True if `call` is refused on a read-only connection.
fn refused_when_read_only(call: &str) -> bool {
    changes(call)
}

#[cfg(test)]
mod tests {
    use super::refused_when_read_only;
    use crate::objects::call_class::{classified, may_change};

    #[test]
    fn every_call_that_changes_something_is_refused_on_a_connection_for_reading() {
        let made: Vec<&str> = classified()
            .filter(|call| may_change(call) && !refused_when_read_only(call))
            .filter(|call| !call.starts_with("virStream"))
            .collect();
        assert_eq!(made, ["virConnectOpenAuth"]);
        // Those with a changing verb in their names are not classified as reading.
        let verbs = [
            "Set", "Create", "Define", "Destroy", "Undefine", "Delete", "Attach", "Detach",
            "Update", "Migrate",
        ];
        let reads: Vec<&str> = classified()
            .filter(|call| !refused_when_read_only(call) && !call.starts_with("virAdm"))
            .filter(|call| {
                verbs.iter().any(|verb| {
                    let rest = call.split_once(verb).map(|(_, rest)| rest);
                    rest.is_some_and(|rest| {
                        !rest.starts_with(|next: char| next.is_ascii_lowercase())
                    })
                })
            })
            .collect();
        assert_eq!(reads, READS, "is one of these a change?");
    }

    /// Calls with a changing verb in their names that do not change the host.
    const READS: &[&str] = &[
        "virConnectSetKeepAlive",
        "virDomainMigrateGetCompressionCache",
        "virDomainMigrateGetMaxDowntime",
        "virDomainMigrateGetMaxSpeed",
        "virStreamEventUpdateCallback",
    ];
}
