// Several terminals on one Redis: who waits for whom, what ends a runaway script, and how they are handled.
import { accessible, expect, test } from "./fixture.js";

const prompt = "127.0.0.1:6379> ";
const terminal = (page, number) => page.locator("evalsha-terminal").nth(number - 1);
const input = (page, number) => terminal(page, number).locator("textarea");
const log = (page, number) => terminal(page, number).getByRole("log");
const last = (page, number) => terminal(page, number).locator(".output").last();

/** Opens the page and as many terminals. */
async function open(page, site, count = 2, address = site.root) {
  await page.goto(address);
  await expect(terminal(page, 1).locator(".mirror .prompt")).toHaveText(prompt);
  for (let number = 2; number <= count; number += 1) {
    await page.getByRole("button", { name: "Terminal", exact: true }).click();
    await expect(input(page, number)).toBeFocused();
    await expect(terminal(page, number).locator(".mirror .prompt")).toHaveText(prompt);
  }
}

async function type(page, number, line) {
  await input(page, number).focus();
  await page.keyboard.insertText(line);
  await page.keyboard.press("Enter");
}

test("a runaway script: the other terminal waits, is told BUSY, and kills it", async ({ page, site }) => {
  await open(page, site);
  await type(page, 2, "CONFIG SET busy-reply-threshold 1000");
  await expect(last(page, 2)).toHaveText("OK");
  await type(page, 1, 'EVAL "while true do end" 0');
  await type(page, 2, "GET key");
  // It was sent before the threshold: it waits, and the answer to it is BUSY as well.
  await expect(last(page, 2)).toContainText("(error) BUSY Redis is busy running a script.");
  await type(page, 2, "SET key value");
  await expect(log(page, 2).getByText("(error) BUSY")).toHaveCount(2);
  await type(page, 2, "SCRIPT KILL");
  await expect(last(page, 2)).toHaveText("OK");
  await expect(last(page, 1)).toContainText("(error) ERR Script killed by user with SCRIPT KILL... script: ");
  await type(page, 2, "EXISTS key");
  await expect(last(page, 2)).toHaveText("(integer) 0");
  await type(page, 2, "SCRIPT KILL");
  await expect(last(page, 2)).toHaveText("(error) NOTBUSY No scripts in execution right now.");
});

test("a script that is left running belongs to nobody, and can still be killed", async ({ page, site }) => {
  await open(page, site, 3);
  await type(page, 1, "CONFIG SET busy-reply-threshold 50");
  await expect(last(page, 1)).toHaveText("OK");
  await type(page, 2, 'EVAL "while true do end" 0');
  await page.getByRole("button", { name: "Close redis-cli 2" }).click();
  await expect(page.locator("evalsha-terminal")).toHaveCount(2);
  await type(page, 1, "GET key");
  await expect(last(page, 1)).toContainText("(error) BUSY");
  await type(page, 2, "SCRIPT KILL");
  await expect(last(page, 2)).toHaveText("OK");
  await type(page, 1, "PING");
  await expect(last(page, 1)).toHaveText("PONG");
});

test("Ctrl-C in one terminal does not touch the script of the other", async ({ page, site }) => {
  await open(page, site);
  await type(page, 1, 'EVAL "while true do end" 0');
  await type(page, 2, "GET key");
  await expect(terminal(page, 2).getByRole("button", { name: "Stop" })).toBeVisible();
  await input(page, 2).press("Control+c");
  await expect(last(page, 2)).toHaveText("^C");
  await expect(terminal(page, 2).locator(".mirror .prompt")).toHaveText(prompt);
  await expect(terminal(page, 1).getByRole("button", { name: "Stop" })).toBeVisible();
  await input(page, 1).press("Control+c");
  await expect(last(page, 1)).toContainText("Script killed by user");
});

