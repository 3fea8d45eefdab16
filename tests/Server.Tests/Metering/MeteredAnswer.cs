using System.Buffers;
using System.Text;
using Tollgate.Gateway.Metering;

namespace Tollgate.Server.Tests.Metering;

/// <summary>What a meter made of an answer.</summary>
internal sealed record MeteredAnswer
{
    /// <summary>What the client had before the end.</summary>
    public required string Passed { get; init; }

    /// <summary>What it got then.</summary>
    public required string Kept { get; init; }

    public required TokenUse Use { get; init; }

    public required bool IsComplete { get; init; }

    public required bool IsCut { get; init; }

    public string All => Passed + Kept;

    public static MeteredAnswer Of(IResponseMeter meter, params IEnumerable<string> pieces) =>
        Of(meter, pieces.Select(Encoding.Latin1.GetBytes));

    /// <summary>Bytes are told as Latin-1, one character each, so that none is lost on the way to an assertion.</summary>
    public static MeteredAnswer Of(IResponseMeter meter, IEnumerable<byte[]> pieces)
    {
        var output = new ArrayBufferWriter<byte>();
        var isCut = false;
        foreach (var piece in pieces)
        {
            isCut = !meter.Take(piece, output);
            if (isCut)
            {
                break;
            }
        }

        var (passed, isComplete) = (output.WrittenCount, meter.IsComplete);
        meter.End(output);
        return new MeteredAnswer
        {
            Passed = Encoding.Latin1.GetString(output.WrittenSpan[..passed]),
            Kept = Encoding.Latin1.GetString(output.WrittenSpan[passed..]),
            Use = meter.Use,
            IsComplete = isComplete,
            IsCut = isCut,
        };
    }

    /// <summary>Cut anywhere, empty pieces among them.</summary>
    public static IEnumerable<byte[]> Split(byte[] bytes, Random random)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(bytes.Length - at, random.Next(random.Next(2) == 0 ? 4 : 200));
            yield return bytes[at..(at + length)];
            at += length;
        }
    }
}

/// <summary>Calls as tests need them.</summary>
internal static class Calls
{
    public static ModelCall Chat(bool asksUsage = false) => new()
    {
        Kind = ModelCallKind.Chat, Model = "m", Streams = true, AsksUsage = asksUsage, InputBound = 40, Body = default,
    };

    public static ModelCall Of(ModelCallKind kind) => Chat() with { Kind = kind };

    public static ModelCall Read(string body, ModelCallKind kind = ModelCallKind.Chat)
    {
        Assert.True(ModelCall.TryRead(kind, Encoding.UTF8.GetBytes(body), out var call, out var fault), $"{fault} in {body}");
        return call;
    }

    public static CallFault Fault(string body, ModelCallKind kind = ModelCallKind.Chat) => Fault(Encoding.UTF8.GetBytes(body), kind);

    public static CallFault Fault(byte[] body, ModelCallKind kind = ModelCallKind.Chat)
    {
        Assert.False(ModelCall.TryRead(kind, body, out _, out var fault));
        Assert.NotEmpty(fault.Text);
        return fault;
    }
}
