using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Wallet;

/// <summary>A movement of money to enter. Every member is read by <see cref="EntryTerms"/>.</summary>
internal sealed record CreateWalletEntry(string? Kind, string? Amount, string? ExternalId, string? Note);

/// <summary>An entry as the management API shows it. Amounts are strings: no JSON reader rounds them.</summary>
internal sealed record WalletEntryAnswer
{
    public required long Number { get; init; }

    public required string Kind { get; init; }

    public required string Amount { get; init; }

    public required string BalanceAfter { get; init; }

    public required string? ExternalId { get; init; }

    public required string? Note { get; init; }

    public required long? Requests { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required string CreatedBy { get; init; }

    public static WalletEntryAnswer Of(WalletEntry entry) => new()
    {
        Number = entry.EntryNo,
        Kind = entry.Kind,
        Amount = entry.Amount.ToString(),
        BalanceAfter = entry.BalanceAfter.ToString(),
        ExternalId = entry.ExternalId,
        Note = entry.Note,
        Requests = entry.Requests,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(entry.CreatedAtMs),
        CreatedBy = entry.Actor,
    };
}

/// <summary>A wallet as the management API shows it: three figures of one moment.</summary>
internal sealed record WalletAnswer(string Balance, string Held, string Available, string Currency)
{
    public static WalletAnswer Of(WalletFigures figures, string currency) =>
        new(figures.Balance.ToString(), figures.Held.ToString(), figures.Available.ToString(), currency);
}

internal sealed record WalletEntryList(IReadOnlyList<WalletEntryAnswer> Data, string? NextCursor);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(CreateWalletEntry))]
[JsonSerializable(typeof(WalletEntryAnswer))]
[JsonSerializable(typeof(WalletAnswer))]
[JsonSerializable(typeof(WalletEntryList))]
internal sealed partial class WalletWire : JsonSerializerContext
{
    /// <summary>The entry as the audit log keeps it.</summary>
    public static string Json(WalletEntry entry) =>
        JsonSerializer.Serialize(Wallet.WalletEntryAnswer.Of(entry), Default.WalletEntryAnswer);
}
