// TX13: the Vercel AI SDK and LangChain.js, told only the gate's address and a key of it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { APICallError, embed, generateText, streamText } from "ai";
import { newKey, startGate } from "./gate.js";
import { quickModel, startQuickGate } from "./quick.js";
import { startTalker } from "./upstream.js";

const model = "llama-3.3-70b";
const words = "one two three four";

describe("TX13 the Vercel AI SDK and LangChain.js", () => {
    let gate, secret;
    before(async () => {
        gate = await startGate("tensorx");
        ({ secret } = await newKey(gate));
    });
    after(() => gate?.stop());

    describe("the Vercel AI SDK", () => {
        const sdk = (apiKey = secret) => createOpenAICompatible({ name: "gate", baseURL: `${gate.address}/v1`, apiKey, includeUsage: true });

        test("generates, and knows what it used", async () => {
            const { text, usage } = await generateText({ model: sdk()(model), prompt: words });
            assert.deepEqual([text, usage.outputTokens], [words, 4]);
        });

        test("streams", async () => {
            const { textStream, usage } = streamText({ model: sdk()(model), prompt: words });
            let text = "";
            for await (const piece of textStream) {
                text += piece;
            }

            assert.deepEqual([text, (await usage).outputTokens], [words, 4]);
        });

        test("embeds", async () => {
            const { embedding } = await embed({ model: sdk().textEmbeddingModel(model), value: words });
            assert.ok(embedding.length > 0 && embedding.every(Number.isFinite));
        });

        test("reads the message of a refusal", async () => {
            await assert.rejects(generateText({ model: sdk("sk-nobody")(model), prompt: words, maxRetries: 0 }), (error) =>
                APICallError.isInstance(error) && error.statusCode === 401 && error.message === "Invalid API Key");
        });
    });

    describe("LangChain.js", () => {
        const chat = (more = {}) => new ChatOpenAI({ model, apiKey: secret, maxRetries: 0, configuration: { baseURL: `${gate.address}/v1` }, ...more });

        test("chats, and knows what it used", async () => {
            const answer = await chat().invoke(words);
            assert.deepEqual([answer.text, answer.usage_metadata.output_tokens], [words, 4]);
        });

        test("streams", async () => {
            let text = "";
            for await (const chunk of await chat().stream(words)) {
                text += chunk.text;
            }

            assert.equal(text, words);
        });

        test("embeds", async () => {
            const embeddings = new OpenAIEmbeddings({ model, apiKey: secret, maxRetries: 0, configuration: { baseURL: `${gate.address}/v1` } });
            assert.ok((await embeddings.embedQuery(words)).every(Number.isFinite));
        });

        test("has its own code for a key that is not good", async () => {
            await assert.rejects(chat({ apiKey: "sk-nobody" }).invoke(words), (error) => error.lc_error_code === "MODEL_AUTHENTICATION");
        });
    });
});

const clientsOf = {
    "the Vercel AI SDK": (gate, apiKey, path = "/v1") => {
        const sdk = createOpenAICompatible({ name: "gate", baseURL: gate.address + path, apiKey });
        return {
            say: async (name, maxRetries = 0) => (await generateText({ model: sdk(name), prompt: words, maxRetries })).text,
            stream: (name, abortSignal) =>
                streamText({ model: sdk(name), prompt: words, abortSignal, maxRetries: 0, onError: () => {} }).textStream,
            statusOf: (error) => APICallError.isInstance(error) && error.statusCode,
        };
    },
    "LangChain.js": (gate, apiKey, path = "/v1") => {
        const chat = (model, maxRetries) => new ChatOpenAI({ model, apiKey, maxRetries, configuration: { baseURL: gate.address + path } });
        return {
            say: async (name, maxRetries = 0) => (await chat(name, maxRetries).invoke(words)).text,
            stream: async function* (name, signal) {
                for await (const chunk of await chat(name, 0).stream(words, { signal })) {
                    yield chunk.text;
                }
            },
            statusOf: (error) => error.status,
        };
    },
};

for (const [name, clientOf] of Object.entries(clientsOf)) {
    describe(`TS14 ${name}, where it may not go on`, () => {
        let gate;
        before(async () => (gate = await startGate("tensoras")));
        after(() => gate?.stop());

        const isRefused = (client, status) =>
            assert.rejects(client.say(model), (error) => client.statusOf(error) === status || assert.fail(`${error} is not ${status}`));

        test("has the status of a missing scope, of no such path, and of a limit", async () => {
            await isRefused(clientOf(gate, (await newKey(gate, { scopes: ["rag"] })).secret), 403);
            const { secret } = await newKey(gate);
            await isRefused(clientOf(gate, secret, "/v1/nothing"), 404);
            const headers = { authorization: `Bearer ${secret}` };
            await Promise.all(Array.from({ length: 30 }, () => fetch(`${gate.address}/v1/models`, { headers })));
            await isRefused(clientOf(gate, secret), 429);
        });

        test("comes through a limit by itself", async () => {
            const quick = await startQuickGate();
            try {
                const client = clientOf(quick, (await newKey(quick)).secret);
                for (let i = 0; i < 3; i++) {
                    assert.equal(await client.say(quickModel, 4), words);
                }

                assert.ok(await quick.wasRefused(), "one of the three was refused first");
            } finally {
                await quick.stop();
            }
        });

        test("an abort reaches the server behind the gate", async () => {
            const upstream = await startTalker();
            let before;
            try {
                before = await startGate("tensoras", { upstream: `${upstream.address}/v1`, upstreamKey: "secret-of-the-operator" });
                const abort = new AbortController();
                const client = clientOf(before, (await newKey(before)).secret);
                await (async () => {
                    for await (const text of client.stream(model, abort.signal)) {
                        if (text === "One") {
                            abort.abort();
                        }
                    }
                })().catch(() => {});
                await upstream.left;
            } finally {
                await before?.stop();
                await upstream.stop();
            }
        });
    });
}
