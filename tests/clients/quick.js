// A gate whose limit is met at once and gone soon: two requests in three seconds.
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGate } from "./gate.js";

export const quickModel = "gpt-oss-20b";

/** Like `startGate`; `wasRefused()` tells whether a request met the limit. */
export async function startQuickGate() {
    const folder = await mkdtemp(join(tmpdir(), "tollgate-quick-"));
    await copyFile(new URL("../../providers/openai.yaml", import.meta.url), join(folder, "openai.yaml"));
    await writeFile(join(folder, "quick.yaml"), [
        "extend: openai",
        "provider: { name: Quick, base_url: http://localhost/v1, key_variable: QUICK_API_KEY }",
        "limits: [{ name: requests, counts: requests, per: 3s, amount: 2 }]",
        "",
    ].join("\n"));
    const gate = await startGate(join(folder, "quick.yaml"));
    return {
        ...gate,
        wasRefused: async () => (await gate.call("GET", "/api/v1/usage/log")).data.some(({ code }) => code === "rate_limited"),
        stop: async () => {
            await gate.stop();
            await rm(folder, { recursive: true, force: true });
        },
    };
}
