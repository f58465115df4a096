// A program on the TypeScript SDK 2: takes a tour as JSON, prints what came back as JSON.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const { command: [command, ...args], url, calls, era } = JSON.parse(process.argv[2]);
const transport = url
  ? new StreamableHTTPClientTransport(new URL(url))
  : new StdioClientTransport({ command, args, env: process.env });
const client = new Client({ name: "typescript-2", version: "1" }, { versionNegotiation: { mode: era } });
await client.connect(transport);
const { tools } = await client.listTools();
const progress = [];
const answers = [];
for (const [name, given] of calls) {
  const onprogress = (told) => progress.push(told.message);
  const answer = await client.callTool({ name, arguments: given }, { onprogress });
  answers.push({ text: answer.content[0].text, structured: answer.structuredContent, failed: !!answer.isError });
}
const protocol = client.getNegotiatedProtocolVersion();
console.log(JSON.stringify({ protocol, instructions: client.getInstructions(), tools, answers, progress }));
await client.close();
