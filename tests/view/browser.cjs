"use strict";
// One browser, and pages in it that hold the view inside a host. Nothing is served: every request is answered here.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const puppeteer = require("puppeteer-core");

const VIEW = path.join(__dirname, "..", "..", "or_mcp", "view", "fusion.html");
const HOST = "http://host.invalid/";
const EVERYTHING = { serverTools: {}, openLinks: {}, updateModelContext: { text: {} } };

async function launch(executablePath) {
  const userDataDir = fs.mkdtempSync(path.join(os.tmpdir(), "or-mcp-view-"));
  const browser = await puppeteer.launch({
    executablePath,
    userDataDir,
    headless: true,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    ],
  });
  return {
    browser,
    close: async () => {
      await browser.close();
      fs.rmSync(userDataDir, { recursive: true, force: true });
    },
  };
}

/** A page that refuses and counts every request, dialog, popup and error but the documents it is given. */
async function openPage(browser, { width = 1100, height = 900, dark = false, documents = {} } = {}) {
  const page = await browser.newPage();
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  const trouble = [];
  page.on("dialog", (dialog) => { trouble.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("popup", () => trouble.push("popup"));
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  page.on("console", (message) => { if (message.type() === "error") trouble.push(`console: ${message.text()}`); });
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    const body = documents[request.url()];
    if (body !== undefined) return request.respond({ contentType: "text/html; charset=utf-8", body });
    if (/^(about|data):/.test(request.url())) return request.continue();
    trouble.push(`request: ${request.url().slice(0, 200)}`);
    return request.abort();
  });
  return { page, trouble };
}

/** The view inside a host that has these capabilities and answers `tools/call` with `callTool`. */
async function openView(browser, options = {}) {
  const { capabilities = EVERYTHING, context = {}, callTool = async () => ({ isError: true, content: [] }) } = options;
  const documents = { [HOST]: fs.readFileSync(path.join(__dirname, "host.html"), "utf8") };
  const { page, trouble } = await openPage(browser, { ...options, documents });
  const calls = [];
  await page.exposeFunction("callTool", (name, args, meta) => {
    calls.push([name, args]);
    return callTool(name, args, meta);
  });
  await page.goto(HOST);
  const initialized = {
    protocolVersion: "2026-01-26",
    hostInfo: { name: "test-host", version: "1" },
    hostCapabilities: capabilities,
    hostContext: context,
  };
  await page.evaluate((html, answer) => window.start(html, answer), options.html ?? fs.readFileSync(VIEW, "utf8"), initialized);
  const frame = page.frames().find((each) => each.parentFrame());
  const notify = (method, params) => page.evaluate((m, p) => window.notify(`ui/notifications/${m}`, p), method, params);
  return {
    page, frame, trouble, calls, notify,
    ask: (method, params) => page.evaluate((m, p) => window.ask(m, p), method, params),
    log: () => page.evaluate(() => window.log),
    result: (run) => notify("tool-result", { content: [{ type: "text", text: "see structuredContent" }], structuredContent: run }),
    // Whatever was asked of the host has been answered, and everything is drawn.
    settled: () => frame.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 400)))),
    words: () => frame.evaluate(() => document.body.innerText),
    // The frame is made as tall as its page, as a host does, so that a picture shows all of it.
    fit: async () => {
      const height = await frame.evaluate(() => Math.ceil(document.documentElement.getBoundingClientRect().height));
      await page.setViewport({ width: options.width ?? 1100, height, deviceScaleFactor: options.scale ?? 1 });
    },
  };
}

module.exports = { launch, openPage, openView, VIEW };
