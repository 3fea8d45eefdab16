import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startGate } from "./gate.js";
import { npx } from "./programs.js";

// Those with paths of their own in the document, and one without.
const providers = ["default", "tensorlake", "tensorone", "tensorpool", "tensorx"];
let folder;
let files;

before(async () => {
    folder = await mkdtemp(join(tmpdir(), "tollgate-lint-"));
    await writeFile(join(folder, "ruleset.yaml"), "extends: spectral:oas\n");
    files = await Promise.all(providers.map(async (provider) => {
        const gate = await startGate(provider);
        try {
            const file = join(folder, `${provider}.yaml`);
            await writeFile(file, await (await fetch(`${gate.address}/openapi.yaml`)).text());
            return file;
        } finally {
            await gate.stop();
        }
    }));
});

after(() => rm(folder, { recursive: true, force: true }));

test("redocly finds no error and no warning in the documents", async () => {
    const ran = await npx("@redocly/cli", "lint", "--extends", "recommended", "--format", "json", ...files);
    // One report a file, one after the other.
    const reports = ran.out.split(/(?<=^\})\s*(?=\{)/m).map((report) => JSON.parse(report));
    assert.equal(reports.length, files.length);
    const problems = reports.flatMap((report) => report.problems);
    assert.deepEqual(problems.map((found) => `${found.ruleId}: ${found.message} ${found.location[0].pointer}`), []);
    assert.equal(ran.code, 0, ran.err);
});

test("spectral finds nothing of any severity in the documents", async () => {
    const ran = await npx(
        "@stoplight/spectral-cli", "lint", "--ruleset", join(folder, "ruleset.yaml"), "--fail-severity", "hint",
        "--fail-on-unmatched-globs", "--format", "json", ...files);
    const found = JSON.parse(ran.out.slice(ran.out.indexOf("["), ran.out.lastIndexOf("]") + 1));
    assert.deepEqual(found.map((one) => `${one.code}: ${one.message} ${one.path.join("/")}`), []);
    assert.equal(ran.code, 0, ran.err);
});
