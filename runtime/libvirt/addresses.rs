use std::ffi::c_uint;

use virt::domain::Domain;

use super::{Result, borrowed_text, checked};

/// A network card of a guest, and its addresses.
#[derive(Debug, Clone)]
pub struct Card {
    /// The card's name: in the guest or on the host, as the source has it.
    pub name: String,
    /// Its MAC address.
    pub mac: Option<String>,
    /// Its addresses.
    pub addresses: Vec<Address>,
}

/// An address of a [`Card`].
#[derive(Debug, Clone)]
pub struct Address {
    /// A `virIPAddrType`.
    pub kind: i64,
    /// The address.
    pub address: String,
    /// The length of its network prefix.
    pub prefix: i64,
}

/// The addresses of a guest's cards, from a `virDomainInterfaceAddressesSource`.
pub fn of_domain(domain: &Domain, source: c_uint, flags: c_uint) -> Result<Vec<Card>> {
    let mut list: *mut virt_sys::virDomainInterfacePtr = std::ptr::null_mut();
    // SAFETY: the handle lives during the call; the list that it allocates, and each card in it,
    // are ours to free.
    unsafe {
        let count = checked(virt_sys::virDomainInterfaceAddresses(
            domain.as_ptr(),
            &raw mut list,
            source,
            flags,
        ))?;
        let cards = (0..usize::try_from(count).unwrap_or(0))
            .map(|index| {
                let entry = *list.add(index);
                let card = read(&*entry);
                virt_sys::virDomainInterfaceFree(entry);
                card
            })
            .collect();
        libc::free(list.cast());
        Ok(cards)
    }
}

/// # Safety
/// libvirt filled `card`.
unsafe fn read(card: &virt_sys::virDomainInterface) -> Card {
    let addresses = match card.addrs.is_null() {
        true => &[][..],
        // SAFETY: the caller's contract: `naddrs` entries are there.
        false => unsafe { std::slice::from_raw_parts(card.addrs, card.naddrs as usize) },
    };
    // SAFETY: each string is null or ends with NUL.
    unsafe {
        Card {
            name: borrowed_text(card.name).unwrap_or_default(),
            mac: borrowed_text(card.hwaddr),
            addresses: addresses
                .iter()
                .map(|it| Address {
                    kind: i64::from(it.type_),
                    address: borrowed_text(it.addr).unwrap_or_default(),
                    prefix: i64::from(it.prefix),
                })
                .collect(),
        }
    }
}
