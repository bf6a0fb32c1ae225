//! libvirt's constants, held against its published API.
