// Clients of OpenRouter's API written in JavaScript, asked for what they support: one line of JSON with what came of it.
import { readFileSync } from "node:fs";

const [, , name, baseURL, apiKey, more] = process.argv;
const MODEL = "openai/gpt-5.6-luna";
const CLAUDE = "anthropic/claude-haiku-4.5";
const THINKER = "deepseek/deepseek-r1-0528";
const PAINTER = "google/gemini-3.1-flash-image";
const VOICE = "openai/gpt-4o-mini-tts-2025-12-15";
const EMBEDDER = "openai/text-embedding-3-small";
const QUESTION = "Monolith or microservices for a small team?";
const MESSAGES = [{ role: "user", content: QUESTION }];
const PROPERTIES = { city: { type: "string" } };
const SCHEMA = { type: "object", properties: PROPERTIES, required: ["city"], additionalProperties: false };
const TOOL = { type: "function", function: { name: "get_weather", description: "Weather.", parameters: SCHEMA } };
const FUSION = { type: "openrouter:fusion", parameters: { analysis_models: ["z-ai/glm-5.2"] } };
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const PICTURE = `data:image/png;base64,${PIXEL}`;

const cityOf = (text) => JSON.parse(text).city;

async function fetched(done) {
  for (const asked of JSON.parse(readFileSync(more, "utf8"))) {
    const key = asked.key ?? apiKey;
    const response = await fetch(baseURL + asked.path, {
      method: asked.method,
      headers: { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) },
      body: asked.body ? JSON.stringify(asked.body) : undefined,
    });
    const streams = response.headers.get("content-type").includes("event-stream");
    done[asked.name] = [response.status, streams ? await eventsOf(response) : await response.json()];
  }
}

async function eventsOf(response) {
  const events = [];
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return events;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop();
    for (const line of lines)
      if (line.startsWith("data: ") && line !== "data: [DONE]") events.push(JSON.parse(line.slice(6)));
  }
}

async function openai(done) {
  const { default: OpenAI, toFile } = await import("openai");
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
  const chat = async (more) => (await client.chat.completions.create({ model: MODEL, messages: MESSAGES, ...more })).choices[0].message;
  done.text = (await chat()).content;
  done.stream = "";
  for await (const chunk of await client.chat.completions.create({ model: MODEL, messages: MESSAGES, stream: true }))
    done.stream += chunk.choices[0]?.delta.content ?? "";
  const message = await chat({ tools: [TOOL], tool_choice: "required" });
  const [call] = message.tool_calls;
  done.tools = cityOf(call.function.arguments);
  const output = { role: "tool", tool_call_id: call.id, content: "Rain" };
  done.answered = (await chat({ messages: [...MESSAGES, message, output], tools: [TOOL] })).content;
  const form = { type: "json_schema", json_schema: { name: "x", strict: true, schema: SCHEMA } };
  done.structure = cityOf((await chat({ response_format: form })).content);
  const seen = [{ type: "text", text: QUESTION }, { type: "image_url", image_url: { url: PICTURE } }];
  done.vision = (await chat({ messages: [{ role: "user", content: seen }] })).content;
  done.images = (await chat({ model: PAINTER })).images.length;
  done.embeddings = (await client.embeddings.create({ model: EMBEDDER, input: ["a"] })).data[0].embedding.length;
  const speech = await client.audio.speech.create({ model: VOICE, voice: "alloy", input: "Hello", response_format: "mp3" });
  const sound = await speech.arrayBuffer();
  done.speech = sound.byteLength;
  const file = await toFile(sound, "a.mp3");
  done.transcripts = (await client.audio.transcriptions.create({ model: "openai/whisper-1", file })).text;
  done.responses = (await client.responses.create({ model: MODEL, input: QUESTION })).output_text;
  const thought = await client.responses.create({ model: THINKER, input: QUESTION, reasoning: { effort: "high" } });
  done.reasoning = thought.output[0].content[0].text;
  const fusing = { model: CLAUDE, input: QUESTION, tools: [FUSION], tool_choice: "required", max_tool_calls: 1 };
  const fused = await client.responses.create(fusing);
  done.fusion = fused.output.filter((item) => item.type === "openrouter:fusion").length;
  done.fusionEvents = 0;
  for await (const event of await client.responses.create({ ...fusing, stream: true }))
    done.fusionEvents += event.type.startsWith("response.fusion_call");
  // Its helper for streams knows no events but OpenAI's own, whoever sends them.
  const helped = client.responses.stream(fusing).finalResponse();
  done.helper = await helped.then(() => "", (error) => error.message);
}

