using Tollgate.Engine.Permissions;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Access;

/// <summary>
/// Who may call an endpoint of the management API: the operator alone, or a key with any one of the rights (none named = any good key).
/// Every endpoint carries one; one without is refused, and a test finds it first.
/// </summary>
internal sealed record AccessRow(Rights AnyOf, bool OperatorOnly)
{
    /// <summary>What concerns people alone: no key has it, the root key neither.</summary>
    public bool PeopleOnly { get; init; }

    /// <summary>No key is asked for.</summary>
    public static AccessRow Everybody { get; } = new(Rights.None, OperatorOnly: false);

    public Problem? Refuse(Caller caller) =>
        PeopleOnly ? Problem.Of(ProblemCode.PeopleOnly)
        : caller.IsRoot ? null
        : OperatorOnly ? Problem.Of(ProblemCode.OperatorOnly)
        : AnyOf != Rights.None && (caller.Rights & AnyOf) == 0 ? RightMissing(AnyOf)
        : null;

    /// <summary>Names the rights of which any one would have done.</summary>
    public static Problem RightMissing(Rights anyOf) => Problem.Of(ProblemCode.RightMissing) with
    {
        RequiredPermission = string.Join(" or ", RightNames.Of(anyOf)),
    };
}

/// <summary>What people do by an endpoint; null for what is not theirs. An endpoint without one is closed to them.</summary>
internal sealed record PeopleRow(Act? Act);

internal static class EndpointAccess
{
    /// <summary>Open to a key with any one of these rights, and to the root key. The last word on an endpoint counts.</summary>
    public static TBuilder Needs<TBuilder>(this TBuilder builder, Rights anyOf)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AccessRow(anyOf, OperatorOnly: false));

    /// <summary>Open to the operator alone: the root key, and people who run the gate. A later word opens it to more people.</summary>
    public static TBuilder OperatorOnly<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new AccessRow(Rights.None, OperatorOnly: true), new PeopleRow(Act.Operate));

    /// <summary>Open to people alone, whose role allows this.</summary>
    public static TBuilder PeopleOnly<TBuilder>(this TBuilder builder, Act act)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new AccessRow(Rights.None, OperatorOnly: false) { PeopleOnly = true }, new PeopleRow(act));

    /// <summary>Open to people whose role allows this; to keys as the other word says. The last word on an endpoint counts.</summary>
    public static TBuilder For<TBuilder>(this TBuilder builder, Act act)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new PeopleRow(act));

    /// <summary>A call of programs: closed to people, whatever their role.</summary>
    public static TBuilder KeysOnly<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new PeopleRow(null));

    /// <summary>Open to everybody, without a key: health, documents.</summary>
    public static TBuilder Public<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(AccessRow.Everybody);
}
