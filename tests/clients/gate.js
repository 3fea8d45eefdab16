// A gate of the real server, as a child process with a data folder of its own on a free loopback port.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const server = fileURLToPath(new URL("../../src/Server/bin/Debug/net10.0/Tollgate.Server.dll", import.meta.url));
const startMs = 60_000;

/** Starts a gate that speaks `provider`, in front of `upstream` where one is given; `stop()` ends it and removes its folder. */
export async function startGate(provider, { upstream, upstreamKey } = {}) {
    if (!existsSync(server)) {
        throw new Error(`${server} is missing: run ./test, which builds it, or dotnet build src/Server/Server.csproj.`);
    }

    const data = await mkdtemp(join(tmpdir(), "tollgate-clients-"));
    const rootKey = randomBytes(24).toString("base64url");
    const child = spawn("dotnet", [server, "serve", "--provider", provider, "--urls", "http://127.0.0.1:0", "--data", data], {
        env: {
            ...quietEnvironment(),
            TOLLGATE_ROOT_KEY: rootKey,
            TOLLGATE_LOG_LEVEL: "warning",
            ...(upstream && { TOLLGATE_UPSTREAM: upstream, TOLLGATE_UPSTREAM_KEY: upstreamKey }),
        },
        stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const stop = async () => {
        child.kill("SIGTERM");
        await ended;
        await rm(data, { recursive: true, force: true });
    };
    try {
        const address = await addressOf(child);
        return { address, rootKey, provider, stop, call: (...args) => call(address, rootKey, ...args) };
    } catch (fault) {
        await stop();
        throw fault;
    }
}

/** One management call with the root key; answers its JSON, and throws unless it went well. */
async function call(address, rootKey, method, path, body) {
    const response = await fetch(address + path, {
        method,
        headers: { authorization: `Bearer ${rootKey}`, ...(body && { "content-type": "application/json" }) },
        body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) {
        throw new Error(`${method} ${path}: ${response.status} ${text}`);
    }

    return JSON.parse(text);
}

/** The first project of a gate, with money in its wallet where the provider has wallets. */
export async function firstProject(gate) {
    const { data: [project] } = await gate.call("GET", "/api/v1/projects");
    if (gate.provider === "tensorx") {
        await gate.call("POST", `/api/v1/organizations/${project.organization_id}/wallet/entries`, {
            kind: "top_up", amount: "50.00", external_id: "of the tests",
        });
    }

    return project;
}

/** A key of it; `more` are members of the call. */
export async function newKey(gate, more = {}) {
    const project = await firstProject(gate);
    return gate.call("POST", `/api/v1/projects/${project.id}/keys`, { name: "For the client", ...more });
}

/** This environment without what would set up a gate of the caller's. */
export function quietEnvironment() {
    return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TOLLGATE_")));
}

function addressOf(child) {
    return new Promise((resolve, reject) => {
        let said = "";
        const timer = setTimeout(() => reject(new Error(`the gate did not start in ${startMs} ms:\n${said}`)), startMs);
        const listen = (text) => {
            said += text;
            const found = /\bon (http:\/\/127\.0\.0\.1:\d+)/.exec(said);
            if (found) {
                clearTimeout(timer);
                resolve(found[1]);
            }
        };
        child.stdout.setEncoding("utf8").on("data", listen);
        child.stderr.setEncoding("utf8").on("data", listen);
        child.once("exit", (code) => {
            clearTimeout(timer);
            reject(new Error(`the gate ended with ${code}:\n${said}`));
        });
    });
}
