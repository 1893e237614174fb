//! Runs wasm-bindgen's command line.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(std::env::args_os()).map_err(Into::into)
}
