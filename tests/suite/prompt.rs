//! The prompt, through a real pseudo-terminal.
