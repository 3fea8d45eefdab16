using System.Buffers;
using System.Text;
using System.Text.Json;
using Tollgate.Engine.Verification;

namespace Tollgate.Server.Verification;

/// <summary>
/// Writes what a check found: <c>{valid, code, reason, key, required_permission?}</c>. All but the key's facts and the permission is
/// rendered once per code at start.
/// </summary>
internal readonly ref struct VerifyAnswer
{
    private static readonly byte[][] Heads = [.. Enum.GetValues<VerdictCode>().Select(HeadOf)];

    private readonly ReadOnlySpan<byte> _head;
    private readonly ReadOnlySpan<byte> _key;
    private readonly ReadOnlySpan<byte> _tail;

    /// <param name="verdict">What the gatekeeper found.</param>
    /// <param name="requiredPermission">Such as <c>endpoints:write</c>, told when the key lacks it.</param>
    /// <param name="visible">False when the caller must not learn that the key exists.</param>
    public VerifyAnswer(in Verdict verdict, string? requiredPermission, bool visible)
    {
        _head = Heads[(int)(visible ? verdict.Code : VerdictCode.KeyUnknown)];
        _key = visible && verdict.Key.KeyNo != 0 ? verdict.Key.Facts.Span : "null"u8;
        _tail = visible && requiredPermission is not null && Faults.TellsPermission(verdict.Code) ? TailOf(requiredPermission) : "}"u8;
    }

    public int Length => _head.Length + _key.Length + _tail.Length;

    /// <summary>In one piece: each piece that goes out on its own costs a look at the connection's buffer.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var whole = output.GetSpan(Length);
        _head.CopyTo(whole);
        _key.CopyTo(whole[_head.Length..]);
        _tail.CopyTo(whole[(_head.Length + _key.Length)..]);
        output.Advance(Length);
    }

    private static byte[] TailOf(string requiredPermission) =>
        Encoding.UTF8.GetBytes($",\"required_permission\":\"{JsonEncodedText.Encode(requiredPermission)}\"}}");

    private static byte[] HeadOf(VerdictCode code)
    {
        var valid = code == VerdictCode.Allowed ? "true" : "false";
        return Encoding.UTF8.GetBytes($$"""{"valid":{{valid}},"code":"{{code.ToText()}}","reason":"{{Faults.ReasonOf(code)}}","key":""");
    }
}
