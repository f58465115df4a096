"use strict";
// node screenshots.cjs OUTCOMES FOLDER CHROMIUM: one picture for each outcome recorded in OUTCOMES, a JSON file.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const UPNG = require("upng-js");

const SHOTS = {
  fused: { width: 1080 },
  partial_panel: { width: 1080, dark: true },
  no_analysis: { width: 760, open: true },
  not_fused: { width: 400 },
  running: { width: 760, dark: true },
};
const FONTS = { inter: /\/(400|500|600|700)\w+\/[^/]*\.ttf$/, "jetbrains-mono": /\/400\w+\/[^/]*\.ttf$/ };
const COLOURS = 40;

/** The fonts where fontconfig looks first; the browser is started after this. */
function installFonts() {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "or-mcp-fonts-"));
  fs.mkdirSync(path.join(home, "fonts"));
  for (const [name, wanted] of Object.entries(FONTS)) {
    const folder = path.join(__dirname, "node_modules", "@expo-google-fonts", name);
    for (const file of fs.readdirSync(folder, { recursive: true })) {
      if (wanted.test(`/${file}`)) fs.copyFileSync(path.join(folder, file), path.join(home, "fonts", path.basename(file)));
    }
  }
  process.env.XDG_DATA_HOME = home;
  return () => fs.rmSync(home, { recursive: true, force: true });
}

function smaller(png) {
  const picture = UPNG.decode(png);
  return Buffer.from(UPNG.encode(UPNG.toRGBA8(picture), picture.width, picture.height, COLOURS));
}

async function main([recorded, folder, chromium]) {
  const uninstall = installFonts();
  const { launch, openView } = require("../view/browser.cjs");
  const outcomes = JSON.parse(fs.readFileSync(recorded, "utf8"));
  const { browser, close } = await launch(chromium);
  for (const [name, options] of Object.entries(SHOTS)) {
    const { given, told, texts } = outcomes[name];
    const callTool = async (_, asked) => ({ content: [], structuredContent: asked.part === "panel" ? texts[asked.model] : told });
    const view = await openView(browser, { ...options, scale: 2, callTool });
    await view.notify("tool-input", { arguments: given });
    await view.result(told);
    await view.frame.waitForSelector("#banner strong");
    for (const button of options.open ? await view.frame.$$(".cards button") : []) if (await button.isVisible()) await button.click();
    await view.settled();
    await view.fit();
    fs.writeFileSync(path.join(folder, `${name}.png`), smaller(await view.page.screenshot()));
    if (view.trouble.length) throw new Error(`${name}: ${view.trouble.join("; ")}`);
    await view.page.close();
  }
  await close();
  uninstall();
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
