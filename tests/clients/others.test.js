// TX13: the Vercel AI SDK and LangChain.js, told only the gate's address and a key of it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { APICallError, embed, generateText, streamText } from "ai";
import { newKey, startGate } from "./gate.js";

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
