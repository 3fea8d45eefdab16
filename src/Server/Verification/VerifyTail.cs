using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Verification;
using Tollgate.Server.Providers;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Verification;

/// <summary>
/// The members of a verify answer that differ from request to request: its number, what was set aside, and how its limits stand. Written
/// into a buffer of the thread's own, which holds until the thread's next answer.
/// </summary>
internal sealed class VerifyTail
{
    private const int NumberDigitsMax = 20;

    [ThreadStatic]
    private static VerifyTail? _own;

    private readonly ArrayBufferWriter<byte> _bytes = new(512);

    /// <summary>From the comma on to the brace that ends the answer.</summary>
    public static ReadOnlySpan<byte> Of(in VerifyCall call, in Verdict verdict, ProviderModel provider, string? requiredPermission)
    {
        var tail = _own ??= new VerifyTail();
        tail._bytes.ResetWrittenCount();
        tail.Write(call, verdict, provider, requiredPermission);
        return tail._bytes.WrittenSpan;
    }

    /// <summary>The same where nothing may be told.</summary>
    public static ReadOnlySpan<byte> OfNoKey(in VerifyCall call)
    {
        var tail = _own ??= new VerifyTail();
        tail._bytes.ResetWrittenCount();
        tail.Text(",\"request_id\":"u8, RequestId.Of(call.RequestNo));
        tail._bytes.Write("}"u8);
        return tail._bytes.WrittenSpan;
    }

    private void Write(in VerifyCall call, in Verdict verdict, ProviderModel provider, string? requiredPermission)
    {
        Text(",\"request_id\":"u8, RequestId.Of(call.RequestNo));
        if (requiredPermission is not null)
        {
            Text(",\"required_permission\":"u8, requiredPermission);
        }

        if (verdict.Code == VerdictCode.Allowed && verdict.Key.SecretEndsAtMs is { } endsAtMs)
        {
            // Whoever keeps the answer may keep it no longer than that.
            Text(",\"secret_ends_at\":"u8, Rfc3339Time.Format(DateTimeOffset.FromUnixTimeMilliseconds(endsAtMs)));
        }

        if (verdict.Code == VerdictCode.Allowed && call.Reserves)
        {
            Text(",\"reservation\":"u8, RequestId.OfReservation(call.RequestNo));
        }

        if (verdict.Project?.Balance is not null && verdict.IsAllowed)
        {
            Text(",\"held\":"u8, verdict.Held.ToString());
        }

        if ((verdict.Code == VerdictCode.WalletEmpty || verdict.IsUnfunded) && provider.Wallet?.TopUpUrl is { } url)
        {
            Text(",\"top_up_url\":"u8, url);
        }

        WriteLimits(verdict, provider);
        if (verdict.Limits.Count > 0 || verdict.Project?.Balance is not null)
        {
            _bytes.Write(",\"cacheable\":false"u8);
        }

        _bytes.Write("}"u8);
    }

    private void WriteLimits(in Verdict verdict, ProviderModel provider)
    {
        if (verdict.RetryAfterMs > 0)
        {
            Number(",\"retry_after_ms\":"u8, verdict.RetryAfterMs);
        }

        if (verdict.RefusingLimit >= 0 && !verdict.IsAllowed)
        {
            Text(",\"limit\":"u8, provider.Limits[verdict.RefusingLimit].Name);
        }

        for (var i = 0; i < verdict.Limits.Count; i++)
        {
            LimitState state = verdict.Limits[i];
            _bytes.Write(i == 0 ? ",\"limits\":[{"u8 : ",{"u8);
            Text("\"name\":"u8, provider.Limits[state.Limit].Name);
            Number(",\"limit\":"u8, state.Amount);
            Number(",\"remaining\":"u8, state.Remaining);
            Number(",\"reset_after_ms\":"u8, state.ResetMs);
            _bytes.Write("}"u8);
        }

        if (verdict.Limits.Count > 0)
        {
            _bytes.Write("]"u8);
        }
    }

    private void Text(ReadOnlySpan<byte> name, string value)
    {
        _bytes.Write(name);
        _bytes.Write("\""u8);
        _bytes.Write(JsonEncodedText.Encode(value, Json.Encoder).EncodedUtf8Bytes);
        _bytes.Write("\""u8);
    }

    private void Number(ReadOnlySpan<byte> name, long value)
    {
        _bytes.Write(name);
        Utf8Formatter.TryFormat(value, _bytes.GetSpan(NumberDigitsMax), out var written);
        _bytes.Advance(written);
    }
}