for (const way of ["by the button", "typed"]) {
  test(`a script that has written ends with SHUTDOWN NOSAVE, ${way}`, async ({ page, site }) => {
    await open(page, site);
    await type(page, 2, "CONFIG SET busy-reply-threshold 100");
    await type(page, 2, "SET lost 1");
    await expect(last(page, 2)).toHaveText("OK");
    await type(page, 1, `EVAL "redis.call('SET', KEYS[1], 1) while true do end" 1 lost`);
    await expect(async () => {
      await type(page, 2, "SCRIPT KILL");
      await expect(last(page, 2)).toContainText("(error) UNKILLABLE", { timeout: 500 });
    }).toPass();
    const offer = terminal(page, 2).locator(".notice");
    await expect(offer).toContainText("This script cannot be killed");
    await accessible(page);
    if (way === "typed") await type(page, 2, "SHUTDOWN NOSAVE");
    else await page.getByRole("button", { name: "SHUTDOWN NOSAVE" }).click();
    for (const number of [1, 2]) {
      await expect(terminal(page, number).locator(".notice")).toContainText("Redis was shut down, and has started again");
      await expect(terminal(page, number).locator(".mirror .prompt")).toHaveText("not connected> ");
    }
    await expect(last(page, 1)).toHaveText("Error: Server closed the connection");
    await type(page, 1, "EXISTS lost");
    await expect(last(page, 1)).toHaveText("(integer) 0");
    await expect(terminal(page, 1).locator(".mirror .prompt")).toHaveText(prompt);
    await input(page, 2).focus();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await expect(input(page, 2)).toHaveValue("SHUTDOWN NOSAVE");
  });
}

test("Stop offers the same where a script has written", async ({ page, site }) => {
  await open(page, site, 1);
  await type(page, 1, "CONFIG SET busy-reply-threshold 100");
  await type(page, 1, `EVAL "redis.call('SET', KEYS[1], 1) while true do end" 1 key`);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(last(page, 1)).toContainText("(error) UNKILLABLE");
  await page.getByRole("button", { name: "SHUTDOWN NOSAVE" }).click();
  // The only terminal waits: another one opens for the command.
  await expect(log(page, 2)).toContainText("SHUTDOWN NOSAVE");
  await expect(terminal(page, 1).locator(".notice")).toContainText("Redis was shut down");
  await type(page, 1, "DBSIZE");
  await expect(last(page, 1)).toHaveText("(integer) 0");
});

test("a server that is shut down tells a waiting terminal at once and an idle one at its next command", async ({ page, site }) => {
  await open(page, site);
  await type(page, 2, "SELECT 3");
  await expect(last(page, 2)).toHaveText("OK");
  await type(page, 1, "SHUTDOWN");
  await expect(terminal(page, 1).locator(".mirror .prompt")).toHaveText("not connected> ");
  await expect(terminal(page, 2).locator(".notice")).toContainText("Redis was shut down");
  await type(page, 2, "PING");
  await expect(last(page, 2)).toHaveText("Error: Server closed the connection");
  await expect(terminal(page, 2).locator(".mirror .prompt")).toHaveText("not connected> ");
  await type(page, 2, "PING");
  await expect(last(page, 2)).toHaveText("PONG");
  await expect(terminal(page, 2).locator(".mirror .prompt")).toHaveText("127.0.0.1:6379[3]> ");
});

test("by keyboard alone: open, go to and fro, each with its place in the history, close", async ({ page, site }) => {
  await open(page, site, 1);
  await input(page, 1).focus();
  for (const line of ["SET a 1", "SET b 2"]) {
    await page.keyboard.type(line);
    await page.keyboard.press("Enter");
  }
  await page.keyboard.press("Alt+n");
  await expect(input(page, 2)).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect(input(page, 2)).toHaveValue("SET a 1");
  await page.keyboard.press("Alt+1");
  await expect(input(page, 1)).toBeFocused();
  await page.keyboard.type("PING");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Alt+o");
  await expect(input(page, 2)).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(input(page, 2)).toHaveValue("SET b 2");
  await page.keyboard.press("Control+c");
  await page.keyboard.press("ArrowUp");
  await expect(input(page, 2)).toHaveValue("PING");
  await page.keyboard.press("Alt+n");
  await page.keyboard.press("Alt+n");
  await page.keyboard.press("Alt+n");
  await expect(page.locator("evalsha-terminal")).toHaveCount(4);
  await page.keyboard.press("Alt+w");
  await expect(input(page, 3)).toBeFocused();
  await page.keyboard.press("Control+d");
  await expect(log(page, 3)).toContainText("This session has ended");
  await page.keyboard.press("Control+d");
  await page.keyboard.press("Alt+w");
  await expect(input(page, 1)).toBeFocused();
  await page.keyboard.press("Alt+w");
  await expect(page.locator("evalsha-terminal")).toHaveCount(1);
  await expect(input(page, 1)).toBeFocused();
});

