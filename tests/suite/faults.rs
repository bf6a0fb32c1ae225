//! What must not hang, crash or lose anything when things go wrong.

mod calls;
mod daemon;
mod guest;
mod reconnect;
mod socket;
mod text;
mod time_limits;
mod watching;
