using System.Buffers;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// Counts the tokens of an answer while it passes. Takes what the upstream sent, in whatever pieces, and writes what the client gets.
/// </summary>
internal interface IResponseMeter
{
    /// <summary>What has been used so far; final once the answer has ended.</summary>
    TokenUse Use { get; }

    /// <summary>Whether what came so far is whole: an answer that ends before it is has broken.</summary>
    bool IsComplete { get; }

    /// <summary>
    /// Takes the next bytes. What must not leave before the request is settled, such as the last byte, is kept until
    /// <see cref="End"/>.
    /// </summary>
    /// <returns>
    /// False where the answer must be cut here: what <see cref="End"/> writes then closes it as if it had come to its bound.
    /// </returns>
    bool Take(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output);

    /// <summary>Writes what was kept.</summary>
    void End(IBufferWriter<byte> output);
}
