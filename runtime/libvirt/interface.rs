use std::ffi::c_uint;

use virt::connect::Connect;

use super::{Result, checked};

/// Begins a change of the host's interfaces that can be rolled back.
pub fn change_begin(connect: &Connect, flags: c_uint) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virInterfaceChangeBegin(connect.as_ptr(), flags) }).map(drop)
}

/// Makes a change of the host's interfaces last.
pub fn change_commit(connect: &Connect, flags: c_uint) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virInterfaceChangeCommit(connect.as_ptr(), flags) }).map(drop)
}

/// Rolls back a change of the host's interfaces.
pub fn change_rollback(connect: &Connect, flags: c_uint) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virInterfaceChangeRollback(connect.as_ptr(), flags) }).map(drop)
}
