//! Which operation does what in which state, held against libvirt's measured truth.
