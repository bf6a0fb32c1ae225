mod runner;
mod lifecycle;
