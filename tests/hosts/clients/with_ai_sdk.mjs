// The AI SDK's tools on a tour given as JSON; prints what they hand on as JSON.
import { createMCPClient } from "@ai-sdk/mcp";
import { Experimental_StdioMCPTransport as Stdio } from "@ai-sdk/mcp/mcp-stdio";

const tour = JSON.parse(process.argv[2]);
const [command, ...args] = tour.command;
const transport = tour.url ? { type: "http", url: tour.url } : new Stdio({ command, args, env: process.env });
const client = await createMCPClient({ transport });
const tools = await client.tools();
const answers = [];
for (const [name, given] of tour.calls) {
  const answer = await tools[name].execute(given, { messages: [], toolCallId: "1" });
  answers.push({ shown: answer.content[0].text, failed: Boolean(answer.isError) });
}
console.log(JSON.stringify({ tools: Object.keys(tools).map((name) => ({ name })), answers }));
await client.close();
process.exit(0);
