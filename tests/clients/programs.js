// Runs the programs of installed packages as their users do.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { quietEnvironment } from "./gate.js";

export const here = fileURLToPath(new URL(".", import.meta.url));

const silent = {
    REDOCLY_TELEMETRY: "off",
    REDOCLY_SUPPRESS_UPDATE_NOTICE: "true",
    SCARF_ANALYTICS: "false",
    DO_NOT_TRACK: "1",
    NO_COLOR: "1",
    // What is not installed is not fetched: every version is pinned.
    npm_config_offline: "true",
    npm_config_update_notifier: "false",
};

/** `npx …` in this folder. */
export const npx = (...args) => run("npx", args);

/** Answers what the program said and its exit code, whatever that is. */
export function run(program, args, environment = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, { cwd: here, env: { ...quietEnvironment(), ...silent, ...environment } });
        let [out, err] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
        child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
        child.once("error", reject);
        child.once("close", (code) => resolve({ code, out, err }));
    });
}
