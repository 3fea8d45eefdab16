using System.Globalization;
using Tollgate.Engine.Limits;
using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Keys;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.Keys;

/// <summary>The form that makes a key: which fields the provider file has, what was typed into them, and what it asks for.</summary>
internal sealed class KeyForm(ProviderModel provider, Plan plan, long nowMs)
{
    private static readonly Dictionary<string, string> RightHints = new(StringComparer.Ordinal)
    {
        ["verify"] = "Check keys of this project",
        ["usage:write"] = "Report what requests used",
        ["usage:read"] = "Read the usage of this project",
        ["keys:read"] = "Read the keys of this project",
        ["keys:manage"] = "Make, change and end keys of this project",
        ["audit:read"] = "Read the audit log",
        ["webhooks:manage"] = "Manage webhooks",
    };

    private readonly KeyRules _rules = provider.Keys;

    /// <summary>The form as it is shown, with what was sent in it; null when it is new.</summary>
    public KeyFormFacts Show(string home, IFormCollection? sent)
    {
        var scopes = provider.Scopes.Scopes.Where(scope => scope.Grantable).ToList();
        return new KeyFormFacts
        {
            Action = $"{home}/new", Back = home, NameMin = _rules.NameMin, NameMax = _rules.NameMax,
            Name = Text(sent, "name"), Description = Text(sent, "description"), Addresses = Text(sent, "allowed_addresses"),
            Expiry = _rules.Expiry == ExpiryRule.Forbidden ? null : Text(sent, "expires_at"),
            IsExpiryRequired = _rules.Expiry == ExpiryRule.Required,
            ExpiryFirst = Shown.Date(nowMs),
            Environments = Choices(
                _rules.Environments.Select(one => (one.Name, (string?)null)), sent, "environment", [_rules.Environments[0].Name]),
            Types = Choices(_rules.Types.Select(type => (type.Name, (string?)HintOf(type))), sent, "type", [_rules.DefaultType.Name]),
            Scopes = Choices(scopes.Select(scope => (scope.Name, (string?)scope.Description)), sent, "scopes", _rules.DefaultScopes),
            IsOneScope = _rules.ExactlyOneScope,
            Models = Choices(provider.Models.Select(model => (model.Id, (string?)null)), sent, "models", []),
            Rights = Choices(RightNames.All.Select(right => (right, RightHints.GetValueOrDefault(right))), sent, "rights", []),
            Limits = [.. provider.Limits.Select((limit, place) => (limit, most: plan.Limits[place])).Where(one => one.most != 0).Select(
                one => new FormLimit(
                    one.limit.Name, CountsOf(one.limit), AmountOf(one.most), Text(sent, $"limits/{one.limit.Name}")))],
            IsMoreOpen = sent is not null,
        };
    }

    /// <summary>What was typed, as the API would be asked; or what is wrong with the typing itself.</summary>
    public Outcome<CreateKey> Read(IFormCollection sent)
    {
        var faults = new List<FieldError>();
        var limits = new Dictionary<string, long?>(StringComparer.Ordinal);
        foreach (var limit in provider.Limits)
        {
            if (Text(sent, $"limits/{limit.Name}").Trim() is { Length: > 0 } text)
            {
                limits[limit.Name] = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var amount) ? amount : 0;
            }
        }

        DateTimeOffset? expires = null;
        if (Text(sent, "expires_at") is { Length: > 0 } day)
        {
            expires = DateOnly.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
                ? new DateTimeOffset(date.ToDateTime(new TimeOnly(23, 59, 59)), TimeSpan.Zero)
                : null;
            if (expires is null)
            {
                faults.Add(new FieldError("/expires_at", "must be a date such as 2027-01-31."));
            }
        }

        var (scopes, models) = (Many(sent, "scopes"), Many(sent, "models"));
        return faults.Count > 0 ? Problem.Invalid(faults) : new CreateKey
        {
            Name = Text(sent, "name"),
            Description = Text(sent, "description").ReplaceLineEndings("\n").Trim() is { Length: > 0 } description ? description : null,
            Environment = Chosen(sent, "environment"),
            Type = Chosen(sent, "type"),
            Scopes = scopes.Length > 0 ? scopes : _rules.DefaultScopes.Count > 0 ? Array.Empty<string>() : null,
            Rights = Many(sent, "rights") is { Length: > 0 } rights ? rights : null,
            Models = models.Length > 0 ? models : null,
            Limits = limits.Count > 0 ? limits : null,
            ExpiresAt = expires,
            AllowedAddresses = Text(sent, "allowed_addresses").Split(
                ['\n', '\r', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: > 0 } ranges
                ? ranges
                : null,
        };
    }

    /// <summary>A problem as faults of the fields that they stand beside; all else is said on top.</summary>
    public static IReadOnlyList<PageFault> Faults(HttpContext http, Problem problem) => problem.Errors.Count == 0
        ? PageMaker.Faults(http, problem)
        : [.. problem.Errors.Select(error => new PageFault(FieldOf(error.Pointer), $"It {error.Expected}")).Distinct()];

    /// <summary>What a limit counts, and over which time.</summary>
    public static string CountsOf(Limit limit)
    {
        var what = limit.Counts switch
        {
            LimitCounts.Requests => "requests",
            LimitCounts.Tokens => "tokens",
            LimitCounts.InputTokens => "input tokens",
            LimitCounts.OutputTokens => "output tokens",
            _ => "requests at a time",
        };
        return limit.WindowMs == 0 ? what : $"{what} in {Shown.Span(TimeSpan.FromMilliseconds(limit.WindowMs))}";
    }

    public static string AmountOf(long amount) => amount == LimitPlan.Unlimited ? "no bound" : Shown.Number(amount);

    private static string FieldOf(string pointer)
    {
        var parts = pointer.TrimStart('/').Split('/');
        return parts[0] == "limits" && parts.Length > 1 ? $"limits/{parts[1]}" : parts[0];
    }

    private static string HintOf(KeyType type)
    {
        var may = type.Actions.Count > 0 ? $"May {string.Join(", ", type.Actions)}" : "May do all that its scopes allow";
        return type.Among is { } among ? $"{may}; only with scopes {string.Join(", ", among)}" : may;
    }

    private static FormChoice[] Choices(
        IEnumerable<(string Name, string? Hint)> all, IFormCollection? sent, string field, IReadOnlyList<string> usual)
    {
        var chosen = sent is null ? usual : Many(sent, field);
        return [.. all.Select(one => new FormChoice(one.Name, one.Name, one.Hint, chosen.Contains(one.Name)))];
    }

    private static string Text(IFormCollection? sent, string name) => sent is not null && sent[name] is [{ } text] ? text : "";

    private static string? Chosen(IFormCollection sent, string name) => Text(sent, name) is { Length: > 0 } text ? text : null;

    private static string[] Many(IFormCollection sent, string name) => [.. sent[name].OfType<string>()];
}
