using System.Buffers;
using System.Text.Json;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Keys;

/// <summary>
/// What a check tells of a key: the JSON object <c>key</c> of the verify answer, rendered once when the key is loaded and kept beside its
/// entry, so that an answer copies bytes.
/// </summary>
internal sealed record KeyFacts(string Id, string Name)
{
    public static byte[] Render(Key key)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Json.Encoder });
        json.WriteStartObject();
        json.WriteString("id"u8, key.Id.ToString());
        json.WriteString("name"u8, key.Name);
        json.WriteString("project_id"u8, key.ProjectId);
        json.WriteString("organization_id"u8, key.OrganizationId);
        json.WriteString("environment"u8, key.Environment);
        json.WriteString("type"u8, key.Type);
        Write(json, "permissions", key.Permissions);
        Write(json, "scopes", key.Scopes);
        Write(json, "rights", key.Rights);
        if (key.ExpiresAtMs is { } expires)
        {
            json.WriteString("expires_at"u8, Rfc3339Time.Format(DateTimeOffset.FromUnixTimeMilliseconds(expires)));
        }
        else
        {
            json.WriteNull("expires_at"u8);
        }

        json.WritePropertyName("metadata"u8);
        json.WriteRawValue(key.Metadata);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Who the key is, read back from its facts: the first two members.</summary>
    public static KeyFacts Parse(ReadOnlySpan<byte> facts)
    {
        var json = new Utf8JsonReader(facts);
        json.Read();
        return new KeyFacts(NextString(ref json), NextString(ref json));
    }

    private static string NextString(ref Utf8JsonReader json)
    {
        json.Read();
        json.Read();
        return json.GetString()!;
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
