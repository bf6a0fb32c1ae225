//! What must not hang, crash or lose data when things go wrong.
