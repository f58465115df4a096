// OpenRouter's own packages for JavaScript, asked for what they support: one line of JSON with what came of it.
const [, , name, baseURL, apiKey] = process.argv;
const MODEL = "openai/gpt-5.6-luna";
const THINKER = "deepseek/deepseek-r1-0528";
const QUESTION = "Monolith or microservices for a small team?";

async function sdk(done) {
  const { OpenRouter } = await import("@openrouter/sdk");
  const client = new OpenRouter({ serverURL: baseURL, apiKey });
  const ask = { model: MODEL, messages: [{ role: "user", content: QUESTION }] };
  const reply = await client.chat.send({ chatRequest: ask });
  done.text = reply.choices[0].message.content;
  done.stream = "";
  for await (const chunk of await client.chat.send({ chatRequest: { ...ask, stream: true } }))
    done.stream += chunk.choices[0]?.delta.content ?? "";
  const page = await client.models.list();
  done.models = (page.result ?? page).data.length;
}

async function provider(done) {
  const { createOpenRouter } = await import("@openrouter/ai-sdk-provider");
  const { generateText, streamText, generateObject, embed, jsonSchema } = await import("ai");
  const openrouter = createOpenRouter({ baseURL, apiKey });
  const ask = { model: openrouter(MODEL), prompt: QUESTION, maxRetries: 0 };
  done.text = (await generateText(ask)).text;
  done.stream = "";
  for await (const part of streamText(ask).textStream) done.stream += part;
  const schema = jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] });
  done.structure = (await generateObject({ ...ask, schema })).object.city;
  done.sources = (await generateText({ ...ask, model: openrouter(`${MODEL}:online`) })).sources.length;
  const drawn = await generateText({ ...ask, model: openrouter("google/gemini-3.1-flash-image") });
  done.images = drawn.files.length;
  const vector = openrouter.textEmbeddingModel("openai/text-embedding-3-small");
  done.embeddings = (await embed({ model: vector, value: "a" })).embedding.length;
}

async function agent(done) {
  const { OpenRouter } = await import("@openrouter/agent");
  const client = new OpenRouter({ serverURL: baseURL, apiKey });
  done.text = await client.callModel({ model: MODEL, input: QUESTION }).getText();
  done.reasoning = "";
  const thinking = client.callModel({ model: THINKER, input: QUESTION, reasoning: { effort: "high" } });
  for await (const delta of thinking.getReasoningStream()) done.reasoning += delta;
}

const done = {};
try {
  await { sdk, provider, agent }[name](done);
} catch (error) {
  done.failed = `${error.name}: ${error.message}`.slice(0, 600);
}
console.log(JSON.stringify(done));
