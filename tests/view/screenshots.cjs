"use strict";
// node tests/view/screenshots.cjs FOLDER [CHROMIUM]: one picture for each outcome, one of them dark and one 320 px wide.
const fs = require("node:fs");
const path = require("node:path");
const { launch, openView } = require("./browser.cjs");
const runs = require("./runs.json");

const SHOTS = [
  ["fused", { width: 1160 }],
  ["partial_panel", { width: 1160, dark: true }],
  ["no_analysis", { width: 760 }],
  ["not_fused", { width: 320 }],
  ["running", { width: 760 }],
];

async function main([folder, chromium = "/usr/bin/chromium"]) {
  fs.mkdirSync(folder, { recursive: true });
  const { browser, close } = await launch(chromium);
  for (const [name, options] of SHOTS) {
    const still = { content: [], structuredContent: runs[name] };
    const view = await openView(browser, { ...options, scale: 2, callTool: async () => still });
    if (name === "running") await view.notify("tool-input", { arguments: { prompt: runs.fused.prompt } });
    await view.result(runs[name]);
    await view.frame.waitForSelector("#banner strong");
    if (name === "partial_panel") {
      for (const button of await view.frame.$$(".cards button")) if (await button.isVisible()) await button.click();
    }
    await view.fit();
    await view.page.screenshot({ path: path.join(folder, `${name}.png`) });
    await view.page.close();
  }
  await close();
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