async function anthropic(done) {
  const { default: Anthropic } = await import("@anthropic-ai/sdk");
  const client = new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ""), authToken: apiKey, apiKey: null, maxRetries: 0 });
  const ask = { model: CLAUDE, max_tokens: 900, messages: MESSAGES };
  const tool = { name: "get_weather", input_schema: SCHEMA };
  done.text = (await client.messages.create(ask)).content[0].text;
  done.stream = await client.messages.stream(ask).finalText();
  const reply = await client.messages.create({ ...ask, tools: [tool], tool_choice: { type: "any" } });
  done.tools = reply.content.at(-1).input.city;
  const format = { type: "json_schema", schema: SCHEMA };
  done.structure = cityOf((await client.messages.create({ ...ask, output_config: { format } })).content[0].text);
  const thinking = { ...ask, max_tokens: 3000, thinking: { type: "enabled", budget_tokens: 1024 } };
  const first = await client.messages.create(thinking);
  done.reasoning = first.content[0].thinking;
  const kept = [...MESSAGES, { role: "assistant", content: first.content }, { role: "user", content: "And then?" }];
  done.kept = (await client.messages.create({ ...thinking, messages: kept })).content.at(-1).text;
  const search = { type: "web_search_20250305", name: "web_search", max_uses: 1 };
  const found = await client.messages.create({ ...ask, tools: [search] });
  done.search = found.content.filter((block) => block.type === "web_search_tool_result").length;
  const pixel = { type: "base64", media_type: "image/png", data: PIXEL };
  const seen = [{ role: "user", content: [{ type: "image", source: pixel }, { type: "text", text: QUESTION }] }];
  done.images = (await client.messages.create({ ...ask, messages: seen })).content[0].text;
  const fused = await client.messages.create({ ...ask, tools: [FUSION], tool_choice: { type: "any" } });
  done.fusion = fused.content.filter((block) => block.name === "openrouter:fusion").length;
  const events = await client.messages.stream({ ...ask, tools: [FUSION], tool_choice: { type: "any" } }).finalMessage();
  done.fusionStreamed = events.content.filter((block) => block.name === "openrouter:fusion").length;
}

async function sdk(done) {
  const { OpenRouter } = await import("@openrouter/sdk");
  const client = new OpenRouter({ serverURL: baseURL, apiKey });
  const chat = (more) => client.chat.send({ chatRequest: { model: MODEL, messages: MESSAGES, ...more } });
  done.text = (await chat()).choices[0].message.content;
  done.stream = "";
  for await (const chunk of await chat({ stream: true })) done.stream += chunk.choices[0]?.delta.content ?? "";
  const [call] = (await chat({ tools: [TOOL], toolChoice: "required" })).choices[0].message.toolCalls;
  done.tools = cityOf(call.function.arguments);
  const responseFormat = { type: "json_schema", jsonSchema: { name: "x", strict: true, schema: SCHEMA } };
  done.structure = cityOf((await chat({ responseFormat })).choices[0].message.content);
  done.images = (await chat({ model: PAINTER })).choices[0].message.images.length;
  const seen = [{ role: "user", content: [{ type: "text", text: QUESTION }, { type: "image_url", imageUrl: { url: PICTURE } }] }];
  done.vision = (await chat({ messages: seen })).choices[0].message.content;
  const made = await client.images.generate({ imageGenerationRequest: { model: "openai/gpt-image-2", prompt: "A harbour" } });
  done.pictures = made.data[0].b64Json.length;
  const spoken = await client.tts.createSpeech({ speechRequest: { model: VOICE, voice: "alloy", input: "Hello" } });
  done.speech = (await new Response(spoken).arrayBuffer()).byteLength;
  const heard = { model: "openai/whisper-1", inputAudio: { data: PIXEL, format: "mp3" } };
  done.transcripts = (await client.stt.createTranscription({ sttRequest: heard })).text;
  const job = await client.videoGeneration.generate({ videoGenerationRequest: { model: "google/veo-3.1", prompt: "A harbour" } });
  for (const jobId of [job.id, job.id]) done.film = (await client.videoGeneration.getGeneration({ jobId })).status === "completed";
  const respond = (more) => client.responses.send({ responsesRequest: { model: CLAUDE, input: QUESTION, ...more } });
  done.reasoning = (await respond({ reasoning: { effort: "low" } })).output[0].type === "reasoning";
  const fusing = { tools: [FUSION], toolChoice: "required", maxToolCalls: 1 };
  done.fusion = (await respond(fusing)).output.filter((item) => item.type === "openrouter:fusion").length;
  done.fusionEvents = 0;
  for await (const event of await respond({ ...fusing, stream: true }))
    done.fusionEvents += event.type.startsWith("response.fusion_call");
  const vectors = await client.embeddings.generate({ requestBody: { model: EMBEDDER, input: ["a"] } });
  done.embeddings = vectors.data[0].embedding.length;
  const page = await client.models.list();
  done.models = (page.result ?? page).data.length;
}

