//! Recipes on a real host, stopped at their calls.
