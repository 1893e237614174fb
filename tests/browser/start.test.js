// The page starts, wherever it is put.
import { accessible, expect, test } from "./fixture.js";

test("at the root of a server", async ({ page, site }) => {
  await page.goto(site.root);
  await expect(page.locator("body")).toContainText("evalsha 0.1.0");
});

test("below a path of a server", async ({ page, site }) => {
  await page.goto(site.deep);
  await expect(page.locator("body")).toContainText("evalsha 0.1.0");
});

test("in an iframe of another origin", async ({ page, site }) => {
  await page.goto(site.framed(site.deep));
  await expect(page.frameLocator("iframe").locator("body")).toContainText("evalsha 0.1.0");
});

test("from one file, without a server", async ({ page, site }) => {
  await page.goto(site.offline);
  await expect(page.locator("body")).toContainText("evalsha 0.1.0");
});

test("axe finds nothing in either theme", async ({ page, site }) => {
  await page.goto(site.root);
  await expect(page.locator("body")).toContainText("evalsha 0.1.0");
  await accessible(page);
});
