// A program on the TypeScript SDK 1: takes a tour as JSON, prints what came back as JSON.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const { command: [command, ...args], url, calls } = JSON.parse(process.argv[2]);
const transport = url
  ? new StreamableHTTPClientTransport(new URL(url))
  : new StdioClientTransport({ command, args, env: process.env });
// The only place where this client tells which version was agreed on.
let protocol;
const told = transport.setProtocolVersion?.bind(transport);
transport.setProtocolVersion = (version) => { protocol = version; told?.(version); };
const client = new Client({ name: "typescript-1", version: "1" });
await client.connect(transport);
const { tools } = await client.listTools();
const progress = [];
const answers = [];
for (const [name, given] of calls) {
  const onprogress = (told) => progress.push(told.message);
  const answer = await client.callTool({ name, arguments: given }, undefined, { onprogress });
  answers.push({ text: answer.content[0].text, structured: answer.structuredContent, failed: !!answer.isError });
}
console.log(JSON.stringify({ protocol, instructions: client.getInstructions(), tools, answers, progress }));
await client.close();
