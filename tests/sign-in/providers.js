// Two providers of sign-in on loopback ports of their own, told by lines of JSON on stdin what to be; each line is answered by one on stdout.
// - /oidc: oidc-provider, which keeps every rule, with a person who signs in at once.
// - /mock: oauth2-mock-server, which tells what it is told to, with a small stand-in for the two paths of GitHub's API.
// Both end with stdin.
import http from 'node:http';
import { createInterface } from 'node:readline';
import { OAuth2Issuer, OAuth2Service } from 'oauth2-mock-server';
import { Provider } from 'oidc-provider';

const listen = (handle) => new Promise((resolve) => {
  const server = http.createServer((request, response) => handle.now(request, response));
  server.listen(0, '127.0.0.1', () => resolve(server.address().port));
});

// What the test wants at present.
let person = {};
let lies = {};
let api = {};
let accessToken;

const oidc = { now: (_, response) => response.writeHead(503).end() };
const oidcPort = await listen(oidc);

function beOidc(callback) {
  const provider = new Provider(`http://127.0.0.1:${oidcPort}`, {
    clients: [{
      client_id: 'gate', client_secret: 'secret of the gate', redirect_uris: [callback], token_endpoint_auth_method: 'client_secret_post',
    }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    cookies: { keys: ['a key of the tests'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ ...person, sub }) }),
    loadExistingGrant: async (context) => {
      const grant = new provider.Grant({ clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  const rest = provider.callback();
  oidc.now = async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return rest(request, response);
    await provider.interactionFinished(request, response, person.deny
      ? { error: 'access_denied', error_description: 'The person said no.' }
      : { login: { accountId: person.sub, remember: false } });
  };
}

const issuer = new OAuth2Issuer();
await issuer.keys.generate('RS256');
const service = new OAuth2Service(issuer);
service.on('beforeTokenSigning', (token) => Object.assign(token.payload, lies));
service.on('beforeResponse', (answer) => {
  accessToken = answer.body.access_token;
  if (api.error) answer.body = { error: api.error };
});
const mockPort = await listen({
  now: (request, response) => {
    const told = { '/user': api.user, '/user/emails': api.emails }[request.url];
    if (told === undefined) return service.requestHandler(request, response);
    const isKnown = request.headers.authorization === `Bearer ${accessToken}` && request.headers['user-agent'];
    response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(isKnown ? told : {}));
  },
});
issuer.url = `http://127.0.0.1:${mockPort}`;

console.log(JSON.stringify({ oidc: `http://127.0.0.1:${oidcPort}`, mock: `http://127.0.0.1:${mockPort}` }));
for await (const line of createInterface({ input: process.stdin })) {
  const wish = JSON.parse(line);
  if (wish.callback) beOidc(wish.callback);
  person = wish.person ?? person;
  lies = wish.lies ?? lies;
  api = wish.api ?? api;
  console.log('{}');
}
process.exit(0);
