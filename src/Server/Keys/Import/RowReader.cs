using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Engine.Keys;
using Tollgate.Server.Access;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Keys.Import;

/// <summary>
/// Reads what a row says against the provider file's rules, and makes of it what is kept. A key comes in as it is: one that has expired
/// comes in expired, with the day it was made.
/// </summary>
internal sealed class RowReader(ProviderModel provider, SecretMint mint, Pepper pepper)
{
    public const int ExternalIdMax = 200;

    private readonly TermsReader _terms = new(provider);
    private readonly byte[] _externalKey = pepper.DeriveKey("import external ids");
    private readonly byte[] _contentKey = pepper.DeriveKey("import contents");

    /// <summary>The row's two hashes, by which it is known again; or what is wrong with its id or its secret.</summary>
    public Outcome<RowMark> Mark(ImportRow row, Project project, long nowMs)
    {
        var faults = new List<FieldError>();
        CheckExternalId(row, faults);
        if (mint.TakeIn(row.Secret, row.SecretSha256, row.Start, row.End, faults) is not { } secret || faults.Count > 0)
        {
            // All at once: whoever mends the row wants to know everything.
            ReadTerms(row, null, nowMs, faults);
            return Problem.Invalid(faults);
        }

        // A line feed cannot be in an id, so it keeps the two apart.
        var external = HMACSHA256.HashData(_externalKey, Encoding.UTF8.GetBytes($"{project.Id.Text}\n{row.ExternalId}"));
        return new RowMark(external, HMACSHA256.HashData(_contentKey, Content(row, secret.Sha256)), secret);
    }

    /// <summary>What the key is to be, for a row that is not known yet.</summary>
    public Outcome<KeyTerms> Terms(ImportRow row, MadeSecret secret, long nowMs)
    {
        var faults = new List<FieldError>();
        var terms = ReadTerms(row, secret.Environment, nowMs, faults);
        return faults.Count == 0 ? terms : Problem.Invalid(faults);
    }

    private KeyTerms ReadTerms(ImportRow row, string? ownEnvironment, long nowMs, List<FieldError> faults)
    {
        if (row.CreatedAt is { } created && (created < DateTimeOffset.UnixEpoch || created.ToUnixTimeMilliseconds() > nowMs))
        {
            faults.Add(new("/created_at", "must lie in the past, and not before 1970."));
        }

        if (ownEnvironment is not null && row.Environment is not null && row.Environment != ownEnvironment)
        {
            faults.Add(new("/environment", $"must be {ownEnvironment}: the secret is one of that environment."));
        }

        return _terms.ReadNew(row.Asked(row.Environment ?? ownEnvironment), Caller.Root, provider.Plans[0], expiresAfterMs: 0, faults);
    }

    private static void CheckExternalId(ImportRow row, List<FieldError> faults)
    {
        if (string.IsNullOrWhiteSpace(row.ExternalId) || row.ExternalId.Length > ExternalIdMax || row.ExternalId.Any(char.IsControl))
        {
            faults.Add(new("/external_id", $"must have 1 to {ExternalIdMax} characters, none of them a control character."));
        }
        else if (row.ExternalId == row.Secret)
        {
            // It comes back in answers and stands in reports.
            faults.Add(new("/external_id", "must not be the secret."));
        }
    }

    /// <summary>
    /// What makes the row this row: all it says but who and where it is, and the secret by its hash, in whichever way it came. What is
    /// absent leaves no trace, so that members that are added one day change no row of today.
    /// </summary>
    private static byte[] Content(ImportRow row, in KeyHash secret) => JsonSerializer.SerializeToUtf8Bytes(
        row with
        {
            ExternalId = null,
            ProjectId = null,
            Secret = null,
            SecretSha256 = Convert.ToHexStringLower(secret.ToBytes()),
            Start = null,
            End = null,
        },
        ContentWire.Default.ImportRow);
}

/// <summary>A row's place and content under the pepper, and its secret on the way in.</summary>
internal sealed record RowMark(byte[] ExternalHash, byte[] ContentHash, MadeSecret Secret);

/// <summary>The form of a row that is hashed. It must never change: rows imported before would look changed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(ImportRow))]
internal sealed partial class ContentWire : JsonSerializerContext;
