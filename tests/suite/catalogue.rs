//! Conventions that every function of the API keeps.
