//! Serves the engine over RESP on a loopback port.

fn main() {}
