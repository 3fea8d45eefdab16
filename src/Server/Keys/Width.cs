using System.Numerics;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Keys;

/// <summary>
/// Whether one key is within another: it reaches no scope, action or right the other does not, lives no longer, and may be used from no
/// address and for no model the other may not, and is limited no less. A key can make only keys within itself, and receives only their
/// secrets.
/// </summary>
internal static class Width
{
    public static bool IsWithin(KeyTerms narrow, KeyTerms wide, ProviderModel provider) =>
        provider.GrantsOf(wide.Permissions, wide.Scopes).Covers(provider.GrantsOf(narrow.Permissions, narrow.Scopes))
        && (RightNames.Parse(narrow.Rights) & ~RightNames.Parse(wide.Rights)) == 0
        && narrow.Environment == wide.Environment
        && (wide.ExpiresAtMs is null || narrow.ExpiresAtMs <= wide.ExpiresAtMs)
        && AddressesWithin(narrow.AllowedAddresses, wide.AllowedAddresses)
        && KeyLimits.FirstWider(narrow.Limits, wide.Limits) is null
        && KeyModels.AreWithin(narrow.Models, wide.Models);

    /// <summary>
    /// Null for who may give a key these rights: a person gives no more than their role has there. What keys may is theirs to say by
    /// <see cref="IsWithin"/>.
    /// </summary>
    public static Problem? RefusalTo(Caller caller, IReadOnlyList<string> rights)
    {
        var lacking = caller.IsPerson ? RightNames.Of(RightNames.Parse(rights) & ~RoleTable.MayGive(caller.Roles)) : [];
        return lacking.Count == 0 ? null : Problem.Of(ProblemCode.WiderThanCaller) with
        {
            Detail = $"Your role here has no part in {string.Join(", ", lacking)}: you can neither give that to a key nor get the secret "
                + "of a key that has it. Ask an owner or an admin.",
            RequiredPermission = lacking[0],
        };
    }

    /// <summary>What to tell the holder of the narrower key, with the first permission it lacks.</summary>
    public static Problem Refusal(KeyTerms asked, KeyTerms own, ProviderModel provider)
    {
        var problem = Problem.Of(ProblemCode.WiderThanCaller) with { RequiredPermission = Lacking(asked, own, provider) };
        return (problem.RequiredPermission, KeyLimits.FirstWider(asked.Limits, own.Limits)) switch
        {
            (not null, _) => problem,
            (_, { } limit) =>
                problem with { Detail = $"{problem.Detail} This one's limit {limit} is {own.Limits[limit]}: name one no higher." },
            _ when !KeyModels.AreWithin(asked.Models, own.Models) =>
                problem with { Detail = $"{problem.Detail} This one is bound to models: name some of those and no other." },
            _ => problem,
        };
    }

    /// <summary>Null when it is no permission that is lacking, but time, an address, a limit or a model.</summary>
    private static string? Lacking(KeyTerms asked, KeyTerms own, ProviderModel provider)
    {
        var (wanted, has) = (provider.GrantsOf(asked.Permissions, asked.Scopes), provider.GrantsOf(own.Permissions, own.Scopes));
        if (has.Covers(wanted))
        {
            return RightNames.Of(RightNames.Parse(asked.Rights) & ~RightNames.Parse(own.Rights)) is [var right, ..] ? right : null;
        }

        var (scopes, actions) = (wanted.Scopes & ~has.Scopes, wanted.Actions & ~has.Actions);
        return provider.Scopes.Describe(new Requirement
        {
            AnyScope = Lowest(scopes != 0 ? scopes : wanted.Scopes),
            Actions = (byte)Lowest((ulong)(actions != 0 ? actions : wanted.Actions)),
        });
    }

    private static ulong Lowest(ulong bits) => bits == 0 ? 0 : 1UL << BitOperations.TrailingZeroCount(bits);

    private static bool AddressesWithin(IReadOnlyList<string> narrow, IReadOnlyList<string> wide) =>
        wide.Count == 0 || (narrow.Count > 0 && Rule(wide).Covers(Rule(narrow)));

    private static AddressRule Rule(IReadOnlyList<string> ranges) =>
        AddressRule.TryParse(ranges, out var rule, out var errors) ? rule : throw new InvalidDataException(string.Join(' ', errors));
}
