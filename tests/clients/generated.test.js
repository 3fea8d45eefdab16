// TL11: the documented command makes a client from the document, and the client does what a customer needs.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, before, after } from "node:test";
import { startGate } from "./gate.js";
import { npx } from "./programs.js";

const require = createRequire(import.meta.url);
let folder;
let clients;

/** A gate, and the client that the documented command generates from its document. */
async function generate(provider) {
    const gate = await startGate(provider);
    const made = await npx(
        "@hey-api/openapi-ts", "-i", `${gate.address}/openapi.yaml`, "-o", join(folder, provider), "-c", "@hey-api/client-fetch",
        "-p", "@hey-api/sdk");
    return { gate, provider, made };
}

/** Compiles all clients at once, strictly: the types of the document must hold together. */
async function compile(providers) {
    await writeFile(join(folder, "package.json"), '{ "type": "commonjs" }');
    const sources = providers.flatMap((provider) => [join(folder, provider, "index.ts"), join(folder, provider, "client.gen.ts")]);
    const built = await npx(
        "tsc", "--strict", "--skipLibCheck", "--target", "es2022", "--lib", "es2022,dom,dom.iterable", "--module", "commonjs",
        "--moduleResolution", "node10", "--rootDir", folder, "--outDir", join(folder, "built"), ...sources);
    assert.equal(built.code, 0, built.out + built.err);
}

before(async () => {
    folder = await mkdtemp(join(tmpdir(), "tollgate-generated-"));
    clients = await Promise.all(["default", "tensorlake"].map(generate));
    for (const { made } of clients) {
        assert.equal(made.code, 0, made.out + made.err);
    }

    await compile(clients.map(({ provider }) => provider));
});

after(async () => {
    await Promise.all((clients ?? []).map(({ gate }) => gate.stop()));
    await rm(folder, { recursive: true, force: true });
});

/** The generated client of a provider, told the root key, and its first project. */
async function clientFor(name) {
    const { gate } = clients.find(({ provider }) => provider === name);
    const sdk = require(join(folder, "built", name, "index.js"));
    const { client } = require(join(folder, "built", name, "client.gen.js"));
    client.setConfig({ auth: gate.rootKey });
    return { gate, sdk, client, path: { id: (await good(sdk.listProjects())).data[0].id } };
}

/** The data of a call that went well. */
async function good(call) {
    const { data, error } = await call;
    assert.equal(error, undefined, JSON.stringify(error));
    return data;
}

const verified = async (sdk, key) => (await good(sdk.verifyKey({ body: { key } }))).code;

describe("the client generated for the default provider", () => {
    let it, path;
    before(async () => {
        it = await clientFor("default");
        path = it.path;
    });

    test("is told the address by the document", () => assert.equal(it.client.getConfig().baseUrl, it.gate.address));

    test("creates, lists, rotates, revokes and deletes keys", async () => {
        const made = await good(it.sdk.createKey({ path, body: { name: "Generated", scopes: ["chat"] } }));
        assert.equal(made.status, "active");
        assert.equal(await verified(it.sdk, made.secret), "allowed");

        const listed = await good(it.sdk.listKeys({ path, query: { status: "active", limit: 100 } }));
        assert.deepEqual(listed.data.filter((key) => key.id === made.id).map((key) => [key.name, key.scopes, key.secret]), [
            ["Generated", ["chat"], undefined],
        ]);

        const rotated = await good(it.sdk.rotateKey({ path: { id: made.id }, body: { grace_seconds: 0 } }));
        assert.equal(await verified(it.sdk, rotated.secret), "allowed");
        assert.notEqual(await verified(it.sdk, made.secret), "allowed");

        await good(it.sdk.revokeKey({ path: { id: made.id } }));
        assert.equal(await verified(it.sdk, rotated.secret), "key_revoked");

        assert.equal((await good(it.sdk.deleteKey({ path: { id: made.id } }))).status, "deleted");
        assert.equal((await good(it.sdk.getKey({ path: { id: made.id } }))).status, "deleted");
    });

    test("sends its idempotency key, and the same call has the same answer", async () => {
        const call = () => good(it.sdk.createKey({ path, body: { name: "Once" }, headers: { "Idempotency-Key": "generated-once" } }));
        const first = await call();
        assert.deepEqual(await call(), first);
    });

    test("receives a refusal as a problem", async () => {
        const { data, error, response } = await it.sdk.createKey({ path, body: { name: "" } });
        assert.equal(data, undefined);
        assert.equal(response.status, 422);
        assert.deepEqual([error.code, error.status, error.errors[0].pointer], ["validation_failed", 422, "/name"]);
        assert.equal(error.request_id, response.headers.get("x-request-id"));
    });

    test("speaks the provider's own paths too", async () => {
        const made = await good(it.sdk.providerCreateKey({ body: { name: "Own words" } }));
        const whoami = await good(it.sdk.providerWhoami({ auth: made.secret }));
        assert.equal(whoami.id, made.id);
    });

    test("receives a missing key as a problem", async () => {
        const { error, response } = await it.sdk.listKeys({ path, auth: "" });
        assert.deepEqual([response.status, error.code], [401, "key_missing"]);
    });
});

describe("TL11 the client generated for Tensorlake", () => {
    let it, path;
    before(async () => {
        it = await clientFor("tensorlake");
        path = it.path;
    });

    test("creates, lists and deletes keys", async () => {
        const made = await good(it.sdk.createKey({ path, body: { name: "Generated" } }));
        assert.match(made.secret, /^tl_apiKey_/);
        assert.equal(await verified(it.sdk, made.secret), "allowed");
        assert.ok((await good(it.sdk.listKeys({ path }))).data.some((key) => key.id === made.id));

        await good(it.sdk.deleteKey({ path: { id: made.id } }));
        assert.equal(await verified(it.sdk, made.secret), "key_deleted");
        assert.ok(!(await good(it.sdk.listKeys({ path }))).data.some((key) => key.id === made.id));
    });

    test("introspects a key", async () => {
        const made = await good(it.sdk.createKey({ path, body: { name: "Introspected" } }));
        const whoami = await good(it.sdk.providerWhoami({ auth: made.secret }));
        assert.deepEqual(whoami, { id: made.id, organizationId: made.organization_id, projectId: made.project_id });
    });

    test("receives a refusal as a problem", async () => {
        const { error, response } = await it.sdk.createKey({ path, body: { name: "Ends", expires_at: "2099-12-31T23:59:59Z" } });
        assert.deepEqual([response.status, error.code, error.errors[0].pointer], [422, "validation_failed", "/expires_at"]);
    });
});
