// Mastra's tools on a tour given as JSON; prints what they hand on as JSON.
import { MCPClient } from "@mastra/mcp";

const tour = JSON.parse(process.argv[2]);
const [command, ...args] = tour.command;
const server = tour.url ? { url: new URL(tour.url) } : { command, args, env: process.env };
const client = new MCPClient({ servers: { openrouter: { ...server, timeout: 60_000 } } });
const tools = await client.getTools();
const answers = [];
for (const [name, given] of tour.calls) {
  try {
    const answer = await tools[`openrouter_${name}`].execute({ context: given });
    answers.push({ shown: answer.content ? answer.content[0].text : answer, failed: Boolean(answer.isError) });
  } catch (error) {
    answers.push({ shown: String(error.message ?? error), failed: true });
  }
}
const named = Object.keys(tools).map((name) => ({ name: name.replace("openrouter_", "") }));
console.log(JSON.stringify({ tools: named, answers }));
await client.disconnect();
process.exit(0);
