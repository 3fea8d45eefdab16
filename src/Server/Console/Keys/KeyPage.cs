using Tollgate.Engine.Verification;
using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Console.Usage;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Usage;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Console.Keys;

/// <summary>
/// One key: what it is, what it did, why it was refused; and what can be done to it, each behind a page that says what happens.
/// </summary>
internal static class KeyPage
{
    private const int DaysShown = 30;
    private const int RefusalsShown = 10;

    public static void MapKeyPage(this IEndpointRouteBuilder keys)
    {
        keys.MapGet("/{key}", Show);
        keys.MapGet("/{key}/{action}", Ask);
        keys.MapPost("/{key}/{action}", Do);
    }

    /// <summary>A status in words, with what holds the key.</summary>
    public static KeyStatus StatusOf(Key key, long nowMs) => key.Status(nowMs) switch
    {
        "active" => new KeyStatus("active", key.ExpiresAtMs is { } ends ? $"until {Shown.Exact(ends)}" : null, "good"),
        "disabled" => new KeyStatus("disabled", string.Join(", ", HoldNames.Of(key.Holds).Select(HoldText)), "held"),
        var word => new KeyStatus(word, null, "ended"),
    };

    private static string HoldText(string hold) => hold switch
    {
        "person" => "by a person",
        "balance" => "the balance is used up",
        "leak" => "its secret was found in public",
        "archived" => "it rests while its owner is in a team",
        _ => "the organization is suspended",
    };

    private static async Task<IResult> Show(
        HttpContext http, FrameMaker pages, PlaceBook book, ProviderModel provider, UsageReader reader, TimeProvider time, string key,
        string? done)
    {
        var (place, nowMs) = (ConsolePlace.Of(http), KeyPages.Now(time));
        if (!(await book.FindKey(SignedIn.Of(http), place, key, Act.SeeKeys, http.RequestAborted)).TryGet(out var found, out var problem))
        {
            return pages.Problem(http, problem, $"{place.Path}/keys");
        }

        var range = UsagePages.LastDays(DaysShown, nowMs);
        var usage = place.May(Act.ReadUsage)
            ? (await reader.OfKey(found.Caller, key, range, http.RequestAborted)) is { IsOk: true } read ? read.Value : null
            : null;
        var refusals = usage is null ? [] : await reader.Log(
            found.Caller, new UsageQuestion { Range = range, KeyId = key, Outcome = "refused" }, long.MaxValue, RefusalsShown,
            http.RequestAborted);
        var oldUsedMs = found.Key.Secrets.Count > 1 ? await reader.OldSecretUse(found.Key.KeyNo, http.RequestAborted) : null;
        var maker = (await KeyPages.MakersOf(http, [found.Key.CreatedBy]))[found.Key.CreatedBy];
        var currency = provider.Wallet?.Currency;
        return pages.Of<KeyFactsPage>(
            http, 200, ("Key", FactsOf(http, found, maker, (usage?.LastUsedAtMs, oldUsedMs), nowMs)),
            ("Totals", usage is null ? [] : UsageWords.Totals(usage.Total, currency)),
            ("Days", usage is null ? null : UsageWords.Chart("Requests by day, the last 30 days", usage.Days, range, nowMs)),
            ("ByDay", usage is null ? [] : UsageWords.Lines(usage.Days, UsageWords.DayOf, currency)),
            ("ByModel", usage is null ? [] : UsageWords.Lines(usage.Models, row => row.Model ?? "none", currency)),
            ("Refusals", RefusalWords.Lines(refusals, place.Path, nowMs)),
            ("Notice", KeyAction.All.FirstOrDefault(action => action.Name == done)?.Done(found.Key.Name)));
    }

