using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tollgate.Client;

/// <summary>What an organization has: the balance is what is held for requests under way and what is available.</summary>
public sealed record Wallet(
    [property: JsonConverter(typeof(WireMoney))] decimal Balance,
    [property: JsonConverter(typeof(WireMoney))] decimal Held,
    [property: JsonConverter(typeof(WireMoney))] decimal Available,
    string Currency);

/// <summary>A movement of money to enter.</summary>
/// <param name="Kind"><c>top_up</c>, <c>adjustment</c>, <c>refund</c> or <c>grant</c>.</param>
/// <param name="Amount">At most six decimals; more than nothing, except that an adjustment may be negative.</param>
/// <param name="ExternalId">
/// What the movement is called elsewhere, such as a payment's id: it counts once in an organization, for good.
/// </param>
/// <param name="Note">For people; at most 500 characters.</param>
public sealed record NewWalletEntry(
    string Kind,
    [property: JsonConverter(typeof(WireMoney))] decimal Amount,
    string ExternalId,
    string? Note = null);

/// <summary>One movement of money.</summary>
/// <param name="Number">From 1 in each organization, without gaps.</param>
/// <param name="Kind">
/// <c>top_up</c>, <c>adjustment</c>, <c>refund</c>, <c>grant</c>, <c>usage</c> or <c>transfer</c>; more may be added.
/// </param>
/// <param name="Amount">Signed.</param>
/// <param name="BalanceAfter">The balance with it.</param>
/// <param name="ExternalId">Null for usage and transfers.</param>
/// <param name="Note">As it was given.</param>
/// <param name="Requests">Of usage: how many requests it pays for.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="CreatedBy">By whom: <c>root</c>, or <c>system</c> for usage.</param>
public sealed record WalletEntry(
    long Number,
    string Kind,
    [property: JsonConverter(typeof(WireMoney))] decimal Amount,
    [property: JsonConverter(typeof(WireMoney))] decimal BalanceAfter,
    string? ExternalId,
    string? Note,
    long? Requests,
    DateTimeOffset CreatedAt,
    string CreatedBy);

/// <summary>Amounts travel as strings, so that no reader of JSON rounds them.</summary>
internal sealed class WireMoney : JsonConverter<decimal>
{
    private const NumberStyles Form = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    public static string Text(decimal amount) => amount.ToString("0.00####", CultureInfo.InvariantCulture);

    public override decimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        decimal.TryParse(reader.GetString(), Form, CultureInfo.InvariantCulture, out var amount)
            ? amount
            : throw new JsonException();

    /// <summary>As it is: digits that the gate does not take are the gate's to refuse, not ours to round.</summary>
    public override void Write(Utf8JsonWriter writer, decimal value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
}
