//! What an uncaught error shows.
