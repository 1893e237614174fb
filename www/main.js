// Puts the page together.
import lessons from "evalsha:lessons";
import { startEngine } from "./engine.js";

const core = await startEngine();
document.body.append(`evalsha ${core.version()}, ${lessons.length} lessons`);
