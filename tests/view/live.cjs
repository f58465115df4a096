"use strict";
// node live.cjs CHROMIUM FOLDER URL: the page beside a running server, in a host that passes its calls on over HTTP.
const assert = require("node:assert/strict");
const { launch, openView } = require("./browser.cjs");

const [chromium, , url] = process.argv.slice(2);
const QUESTION = { prompt: "Monolith or microservices for a product built by five people?", analysis_models: ["anthropic/claude-opus-5", "openai/gpt-5.6-sol", "google/gemini-3.1-pro-preview"] };
let session;
let lastId = 0;

async function rpc(method, params, notification) {
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25" };
  if (session) headers["mcp-session-id"] = session;
  const body = JSON.stringify({ jsonrpc: "2.0", method, params, ...(notification ? {} : { id: ++lastId }) });
  const reply = await fetch(url, { method: "POST", headers, body });
  session = reply.headers.get("mcp-session-id") || session;
  if (notification) return null;
  const words = await reply.text();
  const answers = (words.startsWith("{") ? [words] : words.split("\n").filter((line) => line.startsWith("data: {")).map((line) => line.slice(6))).map(JSON.parse);
  const answer = answers.find((each) => each.id === lastId || each.result);
  assert.ok(answer && answer.result, `${method}: ${words.slice(0, 400)}`);
  return answer.result;
}

async function main() {
  await rpc("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "a host", version: "1" } });
  await rpc("notifications/initialized", {}, true);
  const { resourceUri } = (await rpc("tools/list", {})).tools.find((tool) => tool.name === "fuse")._meta.ui;
  const [page] = (await rpc("resources/read", { uri: resourceUri })).contents;
  const { browser, close } = await launch(chromium);
  const callTool = (name, args, _meta) => rpc("tools/call", { name, arguments: args, _meta });
  const view = await openView(browser, { callTool, html: page.text });
  await view.notify("tool-input", { arguments: QUESTION });
  const started = await rpc("tools/call", { name: "fuse", arguments: { ...QUESTION, wait_seconds: 0 } });
  await view.notify("tool-result", started);
  await view.frame.waitForFunction(() => [...document.querySelectorAll(".said:not([hidden])")].some((said) => said.innerText.trim().length > 20), { timeout: 40000 });
  await view.frame.waitForFunction(() => document.querySelector("#banner").innerText.includes("All 3 panelists"), { timeout: 40000 });
  const words = await view.words();
  for (const each of ["Consensus", "Disagreements", "Blind spots", "$0."]) assert.ok(words.includes(each), each);
  await view.frame.click(".cards button");
  await view.frame.waitForFunction(() => document.querySelector(".cards article").innerText.trim().length > 100, { timeout: 10000 });
  assert.deepEqual(view.trouble, []);
  await close();
  // The page has read it all, and yet the model has not: what was paid for is handed over, not paid for again.
  const again = await rpc("tools/call", { name: "fuse", arguments: QUESTION });
  assert.equal(again.structuredContent.replayed, true);
}

main().then(
  () => console.log(JSON.stringify({ name: "the page follows a run of a real server to its end", problem: "" })),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