    private static KeyFacts FactsOf(
        HttpContext http, (Key Key, Caller Caller) found, string maker, (long? Key, long? OldSecret) usedMs, long nowMs)
    {
        var (key, provider) = (found.Key, http.RequestServices.GetRequiredService<ProviderModel>());
        var plan = http.RequestServices.GetRequiredService<PlanBook>().Of(key.Plan);
        var home = $"{ConsolePlace.Of(http).Path}/keys/{key.Id}";
        var limits = http.RequestServices.GetRequiredService<Admission>().Limits;
        var clockMs = http.RequestServices.GetRequiredService<Gate>().ClockMs;
        return new KeyFacts(key.Name, StatusOf(key, nowMs), home)
        {
            Facts = [.. Facts(key, maker, usedMs, provider.Keys, nowMs)],
            Limits =
            [
                .. provider.Limits.Select((limit, i) => key.Limits.TryGetValue(limit.Name, out var own)
                    ? new KeyLimitLine(limit.Name, KeyForm.CountsOf(limit), Shown.Number(own), Taken(i), "this key")
                    : new KeyLimitLine(
                        limit.Name, KeyForm.CountsOf(limit), KeyForm.AmountOf(plan.Limits[i]), Taken(i), $"plan {plan.Name}")),
            ],
            Actions = !RoleTable.May(found.Caller.Roles, Act.ManageKeys) ? [] :
            [
                .. KeyAction.All.Where(action => action.IsOfferedFor(key, provider.Keys))
                    .Select(action => new KeyActionLink(action.Title, $"{home}/{action.Name}", action.Short, action.IsDanger)),
            ],
        };

        string Taken(int limit) => Shown.Number(limits.TakenOf((uint)key.KeyNo, limit, clockMs));
    }

    public static IEnumerable<KeyFact> Facts(Key key, string maker, (long? Key, long? OldSecret) usedMs, KeyRules rules, long nowMs)
    {
        yield return new KeyFact("Secret", key.Mask) { IsCode = true };
        foreach (var old in key.Secrets.Skip(1).Where(secret => secret.IsLive(nowMs) && secret.EndsAtMs is not null))
        {
            // What was used before this rotation was another old secret.
            var sinceMs = Math.Max(usedMs.OldSecret ?? 0, key.Secrets[0].CreatedAtMs);
            yield return new KeyFact(
                "Old secret", $"{old.Mask} works until {Shown.Exact(old.EndsAtMs!.Value)}; unused for {Shown.Length(nowMs - sinceMs)}");
        }

        yield return new KeyFact("Last used", "never") { Moment = MomentFacts.Of(usedMs.Key, nowMs) };
        yield return new KeyFact("Made", $"by {maker}") { Moment = MomentFacts.Of(key.CreatedAtMs, nowMs) };
        if (rules.Environments.Count > 1)
        {
            yield return new KeyFact("Environment", key.Environment);
        }

        if (rules.Types.Count > 1)
        {
            yield return new KeyFact("Type", key.Type);
        }

        if (key.Scopes.Count > 0)
        {
            yield return new KeyFact("Scopes", string.Join(", ", key.Scopes));
        }

        foreach (var (title, text) in new (string, string?)[]
        {
            ("May", key.Permissions.Count > 0 ? string.Join(", ", key.Permissions) : null),
            ("Rights", key.Rights.Count > 0 ? string.Join(", ", key.Rights) : null),
            ("Models", key.Models is { } models ? string.Join(", ", models) : null),
            ("Addresses", key.AllowedAddresses.Count > 0 ? string.Join(", ", key.AllowedAddresses) : null),
            ("Expires", key.ExpiresAtMs is { } ends ? Shown.Exact(ends) : null),
            ("Description", key.Description),
        }.Where(fact => fact.Item2 is not null))
        {
            yield return new KeyFact(title, text!);
        }

        yield return new KeyFact("Id", key.Id.ToString()) { IsCode = true };
    }

    private static async Task<IResult> Ask(
        HttpContext http, FrameMaker pages, PlaceBook book, ProviderModel provider, TimeProvider time, string key, string action) =>
        (await Find(http, book, provider, key, action)).TryGet(out var found, out var problem)
            ? Asked(http, pages, provider, time, found, 200, [])
            : pages.Problem(http, problem, $"{ConsolePlace.Of(http).Path}/keys");

    private static IResult Asked(
        HttpContext http, FrameMaker pages, ProviderModel provider, TimeProvider time, (Key Key, KeyAction Action) found, int status,
        IReadOnlyList<PageFault> faults) => pages.Of<KeyActionPage>(
            http, status,
            ("Typed", status == 200 ? null : http.Request.Form.ToDictionary(field => field.Key, field => field.Value.ToString())),
            ("Ask", found.Action.Facts(
                found.Key, $"{ConsolePlace.Of(http).Path}/keys/{found.Key.Id}", provider.Keys, KeyPages.Now(time))),
            ("Faults", faults));

