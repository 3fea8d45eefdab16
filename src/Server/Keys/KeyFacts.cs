using System.Buffers;
using System.Text;
using System.Text.Json;
using Tollgate.Engine.Keys;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Keys;

/// <summary>
/// What memory keeps of a key beside its entry, so that an answer can tell of it: as few bytes as will do, because there may be ten million
/// of them. A key's own facts are its packed id, its name as JSON writes it, and its metadata where it has any; what many keys tell alike
/// stands once, in their profile, rendered. <see cref="KeyFactsText"/> puts the two together.
/// </summary>
internal sealed record KeyFacts(string Id, string Name)
{
    /// <summary>Stands between name and metadata; no JSON has it.</summary>
    public const byte Separator = 0;

    private const string NoMetadata = "{}";

    /// <summary>The key's own facts.</summary>
    public static byte[] Of(Key key)
    {
        var name = JsonEncodedText.Encode(key.Name, Json.Encoder).EncodedUtf8Bytes;
        var metadata = key.Metadata == NoMetadata ? "" : key.Metadata;
        var facts = new byte[KeyId.PackedBytes + name.Length + (metadata.Length == 0 ? 0 : 1 + Encoding.UTF8.GetByteCount(metadata))];
        key.Id.Pack(facts);
        name.CopyTo(facts.AsSpan(KeyId.PackedBytes));
        if (metadata.Length > 0)
        {
            var rest = facts.AsSpan(KeyId.PackedBytes + name.Length);
            rest[0] = Separator;
            Encoding.UTF8.GetBytes(metadata, rest[1..]);
        }

        return facts;
    }

    /// <summary>What it tells as others do: the members from <c>environment</c> to <c>rights</c>.</summary>
    public static byte[] OfProfile(Key key)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Json.Encoder });
        json.WriteStartObject();
        json.WriteString("environment"u8, key.Environment);
        json.WriteString("type"u8, key.Type);
        Write(json, "permissions", key.Permissions);
        Write(json, "scopes", key.Scopes);
        Write(json, "rights", key.Rights);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan[1..^1].ToArray();
    }

    /// <summary>Who the key is.</summary>
    public static KeyFacts Of(in KeyEntryView key)
    {
        Span<byte> id = stackalloc byte[KeyId.Length];
        var facts = key.Facts.Span;
        KeyId.Unpack(facts, id);
        return new KeyFacts(Encoding.ASCII.GetString(id), NameOf(facts));
    }

    /// <summary>The name as JSON writes it, without quotes.</summary>
    public static ReadOnlySpan<byte> NameJsonOf(ReadOnlySpan<byte> facts)
    {
        var rest = facts[KeyId.PackedBytes..];
        var end = rest.IndexOf(Separator);
        return end < 0 ? rest : rest[..end];
    }

    private static string NameOf(ReadOnlySpan<byte> facts)
    {
        var name = NameJsonOf(facts);
        if (!name.Contains((byte)'\\'))
        {
            return Encoding.UTF8.GetString(name);
        }

        Span<byte> quoted = new byte[name.Length + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        name.CopyTo(quoted[1..]);
        var json = new Utf8JsonReader(quoted);
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
