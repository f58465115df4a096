import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

window.log = [];
window.start = async (html, runs) => {
  const capabilities = { serverTools: {}, openLinks: {}, updateModelContext: { text: {} } };
  const bridge = new AppBridge(null, { name: "official", version: "1" }, capabilities, { hostContext: { theme: "dark", locale: "en", displayMode: "inline" } });
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  document.body.append(frame);
  bridge.onsizechange = (size) => window.log.push(["size", size]);
  bridge.onopenlink = async (link) => { window.log.push(["link", link]); return {}; };
  bridge.onupdatemodelcontext = async (context) => { window.log.push(["context", context]); return {}; };
  bridge.oncalltool = async (call) => {
    window.log.push(["call", call]);
    return { content: [{ type: "text", text: "done" }], structuredContent: runs.fused };
  };
  const initialized = new Promise((resolve) => { bridge.oninitialized = resolve; });
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = html;
  await initialized;
  window.log.push(["app", bridge.getAppVersion()]);
  await bridge.sendToolInput({ arguments: { prompt: runs.fused.prompt } });
  await bridge.sendToolResult({ content: [{ type: "text", text: "running" }], structuredContent: runs.running });
  window.teardown = () => bridge.teardownResource({});
};
