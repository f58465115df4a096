"use strict";
// node drive.cjs CHROMIUM REPORTS: runs every check below and prints one line of JSON for each.
// REPORTS is a folder with the standalone pages that report.py made of the runs in runs.json.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { launch, openPage, openView } = require("./browser.cjs");
const runs = require("./cases.cjs");

const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [chromium, reports] = process.argv.slice(2);
const ended = (run) => ({ content: [], structuredContent: run });
const WIDTHS = [320, 560, 1200];
const OUTCOMES = ["fused", "partial_panel", "no_analysis", "not_fused", "running"];
let browser;

async function violations(frame) {
  await frame.evaluate(AXE);
  const found = await frame.evaluate(async () => (await window.axe.run(document)).violations);
  return found.map((each) => `${each.id} (${each.impact}): ${each.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
}
const until = (frame, words) => frame.waitForFunction((w) => document.body.innerText.includes(w), { timeout: 8000 }, words);
const bannerOf = (frame) => frame.$eval("#banner", (banner) => banner.innerText.replace(/\s+/g, " ").trim());
const clickOn = async (frame, name) => {
  for (const button of await frame.$$("button")) {
    if ((await button.isVisible()) && (await button.evaluate((each) => each.textContent)).includes(name)) return button.click();
  }
  throw new Error(`no button ${name}`);
};
async function shown(run, options) {
  const view = await openView(browser, options);
  await view.result(run);
  await view.frame.waitForSelector("#banner strong");
  return view;
}

const HOSTILE = {
  model: "__proto__",
  tags: "<script>parent.pwned=1;alert(1)</script><img src=https://evil.example/x.png onerror=alert(2)><b>bold</b>",
  links: "[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](data:text/html,<script>alert(1)</script>) [d](vbscript:x) "
    + "[e](//evil.example/x) [f](https://google.com@evil.example/) ![img](https://evil.example/p.png) "
    + "[paypal.com](https://evil.example/login) https://еxample.com/",
  bidi: "safe \u202Eexe.gpj\u202C end \u2066isolate\u2069 \u0000\u0007\u001b[31mred",
};
const NASTY = [HOSTILE.tags, HOSTILE.links, HOSTILE.bidi, "👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿 emoji", "שלום עולם", "- שלום\n- עולם", "|a|b|\n|-|-|\n|<script>alert(3)</script>|`x`|", "W".repeat(3000)].join("\n\n");
const hostileRun = (answer) => ({
  ...runs.fused,
  run_id: "run_hostile",
  model: HOSTILE.tags,
  prompt: HOSTILE.tags + HOSTILE.bidi,
  answer,
  outcome: "fused",
  analysis: JSON.parse(JSON.stringify({
    consensus: [HOSTILE.tags, HOSTILE.links, { toString: "x", __proto__: null }, null, 7],
    contradictions: [{ topic: HOSTILE.bidi, stances: [{ model: "__proto__", stance: HOSTILE.links }, { model: "constructor", stance: HOSTILE.tags }, { model: "toString", stance: "x" }] }, null, "words"],
    partial_coverage: [{ models: ["hasOwnProperty", HOSTILE.tags], point: HOSTILE.links }],
    unique_insights: [{ model: "__proto__", insight: HOSTILE.tags }],
    blind_spots: [HOSTILE.tags],
  })),
  panel: ["__proto__", "constructor", HOSTILE.tags, "__proto__"].map((model) => ({ model, status: "answered", chars: 200000 })),
  responses: [{ model: "__proto__", content: NASTY }, { model: "constructor", content: NASTY }, { model: HOSTILE.tags, content: NASTY }],
  failed_models: [{ model: "hasOwnProperty", error: HOSTILE.tags, status_code: 500 }],
  sources: [{ url: "javascript:alert(1)", title: "evil" }, { url: "https://evil.example/<script>", title: HOSTILE.tags }],
  notes: [HOSTILE.tags, HOSTILE.bidi],
  error: HOSTILE.tags,
  failure_reason: HOSTILE.tags,
  extra_rows: [JSON.parse('{"__proto__": "x", "constructor": "y"}')],
});
const ORDINARY = "A paragraph with **bold** words, `code` and [a link](https://example.org/).\n\n";
const HEAVY = {
  "10,000 list lines": Array.from({ length: 10000 }, (_, i) => `${" ".repeat(2 * (i % 4))}- line ${i} with **bold** and \`code\``).join("\n"),
  "unmatched stars": "**a ".repeat(50000),
  "unmatched brackets": "[".repeat(200000),
  "brackets that close late": "[".repeat(199000) + "](https://x.example)",
  "half links": "[a](b(c)".repeat(25000),
  "backticks": "`a``b```".repeat(25000),
  "underscores": "_a __b ".repeat(28000),
  "quotes": ">".repeat(200000),
  "pipes": `${"|".repeat(100000)}\n${"|-".repeat(50000)}`,
  "table rows": `|a|b|\n|-|-|\n${"|x|y|\n".repeat(10000)}`,
  "hashes": `# ${" ".repeat(100000)}#x ${"#".repeat(100000)}`,
  "addresses": "https://x.example/a ".repeat(10000),
  "blank lines": `- a\n${"\n".repeat(200000)}b`,
  "rules": `${"- ".repeat(99)}x\n`.repeat(1000),
  "one long word": "x".repeat(200000),
};