async function provider(done) {
  const { createOpenRouter } = await import("@openrouter/ai-sdk-provider");
  const { generateText, streamText, generateObject, experimental_generateImage, embed, jsonSchema, tool } = await import("ai");
  const openrouter = createOpenRouter({ baseURL, apiKey });
  const ask = { model: openrouter(MODEL), prompt: QUESTION, maxRetries: 0 };
  done.text = (await generateText(ask)).text;
  done.stream = "";
  for await (const part of streamText(ask).textStream) done.stream += part;
  const schema = jsonSchema({ type: "object", properties: PROPERTIES, required: ["city"] });
  const tools = { get_weather: tool({ description: "Weather.", inputSchema: schema }) };
  done.tools = (await generateText({ ...ask, tools, toolChoice: "required" })).toolCalls[0].input.city;
  done.structure = (await generateObject({ ...ask, schema })).object.city;
  const thinking = { reasoning: { effort: "low" } };
  done.reasoning = (await generateText({ ...ask, model: openrouter(CLAUDE, thinking) })).reasoningText;
  done.sources = (await generateText({ ...ask, model: openrouter(`${MODEL}:online`) })).sources.length;
  const drawn = await generateText({ ...ask, model: openrouter(PAINTER) });
  done.images = drawn.files.length;
  const seen = [{ role: "user", content: [{ type: "text", text: QUESTION }, { type: "image", image: PICTURE }] }];
  done.vision = (await generateText({ model: openrouter(MODEL), messages: seen, maxRetries: 0 })).text;
  const made = await experimental_generateImage({ model: openrouter.imageModel(PAINTER), prompt: "A harbour" });
  done.pictures = made.images.length;
  done.fusion = (await generateText({ ...ask, model: openrouter("openrouter/fusion") })).text;
  const vector = openrouter.textEmbeddingModel(EMBEDDER);
  done.embeddings = (await embed({ model: vector, value: "a" })).embedding.length;
}

async function agent(done) {
  const { OpenRouter, tool } = await import("@openrouter/agent");
  const { z } = await import("zod/v4");
  const client = new OpenRouter({ serverURL: baseURL, apiKey });
  const call = (more) => client.callModel({ model: MODEL, input: QUESTION, ...more });
  done.text = await call().getText();
  done.stream = "";
  for await (const delta of call().getTextStream()) done.stream += delta;
  done.reasoning = "";
  for await (const delta of call({ model: THINKER, reasoning: { effort: "high" } }).getReasoningStream())
    done.reasoning += delta;
  const execute = ({ city }) => ((done.tools = city), "Rain");
  const rain = tool({ name: "get_weather", description: "Weather.", inputSchema: z.object({ city: z.string() }), execute });
  done.answered = await call({ input: "Please use get_weather.", tools: [rain] }).getText();
  const format = { type: "json_schema", name: "x", strict: true, schema: SCHEMA };
  done.structure = cityOf(await call({ text: { format } }).getText());
  const seen = [{ role: "user", content: [{ type: "input_text", text: QUESTION }, { type: "input_image", imageUrl: PICTURE, detail: "auto" }] }];
  done.vision = await call({ input: seen }).getText();
  done.fusion = await call({ model: "openrouter/fusion" }).getText();
}

const done = {};
try {
  await { fetch: fetched, openai, anthropic, sdk, provider, agent }[name](done);
} catch (error) {
  done.failed = `${error.name}: ${error.message}`.slice(0, 600);
}
console.log(JSON.stringify(done));
