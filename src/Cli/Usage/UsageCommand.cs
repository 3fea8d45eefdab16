using System.CommandLine;
using System.Globalization;
using Tollgate.Client;

namespace Tollgate.Cli.Usage;

/// <summary><c>tollgate usage</c>: what keys used, in sums.</summary>
internal static class UsageCommand
{
    private static readonly Option<string?> KeyId = new("--key-id") { Description = "Only this key: key_…" };

    private static readonly Option<string?> Project = new("--project") { Description = "Only keys of this project." };

    private static readonly Option<string?> Model = new("--model") { Description = "Only this model." };

    private static readonly Option<string?> From = new("--from")
    {
        Description = "From when on: 7d (ago), 2027-01-31, 2027-01-31T12:00:00Z. Whole hours.",
    };

    private static readonly Option<string?> To = new("--to") { Description = "Until when, which does not count itself." };

    private static readonly Option<string?> GroupBy = new("--group-by")
    {
        Description = "Keep sums apart by some of key, model, day, project, separated by commas.",
    };

    public static Command Build(Shell shell)
    {
        var command = new Command("usage", "Show what keys used: requests, tokens, cost.") { KeyId, Project, Model, From, To, GroupBy };
        command.SetAction((parsed, cancel) => Run(parsed, shell, cancel));
        return command;
    }

    private static async Task<int> Run(ParseResult parsed, Shell shell, CancellationToken cancel)
    {
        var voice = new Voice(shell, parsed.GetValue(CommonOptions.Json));
        var filter = new UsageFilter
        {
            Key = parsed.GetValue(KeyId),
            Project = parsed.GetValue(Project),
            Model = parsed.GetValue(Model),
            From = Instant(parsed, From, shell),
            To = Instant(parsed, To, shell),
        };
        if (filter.Key is { } id && !id.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-'))
        {
            throw new UsageException($"--key-id: \"{id}\" is not a key's id such as key_….");
        }

        using var client = CommonOptions.Connect(parsed, shell);
        if (filter is { Key: { } key, Project: null, Model: null } && parsed.GetValue(GroupBy) is null)
        {
            Show(await client.Usage.OfKeyAsync(key, filter.From, filter.To, cancel), voice);
            return (int)ExitCode.Ok;
        }

        var groups = parsed.GetValue(GroupBy)?.Split(',') ?? [];
        Show(await client.Usage.SumAsync(filter, groups, cancel), groups, voice);
        return (int)ExitCode.Ok;
    }

    private static DateTimeOffset? Instant(ParseResult parsed, Option<string?> option, Shell shell) =>
        parsed.GetValue(option) is { } text ? Hour(text, When.Past(option.Name, text, shell.Time)) : null;

    /// <summary>A duration ago falls into an hour, which counts from its beginning; a time is asked for as it was typed.</summary>
    private static DateTimeOffset Hour(string text, DateTimeOffset at) => text.Contains('-', StringComparison.Ordinal)
        ? at
        : new DateTimeOffset(at.UtcTicks / TimeSpan.TicksPerHour * TimeSpan.TicksPerHour, TimeSpan.Zero);

    private static void Show(KeyUsage usage, Voice voice)
    {
        if (voice.Json)
        {
            voice.Result(usage, TollgateJson.Default.KeyUsage);
            return;
        }

        var facts = Tables.Facts();
        facts.Fact("key", usage.KeyId);
        facts.Fact("name", usage.KeyName);
        facts.Fact("requests", Number(usage.Requests));
        facts.Fact("refused", Number(usage.Refused));
        facts.Fact("input tokens", Number(usage.InputTokens));
        facts.Fact("of them cached", Number(usage.CachedTokens));
        facts.Fact("output tokens", Number(usage.OutputTokens));
        facts.Fact("of them reasoning", Number(usage.ReasoningTokens));
        facts.Fact("cost", Cost(usage.Cost));
        facts.Fact("last used", When.Text(usage.LastUsedAt));
        facts.Fact("models", [.. usage.Models.Select(sum => sum.Model ?? "")]);
        voice.Table(facts);
        if (usage.ByDay.Count > 0)
        {
            Show(usage.ByDay, ["day"], voice);
        }
    }

    private static void Show(IReadOnlyList<UsageSum> sums, IReadOnlyList<string> groups, Voice voice)
    {
        if (voice.Json)
        {
            voice.Result(new UsageSums(sums), TollgateJson.Default.UsageSums);
            return;
        }

        var table = Tables.List([.. groups, "requests", "refused", "input tokens", "output tokens", "cost"]);
        foreach (var sum in sums)
        {
            table.Line(
            [
                .. groups.Select(group => Of(sum, group)),
                Number(sum.Requests), Number(sum.Refused), Number(sum.InputTokens), Number(sum.OutputTokens), Cost(sum.Cost),
            ]);
        }

        voice.Table(table);
    }

    private static string? Of(UsageSum sum, string group) => group switch
    {
        "key" => sum.KeyName is null ? sum.KeyId : $"{sum.KeyName} ({sum.KeyId})",
        "model" => sum.Model ?? "-",
        "day" => sum.Day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        _ => sum.ProjectId,
    };

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Cost(decimal? cost) => cost?.ToString("0.00####", CultureInfo.InvariantCulture) ?? "-";
}
