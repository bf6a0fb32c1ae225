//! Tests of the whole: what stays, what changes, what is refused.
