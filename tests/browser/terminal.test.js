// The terminal's own manners: paste, editing, Tab, history search, long output, and an engine that traps.
import { accessible, expect, test } from "./fixture.js";

const input = (page) => page.getByLabel("Redis command");
const log = (page) => page.getByRole("log");
const prompt = "127.0.0.1:6379> ";

async function open(page, address) {
  await page.goto(address);
  await expect(page.locator(".mirror .prompt")).toHaveText(prompt);
  await input(page).focus();
}

async function type(page, line) {
  await input(page).focus();
  await page.keyboard.insertText(line);
  await page.keyboard.press("Enter");
}

/** A paste as the browser tells the page of it. */
async function paste(page, text) {
  await input(page).evaluate((element, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

test("pasted lines run one by one, and what has no newline waits", async ({ page, site }) => {
  await open(page, site.root);
  await paste(page, "SET a 1\r\nINCR a\n\nGET a");
  await expect(log(page)).toContainText(`${prompt}SET a 1\nOK\n${prompt}INCR a\n(integer) 2`, { useInnerText: true });
  await expect(input(page)).toHaveValue("GET a");
  await input(page).press("Enter");
  await expect(log(page)).toContainText('GET a\n"2"', { useInnerText: true });
});

test("a pasted script of many lines is one command", async ({ page, site }) => {
  await open(page, site.root);
  await paste(page, `EVAL "\nlocal total = 0\nfor i = 1, 4 do\n  total = total + i\nend\nreturn {total, [[it's]]}\n" 0\nPING\n`);
  await expect(log(page)).toContainText(`1) (integer) 10\n2) "it's"\n${prompt}PING\nPONG`, { useInnerText: true });
  await input(page).press("ArrowUp");
  await input(page).press("ArrowUp");
  await expect(input(page)).toHaveValue(/^EVAL "\nlocal total = 0\n/);
  await input(page).press("Enter");
  await expect(log(page).getByText("(integer) 10")).toHaveCount(2);
});

test("a long queue of pasted lines can be thrown away", async ({ page, site }) => {
  await open(page, site.root);
  await paste(page, `EVAL "while true do end" 0\n${"INCR n\n".repeat(50)}`);
  await expect(page.getByText("50 more lines wait")).toBeVisible();
  await input(page).press("Control+c");
  await expect(log(page)).toContainText("Script killed by user");
  await type(page, "EXISTS n");
  await expect(log(page)).toContainText("(integer) 0");
});

test("long output does not make the page longer", async ({ page, site }) => {
  const height = () => page.evaluate(() => document.scrollingElement.scrollHeight);
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 800 });
    await open(page, site.root);
    const before = await height();
    for (let line = 0; line < 30; line += 1) await type(page, "HELP GET");
    await expect(log(page).getByText("since:")).toHaveCount(30);
    expect(await height()).toBe(before);
  }
});

test("the line is edited as in a shell", async ({ page, site }) => {
  await open(page, site.root);
  const steps = [
    ["Control+a", "SET key some value"],
    ["Alt+f", "SET key some value"],
    ["Control+k", "SET"],
    ["Control+y", "SET key some value"],
    ["Control+w", "SET key some "],
    ["Alt+Backspace", "SET key "],
    ["Control+b", "SET key "],
    ["Control+t", "SET ke y"],
    ["Control+u", ""],
    ["Control+y", "SET ke y"],
    ["Control+a", "SET ke y"],
    ["Control+d", "ET ke y"],
    ["Alt+d", " ke y"],
    ["Control+e", " ke y"],
    ["Control+c", ""],
  ];
  await page.keyboard.insertText("SET key some value");
  for (const [key, expected] of steps) {
    await input(page).press(key);
    await expect(input(page), key).toHaveValue(expected);
  }
  await expect(log(page)).toContainText(`${prompt} ke y^C`, { useInnerText: true });
  await input(page).press("Control+l");
  await expect(log(page)).toHaveText("");
});

test("Tab completes, hints stand behind the line, and Escape with Tab leaves", async ({ page, site }) => {
  await open(page, site.root);
  await page.keyboard.type("getd");
  await input(page).press("Tab");
  await expect(input(page)).toHaveValue(/^getdel/i);
  await page.keyboard.type(" ");
  await expect(page.locator(".hint")).toHaveText("key");
  await input(page).press("Control+c");
  await page.keyboard.type("script ");
  await input(page).press("Tab");
  await input(page).press("Tab");
  await expect(page.locator(".candidates .chosen")).toHaveCount(1);
  await input(page).press("Escape");
  await expect(input(page)).toHaveValue("script ");
  await expect(page.locator(".candidates li")).toHaveCount(0);
  await input(page).press("Escape");
  await input(page).press("Shift+Tab");
  await expect(input(page)).not.toBeFocused();
  await input(page).focus();
  await input(page).press("Control+c");
  await input(page).press("Shift+Tab");
  await expect(page.getByRole("button", { name: "Terminal" })).toBeFocused();
});

test("Ctrl-R searches the history", async ({ page, site }) => {
  await open(page, site.root);
  for (const line of ["SET first 1", "SET second 2", "PING"]) await type(page, line);
  await input(page).press("Control+r");
  await page.keyboard.type("set");
  await expect(input(page)).toHaveValue("SET second 2");
  await input(page).press("Control+r");
  await expect(input(page)).toHaveValue("SET first 1");
  await input(page).press("Escape");
  await expect(input(page)).toHaveValue("");
});

test("a list of 100000 lines and a line of 10 MB freeze nothing", async ({ page, site }) => {
  await open(page, site.root);
  await type(page, 'EVAL "local t = {} for i = 1, 100000 do t[i] = i end return t" 0');
  await expect(log(page)).toContainText("Not shown: 99,000 lines", { timeout: 30_000 });
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(log(page)).toContainText("Not shown: 98,000 lines");
  await paste(page, `SET big ${"x".repeat(10_000_000)}`);
  await expect(input(page)).toHaveValue(/^10,000,008 characters, pasted/);
  await input(page).press("Enter");
  await type(page, "STRLEN big");
  await expect(log(page)).toContainText("(integer) 10000000", { timeout: 30_000 });
  await type(page, "GET big");
  await expect(log(page).locator(".entry").last()).toContainText("Not shown:", { timeout: 30_000 });
  await expect(page.locator(".mirror .prompt")).toHaveText(prompt);
});

test("a session that was left opens anew", async ({ page, site }) => {
  await open(page, site.root);
  await type(page, "SET kept yes");
  await input(page).press("Control+d");
  await expect(log(page)).toContainText("This session has ended");
  await input(page).press("Enter");
  await type(page, "GET kept");
  await expect(log(page)).toContainText('"yes"');
});

test("an engine that traps is said to, and a fresh one starts at a click", async ({ page, site, complaints }) => {
  await page.addInitScript(() => {
    const { instantiate } = WebAssembly;
    WebAssembly.instantiate = async (...given) => {
      const instance = await instantiate.apply(WebAssembly, given);
      const exports = { ...instance.exports, engine_send: (...values) => (window.trap ? instance.exports.no.such() : instance.exports.engine_send(...values)) };
      return Object.create(WebAssembly.Instance.prototype, { exports: { value: exports } });
    };
  });
  await open(page, site.root);
  await type(page, "SET lost 1");
  await expect(log(page)).toContainText("OK");
  await page.evaluate(() => (window.trap = true));
  await type(page, "PING");
  await expect(log(page)).toContainText("Redis has stopped");
  expect(complaints.splice(0).join()).toContain("TypeError");
  await page.evaluate(() => (window.trap = false));
  await page.getByRole("button", { name: "Start a fresh Redis" }).click();
  await expect(log(page)).toContainText("A fresh Redis is running");
  await expect(input(page)).toBeFocused();
  await type(page, "EXISTS lost");
  await expect(log(page)).toContainText("(integer) 0");
  await input(page).press("ArrowUp");
  await input(page).press("ArrowUp");
  await expect(input(page)).toHaveValue("PING");
});

test("the embedded forms: one lesson, or the terminal alone", async ({ page, site }) => {
  await open(page, `${site.root}?embed&lesson=evalsha`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("EVALSHA");
  await accessible(page);
  await open(page, `${site.root}?embed`);
  await expect(page.locator("evalsha-course")).toHaveCount(0);
  await type(page, "PING");
  await expect(log(page)).toContainText("PONG");
  await accessible(page);
});

test("in a low frame the lesson and the terminal are both in sight", async ({ page, site }) => {
  await page.setViewportSize({ width: 600, height: 420 });
  await open(page, `${site.root}?embed&lesson=evalsha&theme=dark`);
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBe(420);
  await expect(input(page)).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole("heading", { level: 1 })).toBeInViewport();
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
  expect(await page.evaluate(() => Object.values(localStorage).join())).not.toContain("dark");
  await page.locator(".run").first().click();
  await expect(page.locator(".output").last()).toBeInViewport();
});

test("a finger has buttons for the keys that a phone lacks", async ({ browser, site }) => {
  const context = await browser.newContext({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await open(page, site.root);
  await type(page, "SET k v");
  await page.getByRole("button", { name: "Up: the line before" }).tap();
  await expect(input(page)).toHaveValue("SET k v");
  await expect(input(page)).toBeFocused();
  await page.getByRole("button", { name: "Down: the next line" }).tap();
  await expect(input(page)).toHaveValue("");
  await page.keyboard.insertText("OBJ");
  await page.getByRole("button", { name: "Tab: complete" }).tap();
  await expect(input(page)).toHaveValue(/^OBJECT ?$/);
  await page.getByRole("button", { name: "Ctrl-C: stop" }).tap();
  await expect(input(page)).toHaveValue("");
  await accessible(page);
  await context.close();
});

test("bad input is answered, and the next command too", async ({ page, site }) => {
  test.slow();
  await open(page, `${site.root}?embed`);
  const cases = [
    ["nonsense 1 2", "(error) ERR unknown command 'nonsense', with args beginning with: '1' '2' "],
    ["GET", "(error) ERR wrong number of arguments for 'get' command"],
    ['SET k "open', "Invalid argument(s)"],
    ['ECHO "\\x00\\xff\\xfe"', '"\\x00\\xff\\xfe"'],
    [`EVAL "return ${"(".repeat(300)}1${")".repeat(300)}" 0`, "chunk has too many syntax levels"],
    ['EVAL "local t = {} for i = 1, 20000 do t = {t} end return t" 0', "reached lua stack limit"],
    [`EVAL "return #[[${"x".repeat(1 << 20)}]]" 0`, "(integer) 1048576"],
    ['EVAL "return string.rep([[x]], 1e9)" 0', "not enough memory"],
    ['EVAL "local function f() return 1 + f() end return f()" 0', "stack overflow"],
    ['EVAL "return redis.call([[SET]])" 0', "Wrong number of args calling Redis command from script"],
  ];
  for (const [line, printed] of cases) {
    await input(page).focus();
    await paste(page, line);
    await page.keyboard.press("Enter");
    await expect(page.locator(".output").last()).toContainText(printed, { timeout: 20_000 });
    await type(page, "PING");
    await expect(page.locator(".output").last()).toHaveText("PONG");
  }
});

test("progress outlives a reload, and can be forgotten", async ({ page, site }) => {
  await open(page, `${site.root}?lesson=script-flush`);
  await type(page, "script  flush");
  await expect(page.locator(".step.done")).toHaveCount(1);
  const others = page.getByRole("button", { name: /^Run (?!SCRIPT FLUSH)/ });
  const steps = 1 + (await others.count());
  for (const button of await others.all()) await button.click();
  await expect(page.locator(".step.done")).toHaveCount(steps);
  await page.goto(site.root);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("SCRIPT FLUSH");
  await expect(page.locator(".step.done")).toHaveCount(steps);
  await page.getByText("Contents").click();
  await expect(page.getByRole("link", { name: "SCRIPT FLUSH done" })).toBeVisible();
  await page.getByRole("button", { name: "Forget my progress" }).click();
  await page.getByRole("button", { name: "Press again" }).click();
  await expect(page.locator(".step.done")).toHaveCount(0);
});

test("at 320 and 390 px nothing stands outside the page", async ({ page, site }) => {
  for (const [width, height] of [[390, 844], [320, 568], [320, 256]]) {
    await page.setViewportSize({ width, height });
    await open(page, `${site.root}?lesson=a-loop-and-a-hash`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    await page.locator(".run").first().click();
    await expect(page.locator(".step.done")).toHaveCount(1);
    // The terminal is at its end, however long the reply was.
    const below = () => page.locator(".scroll").evaluate((scroll) => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight);
    await expect.poll(below).toBeLessThan(8);
    await accessible(page);
  }
});

test("the keys are listed, and PageDown leads through the course", async ({ page, site }) => {
  await open(page, `${site.root}?lesson=script-kill`);
  await page.getByRole("button", { name: "Keys" }).click();
  await expect(page.getByRole("dialog")).toContainText("Ctrl-R");
  await accessible(page);
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { level: 1 }).click();
  await expect(async () => {
    await page.keyboard.press("PageDown");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("SCRIPT FLUSH", { timeout: 300 });
  }).toPass();
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("SCRIPT KILL");
});
