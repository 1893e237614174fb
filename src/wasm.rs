//! Gives JavaScript the engine: converts and forwards, decides nothing. No other file knows JavaScript.

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of the package, as in `Cargo.toml`.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// piccolo's hasher asks for random bytes and nothing of ours does; a constant keeps runs repeatable.
fn no_randomness(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    bytes.fill(0x5a);
    Ok(())
}

getrandom::register_custom_getrandom!(no_randomness);
