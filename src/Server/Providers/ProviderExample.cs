using System.Text.Json;
using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Providers;

/// <summary>
/// An example written in a provider file: a request, and what the file promises is answered. Run by <c>provider check</c>.
/// </summary>
internal sealed record ProviderExample
{
    public required string Name { get; init; }

    public required ExampleKey Key { get; init; }

    public required Methods Method { get; init; }

    /// <summary>
    /// May hold <c>{project}</c>, <c>{organization}</c> and <c>{key}</c>, which stand for the ids of the example's own key.
    /// </summary>
    public required string Path { get; init; }

    /// <summary>The body to send, as JSON; null for none.</summary>
    public string? Body { get; init; }

    /// <summary>How often it is sent; the last answer is the one that counts.</summary>
    public required int Times { get; init; }

    public required int ExpectedStatus { get; init; }

    /// <summary>
    /// Members that the answer must have, with these values; others may stand beside them. Null when only the status counts.
    /// </summary>
    public JsonElement? ExpectedBody { get; init; }
}

/// <summary>An example that was run: what was wrong with its answer, or null, and the answer itself.</summary>
/// <param name="Example">What was asked.</param>
/// <param name="Fault">Null where it was answered as written.</param>
/// <param name="Status">Of the answer; 0 where none came.</param>
/// <param name="Answer">Its body.</param>
internal sealed record ExampleOutcome(ProviderExample Example, string? Fault, int Status, string Answer)
{
    public void Deconstruct(out ProviderExample example, out string? fault) => (example, fault) = (Example, Fault);
}

/// <summary>The key an example is sent with, made for it and thrown away after it.</summary>
internal sealed record ExampleKey
{
    public ExampleKeyKind Kind { get; init; } = ExampleKeyKind.Good;

    public string? Type { get; init; }

    public IReadOnlyList<string>? Permissions { get; init; }

    public IReadOnlyList<string>? Scopes { get; init; }

    public string? Environment { get; init; }
}

internal enum ExampleKeyKind
{
    Good,

    /// <summary>No Authorization header is sent.</summary>
    None,

    /// <summary>The operator's root key: what the company's pages call an admin key.</summary>
    Root,

    /// <summary>Of the right shape, and of no key.</summary>
    Unknown,

    /// <summary>Of no shape the provider has.</summary>
    Malformed,
    Expired,
    Disabled,
    Revoked,
}
