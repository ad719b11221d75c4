//! A chat server that speaks IRC, on the reactor.

fn main() {}
