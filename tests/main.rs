//! The tests of the program as its users meet it: scripts in, effects on real hosts out.

mod suite;
mod support;
