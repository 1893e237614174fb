// Starts the core and gives the page sessions on it: lines go in, outputs come by event, scripts run in short slices.
import init, { Engine, forget, version } from "evalsha:glue";
import wasm from "evalsha:wasm";

// A slice holds the thread; a frame has 16 ms, and the page needs some of them.
const SLICE_MS = 5;
// A trapped engine must not be finalised: its pointer would be freed in the module that follows it.
const trapped = [];

/**
 * One Redis, shared by all sessions of the page.
 * Events: `ready` when it has started, also after a restart; `broken` (detail: the error) when it has trapped; `shutdown`
 * when SHUTDOWN was called, and an empty Redis has taken the place of the one before.
 */
export class Playground extends EventTarget {
  #engine = null;
  #module = null;
  #sessions = new Set();
  #channel = new MessageChannel();
  #posted = false;
  #timer = 0;
  #restarts = 0;

  constructor() {
    super();
    this.#channel.port1.onmessage = () => this.#slice();
  }

  /** The version of the core; known once it is ready. */
  get version() {
    return this.#engine ? version() : "";
  }

  get ready() {
    return this.#engine !== null;
  }

  /** Compiles the module the first time, and starts an empty Redis; sessions go on in it. */
  async start() {
    this.#module ??= await compile();
    forget();
    await init({ module_or_path: this.#module });
    this.#engine = new Engine();
    this.#restarts = 0;
    for (const session of this.#sessions) session.attach();
    this.dispatchEvent(new Event("ready"));
  }

  /** A redis-cli session; it can be used once the playground is ready. */
  open() {
    const session = new Session(this);
    this.#sessions.add(session);
    if (this.ready) session.attach();
    return session;
  }

  /** Forgets a session that is closed. */
  forget(session) {
    this.#sessions.delete(session);
  }

  /** Calls a method of the engine. A throw is a trap: the engine is gone, and `otherwise` is the answer. */
  call(method, otherwise, ...values) {
    if (!this.#engine) return otherwise;
    try {
      return this.#engine[method](...values);
    } catch (error) {
      trapped.push(this.#engine);
      this.#engine = null;
      clearTimeout(this.#timer);
      this.dispatchEvent(new CustomEvent("broken", { detail: error }));
      return otherwise;
    }
  }

  /** Lets run what waits, as soon as the page has had its turn. */
  wake() {
    if (this.#posted) return;
    this.#posted = true;
    this.#channel.port2.postMessage(null);
  }

  #slice() {
    this.#posted = false;
    clearTimeout(this.#timer);
    const nothing = { more: false, wake: null, restarts: this.#restarts };
    const { more, wake, restarts } = this.call("run", nothing, SLICE_MS);
    for (const session of this.#sessions) session.collect();
    if (restarts !== this.#restarts) {
      this.#restarts = restarts;
      this.dispatchEvent(new Event("shutdown"));
    }
    if (more) this.wake();
    // A timer counts with 31 bits; what is due later is asked for again.
    else if (wake != null) this.#timer = setTimeout(() => this.wake(), Math.min(wake, 2 ** 31 - 1));
  }
}

/** A redis-cli at the playground. Event: `output` (detail: an Output, see src/wasm.rs), at once or later. */
export class Session extends EventTarget {
  #playground;
  #id = 0;

  constructor(playground) {
    super();
    this.#playground = playground;
  }

  /** Opens the session in the engine: the first time, after a restart, and after `exit`. */
  attach() {
    this.#id = this.#call("open", 0);
  }

  /** Ends it: its connection is closed, and nothing comes from it any more. */
  close() {
    this.#call("close");
    this.#playground.forget(this);
    this.#playground.wake();
  }

  get prompt() {
    return this.#call("prompt", "");
  }

  /** A line, and Enter. */
  send(line) {
    this.#deliver(this.#call("send", null, line));
  }

  /** Ctrl-C. */
  interrupt() {
    this.#deliver(this.#call("interrupt", null));
  }

  /** Whole lines that Tab could make of this one. */
  complete(line) {
    return this.#call("complete", [], line);
  }

  /** What could follow the line, to show behind it. */
  hint(line) {
    return this.#call("hint", "", line);
  }

  /** Delivers what came later. */
  collect() {
    for (let output; (output = this.#call("take", null)); ) this.#deliver(output, false);
  }

  #call(method, otherwise, ...values) {
    const target = method === "open" ? values : [this.#id, ...values];
    return this.#playground.call(method, otherwise, ...target);
  }

  #deliver(output, wake = true) {
    if (output) this.dispatchEvent(new CustomEvent("output", { detail: output }));
    if (wake) this.#playground.wake();
  }
}

// Streaming wants the type application/wasm, which not every static host sends; bytes will do then.
async function compile() {
  if (typeof wasm !== "string") return WebAssembly.compile(wasm);
  const response = await fetch(new URL(wasm, import.meta.url));
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  if (response.headers.get("content-type")?.startsWith("application/wasm")) return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}
