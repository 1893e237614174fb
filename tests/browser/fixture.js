// What every browser test gets: dist/ on a server of its own, and a witness that fails the test when the page complains on
// the console, throws, asks for something that is not there, or asks anybody but the site.
//
//   import { test, expect, accessible } from "./fixture.js";
//   test("...", async ({ page, site }) => { await page.goto(site.root); ... });
import { createServer } from "node:http";
import { existsSync, readFileSync, statSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect } from "@playwright/test";

export { expect };

const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const deep = "/some/docs/evalsha/";
const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};

/** A plain static host: dist/ under `/` and under a deep path, and nothing of its own but a CSP. */
function serveDist(request, response) {
  const { pathname } = new URL(request.url, "http://host");
  const below = pathname.startsWith(deep) ? pathname.slice(deep.length) : pathname.slice(1);
  const file = join(dist, normalize(`/${decodeURIComponent(below) || "index.html"}`));
  if (!existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    "content-type": types[extname(file)] ?? "application/octet-stream",
    "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
  });
  response.end(readFileSync(file));
}

/** Somebody else's page, which shows the address after `?` in an iframe. */
function serveFrame(request, response) {
  const address = decodeURIComponent(new URL(request.url, "http://host").search.slice(1));
  response.writeHead(200, { "content-type": types[".html"] });
  response.end(
    `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Somebody's docs</title>` +
      `<h1>Somebody's docs</h1><iframe title="playground" src="${address.replaceAll('"', "%22")}" width="700" height="500"></iframe>`,
  );
}

async function listening(handler) {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

export const test = base.extend({
  /**
   * Where the site is: `root`, `deep` (below a path), `offline` (offline.html as a file), and
   * `framed(address)` (a page of another origin that shows it in an iframe).
   */
  site: [
    async ({}, use) => {
      if (!existsSync(join(dist, "index.html"))) throw new Error("there is no dist/: run ./x build");
      const ours = await listening(serveDist);
      const theirs = await listening(serveFrame);
      await use({
        root: `${ours.origin}/`,
        deep: ours.origin + deep,
        offline: pathToFileURL(join(dist, "offline.html")).href,
        framed: (address) => `${theirs.origin}/?${encodeURIComponent(address)}`,
        origins: [ours.origin, theirs.origin],
      });
      for (const { server } of [ours, theirs]) {
        server.closeAllConnections();
        server.close();
      }
    },
    { scope: "worker" },
  ],

  /** What was wrong so far, as lines; the test fails if any is left at its end. A test that expects one empties it. */
  complaints: [
    async ({ context, site }, use) => {
      const lines = [];
      context.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) lines.push(`console ${message.type()}: ${message.text()}`);
      });
      context.on("weberror", (uncaught) => lines.push(`uncaught: ${uncaught.error()}`));
      context.on("requestfailed", (request) => lines.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
      context.on("response", (response) => {
        if (response.status() >= 400) lines.push(`${response.status()}: ${response.url()}`);
      });
      context.on("request", (request) => {
        const url = new URL(request.url());
        const inside = ["data:", "blob:", "file:", "about:"].includes(url.protocol) || site.origins.includes(url.origin);
        if (!inside) lines.push(`a request to somebody else: ${request.url()}`);
        if (url.protocol === "file:" && url.href.split(/[?#]/)[0] !== site.offline) lines.push(`a second file: ${url.href}`);
      });
      await use(lines);
      expect(lines, "what the page complained about").toEqual([]);
    },
    { auto: true },
  ],
});

/** Finds what axe can find, in the light and in the dark theme. */
export async function accessible(page) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
    expect(found, `axe, ${colorScheme}`).toEqual([]);
  }
}
