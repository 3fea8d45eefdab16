using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tollgate.Server.Wire;

/// <summary>
/// How JSON is read and written here. Each room's context states the same five options as attributes: snake_case, unknown members
/// refused, duplicates refused, strict numbers, <see cref="Rfc3339Time"/>.
/// </summary>
internal static class Json
{
    /// <summary>Answers are JSON, never part of a page, so text stays readable: quotes and controls are escaped, é and + not.</summary>
    public static JavaScriptEncoder Encoder { get; } = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
}

/// <summary>For bodies that are read without a record: two members of one name are refused.</summary>
internal static class Duplicates
{
    public static JsonDocumentOptions Refused { get; } = new() { AllowDuplicateProperties = false };
}

/// <summary>
/// Times on the wire: RFC 3339. Written in UTC with <c>Z</c> and without fractions; read with any offset, and with fractions, which
/// are kept.
/// </summary>
internal sealed class Rfc3339Time : JsonConverter<DateTimeOffset>
{
    public const string Expected = "must be a time such as 2026-01-02T03:04:05Z.";

    private static readonly string[] Forms =
    [
        "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
    ];

    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static bool TryParse(string? text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && TryParse(reader.GetString(), out var time) ? time : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Format(value));
}
