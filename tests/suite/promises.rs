//! The promises of libvirt's lifecycle guide, numbered as in its list.
