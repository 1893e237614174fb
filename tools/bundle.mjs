// Makes the page's files; Trunk runs it after the core is compiled (Trunk.toml, hooks).
//
// In:  the staging folder with wasm-bindgen's evalsha.js, snippets/ and evalsha_bg.wasm and Trunk's index.html; www/.
// Out: in the staging folder, index.html with the scripts, styles, icon and wasm that it names, all named after their
//      content, and offline.html, the same page in one file that opens by double click.
//
// www/ may import three modules that exist only here:
//   evalsha:glue     what wasm-bindgen generated for src/wasm.rs, and forget(), after which it can start afresh
//   evalsha:wasm     the compiled core: its address (index.html) or its bytes (offline.html)
//   evalsha:lessons  the folders of www/lessons/ as data, in order (lessons.mjs)
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { build } from "esbuild";
import { readLessons } from "./lessons.mjs";

const staging = process.env.TRUNK_STAGING_DIR;
if (!staging) throw new Error("tools/bundle.mjs is Trunk's hook; run ./x build");
const glue = resolve(staging, "evalsha.js");
const snippets = resolve(staging, "snippets");
const wasm = resolve(staging, "evalsha_bg.wasm");
const lessons = resolve("www/lessons");

// wasm-bindgen's glue starts a module once and then holds on to it; after a trap the page wants a fresh one.
const forget = "\nexport function forget() { wasm = undefined; __wbg_init_promise = undefined; }\n";

const parts = {
  name: "evalsha",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^evalsha:glue$/ }, () => ({ path: glue }));
    esbuild.onLoad({ filter: /evalsha\.js$/ }, ({ path }) => path === glue && { contents: readFileSync(glue, "utf8") + forget });
    esbuild.onResolve({ filter: /^evalsha:wasm$/ }, () => ({ path: wasm }));
    esbuild.onResolve({ filter: /^evalsha:lessons$/ }, () => ({ path: lessons, namespace: "lessons" }));
    esbuild.onLoad({ filter: /.*/, namespace: "lessons" }, () => ({ contents: JSON.stringify(readLessons(lessons)), loader: "json" }));
  },
};

const common = {
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2022",
  format: "esm",
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  outdir: staging,
  plugins: [parts],
};

// What index.html names: a script, a stylesheet and an icon, as `href` or `src` below www/.
const html = readFileSync(join(staging, "index.html"), "utf8").replace(/\s*<!--.*?-->\s*?(?=\n)/gs, "");
const named = [...html.matchAll(/(?:src|href)="(www\/[^"]+)"/g)].map((match) => match[1]);

/** Builds all that the page names and returns esbuild's answer with the output's name for each entry. */
async function bundle(options) {
  const entryPoints = named.filter((path) => !options.inline || /\.(js|css)$/.test(path));
  const result = await build({ ...common, ...options.esbuild, entryPoints });
  const names = new Map();
  for (const [output, { entryPoint }] of Object.entries(result.metafile.outputs)) {
    if (entryPoint) names.set(entryPoint, basename(output));
  }
  return { result, names };
}

// -O1 makes the core smaller and no slower; from -O2 on it grows again, and an interpreter's loop gets slower. The
// features are those of rustc's wasm32 target: wasm-opt must not use newer ones. Data cut into pieces around its
// zeros is smaller, but not when it is compressed.
const features = ["bulk-memory", "bulk-memory-opt", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];
const optimise = ["-O1", "--skip-pass=memory-packing", ...features.map((feature) => `--enable-${feature}`), wasm, "-o", wasm];
execFileSync(process.execPath, [resolve("node_modules/binaryen/bin/wasm-opt"), ...optimise], { stdio: "inherit" });

// The core on its own, for the benchmarks.
for (const path of [glue, snippets, wasm]) cpSync(path, join("target/engine", basename(path)), { recursive: true });

await web();
await offline();
for (const path of [glue, snippets, wasm]) rmSync(path, { recursive: true });

/** index.html and the files beside it. */
async function web() {
  const { names } = await bundle({
    esbuild: {
      splitting: true,
      entryNames: "[name]-[hash]",
      chunkNames: "[name]-[hash]",
      assetNames: "[name]-[hash]",
      loader: { ".wasm": "file", ".svg": "copy", ".png": "file", ".woff2": "file" },
    },
  });
  const page = html.replace(/(src|href)="(www\/[^"]+)"/g, (_, attribute, path) => `${attribute}="./${names.get(path)}"`);
  writeFileSync(join(staging, "index.html"), page);
}

/** offline.html: nothing outside the file is asked for, and its CSP says so. */
async function offline() {
  const { result, names } = await bundle({
    inline: true,
    esbuild: {
      write: false,
      loader: { ".wasm": "binary", ".svg": "dataurl", ".png": "dataurl", ".woff2": "dataurl" },
    },
  });
  const texts = new Map(result.outputFiles.map((file) => [basename(file.path), file.text]));
  const sources = { script: [], style: [] };
  const inline = (path, tag, attributes = "") => {
    const text = texts.get(names.get(path));
    if (text.toLowerCase().includes(`</${tag}`)) throw new Error(`${path} holds </${tag}, which would end it`);
    sources[tag].push(`'sha256-${createHash("sha256").update(text).digest("base64")}'`);
    return `<${tag}${attributes}>${text}</${tag}>`;
  };
  const page = html
    .replace(/<script [^>]*src="(www\/[^"]+)"[^>]*><\/script>/g, (_, path) => inline(path, "script", ' type="module"'))
    .replace(/<link rel="stylesheet" href="(www\/[^"]+)">/g, (_, path) => inline(path, "style"))
    .replace(/href="(www\/[^"]+\.svg)"/g, (_, path) => `href="data:image/svg+xml;base64,${readFileSync(path, "base64")}"`)
    .replace(
      /(http-equiv="Content-Security-Policy" content=")[^"]+/,
      (_, start) =>
        `${start}default-src 'none'; img-src data:; font-src data:; ` +
        `style-src ${sources.style.join(" ")}; script-src ${sources.script.join(" ")} 'wasm-unsafe-eval'`,
    );
  if (/(?:src|href)="www\//.test(page)) throw new Error("offline.html still names a file of www/");
  writeFileSync(join(staging, "offline.html"), page);
}
