using System.Globalization;
using Tollgate.Engine.Keys;

namespace Tollgate.Server.Keys;

/// <summary>
/// The JSON object <c>key</c> of a verify answer, put together from a key in memory, its profile and its project without an allocation:
/// the length is known first, then the text is written in one go.
/// </summary>
internal readonly ref struct KeyFactsText
{
    private const string TimeForm = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    private const int TimeLength = 20;

    private readonly ReadOnlySpan<byte> _id;
    private readonly ReadOnlySpan<byte> _name;
    private readonly ReadOnlySpan<byte> _metadata;
    private readonly ReadOnlySpan<byte> _profile;
    private readonly ReadOnlySpan<byte> _models;
    private readonly ProjectEntry _project;
    private readonly long _expiresAtMs;

    /// <param name="key">The key.</param>
    /// <param name="project">Its project.</param>
    /// <param name="models">The JSON array of the only models it may be used for; empty where it may be used for every one.</param>
    public KeyFactsText(scoped in KeyEntryView key, ProjectEntry project, ReadOnlySpan<byte> models)
    {
        var facts = key.Facts.Span;
        _id = facts;
        _name = KeyFacts.NameJsonOf(facts);
        var metadata = facts[(KeyId.PackedBytes + _name.Length)..];
        _metadata = metadata.IsEmpty ? "{}"u8 : metadata[1..];
        _profile = key.Profile.Facts.Span;
        _models = models;
        _project = project;
        _expiresAtMs = key.ExpiresAtMs;
        Length = KeyId.Length + _name.Length + project.ProjectIdUtf8.Length + project.OrganizationIdUtf8.Length + _profile.Length
            + (_expiresAtMs == long.MaxValue ? "null"u8.Length : TimeLength + 2) + _metadata.Length
            + IdHead.Length + NameHead.Length + ProjectHead.Length + OrganizationHead.Length + ProfileHead.Length + ExpiryHead.Length
            + MetadataHead.Length + End.Length + (models.IsEmpty ? 0 : ModelsHead.Length + models.Length);
    }

    public int Length { get; }

    private static ReadOnlySpan<byte> IdHead => "{\"id\":\""u8;

    private static ReadOnlySpan<byte> NameHead => "\",\"name\":\""u8;

    private static ReadOnlySpan<byte> ProjectHead => "\",\"project_id\":\""u8;

    private static ReadOnlySpan<byte> OrganizationHead => "\",\"organization_id\":\""u8;

    private static ReadOnlySpan<byte> ProfileHead => "\","u8;

    private static ReadOnlySpan<byte> ModelsHead => ",\"models\":"u8;

    private static ReadOnlySpan<byte> ExpiryHead => ",\"expires_at\":"u8;

    private static ReadOnlySpan<byte> MetadataHead => ",\"metadata\":"u8;

    private static ReadOnlySpan<byte> End => "}"u8;

    public void Write(Span<byte> text)
    {
        Put(ref text, IdHead);
        KeyId.Unpack(_id, text);
        text = text[KeyId.Length..];
        Put(ref text, NameHead);
        Put(ref text, _name);
        Put(ref text, ProjectHead);
        Put(ref text, _project.ProjectIdUtf8.Span);
        Put(ref text, OrganizationHead);
        Put(ref text, _project.OrganizationIdUtf8.Span);
        Put(ref text, ProfileHead);
        Put(ref text, _profile);
        if (!_models.IsEmpty)
        {
            Put(ref text, ModelsHead);
            Put(ref text, _models);
        }

        Put(ref text, ExpiryHead);
        PutExpiry(ref text);
        Put(ref text, MetadataHead);
        Put(ref text, _metadata);
        Put(ref text, End);
    }

    private void PutExpiry(ref Span<byte> text)
    {
        if (_expiresAtMs == long.MaxValue)
        {
            Put(ref text, "null"u8);
            return;
        }

        Put(ref text, "\""u8);
        DateTimeOffset.FromUnixTimeMilliseconds(_expiresAtMs).UtcDateTime
            .TryFormat(text, out _, TimeForm, CultureInfo.InvariantCulture);
        text = text[TimeLength..];
        Put(ref text, "\""u8);
    }

    private static void Put(ref Span<byte> text, ReadOnlySpan<byte> part)
    {
        part.CopyTo(text);
        text = text[part.Length..];
    }
}
