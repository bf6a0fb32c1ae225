//! Faults must not cause hangs, crashes or losses.

mod calls;
mod daemon;
mod guest;
mod reconnect;
mod socket;
mod text;
mod time_limits;
mod watching;
