//! Security drivers, which separate guests on a host: SELinux, AppArmor, owners of files.

use virt::connect::Connect;
use virt::domain::Domain;

use super::{Result, borrowed_text, checked};

/// The label of a guest's process, and whether it is enforced.
pub type Label = (String, bool);

/// # Safety
/// libvirt filled `label`, or left it as zeros.
unsafe fn read(label: &virt_sys::virSecurityLabel) -> Label {
    // SAFETY: libvirt ends the text with NUL.
    let text = unsafe { borrowed_text(label.label.as_ptr()) };
    (text.unwrap_or_default(), label.enforcing != 0)
}

/// The label of the first security driver.
pub fn label(domain: &Domain) -> Result<Label> {
    // SAFETY: all bits zero is a value of this struct of numbers.
    let mut label: Box<virt_sys::virSecurityLabel> = Box::new(unsafe { std::mem::zeroed() });
    // SAFETY: the handle lives during the call, which fills the struct.
    unsafe {
        checked(virt_sys::virDomainGetSecurityLabel(
            domain.as_ptr(),
            &raw mut *label,
        ))?;
        Ok(read(&label))
    }
}

/// The labels of all security drivers.
pub fn labels(domain: &Domain) -> Result<Vec<Label>> {
    let mut list = std::ptr::null_mut();
    // SAFETY: the handle lives during the call; the list that it allocates is ours to free.
    unsafe {
        let count = checked(virt_sys::virDomainGetSecurityLabelList(
            domain.as_ptr(),
            &raw mut list,
        ))?;
        let count = usize::try_from(count).unwrap_or(0);
        let labels = (0..count).map(|index| read(&*list.add(index))).collect();
        libc::free(list.cast());
        Ok(labels)
    }
}

/// The host's security driver, and its domain of interpretation.
pub fn model(connect: &Connect) -> Result<(String, String)> {
    // SAFETY: all bits zero is a value of this struct of numbers.
    let mut model: virt_sys::virSecurityModel = unsafe { std::mem::zeroed() };
    // SAFETY: the handle lives during the call, which fills two texts that end with NUL.
    unsafe {
        checked(virt_sys::virNodeGetSecurityModel(
            connect.as_ptr(),
            &raw mut model,
        ))?;
        Ok((
            borrowed_text(model.model.as_ptr()).unwrap_or_default(),
            borrowed_text(model.doi.as_ptr()).unwrap_or_default(),
        ))
    }
}
