// A program on either TypeScript SDK that waits no longer than its limit: takes a question as JSON and asks it to its end.
const { command: [command, ...args], prompt, limit, sdk } = JSON.parse(process.argv[2]);
const first = sdk === 1;
const from = first ? "@modelcontextprotocol/sdk/client" : "@modelcontextprotocol/client";
const { Client } = await import(first ? `${from}/index.js` : from);
const { StdioClientTransport } = await import(first ? `${from}/stdio.js` : `${from}/stdio`);

const client = new Client({ name: `impatient-${sdk}`, version: "1" });
await client.connect(new StdioClientTransport({ command, args, env: process.env }));
const { tools } = await client.listTools();
const timeout = limit * 1000;
const call = (request) => (first ? client.callTool(request, undefined, { timeout }) : client.callTool(request, { timeout }));
let request = { name: "fuse", arguments: { prompt, web: false } };
const answers = [];
while (answers.length < 60) {
  let shown, failed = false;
  try {
    const answer = await call(request);
    [shown, failed] = [answer.content[0].text, !!answer.isError];
  } catch (error) {
    [shown, failed] = [String(error), true];
  }
  answers.push({ shown, failed });
  if (failed) continue;
  if (!/still running/i.test(shown)) break;
  request = { name: "run", arguments: { run_id: /run_\w+/.exec(shown)[0], wait_seconds: 60 } };
}
console.log(JSON.stringify({ tools, answers }));
await client.close();
