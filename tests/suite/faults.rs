//! What must not hang, crash or lose anything when things go wrong.

mod calls;
mod daemon;
mod guest;
mod socket;
mod text;
