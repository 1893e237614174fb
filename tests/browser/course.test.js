// A learner goes through the course, by clicking and by typing, and breaks things on the way.
import { expect, test } from "./fixture.js";

const LESSONS = 11;

// Eleven lessons, each command typed as a person would see it.
test.describe.configure({ timeout: 180_000 });
const input = (page) => page.locator("textarea").first();
const log = (page) => page.getByRole("log");

async function type(page, line) {
  await input(page).focus();
  await page.keyboard.insertText(line);
  await page.keyboard.press("Enter");
}

/** What the terminal has printed, a line each, without the spaces at its ends. */
async function printed(page) {
  return (await log(page).innerText()).split("\n").map((line) => line.trim()).filter(Boolean);
}

for (const way of ["clicking", "typing"]) {
  test(`every lesson from first to last by ${way}`, async ({ page, site }) => {
    await page.goto(site.root);
    for (let lesson = 1; lesson <= LESSONS; lesson += 1) {
      await expect(page.locator("body")).toContainText(`Lesson ${lesson} of ${LESSONS}`);
      const runs = page.getByRole("button", { name: /^Run/ });
      const outputs = page.locator("pre.prints");
      expect(await runs.count()).toBeGreaterThan(0);
      for (let block = 0; block < (await runs.count()); block += 1) {
        const expected = (await outputs.nth(block).innerText()).split("\n").map((line) => line.trim()).filter(Boolean);
        await page.getByRole("button", { name: "Clear" }).click();
        if (way === "clicking") await runs.nth(block).click();
        else await type(page, (await page.locator(".given code").nth(block).innerText()).trim());
        await expect.poll(async () => (await printed(page)).slice(-expected.length)).toEqual(expected);
      }
      if (lesson < LESSONS) await page.getByRole("link", { name: /^Next/ }).or(page.getByRole("button", { name: /^Next/ })).first().click();
    }
  });
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
