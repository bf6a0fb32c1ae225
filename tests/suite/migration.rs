//! Guests that move between two hosts.
