// TX13, TS14: the OpenAI clients, told only the gate's address and a key of it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { newKey, startGate } from "./gate.js";
import { quickModel, startQuickGate } from "./quick.js";
import { startTalker } from "./upstream.js";

const models = { tensorx: "llama-3.3-70b", tensoras: "llama-3.3-70b" };
const words = "one two three four";

const clientOf = (gate, apiKey, more = {}) => new OpenAI({ baseURL: `${gate.address}/v1`, apiKey, maxRetries: 0, ...more });
const ask = (model, more = {}) => ({ model, messages: [{ role: "user", content: words }], ...more });

for (const [row, provider] of [["TX13", "tensorx"], ["TS14", "tensoras"]]) {
    describe(`${row} the npm package openai, and ${provider}`, () => {
        const model = models[provider];
        let gate, key, client;
        before(async () => {
            gate = await startGate(provider);
            key = await newKey(gate);
            client = clientOf(gate, key.secret);
        });
        after(() => gate?.stop());

        test("chats, and the usage of the key is what the answer says", async () => {
            const answer = await client.chat.completions.create(ask(model));
            assert.equal(answer.choices[0].message.content, words);
            assert.equal(answer.choices[0].finish_reason, "stop");
            assert.equal(answer.usage.completion_tokens, 4);
            assert.match(answer._request_id, /^req_/);
            // What nobody pays for is counted a moment later.
            let usage;
            do {
                usage = await gate.call("GET", `/api/v1/keys/${key.id}/usage`);
            } while (usage.requests === 0);
            assert.deepEqual([usage.requests, usage.output_tokens, usage.input_tokens], [1, 4, answer.usage.prompt_tokens]);
        });

        test("streams, without a chunk of usage that it did not ask for", async () => {
            let text = "";
            for await (const chunk of await client.chat.completions.create(ask(model, { stream: true }))) {
                assert.equal(chunk.usage, undefined);
                text += chunk.choices[0].delta.content ?? "";
            }

            assert.equal(text, words);
        });

        test("streams with a last chunk of usage when it asked", async () => {
            const chunks = [];
            const stream = await client.chat.completions.create(ask(model, { stream: true, stream_options: { include_usage: true } }));
            for await (const chunk of stream) {
                chunks.push(chunk);
            }

            const last = chunks.pop();
            assert.deepEqual([last.choices, last.usage.completion_tokens], [[], 4]);
            assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && !chunk.usage));
        });

        test("has embeddings, as base64 and as numbers, which are the same", async () => {
            const asked = { model, input: ["one", "two"] };
            const packed = await client.embeddings.create(asked);
            const plain = await client.embeddings.create({ ...asked, encoding_format: "float" });
            assert.equal(packed.data.length, 2);
            assert.deepEqual(packed.data.map(({ embedding }) => [...embedding]), plain.data.map(({ embedding }) => embedding.map(Math.fround)));
        });

        test("lists the models, and finds one", async () => {
            const ids = (await client.models.list()).data.map(({ id }) => id);
            assert.ok(ids.includes(model));
            assert.equal((await client.models.retrieve(model)).id, model);
        });

        test("has its own errors: 401, 404", async () => {
            const stranger = clientOf(gate, `${key.secret.slice(0, -1)}${key.secret.endsWith("x") ? "y" : "x"}`);
            await assert.rejects(stranger.models.list(), (error) =>
                error instanceof OpenAI.AuthenticationError && error.code === "invalid_api_key" && /^req_/.test(error.requestID));
            await assert.rejects(client.get("/nothing/here"), OpenAI.NotFoundError);
            await assert.rejects(client.chat.completions.create(ask(model, { max_tokens: -1 })), (error) => error.status >= 400 && error.status < 500);
        });
    });
}

describe("TS14 the npm package openai, where a key may not go and where it has used up its limit", () => {
    let gate;
    before(async () => (gate = await startGate("tensoras")));
    after(() => gate?.stop());

    test("has a PermissionDeniedError where the scope is missing", async () => {
        const { secret } = await newKey(gate, { scopes: ["rag"] });
        await assert.rejects(clientOf(gate, secret).chat.completions.create(ask(models.tensoras)), (error) =>
            error instanceof OpenAI.PermissionDeniedError && error.code === "insufficient_scope" && error.type === "permission_error");
    });

    test("has a RateLimitError with the seconds to wait", async () => {
        const client = clientOf(gate, (await newKey(gate)).secret);
        const asked = await Promise.allSettled(Array.from({ length: 31 }, () => client.models.list()));
        const refused = asked.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
        assert.equal(refused.length, 1);
        assert.ok(refused[0] instanceof OpenAI.RateLimitError);
        assert.match(refused[0].headers.get("retry-after"), /^([1-9]|[1-5][0-9])$/);
        assert.equal(refused[0].headers.get("x-ratelimit-remaining"), "0");
    });

    test("waits for Retry-After by itself, and then passes", async () => {
        const quick = await startQuickGate();
        try {
            const client = clientOf(quick, (await newKey(quick)).secret, { maxRetries: 2 });
            for (let i = 0; i < 3; i++) {
                assert.equal((await client.chat.completions.create(ask(quickModel))).choices.length, 1);
            }

            assert.ok(await quick.wasRefused(), "one of the three was refused first");
        } finally {
            await quick.stop();
        }
    });
});

describe("TX13 the npm package openai, while an answer comes", () => {
    let gate, upstream, client;
    before(async () => {
        upstream = await startTalker();
        gate = await startGate("tensorx", { upstream: `${upstream.address}/v1`, upstreamKey: "secret-of-the-operator" });
        client = clientOf(gate, (await newKey(gate)).secret);
    });
    after(async () => {
        await gate?.stop();
        await upstream?.stop();
    });

    test("an abort reaches the server behind the gate", async () => {
        const stream = await client.chat.completions.create(ask(models.tensorx, { stream: true }));
        for await (const chunk of stream) {
            assert.equal(chunk.choices[0].delta.content, "One");
            stream.controller.abort();
            break;
        }

        await upstream.left;
        assert.equal(upstream.requests[0].headers.authorization, "Bearer secret-of-the-operator");
    });

    test("a stream that breaks there is an error here, never an end", async () => {
        const stream = await client.chat.completions.create({
            model: models.tensorx, messages: [{ role: "user", content: "break now" }], stream: true,
        });
        await assert.rejects(async () => {
            for await (const chunk of stream) {
                assert.ok(chunk.choices);
            }
        });
    });
});