    private static async Task<Outcome<(Key Key, KeyAction Action)>> Find(
        HttpContext http, PlaceBook book, ProviderModel provider, string keyId, string name)
    {
        if (!(await book.FindKey(SignedIn.Of(http), ConsolePlace.Of(http), keyId, Act.ManageKeys, http.RequestAborted))
            .TryGet(out var found, out var problem))
        {
            return problem;
        }

        return KeyAction.All.FirstOrDefault(action => action.Name == name) is not { } action
            ? new Problem(ProblemCode.NotFound, "There is nothing at this path.")
            : action.IsOfferedFor(found.Key, provider.Keys) ? (found.Key, action)
            : new Problem(ProblemCode.Conflict, $"{action.Title} is not on offer for this key as it is now.");
    }

    private static async Task<IResult> Do(
        HttpContext http, FrameMaker pages, PlaceBook book, KeyRing ring, ProviderModel provider, TimeProvider time, string key,
        string action)
    {
        if (!(await Find(http, book, provider, key, action)).TryGet(out var found, out var problem))
        {
            return pages.Problem(http, problem, $"{ConsolePlace.Of(http).Path}/keys");
        }

        if (found.Action.Name == KeyAction.Delete && SignInEndpoints.Field(http, "confirm").Trim() != found.Key.Name.Trim())
        {
            return Asked(
                http, pages, provider, time, found, 422, [new PageFault("confirm", "Type the key's name, just as it is written.")]);
        }

        var home = $"{ConsolePlace.Of(http).Path}/keys";
        if (found.Action.ShowsSecret)
        {
            return (await book.Write(http, key, Act.ManageKeys, scope => Renew(http, scope, ring, key, found.Action)))
                .TryGet(out var issued, out problem)
                ? KeyPages.Secret(http, pages, provider, issued, found.Action.Done(issued.Key.Name))
                : problem.Code == ProblemCode.ValidationFailed
                    ? Asked(http, pages, provider, time, found, 422, [new PageFault("grace_hours", $"It {GraceExpected(provider.Keys)}")])
                    : pages.Problem(http, problem, $"{home}/{key}");
        }

        if (!(await book.Write(http, key, Act.ManageKeys, scope => Change(http, scope, ring, key, found.Action.Name)))
            .TryGet(out _, out problem))
        {
            return problem.Code == ProblemCode.ValidationFailed
                ? Asked(http, pages, provider, time, found, 422, KeyForm.Faults(http, problem))
                : pages.Problem(http, problem, $"{home}/{key}");
        }

        return PageMaker.See(http, found.Action.Name == KeyAction.Delete
            ? $"{home}?done={action}&name={Uri.EscapeDataString(found.Key.Name)}"
            : $"{home}/{found.Key.Id}?done={action}");
    }

    private static string GraceExpected(KeyRules rules) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"must be a number of hours from 0 to {rules.GraceMax.TotalHours:0.##}.");

    private static Task<Outcome<IssuedKey>> Renew(HttpContext http, WriteScope scope, KeyRing ring, string key, KeyAction action) =>
        action.Name switch
        {
            KeyAction.Reveal => ring.Reveal(scope, key),
            KeyAction.Rotate => ring.Rotate(scope, key, new RotateKey(
                GraceSeconds(SignInEndpoints.Field(http, "grace_hours")), SignInEndpoints.Field(http, "force") == "true", null)),
            _ => ring.Regenerate(scope, key),
        };

    /// <summary>What is no number of hours is refused by the door, as less than none.</summary>
    private static long? GraceSeconds(string text) => text.Length == 0 ? null
        : decimal.TryParse(
            text, System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var hours)
            && hours <= 1_000_000
            ? (long)(hours * 3_600)
            : -1;

    private static Task<Outcome<Key>> Change(HttpContext http, WriteScope scope, KeyRing ring, string key, string action) => action switch
    {
        "disable" => ring.Disable(scope, key),
        "enable" => ring.Enable(scope, key),
        KeyAction.Revoke => ring.Revoke(scope, key, SignInEndpoints.Field(http, "reason") is { Length: > 0 } reason ? reason : null),
        KeyAction.Delete => ring.Delete(scope, key),
        KeyAction.Rename => ring.Change(scope, key, new ChangeKey
        {
            Name = SignInEndpoints.Field(http, "name").Trim(),
            Description = SignInEndpoints.Field(http, "description") is { Length: > 0 } text ? text : null,
        }),
        _ => throw new InvalidOperationException($"Nothing does {action}."),
    };
}
