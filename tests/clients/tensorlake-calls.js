// Run by tensorlake.test.js in a process of its own: the package reads its settings when it is loaded, and needs Node 22.
// Told nothing but TENSORLAKE_API_URL and TENSORLAKE_API_KEY; prints what each call came to, as JSON.
import { CloudClient, RemoteAPIError } from "tensorlake";

const client = new CloudClient();
const outcome = async (call) => {
    try {
        return { value: await call() };
    } catch (error) {
        return { error: { isRemoteApiError: error instanceof RemoteAPIError, statusCode: error.statusCode, message: error.message } };
    }
};

console.log(JSON.stringify({
    introspection: await outcome(() => client.introspectApiKey()),
    applications: await outcome(() => client.applications()),
}));
process.exit(0);
