// Reads the lessons of www/lessons/ and turns their Markdown into plain data, so that the page needs no Markdown reader and
// never makes HTML out of text. A lesson that is not as it should be stops the build.
//
// A lesson:  { slug, title, goal, blocks }
// A block:   { type: "paragraph", text } | { type: "list", items: [text] } | { type: "note", blocks }
//            | { type: "transcript", commands: [{ line, output, terminal } | { output, terminal }] }
//            (`terminal` from 1, and only in lessons that name a second one; without a line it is what that terminal prints
//            later: the transcripts' `1<`)
// A text:    [string | { type: "code", text } | { type: "strong" | "em", text: [...] } | { type: "link", href, text: [...] }]
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { marked } from "marked";

/** The lessons of a folder of NN-slug/README.md, in order. */
export function readLessons(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).sort().map((name, index) => {
    const path = join(folder, name, "README.md");
    try {
      const [, number, slug] = /^(\d\d)-([a-z0-9-]+)$/.exec(name) ?? fail("a folder is named NN-slug");
      if (Number(number) !== index + 1) fail(`it is lesson ${index + 1}`);
      const source = readFileSync(path, "utf8");
      const [, front, body] = /^---\n(.*?)\n---\n(.*)$/s.exec(source) ?? fail("it begins with front matter between ---");
      const field = (key) => new RegExp(`^${key}: (.+)$`, "m").exec(front)?.[1] ?? fail(`front matter has no ${key}`);
      const blocks = marked.lexer(body).flatMap(block);
      return { slug, title: field("title"), goal: field("goal"), blocks: /^\d> /m.test(body) ? blocks : inAnyTerminal(blocks) };
    } catch (error) {
      throw new Error(`${path}: ${error.message}`);
    }
  });
}

/**
 * The commands of a transcript: `> line`, or `2> line` in a second terminal, with what redis-cli prints below it; `1<` with
 * what the first prints only then. Output with blank lines
 * has `|` before each line. Directives are for the tests.
 */
export function transcript(source) {
  const commands = [];
  for (const text of source.trimEnd().split("\n")) {
    const [, typed, line, later] = /^(?:(\d?)> (.*)|(\d)<)$/.exec(text) ?? [];
    if (later) commands.push({ output: "", terminal: Number(later) });
    else if (line !== undefined) commands.push({ line, output: "", terminal: Number(typed || 1) });
    else if (!text.startsWith("#: ")) (commands.at(-1) ?? fail("a redis block begins with `> `")).output += `${text.replace(/^\|/, "")}\n`;
  }
  return commands;
}

function inAnyTerminal(blocks) {
  for (const { commands, blocks: inner } of blocks) {
    for (const command of commands ?? []) delete command.terminal;
    if (inner) inAnyTerminal(inner);
  }
  return blocks;
}

function block(token) {
  switch (token.type) {
    case "space":
      return [];
    case "paragraph":
      return { type: "paragraph", text: token.tokens.map(inline) };
    case "list":
      return { type: "list", items: token.items.map((item) => item.tokens.flatMap((part) => part.tokens.map(inline))) };
    case "blockquote":
      return { type: "note", blocks: token.tokens.flatMap(block) };
    case "code":
      if (token.lang === "redis") return { type: "transcript", commands: transcript(token.text) };
  }
  return fail(`no lesson has a ${token.type} (${token.raw.slice(0, 40)})`);
}

function inline(token) {
  switch (token.type) {
    case "text":
    case "escape":
      return token.text.replaceAll("\n", " ");
    case "codespan":
      return { type: "code", text: token.text };
    case "strong":
    case "em":
      return { type: token.type, text: token.tokens.map(inline) };
    case "link":
      return { type: "link", href: token.href, text: token.tokens.map(inline) };
  }
  return fail(`no lesson has a ${token.type} (${token.raw})`);
}

function fail(why) {
  throw new Error(why);
}
