using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Operating;

/// <summary>A backup, and a database in which one key after the other was taken something away since, each in another way.</summary>
internal sealed record TakenAway(
    string Backup, IReadOnlyDictionary<string, string> SecretOf, IReadOnlyDictionary<string, string> IdOf,
    IReadOnlyList<(string Id, string What)> Changes, string Later)
{
    private static readonly string[] Names =
        ["revoked", "deleted", "disabled", "expiry", "permissions", "addresses", "secret", "limits", "models", "untouched"];

    public static async Task<TakenAway> Make(Place place)
    {
        var (secretOf, idOf) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        await using var gate = await place.Start();
        var foreign = await gate.NewProject();
        foreach (var name in Names)
        {
            var key = await gate.NewKey($"\"name\":\"{name}\",\"scopes\":[\"models\",\"chat\"]");
            (secretOf[name], idOf[name]) = (key.GetProperty("secret").GetString()!, key.GetProperty("id").GetString()!);
        }

        secretOf["suspended"] = await gate.NewSecret(project: foreign);
        var backup = await place.Backup();

        await gate.Change("POST", $"/keys/{idOf["revoked"]}/revoke");
        await gate.Change("DELETE", $"/keys/{idOf["deleted"]}");
        await gate.Change("POST", $"/keys/{idOf["disabled"]}/disable");
        var soon = gate.Clock.GetUtcNow().AddSeconds(60).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        await gate.Change("PATCH", $"/keys/{idOf["expiry"]}", $"{{\"expires_at\":\"{soon}\"}}");
        await gate.Change("PATCH", $"/keys/{idOf["permissions"]}", "{\"scopes\":[\"models\"]}");
        await gate.Change("PATCH", $"/keys/{idOf["addresses"]}", "{\"allowed_addresses\":[\"127.0.0.1/32\"]}");
        await gate.Change("POST", $"/keys/{idOf["secret"]}/rotate", "{\"grace_seconds\":0}");
        await gate.Write($"UPDATE keys SET limits = '{{\"rpm\":10}}' WHERE id = '{idOf["limits"]}'");
        await gate.Change("PATCH", $"/keys/{idOf["models"]}", "{\"models\":[\"met since\"]}");
        await gate.Change("PATCH", $"/keys/{idOf["untouched"]}", "{\"name\":\"renamed\"}");
        var organizations = (await gate.Send("GET", "/api/v1/organizations", RunningGate.RootKey)).Json.GetProperty("data");
        var customer = organizations.EnumerateArray().First(one => one.GetProperty("name").GetString() == "Another organization")
            .GetProperty("id").GetString()!;
        await gate.Change("PATCH", $"/organizations/{customer}", "{\"status\":\"suspended\"}");
        await gate.Write($"UPDATE organizations SET plan = 'smaller' WHERE id = '{customer}'");
        var other = await gate.Send("POST", $"/api/v1/organizations", RunningGate.RootKey, "{\"name\":\"Made later\"}");
        Assert.Equal(System.Net.HttpStatusCode.Created, other.Status);
        var later = await gate.NewSecret("\"name\":\"later\"");
        gate.Clock.Advance(TimeSpan.FromMinutes(2));
        return new TakenAway(
            backup, secretOf, idOf,
            [.. Names.Where(name => name != "untouched").Select(name => (idOf[name], name)),
                (customer, "suspended"), (customer, "plan")], later);
    }
}
