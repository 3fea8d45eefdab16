using Tollgate.Server.Console.Keys;

namespace Tollgate.Server.Console.Webhooks;

/// <summary>How a receiver finds that a message is from here, as the guide on webhooks has it; a test compares the two.</summary>
internal static class VerifySnippets
{
    public static IReadOnlyList<Snippet> All { get; } =
    [
        new("JavaScript", """
            const crypto = require('node:crypto');

            function verify(headers, body, secret, now = Date.now() / 1000) {
              const id = headers['webhook-id'], time = headers['webhook-timestamp'];
              if (!id || !/^[0-9]+$/.test(time) || Math.abs(now - time) > 300) return false;
              const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
              const mine = crypto.createHmac('sha256', key).update(`${id}.${time}.`).update(body).digest();
              return (headers['webhook-signature'] ?? '').split(' ').some((one) => {
                const theirs = Buffer.from(one.startsWith('v1,') ? one.slice(3) : '', 'base64');
                return theirs.length === mine.length && crypto.timingSafeEqual(theirs, mine);
              });
            }
            """),
        new("Python", """
            import base64, hashlib, hmac, time

            def verify(headers, body: bytes, secret: str, now=None) -> bool:
                id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
                if not id or not sent.isdigit() or abs((now or time.time()) - int(sent)) > 300:
                    return False
                key = base64.b64decode(secret.removeprefix("whsec_"))
                mine = base64.b64encode(hmac.new(key, f"{id}.{sent}.".encode() + body, hashlib.sha256).digest()).decode()
                return any(hmac.compare_digest(one, "v1," + mine) for one in headers.get("webhook-signature", "").split(" "))
            """),
        new("C#", """
            app.MapPost("/tollgate", async (HttpRequest request) =>
            {
                using var body = new MemoryStream();
                await request.Body.CopyToAsync(body);
                var check = WebhookSignature.Verify(name => request.Headers[name], body.ToArray(), [secret], DateTimeOffset.UtcNow);
                return check == WebhookCheck.Valid ? Results.NoContent() : Results.Unauthorized();
            });
            """),
    ];
}
