//! Waiting for guests, and stopping them for certain.
