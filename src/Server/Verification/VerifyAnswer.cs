using System.Buffers;
using System.Text;
using Tollgate.Engine.Verification;
using Tollgate.Server.Keys;
using Tollgate.Server.Providers;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Verification;

/// <summary>
/// Writes what a check found: <c>{valid, code, reason, key, …}</c>. What comes before the key is rendered once per code at start.
/// </summary>
internal readonly ref struct VerifyAnswer
{
    private static readonly byte[][] Heads = [.. Enum.GetValues<VerdictCode>().Select(HeadOf)];

    private readonly ReadOnlySpan<byte> _head;
    private readonly bool _tellsKey;
    private readonly KeyFactsText _key;
    private readonly ReadOnlySpan<byte> _tail;

    /// <param name="call">What was asked.</param>
    /// <param name="verdict">What the gatekeeper found.</param>
    /// <param name="provider">Names limits.</param>
    /// <param name="models">Names the models that a key is bound to.</param>
    /// <param name="requiredPermission">Such as <c>endpoints:write</c>, told when the key lacks it.</param>
    /// <param name="visible">False when the caller must not learn that the key exists.</param>
    public VerifyAnswer(
        in VerifyCall call, in Verdict verdict, ProviderModel provider, ModelNames models, string? requiredPermission, bool visible)
    {
        _head = Heads[(int)(!visible ? VerdictCode.KeyUnknown : verdict.IsUnfunded ? VerdictCode.WalletEmpty : verdict.Code)];
        if (visible && verdict.Project is { } project)
        {
            _tellsKey = true;
            _key = new KeyFactsText(verdict.Key, project, VerifiedModels.Of(verdict.Key.Profile, models));
        }

        _tail = visible ? VerifyTail.Of(call, verdict, provider, requiredPermission) : VerifyTail.OfNoKey(call);
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

    private static byte[] HeadOf(VerdictCode code)
    {
        var valid = code == VerdictCode.Allowed ? "true" : "false";
        return Encoding.UTF8.GetBytes($$"""{"valid":{{valid}},"code":"{{code.ToText()}}","reason":"{{Faults.ReasonOf(code)}}","key":""");
    }
}
