//! Handles of the objects that `virt` lacks.

use std::ffi::c_int;

/// A handle: libvirt's pointer, which is freed with it.
macro_rules! handle {
    ($(#[$docs:meta])* $name:ident($pointer:ident) freed by $free:ident) => {
        $(#[$docs])*
        #[derive(Debug)]
        pub struct $name(virt_sys::$pointer);

        // SAFETY: libvirt counts and locks its objects itself, and ties none to a thread.
        unsafe impl Send for $name {}
        // SAFETY: the same.
        unsafe impl Sync for $name {}

        impl $name {
            /// # Safety
            /// `pointer` is null or a reference that is ours.
            unsafe fn adopt(pointer: virt_sys::$pointer) -> crate::libvirt::Result<Self> {
                match pointer.is_null() {
                    true => Err(crate::libvirt::Failure::last()),
                    false => Ok(Self(pointer)),
                }
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: the reference is ours, and not used any more.
                unsafe { virt_sys::$free(self.0) };
            }
        }
    };
}
pub(super) use handle;

/// The objects of a list that a call returned; the list is freed here.
///
/// # Safety
/// `list` is an array from `malloc` of `count` pointers that are ours, as `adopt` takes them.
pub(super) unsafe fn owned_list<P: Copy, T>(
    list: *mut P,
    count: c_int,
    adopt: impl Fn(P) -> T,
) -> Vec<T> {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: by this function's contract.
    unsafe {
        let objects = (0..count).map(|index| adopt(*list.add(index))).collect();
        libc::free(list.cast());
        objects
    }
}

/// The UUID that `read` writes as text.
pub(super) fn uuid_text(
    read: impl FnOnce(*mut std::ffi::c_char) -> c_int,
) -> crate::libvirt::Result<String> {
    let mut buffer = [0_u8; virt_sys::VIR_UUID_STRING_BUFLEN as usize];
    super::checked(read(buffer.as_mut_ptr().cast()))?;
    let text = buffer.iter().take_while(|byte| **byte != 0);
    Ok(text.map(|byte| char::from(*byte)).collect())
}
