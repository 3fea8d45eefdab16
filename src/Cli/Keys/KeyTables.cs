using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Client;

namespace Tollgate.Cli.Keys;

/// <summary>Keys as a person or a program reads them.</summary>
internal static class KeyTables
{
    public static void List(Voice voice, IReadOnlyList<Key> keys)
    {
        if (voice.Json)
        {
            voice.Result(new Page<Key>(keys, null), TollgateJson.Default.KeyPage);
            return;
        }

        if (keys.Count == 0)
        {
            voice.Say("No keys.");
            return;
        }

        var table = Tables.List("id", "name", "status", "mask", "environment", "may", "expires");
        foreach (var key in keys)
        {
            table.Line(key.Id, key.Name, Status(key), key.Mask, key.Environment, May(key), When.Text(key.ExpiresAt));
        }

        voice.Table(table);
    }

    public static void Show(Voice voice, Key key)
    {
        if (voice.Json)
        {
            voice.Result(key, TollgateJson.Default.Key);
            return;
        }

        var table = Tables.Facts();
        table.Fact("id", key.Id);
        table.Fact("name", key.Name);
        table.Fact("status", Status(key));
        table.Fact("mask", key.Mask);
        table.Fact("description", key.Description);
        table.Fact("project", key.ProjectId);
        table.Fact("organization", key.OrganizationId);
        table.Fact("environment", key.Environment);
        table.Fact("type", key.Type);
        table.Fact("permissions", key.Permissions);
        table.Fact("scopes", key.Scopes);
        table.Fact("rights", key.Rights);
        table.Fact("addresses", key.AllowedAddresses);
        table.Fact("limits", string.Join(", ", key.Limits.Select(limit => $"{limit.Key} {limit.Value}")));
        table.Fact("models", key.Models ?? []);
        table.Fact("metadata", key.Metadata.Count > 0 ? key.Metadata.ToJsonString() : null);
        table.Fact("created", $"{When.Text(key.CreatedAt)} by {key.CreatedBy}");
        table.Fact("expires", When.Text(key.ExpiresAt));
        table.Fact("revoked", key.RevokedAt is { } revoked ? When.Text(revoked) : null);
        table.Fact("deleted", key.DeletedAt is { } deleted ? When.Text(deleted) : null);
        var final = key.Status is KeyStatus.Revoked or KeyStatus.Deleted;
        foreach (var version in key.Secrets.Count > 1 && !final ? key.Secrets : [])
        {
            table.Fact("secret", $"{version.Mask} of {When.Text(version.CreatedAt)}, ends {When.Text(version.EndsAt)}");
        }

        voice.Table(table);
    }

    /// <summary>A key with its secret. The secret is alone on standard output; what is said about it goes beside it.</summary>
    public static void Issued(Voice voice, IssuedKey issued, string done)
    {
        if (voice.Json)
        {
            var node = (JsonObject)JsonSerializer.SerializeToNode(issued.Key, TollgateJson.Default.Key)!;
            node["secret"] = issued.Secret?.Reveal();
            voice.Result(node);
            return;
        }

        voice.Say($"{issued.Key.Id} \"{issued.Key.Name}\" is {done}.");
        if (issued.Secret is not { } secret)
        {
            voice.Say("It was imported: its secret is the one its holder has.");
            voice.Result(issued.Key.Id);
            return;
        }

        // The gate's clock tells what has ended, for ours may differ: the new secret was made just now.
        var now = issued.Key.Secrets.Select(version => version.CreatedAt).DefaultIfEmpty().Max();
        foreach (var ending in issued.Key.Secrets.Where(version => version.EndsAt > now))
        {
            voice.Say($"The old secret {ending.Mask} works until {When.Text(ending.EndsAt)}.");
        }

        voice.Say("Its secret follows. You will not see it again: store it now.");
        voice.Secret(secret);
    }

    private static string Status(Key key)
    {
        var word = OpenEnum<KeyStatus>.Word(key.Status);
        return key.Holds.Count > 0 ? $"{word} ({string.Join(", ", key.Holds.Select(Hold))})" : word;
    }

    private static string Hold(string name) => name switch
    {
        "person" => "by a person",
        "balance" => "for its owner's balance",
        "leak" => "for a leak",
        "archived" => "its owner is archived",
        "suspended" => "its owner is suspended",
        _ => name,
    };

    private static string May(Key key) => string.Join(' ', new[] { key.Permissions, key.Scopes, key.Rights }
        .Where(words => words.Count > 0)
        .Select(words => string.Join(',', words)));
}
