// A server behind the gate: answers as the test says, and remembers what reached it.
import { createServer } from "node:http";

/** `answer(request, response, body)`; `stop()` ends it. */
export async function startUpstream(answer) {
    const requests = [];
    const server = createServer(async (request, response) => {
        const pieces = [];
        for await (const piece of request) {
            pieces.push(piece);
        }

        const body = Buffer.concat(pieces);
        requests.push({ method: request.method, path: request.url, headers: request.headers, body });
        answer(request, response, body);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        address: `http://127.0.0.1:${server.address().port}`,
        requests,
        stop: () => new Promise((resolve) => {
            server.close(resolve);
            server.closeAllConnections();
        }),
    };
}

/**
 * A model server that says "One" in a stream and then nothing more, or breaks where it is told "break now"; `left` resolves when a client
 * is gone.
 */
export async function startTalker() {
    const one = JSON.stringify({
        id: "c", object: "chat.completion.chunk", created: 1, model: "m",
        choices: [{ index: 0, delta: { role: "assistant", content: "One" }, finish_reason: null }],
    });
    let leave;
    const left = new Promise((resolve) => (leave = resolve));
    const upstream = await startUpstream((request, response, body) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(`data: ${one}\n\n`);
        response.once("close", leave);
        if (body.includes("break now")) {
            setImmediate(() => response.destroy());
        }
    });
    return { ...upstream, left };
}
