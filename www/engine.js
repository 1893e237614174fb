// Starts the core: compiles the WebAssembly module that tools/bundle.mjs put beside the page (or, in offline.html, into it).
import init, * as core from "evalsha:glue";
import wasm from "evalsha:wasm";

/** Compiles and starts the core; resolves to the functions and classes that src/wasm.rs exports. */
export async function startEngine() {
  const module = typeof wasm === "string" ? new URL(wasm, import.meta.url) : wasm;
  await init({ module_or_path: module });
  return core;
}
