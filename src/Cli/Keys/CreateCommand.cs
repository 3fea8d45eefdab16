using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Client;

namespace Tollgate.Cli.Keys;

/// <summary>
/// <c>tollgate keys create</c>. The secret is the only line on standard output, so <c>KEY=$(tollgate keys create …)</c> works.
/// </summary>
internal static class CreateCommand
{
    private static readonly Option<string> Name = new("--name") { Description = "What people call it.", Required = true };

    private static readonly Option<string?> Project = new("--project") { Description = "Else TOLLGATE_PROJECT, else the gate's first." };

    private static readonly Option<string?> Environment = new("--environment")
    {
        Description = "One of the provider's, such as live or test.",
    };

    private static readonly Option<string?> Type = new("--type") { Description = "One of the provider's key types." };

    private static readonly Option<string[]> Permissions = Words("--permissions", "What it may do, such as read,write.");

    private static readonly Option<string[]> Scopes = Words("--scopes", "What it may reach, in the provider's words.");

    private static readonly Option<string[]> Rights =
        Words("--rights", "On the management API: verify, usage:write, usage:read, keys:read, keys:manage, audit:read, webhooks:manage.");

    private static readonly Option<string?> Description = new("--description") { Description = "What it is for." };

    private static readonly Option<string?> Expires = new("--expires") { Description = "30d, 2027-01-31 or 2027-01-31T12:00:00Z." };

    private static readonly Option<string[]> Addresses = Words("--allowed-addresses", "Addresses and CIDR ranges it may be used from.");

    private static readonly Option<string[]> Limits = Words("--limits", "Its limits below the plan's, such as rpm=10.");

    private static readonly Option<string[]> Models = new("--model")
    {
        Description = "The id of a model it may be used for, and for no other. Several: the option again.",
    };

    private static readonly Option<string?> Metadata = new("--metadata") { Description = "A JSON object to keep with it." };

    private static readonly Option<string?> SecretSha256 = new("--secret-sha256")
    {
        Description = "Import an existing secret by its SHA-256 in hexadecimal or base64.",
    };

    public static Command Build(Shell shell)
    {
        var command = new Command("create", "Create a key. Its secret is printed once, alone on standard output.")
        {
            Name, Project, Environment, Type, Permissions, Scopes, Rights, Description, Expires, Addresses, Limits, Models, Metadata,
            SecretSha256,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var key = Read(parsed, shell.Time);
            using var ask = new Ask(parsed, shell, cancel);
            var issued = await ask.Client.Keys.CreateAsync(await ask.ProjectId(Project), key, null, cancel);
            KeyTables.Issued(ask.Voice, issued, "created");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static NewKey Read(ParseResult parsed, TimeProvider time) => new()
    {
        Name = parsed.GetValue(Name)!,
        Environment = parsed.GetValue(Environment),
        Type = parsed.GetValue(Type),
        Permissions = Split(parsed.GetValue(Permissions)),
        Scopes = Split(parsed.GetValue(Scopes)),
        Rights = Split(parsed.GetValue(Rights)),
        Description = parsed.GetValue(Description),
        ExpiresAt = parsed.GetValue(Expires) is { } expires ? When.Instant("--expires", expires, time) : null,
        AllowedAddresses = Split(parsed.GetValue(Addresses)),
        Limits = Amounts(Split(parsed.GetValue(Limits))),
        // An id may have a comma in it.
        Models = parsed.GetValue(Models) is { Length: > 0 } models ? models : null,
        Metadata = parsed.GetValue(Metadata) is { } metadata ? Object(metadata) : null,
        SecretSha256 = parsed.GetValue(SecretSha256),
    };

    private static Option<string[]> Words(string name, string description) => new(name)
    {
        Description = description + " Several: separated by commas, or the option again.",
    };

    private static IReadOnlyList<string>? Split(string[]? values) => values is { Length: > 0 }
        ? [.. values.SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))]
        : null;

    private static Dictionary<string, long>? Amounts(IReadOnlyList<string>? words)
    {
        if (words is null)
        {
            return null;
        }

        var amounts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var word in words)
        {
            if (word.Split('=') is not [{ Length: > 0 } name, var text]
                || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var amount)
                || !amounts.TryAdd(name, amount))
            {
                throw new UsageException($"--limits: \"{word}\" is not a name and a whole number such as rpm=10, each name once.");
            }
        }

        return amounts;
    }

    private static JsonObject Object(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject 
                ?? throw new UsageException("--metadata: must be a JSON object such as {\"team\":\"a\"}.");
        }
        catch (JsonException e)
        {
            throw new UsageException($"--metadata: must be a JSON object such as {{\"team\":\"a\"}}. {e.Message}");
        }
    }
}
