// A learner goes through the course, by clicking and by typing, and breaks things on the way.
import { accessible, expect, test } from "./fixture.js";

const LESSONS = 13;

// Each command of each lesson typed as a person would see it.
test.describe.configure({ timeout: 180_000 });
const input = (page) => page.locator("textarea").first();
const log = (page) => page.getByRole("log").first();

async function type(page, line, where = page) {
  await where.locator("textarea").first().focus();
  await page.keyboard.insertText(line);
  await page.keyboard.press("Enter");
}

/** The lines of a text, without the spaces at their ends, and without how long a reply took. */
const lines = (text) => text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !/^\(\d+\.\d\ds\)$/.test(line));

for (const way of ["clicking", "typing"]) {
  test(`every lesson from first to last by ${way}`, async ({ page, site }) => {
    await page.goto(site.root);
    for (let lesson = 1; lesson <= LESSONS; lesson += 1) {
      await expect(page.locator("body")).toContainText(`Lesson ${lesson} of ${LESSONS}`);
      const steps = await page.locator(".step").all();
      expect(steps.length).toBeGreaterThan(0);
      for (const step of steps) {
        const where = await step.locator(".where").allInnerTexts();
        // A lesson may ask for a second terminal: Run opens it, and who types does it by a key.
        while (way === "typing" && Number(where[0] ?? 0) > (await page.locator("evalsha-terminal").count())) await page.keyboard.press("Alt+n");
        if ((await step.locator(".run").count()) > 0) {
          if (way === "clicking") await step.locator(".run").click();
          else await type(page, (await step.locator(".given code").innerText()).trim(), terminal(page, where[0]));
        }
        for (const prints of await step.locator(".prints").all()) {
          const expected = lines(await prints.innerText());
          await expect.poll(async () => lines(await terminal(page, where[0]).getByRole("log").innerText()).slice(-expected.length), { intervals: [100] }).toEqual(expected);
        }
        if (way === "clicking" && (await step.locator(".run").count()) > 0) {
          await expect(terminal(page, where[0]).locator(".typed").last()).toHaveText((await step.locator(".given code").innerText()).trim());
        }
      }
      // What waits for another terminal is done only when that has answered: now all of them are.
      await expect(page.locator(".step:has(.run):not(.done)")).toHaveCount(0);
      if (lesson < LESSONS) await page.getByRole("link", { name: /^Next/ }).or(page.getByRole("button", { name: /^Next/ })).first().click();
    }
    await expect(page.locator("body")).toContainText(`All ${LESSONS} lessons done`);
  });
}

/** The terminal with a number, or the one in use. */
function terminal(page, number) {
  return number ? page.locator("evalsha-terminal").nth(number - 1) : page.locator("evalsha-terminal.current, [data-count='1'] > evalsha-terminal");
}

test("a runaway script leaves the page alive and can be stopped", async ({ page, site }) => {
  await page.goto(site.root);
  await type(page, 'EVAL "while true do end" 0');
  const stop = page.getByRole("button", { name: "Stop" });
  await expect(stop).toBeVisible();
  await page.locator("summary, button", { hasText: "Contents" }).first().click();
  await expect(page.getByText("SCRIPT FLUSH").first()).toBeVisible();
  await stop.click();
  await expect(log(page)).toContainText("Script killed by user with SCRIPT KILL");
  await type(page, "PING");
  await expect(log(page)).toContainText("PONG");
});

test("history outlives a reload", async ({ page, site }) => {
  await page.goto(site.root);
  await type(page, "SET kept yes");
  await expect(log(page)).toContainText("OK");
  await page.reload();
  await expect(page.locator("body")).toContainText("127.0.0.1:6379>");
  await input(page).focus();
  await page.keyboard.press("ArrowUp");
  await expect(input(page)).toHaveValue("SET kept yes");
});

test("axe finds nothing in a lesson that asks for two terminals", async ({ page, site }) => {
  await page.goto(`${site.root}?lesson=script-kill`);
  await page.getByRole("button", { name: "Run in terminal 2: SCRIPT KILL" }).first().click();
  await expect(log(page.locator("evalsha-terminal").nth(1))).toContainText("NOTBUSY");
  await accessible(page);
});
