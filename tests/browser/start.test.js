// The page starts, wherever it is put.
import { accessible, expect, test } from "./fixture.js";

const ready = "127.0.0.1:6379>";

test("at the root of a server", async ({ page, site }) => {
  await page.goto(site.root);
  await expect(page.locator("body")).toContainText(ready);
});

test("below a path of a server", async ({ page, site }) => {
  await page.goto(site.deep);
  await expect(page.locator("body")).toContainText(ready);
});

test("in an iframe of another origin", async ({ page, site }) => {
  await page.goto(site.framed(`${site.deep}?embed&lesson=evalsha`));
  await expect(page.frameLocator("iframe").locator("body")).toContainText(ready);
});

test("from one file, without a server", async ({ page, site }) => {
  await page.goto(site.offline);
  await expect(page.locator("body")).toContainText(ready);
});

test("axe finds nothing in either theme", async ({ page, site }) => {
  await page.goto(site.root);
  await expect(page.locator("body")).toContainText(ready);
  await accessible(page);
});
