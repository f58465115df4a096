"use strict";
// node drive.cjs CHROMIUM FOLDER: the view under the official AppBridge, bundled into FOLDER.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const esbuild = require("esbuild");
const { launch, openPage, VIEW } = require("../browser.cjs");
const runs = require("../runs.json");

async function main([chromium, folder]) {
  const bundle = path.join(folder, "host.js");
  esbuild.buildSync({ entryPoints: [path.join(__dirname, "host.mjs")], bundle: true, format: "iife", outfile: bundle, logLevel: "error" });
  const { browser, close } = await launch(chromium);
  const at = "http://host.invalid/";
  const documents = { [at]: `<!doctype html><link rel="icon" href="data:,"><body><script>${fs.readFileSync(bundle, "utf8").replaceAll("</script", "<\\/script")}</script></body>` };
  const { page, trouble } = await openPage(browser, { documents });
  await page.goto(at);
  await page.evaluate((html, known) => window.start(html, known), fs.readFileSync(VIEW, "utf8"), runs);
  const frame = page.frames().find((each) => each.parentFrame());
  await frame.waitForFunction(() => document.body.innerText.includes("All 3 panelists"), { timeout: 10000 });
  await frame.click("#sources a");
  await page.waitForFunction(() => window.log.some(([kind]) => kind === "link"));
  await page.evaluate(() => window.teardown());
  const log = await page.evaluate(() => window.log);
  const of = (kind) => log.filter(([name]) => name === kind).map(([, value]) => value);
  assert.equal(of("app")[0].name, "or-mcp-fusion");
  assert.deepEqual(of("call")[0].arguments, { run_id: runs.running.run_id, wait_seconds: 2 });
  assert.match(of("context")[0].content[0].text, /has ended \(fused\)/);
  assert.deepEqual(of("link")[0].url, "https://example.org/modular-monolith");
  assert.ok(of("size").length > 0);
  assert.deepEqual(trouble, []);
  await close();
}

main(process.argv.slice(2)).then(
  () => console.log(JSON.stringify({ name: "the official bridge accepts every message", problem: "" })),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
