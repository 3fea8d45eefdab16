using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Providers;

/// <summary>
/// A JSON body with placeholders, compiled when the provider file is read: runs of finished UTF-8 and, between them, values.
/// It cannot fail at run time and always writes well-formed JSON, whatever the values are.
/// </summary>
internal sealed class BodyTemplate(IReadOnlyList<TemplatePart> parts)
{
    public void Write(IBufferWriter<byte> output, TemplateValues values)
    {
        var json = new JsonBytes(output);
        for (var i = 0; i < parts.Count; i++)
        {
            var part = parts[i];
            switch (part.Kind)
            {
                case TemplatePartKind.Literal:
                    json.Raw(part.Literal.Span);
                    break;
                case TemplatePartKind.Comma when json.NeedsComma:
                    json.Raw(","u8);
                    break;
                case TemplatePartKind.Value:
                    WriteValue(json, part.Placeholder, values);
                    break;
                case TemplatePartKind.Text:
                    json.Escaped(TextOf(part.Placeholder, values));
                    break;
                case TemplatePartKind.SkipIfAbsent when IsAbsent(part.Placeholder, values):
                    i += part.Skip;
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>Whether this placeholder's member is left out when it has no value.</summary>
    public static bool MayBeAbsent(Placeholder placeholder) =>
        placeholder is Placeholder.RequiredPermission or Placeholder.Errors or Placeholder.RequestId or Placeholder.RetryAfter
            or Placeholder.Limit or Placeholder.Remaining or Placeholder.LimitName or Placeholder.PlanLimit or Placeholder.TopUpUrl;

    private static bool IsAbsent(Placeholder placeholder, TemplateValues values) => placeholder switch
    {
        Placeholder.RequiredPermission => string.IsNullOrEmpty(values.RequiredPermission),
        Placeholder.Errors => values.Errors is not { Count: > 0 },
        Placeholder.RequestId => string.IsNullOrEmpty(values.RequestId),
        Placeholder.LimitName => values.LimitName is null,
        Placeholder.TopUpUrl => values.TopUpUrl is null,
        Placeholder.RetryAfter or Placeholder.Limit or Placeholder.Remaining or Placeholder.PlanLimit =>
            NumberOf(placeholder, values) is null,
        _ => false,
    };

    private static void WriteValue(JsonBytes json, Placeholder placeholder, TemplateValues values)
    {
        switch (placeholder)
        {
            case Placeholder.KeyPermissions:
                WriteList(json, values.KeyPermissions);
                break;
            case Placeholder.KeyScopes:
                WriteList(json, values.KeyScopes);
                break;
            case Placeholder.Keys:
                WriteKeys(json, values);
                break;
            case Placeholder.Errors:
                WriteErrors(json, values.Errors ?? []);
                break;
            case Placeholder.Status or Placeholder.TimestampMs or Placeholder.RetryAfter or Placeholder.Limit or Placeholder.Remaining
                or Placeholder.PlanLimit:
                json.Number(NumberOf(placeholder, values));
                break;
            default:
                json.Quoted(StringOf(placeholder, values));
                break;
        }
    }

    private static void WriteList(JsonBytes json, IReadOnlyList<string>? items)
    {
        if (items is null)
        {
            json.Raw("null"u8);
            return;
        }

        json.Raw("["u8);
        for (var i = 0; i < items.Count; i++)
        {
            json.Raw(i == 0 ? ""u8 : ","u8);
            json.Quoted(items[i]);
        }

        json.Raw("]"u8);
    }

    private static void WriteKeys(JsonBytes json, TemplateValues values)
    {
        json.Raw("["u8);
        for (var i = 0; i < (values.Keys?.Count ?? 0); i++)
        {
            json.Raw(i == 0 ? ""u8 : ","u8);
            values.KeyView!.Write(json.Output, values.Keys![i]);
        }

        json.Raw("]"u8);
    }

    private static void WriteErrors(JsonBytes json, IReadOnlyList<FieldError> errors)
    {
        json.Raw("["u8);
        for (var i = 0; i < errors.Count; i++)
        {
            json.Raw(i == 0 ? "{\"pointer\":"u8 : ",{\"pointer\":"u8);
            json.Quoted(errors[i].Pointer);
            json.Raw(",\"expected\":"u8);
            json.Quoted(errors[i].Expected);
            json.Raw("}"u8);
        }

        json.Raw("]"u8);
    }

    private static long? NumberOf(Placeholder placeholder, TemplateValues values) => placeholder switch
    {
        Placeholder.Status => values.Status,
        Placeholder.TimestampMs => values.TimestampMs,
        Placeholder.RetryAfter => values.RetryAfter,
        Placeholder.Limit => values.Limit,
        Placeholder.Remaining => values.Remaining,
        Placeholder.PlanLimit => values.PlanLimit,
        _ => null,
    };

    private static string? StringOf(Placeholder placeholder, TemplateValues values) => placeholder switch
    {
        Placeholder.KeyId => values.KeyId,
        Placeholder.KeyName => values.KeyName,
        Placeholder.KeyMask => values.KeyMask,
        Placeholder.KeyEnvironment => values.KeyEnvironment,
        Placeholder.KeyType => values.KeyType,
        Placeholder.KeyStatus => values.KeyStatus,
        Placeholder.KeyExpiresAt => Time(values.KeyExpiresAt),
        Placeholder.KeyCreatedAt => Time(values.KeyCreatedAt),
        Placeholder.KeyDescription => values.KeyDescription,
        Placeholder.KeyProjectId => values.KeyProjectId,
        Placeholder.KeyOrganizationId => values.KeyOrganizationId,
        Placeholder.Secret => values.Secret,
        Placeholder.OrganizationId => values.OrganizationId,
        Placeholder.OrganizationName => values.OrganizationName,
        Placeholder.OrganizationCreatedAt => Time(values.OrganizationCreatedAt),
        Placeholder.ProjectId => values.ProjectId,
        Placeholder.ProjectName => values.ProjectName,
        Placeholder.Code => values.Code,
        Placeholder.CodeUpper => values.Code?.ToUpperInvariant(),
        Placeholder.Message => values.Message,
        Placeholder.RequiredPermission => values.RequiredPermission,
        Placeholder.RequestId => values.RequestId,
        Placeholder.LimitName => values.LimitName,
        Placeholder.TopUpUrl => values.TopUpUrl,
        _ => null,
    };

    // Inside a longer text lists are joined, and what has no value is empty.
    private static string TextOf(Placeholder placeholder, TemplateValues values) => placeholder switch
    {
        Placeholder.KeyPermissions => string.Join(", ", values.KeyPermissions ?? []),
        Placeholder.KeyScopes => string.Join(", ", values.KeyScopes ?? []),
        Placeholder.Keys => string.Join(", ", (values.Keys ?? []).Select(key => key.KeyId)),
        Placeholder.Errors => string.Join(" ", (values.Errors ?? []).Select(error => $"{error.Pointer}: {error.Expected}")),
        _ => NumberOf(placeholder, values)?.ToString(CultureInfo.InvariantCulture) ?? StringOf(placeholder, values) ?? "",
    };

    private static string? Time(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

internal enum TemplatePartKind
{
    /// <summary>Finished UTF-8.</summary>
    Literal,

    /// <summary>A comma, unless nothing stands before it in its object or array.</summary>
    Comma,

    /// <summary>A value with its JSON type.</summary>
    Value,

    /// <summary>A value as text, inside a string.</summary>
    Text,

    /// <summary>Leaves out the parts that follow when the placeholder has no value.</summary>
    SkipIfAbsent,
}

/// <summary>One step of writing a body.</summary>
internal readonly record struct TemplatePart(TemplatePartKind Kind, ReadOnlyMemory<byte> Literal, Placeholder Placeholder, int Skip);

/// <summary>JSON pieces into a buffer, remembering the last byte, which tells whether a comma is due.</summary>
internal sealed class JsonBytes(IBufferWriter<byte> output)
{
    private byte _last;

    public IBufferWriter<byte> Output => output;

    public bool NeedsComma => _last is not ((byte)'{' or (byte)'[');

    public void Raw(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty)
        {
            output.Write(bytes);
            _last = bytes[^1];
        }
    }

    public void Number(long? value) =>
        Raw(value is { } number ? Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)) : "null"u8);

    public void Quoted(string? value)
    {
        if (value is null)
        {
            Raw("null"u8);
            return;
        }

        Raw("\""u8);
        Escaped(value);
        Raw("\""u8);
    }

    /// <summary>The inside of a JSON string. Half a surrogate pair becomes U+FFFD: the body stays well-formed UTF-8.</summary>
    public void Escaped(string value)
    {
        var escaped = JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value);
        var span = output.GetSpan(Encoding.UTF8.GetMaxByteCount(escaped.Length));
        var written = Encoding.UTF8.GetBytes(escaped, span);
        _last = written > 0 ? span[written - 1] : _last;
        output.Advance(written);
    }
}
