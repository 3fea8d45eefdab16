using System.Buffers;
using System.Text;
using System.Text.Json;
using Tollgate.Engine.Verification;
using Tollgate.Server.Keys;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Verification;

/// <summary>
/// Writes what a check found: <c>{valid, code, reason, key, required_permission?, secret_ends_at?}</c>. All but the key and the last two,
/// which are rare, is rendered once per code at start.
/// </summary>
internal readonly ref struct VerifyAnswer
{
    private static readonly byte[][] Heads = [.. Enum.GetValues<VerdictCode>().Select(HeadOf)];

    private readonly ReadOnlySpan<byte> _head;
    private readonly bool _tellsKey;
    private readonly KeyFactsText _key;
    private readonly ReadOnlySpan<byte> _tail;

    /// <param name="verdict">What the gatekeeper found.</param>
    /// <param name="requiredPermission">Such as <c>endpoints:write</c>, told when the key lacks it.</param>
    /// <param name="visible">False when the caller must not learn that the key exists.</param>
    public VerifyAnswer(in Verdict verdict, string? requiredPermission, bool visible)
    {
        _head = Heads[(int)(visible ? verdict.Code : VerdictCode.KeyUnknown)];
        if (visible && verdict.Project is { } project)
        {
            _tellsKey = true;
            _key = new KeyFactsText(verdict.Key, project);
        }

        _tail = !visible ? "}"u8
            : requiredPermission is not null && Faults.TellsPermission(verdict.Code) ? TailOf(requiredPermission)
            : verdict.Code == VerdictCode.Allowed && verdict.Key.SecretEndsAtMs is { } endsAtMs ? TailOf(endsAtMs)
            : "}"u8;
    }

    public int Length => _head.Length + KeyLength + _tail.Length;

    private int KeyLength => _tellsKey ? _key.Length : "null"u8.Length;

    /// <summary>In one piece: each piece that goes out on its own costs a look at the connection's buffer.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var whole = output.GetSpan(Length);
        _head.CopyTo(whole);
        var key = whole[_head.Length..];
        if (_tellsKey)
        {
            _key.Write(key);
        }
        else
        {
            "null"u8.CopyTo(key);
        }

        _tail.CopyTo(key[KeyLength..]);
        output.Advance(Length);
    }

    private static byte[] TailOf(string requiredPermission) =>
        Encoding.UTF8.GetBytes($",\"required_permission\":\"{JsonEncodedText.Encode(requiredPermission)}\"}}");

    /// <summary>Whoever keeps the answer may keep it no longer than that.</summary>
    private static byte[] TailOf(long secretEndsAtMs) => Encoding.UTF8.GetBytes(
        $",\"secret_ends_at\":\"{Rfc3339Time.Format(DateTimeOffset.FromUnixTimeMilliseconds(secretEndsAtMs))}\"}}");

    private static byte[] HeadOf(VerdictCode code)
    {
        var valid = code == VerdictCode.Allowed ? "true" : "false";
        return Encoding.UTF8.GetBytes($$"""{"valid":{{valid}},"code":"{{code.ToText()}}","reason":"{{Faults.ReasonOf(code)}}","key":""");
    }
}
