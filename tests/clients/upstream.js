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
