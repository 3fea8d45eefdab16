using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Tollgate.Client;

/// <summary>
/// The wire's JSON, generated. Members the client does not know are skipped, so that an older client reads a newer gate. Generated code
/// assigns null to an init member that is absent, so members with a default turn null into it themselves.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(WireTime), typeof(OpenEnum<KeyStatus>), typeof(OpenEnum<OwnerStatus>), typeof(OpenEnum<StepOutcome>),
        typeof(OpenEnum<ImportStatus>)])]
[JsonSerializable(typeof(Key))]
[JsonSerializable(typeof(NewKey))]
[JsonSerializable(typeof(KeyChange))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(Rotation))]
[JsonSerializable(typeof(SecretAnswer))]
[JsonSerializable(typeof(ImportRow))]
[JsonSerializable(typeof(ImportReport))]
[JsonSerializable(typeof(Organization))]
[JsonSerializable(typeof(Project))]
[JsonSerializable(typeof(NewOwner))]
[JsonSerializable(typeof(OrganizationChange))]
[JsonSerializable(typeof(OperatorLink))]
[JsonSerializable(typeof(Deletion))]
[JsonSerializable(typeof(PlanList))]
[JsonSerializable(typeof(QuotaList))]
[JsonSerializable(typeof(Quota))]
[JsonSerializable(typeof(QuotaUse))]
[JsonSerializable(typeof(Check))]
[JsonSerializable(typeof(CheckBatch))]
[JsonSerializable(typeof(Verdict))]
[JsonSerializable(typeof(Page<Verdict>), TypeInfoPropertyName = "VerdictPage")]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(UsageReport))]
[JsonSerializable(typeof(UsageReceipt))]
[JsonSerializable(typeof(UsageReportBatch))]
[JsonSerializable(typeof(UsageReportRows))]
[JsonSerializable(typeof(ChangePage))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(UsageSums))]
[JsonSerializable(typeof(KeyUsage))]
[JsonSerializable(typeof(DecidedRequest))]
[JsonSerializable(typeof(Page<UsageLine>), TypeInfoPropertyName = "UsagePage")]
[JsonSerializable(typeof(Webhook))]
[JsonSerializable(typeof(NewWebhook))]
[JsonSerializable(typeof(WebhookChange))]
[JsonSerializable(typeof(WebhookDelivery))]
[JsonSerializable(typeof(Replay))]
[JsonSerializable(typeof(Page<Webhook>), TypeInfoPropertyName = "WebhookPage")]
[JsonSerializable(typeof(Page<WebhookDelivery>), TypeInfoPropertyName = "WebhookDeliveryPage")]
[JsonSerializable(typeof(Page<Key>), TypeInfoPropertyName = "KeyPage")]
[JsonSerializable(typeof(Page<Organization>), TypeInfoPropertyName = "OrganizationPage")]
[JsonSerializable(typeof(Page<Project>), TypeInfoPropertyName = "ProjectPage")]
[JsonSerializable(typeof(Wallet))]
[JsonSerializable(typeof(NewWalletEntry))]
[JsonSerializable(typeof(WalletEntry))]
[JsonSerializable(typeof(Page<WalletEntry>), TypeInfoPropertyName = "WalletEntryPage")]
[JsonSerializable(typeof(Page<AuditRow>), TypeInfoPropertyName = "AuditPage")]
internal sealed partial class TollgateJson : JsonSerializerContext;

internal sealed record NewOwner(string Name);

internal sealed record OrganizationChange(string? Name, OwnerStatus? Status, string? Plan);

internal sealed record CheckBatch(IReadOnlyList<Check> Checks);

/// <summary>The one member that an answer with a secret has beside the key's own.</summary>
internal sealed record SecretAnswer(Secret? Secret = null);

/// <summary>RFC 3339 in UTC without fractions: <c>2026-01-02T03:04:05Z</c>.</summary>
internal sealed class WireTime : JsonConverter<DateTimeOffset>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    public static string Text(DateTimeOffset time) => time.ToUniversalTime().ToString(Format, CultureInfo.InvariantCulture);

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Text(value));
}

/// <summary>Reads a word as the member of that name in snake_case, and a word it does not know as the first member.</summary>
internal sealed class OpenEnum<TEnum> : JsonConverter<TEnum>
    where TEnum : struct, Enum
{
    private static readonly Dictionary<string, TEnum> ByWord =
        Enum.GetValues<TEnum>().ToDictionary(Word, value => value, StringComparer.Ordinal);

    public static string Word(TEnum value) => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    public override TEnum Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ByWord.GetValueOrDefault(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, TEnum value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Word(value));
}
