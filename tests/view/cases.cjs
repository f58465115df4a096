"use strict";
// The runs that a page is looked at with: those of runs.json, one that was stopped, and a large panel of talkers.
const runs = require("./runs.json");

const TALKERS = [
  "anthropic/claude-opus-5", "openai/gpt-5.6-sol", "google/gemini-3.1-pro-preview", "~anthropic/claude-sonnet-latest",
  "deepseek/deepseek-v3.2", "qwen/qwen3-max-thinking", "x-ai/grok-4.5", "meta-llama/llama-3.3-70b-instruct:free",
];
const FAILED = { model: TALKERS[5], error: "Provider returned error: rate limited upstream", status_code: 429 };
const TALK = "Split where a team can own what it ships, since a boundary that nobody owns erodes within a quarter; until then every network call buys latency, retries and a pager for nothing. ".repeat(4);
const upTo = (length) => `${TALK.slice(0, length).replace(/\s+\S*$/, "")}.`;
const others = TALKERS.filter((model) => model !== FAILED.model);

const running = { ...runs.running, prompt: runs.fused.prompt };
const stopped = { ...running, status: "cancelled", elapsed_seconds: 41, error: "cancelled: The run was cancelled; what was already generated may be billed.", notes: [] };
const eight = {
  ...runs.fused,
  outcome: "partial_panel",
  prompt: `${runs.fused.prompt} ${upTo(400)}`,
  answer: `${runs.fused.answer}\n\n${TALK}`,
  panel: TALKERS.map((model, n) => (model === FAILED.model ? { ...FAILED, status: "failed", chars: 0 } : { model, status: "answered", chars: 12000 + n * 3111 })),
  failed_models: [FAILED],
  responses: others.map((model) => ({ model, content: `## My view\n\n${`${TALK}\n\n`.repeat(6)}` })),
  analysis: {
    ...runs.fused.analysis,
    contradictions: [
      { topic: "When to split the monolith into services, and who decides that it is time", stances: others.map((model, n) => ({ model, stance: upTo(60 + 40 * n) })) },
      { topic: "Whether the database is split first", stances: others.slice(0, 5).map((model, n) => ({ model, stance: upTo(300 - 40 * n) })) },
    ],
    unique_insights: others.map((model, n) => ({ model, insight: upTo(120 + 60 * n) })),
  },
};

module.exports = { ...runs, running, stopped, eight };
