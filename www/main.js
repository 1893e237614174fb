// Puts the page together.
import lessons from "evalsha:lessons";
import { startEngine } from "./engine.js";

const main = document.createElement("main");
const title = document.createElement("h1");
title.textContent = "evalsha";
document.body.append(main);
main.append(title);
const core = await startEngine();
main.append(`evalsha ${core.version()}, ${lessons.length} lessons`);
