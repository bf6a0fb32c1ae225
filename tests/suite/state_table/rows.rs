//! The rows of the table: libvirt's measured results, and the choice of rows that have a test here.

/// One operation in one state, and libvirt's result.
#[derive(Debug)]
pub struct Row {
    pub driver: &'static str,
    pub state: &'static str,
    pub operation: &'static str,
    pub outcome: &'static str,
    pub error_code: &'static str,
    pub state_after: &'static str,
    pub returned: &'static str,
}

/// All rows, in the table's order.
pub fn all() -> Vec<Row> {
    let lines = include_str!("../../data/lifecycle.tsv").lines();
    lines
        .skip(1)
        .map(|line| {
            let mut cells = line.split('\t');
            let mut cell = || cells.next().expect("every row has all cells");
            Row {
                driver: cell(),
                state: cell(),
                operation: cell(),
                outcome: cell(),
                error_code: cell(),
                state_after: cell(),
                returned: cell(),
            }
        })
        .collect()
}

impl Row {
    /// True if the row is about domains, not networks or pools.
    pub fn concerns_domains(&self) -> bool {
        !self.state.contains(':')
    }

    /// True if the row is about storage pools and volumes.
    pub fn concerns_pools(&self) -> bool {
        self.state.starts_with("pool:")
    }

    /// True if the row is about networks.
    pub fn concerns_networks(&self) -> bool {
        self.state.starts_with("network:")
    }

    /// True if the row is about an action of the guest itself.
    pub fn is_done_by_a_guest(&self) -> bool {
        GUESTS_DOING
            .iter()
            .any(|doing| self.operation.starts_with(doing))
    }

    /// The reason why no test runs this row, or `None` if one does.
    pub fn left_out(&self) -> Option<&'static str> {
        let operation = self.operation;
        if !self.concerns_domains() {
            return None;
        }
        if GUESTS_DOING
            .iter()
            .any(|doing| operation.starts_with(doing))
        {
            return Some("done by a guest and not by a call: see `a_guest_of_its_own_accord`");
        }
        if ["client ", "libvirtd ", "qemu process ", "guest write "]
            .iter()
            .any(|begin| operation.starts_with(begin))
        {
            return Some("a fault, which the tests of faults cause");
        }
        if operation.starts_with("autostart=1, libvirtd restarted") {
            return Some("a restart of the daemon, which the tests of autostart cause");
        }
        None
    }

    /// True if the operation belongs to the lifecycle of a guest, and does not only read.
    pub fn is_of_the_lifecycle(&self) -> bool {
        LIFECYCLE
            .iter()
            .any(|begin| self.operation.starts_with(begin))
    }

    /// True if the row leaves the state of its domain so that another row can use it.
    pub fn keeps_its_state(&self) -> bool {
        self.outcome == "error" || READS.contains(&self.operation)
    }
}

/// Actions of a guest, by itself or after a request.
const GUESTS_DOING: [&str; 3] = ["guest: ", "shutdown() and guest ", "reboot(0) with "];

const LIFECYCLE: [&str; 14] = [
    "create",
    "define",
    "undefine",
    "suspend",
    "resume",
    "shutdown",
    "reboot",
    "reset",
    "destroy",
    "save",
    "restore",
    "managedSave",
    "setAutostart",
    "migrate",
];

const READS: [&str; 16] = [
    "saveImageGetXMLDesc(path)",
    "hasManagedSaveImage(0)",
    "managedSaveGetXMLDesc(0)",
    "autostart()",
    "name()",
    "ID()",
    "state()",
    "info()",
    "isActive()",
    "isPersistent()",
    "isUpdated()",
    "XMLDesc(0)",
    "XMLDesc(INACTIVE)",
    "jobInfo()",
    "memoryStats()",
    "controlInfo()",
];
