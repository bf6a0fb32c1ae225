//! Guests that start with their host.