test("reload keeps the terminals and which one is in use; Run goes there", async ({ page, site }) => {
  await open(page, site, 3);
  await input(page, 2).focus();
  await page.reload();
  await expect(page.locator("evalsha-terminal")).toHaveCount(3);
  await expect(terminal(page, 2)).toHaveClass(/current/);
  await expect(terminal(page, 3).locator(".mirror .prompt")).toHaveText(prompt);
  await page.locator(".run").first().click();
  await expect(last(page, 2)).toHaveText('"Hello, world!"');
  await expect(log(page, 1)).toHaveText("");
  await type(page, 1, "CLIENT LIST");
  await expect(last(page, 1)).toContainText(/id=\d+[^]*id=\d+[^]*id=\d+/);
  await page.goto(`${site.root}?embed`);
  await expect(page.locator("evalsha-terminal")).toHaveCount(1);
});

test("beside each other or stacked, at any width nothing stands outside, and axe finds nothing", async ({ page, site }) => {
  await open(page, site);
  const sizes = [[1440, 900, true], [1280, 800, true], [1024, 768, false], [700, 500, false], [390, 844, false], [320, 568, false], [320, 256, false]];
  for (const [width, height, beside] of sizes) {
    await page.setViewportSize({ width, height });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    const [one, two] = [await terminal(page, 1).boundingBox(), await terminal(page, 2).boundingBox()];
    expect(one.y === two.y, `${width} px`).toBe(beside);
    for (const bar of await page.locator(".bar").all()) {
      expect(await bar.evaluate((element) => element.scrollWidth - element.clientWidth), `the bar at ${width} px`).toBe(0);
    }
    await accessible(page);
  }
});

test("a script is stepped through, and its lines have roles", async ({ page, site }) => {
  await open(page, site, 1);
  await type(page, 1, "SCRIPT DEBUG YES");
  await expect(last(page, 1)).toHaveText("OK");
  await type(page, 1, `EVAL "local n = redis.call('INCR', KEYS[1])\\nreturn n" 1 counter`);
  const debuggerPrompt = terminal(page, 1).locator(".mirror .prompt");
  await expect(debuggerPrompt).toHaveText("lua debugger> ");
  await expect(log(page, 1)).toContainText("Lua debugging session started, please use:");
  await expect(log(page, 1).locator(".output.current")).toHaveText("-> 1   local n = redis.call('INCR', KEYS[1])");
  await type(page, 1, "step");
  await expect(log(page, 1).locator(".output.command")).toHaveText("<redis> INCR counter");
  await expect(log(page, 1).locator(".output.reply")).toHaveText("<reply> 1");
  await type(page, 1, "print n");
  await expect(log(page, 1).locator(".output.value")).toHaveText("<value> 1");
  await type(page, 1, "break 99");
  await expect(last(page, 1)).toHaveText("Wrong line number.");
  await accessible(page);
  await type(page, 1, "continue");
  await expect(log(page, 1)).toContainText("(Lua debugging session ended -- dataset changes rolled back)");
  await expect(debuggerPrompt).toHaveText(prompt);
  await type(page, 1, "EXISTS counter");
  await expect(last(page, 1)).toHaveText("(integer) 0");
});

test("BLPOP is served by the other terminal; SUBSCRIBE and MONITOR are left by Ctrl-C", async ({ page, site }) => {
  await open(page, site);
  await type(page, 1, "BLPOP queue 0");
  await type(page, 2, "RPUSH queue job");
  await expect(last(page, 1)).toContainText('2) "job"');
  await type(page, 1, "SUBSCRIBE news");
  await expect(log(page, 1)).toContainText("Reading messages... (press Ctrl-C to quit)");
  await type(page, 2, "PUBLISH news hello");
  await expect(log(page, 1)).toContainText('3) "hello"');
  await input(page, 1).focus();
  await page.keyboard.press("Control+c");
  await type(page, 1, "PING");
  await expect(last(page, 1)).toHaveText("PONG");
  await type(page, 2, "PUBLISH news again");
  await expect(last(page, 2)).toHaveText("(integer) 0");
  await type(page, 1, "MONITOR");
  await type(page, 2, `EVAL "return redis.call('GET', KEYS[1])" 1 seen`);
  await expect(log(page, 1)).toContainText('lua] "GET" "seen"');
  await input(page, 1).focus();
  await page.keyboard.press("Control+c");
  await type(page, 1, "PING");
  await expect(last(page, 1)).toHaveText("PONG");
});
