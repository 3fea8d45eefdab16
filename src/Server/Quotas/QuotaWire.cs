using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tollgate.Server.Quotas;

/// <summary>How many an organization has of something, and how many its plan allows; null for any number.</summary>
internal sealed record QuotaAnswer(string Name, long Used, long? Limit);

/// <summary>The quotas of the provider file in its order: few, so there is one page.</summary>
internal sealed record QuotaList(IReadOnlyList<QuotaAnswer> Data);

internal sealed record SetQuota(long? Used);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(QuotaAnswer))]
[JsonSerializable(typeof(QuotaList))]
[JsonSerializable(typeof(SetQuota))]
internal sealed partial class QuotaWire : JsonSerializerContext
{
    /// <summary>The row as the audit log keeps it.</summary>
    public static string Json(QuotaAnswer quota) => JsonSerializer.Serialize(quota, Default.QuotaAnswer);
}