const CHECKS = {
  async "every outcome is told in the banner"() {
    const expected = {
      fused: /^✓ ?Fused All 3 panelists/, partial_panel: /Partial panel 2 of 3 .*Failed: Gemini 3\.1 Pro/, no_analysis: /No analysis 3 of 3/,
      not_fused: /^✗ ?NOT FUSED One model, Claude Opus 5, wrote this answer alone/, running: /Running 1 of 3/,
    };
    for (const name of OUTCOMES) {
      const view = await shown(runs[name], { capabilities: {} });
      assert.match(await bannerOf(view.frame), expected[name]);
      assert.deepEqual(view.trouble, []);
      await view.page.close();
    }
  },

  async "the whole result is on the page"() {
    const { frame, page } = await shown(runs.partial_panel);
    assert.match(await frame.$eval("#meta", (meta) => meta.innerText), /^\$0\.20 · 2 min 21 s · 30 November 2026/);
    assert.ok(!(await frame.evaluate(() => document.body.innerText)).includes(runs.partial_panel.run_id), "folded");
    await frame.click("#facts summary");
    const order = await frame.$$eval("main h2", (all) => all.filter((each) => each.checkVisibility()).map((each) => each.firstChild.textContent));
    assert.deepEqual(order, ["Answer", "Disagreements", "Unique insights", "Blind spots", "Consensus", "Partial coverage", "Panel", "Sources"]);
    await clickOn(frame, "2 disagreements");
    assert.equal(await frame.evaluate(() => document.activeElement.id), "contradictions");
    const words = await frame.evaluate(() => document.body.innerText);
    const { analysis, failed_models, sources, run_id, generation_id } = runs.partial_panel;
    const expected = [
      "Start with a modular monolith.", ...analysis.consensus, ...analysis.blind_spots, analysis.unique_insights[1].insight,
      analysis.partial_coverage[0].point, failed_models[0].error, "429", ...sources.map((each) => each.title),
      "engineering.example.com", "$0.2014", "$0.11 to $0.62, and never above $2.36", "2 min 21 s", run_id, generation_id, "2,431 characters",
    ];
    for (const each of expected) assert.ok(words.includes(each), each);
    const topics = await frame.$$eval(".topics > li", (all) => all.map((topic) => [topic.querySelector("h3").innerText, ...[...topic.querySelectorAll(".who")].map((each) => each.innerText)]));
    assert.deepEqual(topics, [["When to extract the billing module", "Claude Opus 5", "GPT-5.6 Sol", "Gemini 3.1 Pro Preview"], ["Database layout", "Claude Opus 5", "GPT-5.6 Sol"]]);
    const outline = await frame.$$eval("#answer h3, #answer ol > li, #answer pre, #answer table td, #answer blockquote, #answer strong", (all) => all.map((each) => each.tagName));
    for (const tag of ["H3", "LI", "PRE", "TD", "BLOCKQUOTE", "STRONG"]) assert.ok(outline.includes(tag), tag);
    await page.close();
  },

  async "a simulated run carries one ribbon instead of labels"() {
    const labelled = JSON.parse(JSON.stringify(runs.fused).replace(/("(?:answer|content|insight|point|stance)": ?")/g, "$1[simulated] "));
    const { frame, page } = await shown(labelled);
    const words = await frame.evaluate(() => document.body.innerText);
    assert.equal(words.match(/simulated/gi).length, 1);
    assert.match(words, /Simulated: no model was asked, and nothing was paid/);
    await page.close();
    const real = await shown(runs.fused);
    assert.ok(!(await real.words()).includes("imulated"));
    await real.page.close();
  },

  async "a model has one name, as a person says it"() {
    const model = "~anthropic/claude-opus-latest";
    const analysis = { ...runs.fused.analysis, unique_insights: [{ model, insight: "x" }] };
    const { frame, page } = await shown({ ...runs.fused, analyst_model: model, analysis });
    assert.match(await frame.$eval("#unique", (each) => each.innerText), /Claude Opus 5 \(latest\)/);
    await page.close();
  },

  async "an unknown cost is called unknown"() {
    const { frame, page } = await shown(runs.not_fused);
    assert.match(await frame.$eval("#meta", (meta) => meta.innerText), /^Cost unknown/);
    await page.close();
  },

  async "a live run fills its cards in place and stops asking when it ends"() {
    let release;
    const seen = new Promise((resolve) => { release = resolve; });
    const answers = [
      { ...runs.running, elapsed_seconds: 41, panel: [runs.running.panel[0], { ...runs.fused.panel[1] }, { ...runs.running.panel[2], chars: 900 }] },
      { ...runs.fused },
    ];
    const written = ({ model }) => ({ run_id: runs.running.run_id, text: `${model} (pending):\nthe **last** words by ${model}` });
    const callTool = async (_, args) => (args.part ? ended(written(args)) : (await seen, ended(answers.shift())));
    const view = await openView(browser, { callTool });
    const { frame, calls, notify, result, page } = view;
    await notify("tool-input", { arguments: { prompt: runs.fused.prompt, analysis_models: runs.fused.panel.map((row) => row.model) } });
    await frame.waitForSelector(".cards li");
    await frame.evaluate(() => { window.first = [...document.querySelectorAll(".cards li")]; });
    await result(runs.running);
    await until(frame, "1,180 characters");
    await frame.focus(".cards button");
    release();
    await until(frame, "by 41 s");
    await until(frame, `the last words by ${runs.running.panel[2].model}`);
    await until(frame, "Fused");
    assert.ok(await frame.evaluate(() => window.first.every((card, place) => card === document.querySelectorAll(".cards li")[place])));
    assert.equal(await frame.evaluate(() => document.activeElement.closest(".cards") !== null), true);
    assert.match(await frame.$eval("#live", (live) => live.textContent), /^Fused/);
    assert.ok(!(await view.words()).includes("the last words"));
    const last = calls.length;
    assert.deepEqual(calls[0], ["run", { run_id: runs.running.run_id, wait_seconds: 2 }]);
    assert.ok((await view.log()).filter(([method]) => method === "tools/call").every(([, params]) => params._meta["or-mcp/view"] === true));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal(calls.length, last);
    const told = (await view.log()).filter(([method]) => method === "ui/update-model-context");
    assert.match(told[0][1].content[0].text, new RegExp(`${runs.running.run_id} has ended \\(fused\\)`));
    assert.deepEqual(view.trouble, []);
    await page.close();
  },

  async "before there is a result the run is found by its question"() {
    const row = { run_id: runs.running.run_id, tool: "fuse", status: "running", prompt: runs.fused.prompt };
    const callTool = async (_, args) => ended(args.run_id ? runs.running : { runs: [{ ...row, prompt: "another" }, row] });
    const { frame, calls, notify, page } = await openView(browser, { callTool });
    await notify("tool-input", { arguments: { prompt: `  ${runs.fused.prompt}\n` } });
    await until(frame, "1,180 characters");
    assert.deepEqual(calls.slice(0, 2), [["run", {}], ["run", { run_id: row.run_id, wait_seconds: 2 }]]);
    await page.close();
  },

  async "without server tools nothing is called"() {
    const { frame, calls, notify, result, page } = await openView(browser, { capabilities: { openLinks: {} } });
    await notify("tool-input", { arguments: { prompt: "x" } });
    await result(runs.running);
    await until(frame, "1 of 3");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.deepEqual(calls, []);
    assert.match(await bannerOf(frame), /So it stood when this was shown/);
    assert.equal(await frame.$eval("#clock", (clock) => clock.textContent), "");
    assert.equal((await frame.$$eval(".cards button", (all) => all.filter((each) => each.checkVisibility()))).length, 0);
    await page.close();
  },

  async "an early running result does not undo a later end"() {
    const { frame, result, page } = await shown(runs.fused, { capabilities: {} });
    await result(runs.running);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.match(await bannerOf(frame), /Fused/);
    await page.close();
  },

  async "a cancelled call says so and shows what had arrived"() {
    const view = await openView(browser, { callTool: async (_, args) => ended(args.wait_seconds ? runs.running : { ...runs.running, status: "cancelled" }) });
    await view.result(runs.running);
    await until(view.frame, "1 of 3");
    await view.notify("tool-cancelled", { reason: "The user pressed stop." });
    await until(view.frame, "Stopped");
    assert.match(await bannerOf(view.frame), /Stopped The user pressed stop|Stopped What had arrived/);
    const calls = view.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 2000));
    assert.ok(view.calls.length <= calls + 1);
    await view.page.close();
  },

  async "a failed call is told with what was spent and what to do next"() {
    const words = "rate_limited: OpenRouter is refusing calls.\nSpent: nothing\nRun: run_abc123\nNext: wait 20 seconds and call fuse again.";
    const callTool = async () => ended({ ...runs.running, run_id: "run_abc123", status: "failed", error: "rate_limited" });
    const { frame, calls, notify, page } = await openView(browser, { callTool });
    await notify("tool-result", { isError: true, content: [{ type: "text", text: words }] });
    await until(frame, "wait 20 seconds");
    assert.match(await bannerOf(frame), /^✗ ?Failed rate_limited: OpenRouter is refusing calls\. Spent nothing Run run_abc123 Next wait 20 seconds/);
    assert.deepEqual(await violations(frame), []);
    await clickOn(frame, "Show what had arrived");
    await until(frame, "2,431 characters");
    assert.deepEqual(calls, [["run", { run_id: "run_abc123" }]]);
    await page.close();
  },

  async "lost contact is told, and can be tried again"() {
    let working = false;
    const callTool = async () => (working ? ended(runs.fused) : { isError: true, content: [{ type: "text", text: "connection_failed: gone" }] });
    const { frame, result, page } = await openView(browser, { callTool });
    await result(runs.running);
    await frame.waitForFunction(() => document.body.innerText.includes("connection_failed: gone"), { timeout: 20000 });
    working = true;
    await clickOn(frame, "Try again");
    await until(frame, "All 3 panelists");
    await page.close();
  },

  async "a panelist's text is read page by page"() {
    const model = runs.fused.panel[0].model;
    const pages = { 0: { text: `${model} (answered):\n# One\n\nfirst half, `, next_offset: 60 }, 60: { text: "second half", next_offset: null } };
    const callTool = async (_, args) => ended({ run_id: args.run_id, tool: "fuse", status: "completed", total_chars: 71, ...pages[args.offset] });
    const { responses: _, ...standard } = runs.fused;
    const { frame, calls, page } = await shown(standard, { callTool });
    await clickOn(frame, "Read its answer");
    await until(frame, "first half");
    assert.match(await frame.$eval(".cards article:not([hidden])", (article) => article.innerText), /60 of 71 characters/);
    assert.ok(!(await frame.$eval(".cards article:not([hidden])", (article) => article.innerText)).includes("(answered)"));
    await clickOn(frame, "Read on");
    await until(frame, "first half, second half");
    assert.deepEqual(calls.map((call) => call[1]), [0, 60].map((offset) => ({ run_id: runs.fused.run_id, part: "panel", model, offset })));
    await page.close();
  },

  async "an answer that was cut can be read whole"() {
    const cut = { ...runs.fused, answer: "The start… [cut: 6,000 of 9,000 characters; the rest: run(run_id='run_261130122301a1b2c3d4e5f6', part='result')]" };
    const { frame, calls, page } = await shown(cut, { callTool: async () => ended({ text: "The start and the end", next_offset: null }) });
    await clickOn(frame, "Read all 9,000 characters");
    await until(frame, "The start and the end");
    assert.deepEqual(calls[0][1], { run_id: runs.fused.run_id, part: "result", offset: 0 });
    await page.close();
  },

  async "links open through the host alone and say where they lead"() {
    const view = await shown(runs.fused);
    await view.frame.click("#sources a");
    await view.page.waitForFunction(() => window.log.some(([method]) => method === "ui/open-link"));
    const opened = (await view.log()).find(([method]) => method === "ui/open-link");
    assert.deepEqual(opened[1], { url: "https://example.org/modular-monolith" });
    assert.match(await view.frame.$eval("#sources li", (row) => row.innerText), /example\.org/);
    assert.deepEqual(view.trouble, []);
    await view.page.close();
  },

  async "hostile words stay words"() {
    const view = await shown(hostileRun(NASTY));
    for (const button of await view.frame.$$(".cards button")) if (await button.isVisible()) await button.click();
    await new Promise((resolve) => setTimeout(resolve, 400));
    const page = await view.frame.evaluate(() => ({
      scripts: document.scripts.length,
      foreign: document.querySelectorAll("img, b:not(.state b, .meta b), iframe, object, embed, base, form, link:not([rel=icon])").length,
      handlers: [...document.querySelectorAll("*")].filter((each) => [...each.attributes].some((attribute) => attribute.name.startsWith("on"))).length,
      links: [...new Set([...document.querySelectorAll("a")].map((anchor) => anchor.protocol + anchor.host))].sort(),
      unsafe: [...document.querySelectorAll("a")].filter((anchor) => anchor.rel !== "noopener noreferrer" || !anchor.parentElement.innerText.includes(anchor.host)).length,
      overrides: /[\u0000-\u0008\u001b\u202a-\u202e\u2066-\u2069]/.test(document.documentElement.textContent.replace(document.scripts[1].textContent, "")),
      polluted: ({}).x !== undefined || Object.prototype.model !== undefined,
      text: document.body.innerText,
    }));
    assert.equal(page.scripts, 2);
    assert.equal(page.foreign, 0);
    assert.equal(page.handlers, 0);
    assert.equal(page.unsafe, 0);
    assert.equal(page.overrides, false);
    assert.equal(page.polluted, false);
    for (const at of page.links) assert.match(at, /^https:(evil\.example|xn--xample-2of\.com|example\.org|engineering\.example\.com)$/);
    for (const words of ["<script>parent.pwned=1", "javascript:alert(1)", "__proto__", "👩‍👩‍👧‍👦"]) assert.ok(page.text.includes(words), words);
    assert.equal(await view.page.evaluate(() => window.pwned), undefined);
    assert.deepEqual(view.trouble, []);
    assert.deepEqual(await violations(view.frame), []);
    await view.page.close();
  },

  async "heavy text is drawn quickly"() {
    const view = await shown(runs.fused);
    const slow = [];
    for (const [name, answer] of Object.entries(HEAVY)) {
      // Against ordinary text of the same length, drawn just before: a machine that is busy is so for both.
      const ordinary = await timed(view, { ...runs.fused, answer: ORDINARY.repeat(answer.length / ORDINARY.length) });
      const took = await timed(view, { ...runs.fused, answer });
      if (process.env.SHOW) console.error(name, Math.round(ordinary), Math.round(took));
      if (took > 10 * ordinary + 1000) slow.push(`${name}: ${Math.round(took)} ms, and ordinary text ${Math.round(ordinary)} ms`);
    }
    assert.deepEqual(slow, []);
    assert.deepEqual(view.trouble, []);
    await view.page.close();
  },

  async "only the host is listened to"() {
    const view = await openView(browser);
    await view.frame.evaluate((run) => window.postMessage({ jsonrpc: "2.0", method: "ui/notifications/tool-result", params: { structuredContent: run } }, "*"), runs.fused);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(!(await view.words()).includes("Fused"));
    await view.page.close();
  },

  async "the protocol's small duties are done"() {
    const view = await shown(runs.fused);
    assert.deepEqual((await view.ask("ping", {})).result, {});
    assert.deepEqual((await view.ask("ui/resource-teardown", {})).result, {});
    assert.equal((await view.ask("no/such", {})).error.code, -32601);
    const log = await view.log();
    assert.deepEqual(log.slice(0, 2).map(([method]) => method), ["ui/initialize", "ui/notifications/initialized"]);
    assert.equal(log[0][1].protocolVersion, "2026-01-26");
    const sizes = log.filter(([method]) => method === "ui/notifications/size-changed").map(([, size]) => size);
    const height = await view.frame.evaluate(() => Math.ceil(document.documentElement.getBoundingClientRect().height));
    assert.equal(sizes.at(-1).height, height);
    await view.page.close();
  },

  async "the host's theme is worn"() {
    const variables = { "--color-background-primary": "rgb(10, 20, 30)", "--color-text-primary": "rgb(250, 250, 250)", "--bg": "red" };
    const view = await shown(runs.fused, { context: { theme: "dark", styles: { variables } } });
    const colours = () => view.frame.evaluate(() => [getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.documentElement).colorScheme]);
    assert.deepEqual(await colours(), ["rgb(10, 20, 30)", "dark"]);
    await view.notify("host-context-changed", { theme: "light" });
    await view.frame.waitForFunction(() => getComputedStyle(document.documentElement).colorScheme === "light");
    await view.page.close();
    const half = await shown(runs.fused, { context: { styles: { variables: { "--color-text-primary": "rgb(250, 250, 250)" } } } });
    assert.notEqual(await half.frame.evaluate(() => getComputedStyle(document.body).color), "rgb(250, 250, 250)");
    await half.page.close();
  },

  async "a keyboard reaches everything in reading order, visibly"() {
    const { frame, page } = await shown(runs.fused);
    await frame.evaluate(() => { document.body.tabIndex = -1; document.body.focus(); });
    const walked = [];
    const wanted = await frame.$$eval("a, button, summary, [tabindex='0']", (all) => all.filter((each) => each.checkVisibility()).length);
    for (let step = 0; step < wanted; step++) {
      await page.keyboard.press("Tab");
      walked.push(await frame.evaluate(() => {
        const at = document.activeElement;
        const box = at.getBoundingClientRect();
        return { name: (at.getAttribute("aria-label") || at.innerText).trim(), outline: getComputedStyle(at).outlineStyle, top: box.top + scrollY, place: [...document.querySelectorAll("*")].indexOf(at) };
      }));
    }
    assert.ok(walked.every((each) => each.outline === "solid"), JSON.stringify(walked.filter((each) => each.outline !== "solid")));
    assert.deepEqual(walked.map((each) => each.place), walked.map((each) => each.place).sort((a, b) => a - b));
    assert.equal(new Set(walked.map((each) => each.place)).size, wanted);
    await frame.focus(".cards button");
    await page.keyboard.press("Enter");
    assert.equal(await frame.$eval(".cards button", (each) => each.getAttribute("aria-expanded")), "true");
    assert.ok((await frame.$eval(".cards article:not([hidden])", (article) => article.innerText)).includes("My view"));
    await page.keyboard.press("Space");
    assert.equal(await frame.$eval(".cards button", (each) => each.getAttribute("aria-expanded")), "false");
    await page.close();
  },

  async "nothing runs over the edge at 320 pixels"() {
    for (const run of [...OUTCOMES.map((name) => runs[name]), runs.stopped, runs.eight, runs.ask, runs.embed, hostileRun(NASTY)]) {
      const { frame, page } = await shown(run, { width: 320 });
      for (const button of await frame.$$(".cards button")) if (await button.isVisible()) await button.click();
      const widths = await frame.evaluate(() => [document.documentElement.scrollWidth, document.body.scrollWidth]);
      assert.deepEqual(widths.map((width) => width <= 320), [true, true], `${run.run_id}: ${widths}`);
      await page.close();
    }
  },

  async "motion stops for those who asked for that"() {
    const view = await openView(browser);
    await view.page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    await view.result(runs.running);
    await view.frame.waitForSelector(".cards li");
    assert.equal(await view.frame.evaluate(() => document.getAnimations().length), 0);
    await view.page.close();
  },

  async "axe finds nothing, light or dark, wide or narrow"() {
    for (const name of [...OUTCOMES, "stopped", "eight", "ask", "embed"]) {
      for (const [dark, width] of [false, true].flatMap((dark) => WIDTHS.map((width) => [dark, width]))) {
        const view = await shown(runs[name], { dark, width });
        for (const button of await view.frame.$$(".cards button")) if (await button.isVisible()) await button.click();
        assert.deepEqual(await violations(view.frame), [], `${name} ${dark ? "dark" : "light"} ${width}`);
        await view.page.close();
      }
    }
  },

  async "only code and tables of an answer scroll sideways, however many disagree"() {
    for (const width of WIDTHS) {
      const { frame, page } = await shown(runs.eight, { width });
      for (const button of await frame.$$(".cards button")) if (await button.isVisible()) await button.click();
      const wide = await frame.$$eval("*", (all) => all.filter((each) => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== "visible" && !each.matches(".sr, pre, .prose .scroll")).map((each) => each.outerHTML.slice(0, 80)));
      assert.deepEqual(wide, [], String(width));
      assert.equal((await frame.$$(".topics > li:first-child .stances > li")).length, 7);
      await page.close();
    }
  },

  async "who asked, and when, is told under the title"() {
    const name = "a host\u202E <b>";
    const { frame, page } = await shown({ ...runs.fused, asked_by: name });
    assert.match(await frame.$eval("#meta", (meta) => meta.innerText), /30 November 2026 at \d\d:\d\d · asked by a host\ufffd <b>$/);
    await page.close();
  },

  async "a panelist's text opens in its card, and another beside it"() {
    const { frame, page } = await shown(runs.fused);
    const [first, second] = await frame.$$(".cards button");
    await first.click();
    await second.click();
    const boxes = await frame.$$eval(".cards li:has(article:not([hidden]))", (all) => all.map((each) => [each.querySelector("h3").innerText.split("\n")[0], each.innerText.includes("My view"), each.innerText.includes("Close its answer")]));
    assert.deepEqual(boxes, [["Claude Opus 5", true, true], ["GPT-5.6 Sol", true, true]]);
    const words = await frame.$(".cards article:not([hidden]) li");
    await words.click();
    assert.equal((await frame.$$(".cards article:not([hidden])")).length, 2, "its text can be marked without closing it");
    await first.click();
    assert.equal((await frame.$$(".cards article:not([hidden])")).length, 1);
    await page.close();
  },

  async "runs of other tools and lists of runs are shown simply"() {
    const view = await shown(runs.ask);
    for (const words of ["Paris.", "$0.00041", "GPT-5.6 Sol", '"city": "Paris"', "lookup"]) assert.ok((await view.words()).includes(words), words);
    await view.page.close();
    const other = await shown(runs.embed);
    for (const words of ["Cats purr.", "0.91", "1536"]) assert.ok((await other.words()).includes(words), words);
    await other.page.close();
    const list = await openView(browser, { callTool: async () => ended(runs.fused) });
    await list.result({ runs: [{ run_id: runs.fused.run_id, tool: "fuse", status: "completed", models: ["a/b"], cost_usd: 0.2, prompt: "Why?" }] });
    await until(list.frame, "Latest runs");
    await clickOn(list.frame, runs.fused.run_id);
    await until(list.frame, "All 3 panelists");
    assert.deepEqual(list.calls, [["run", { run_id: runs.fused.run_id }]]);
    await list.page.close();
  },

  async "a report stands alone"() {
    for (const dark of [false, true]) {
      const { page, trouble } = await openPage(browser, { dark, documents: { "http://report.invalid/": fs.readFileSync(path.join(reports, "fused.html"), "utf8") } });
      await page.goto("http://report.invalid/");
      assert.equal(await page.title(), runs.fused.prompt);
      assert.match(await bannerOf(page), /Fused/);
      await clickOn(page, "Read its answer");
      assert.ok((await page.$eval(".cards article:not([hidden])", (article) => article.innerText)).includes("My view"));
      const links = await page.$$eval("a", (all) => all.map((each) => [each.rel, each.target, each.protocol]));
      assert.ok(links.length > 3 && links.every(([rel, target, protocol]) => rel === "noopener noreferrer" && target === "_blank" && protocol === "https:"));
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(trouble, []);
      await page.close();
    }
  },

  async "a hostile report stands alone"() {
    const { page, trouble } = await openPage(browser, { documents: { "http://report.invalid/": fs.readFileSync(path.join(reports, "hostile.html"), "utf8") } });
    await page.goto("http://report.invalid/");
    assert.match(await page.$eval("#answer", (answer) => answer.innerText), /<\/script><script>alert\(1\)<\/script>/);
    assert.deepEqual(trouble, []);
    await page.close();
  },
};

/** How long the page is busy with one result, its layout included. */
async function timed(view, run) {
  await view.frame.evaluate(() => {
    window.began = performance.now();
    window.drawn = new Promise((done) => {
      new MutationObserver((_, observer) => {
        observer.disconnect();
        void document.body.offsetHeight;
        done(performance.now() - window.began);
      }).observe(document.getElementById("answer"), { childList: true });
    });
  });
  await view.result(run);
  return view.frame.evaluate(() => window.drawn);
}

async function main() {
  const launched = await launch(chromium);
  browser = launched.browser;
  const only = process.argv[4];
  for (const [name, check] of Object.entries(CHECKS)) {
    if (only && !name.includes(only)) continue;
    const began = Date.now();
    let problem = "";
    await check().catch((error) => { problem = error.stack || String(error); });
    console.log(JSON.stringify({ name, problem, ms: Date.now() - began }));
  }
  await launched.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
