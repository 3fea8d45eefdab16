using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Gateway.Metering;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// The body of a request that the gate has to know before it passes: held in memory, so it has a bound where one that only passes has none.
/// </summary>
internal static class CallBody
{
    /// <summary>Up to here a body that is there is taken as it is.</summary>
    private const int AtOnceBytes = 16_384;

    /// <summary>Reads the whole body, however it is sent.</summary>
    /// <exception cref="BadHttpRequestException">With status 413, of a larger one.</exception>
    public static ValueTask<Outcome<ReadOnlyMemory<byte>>> Read(HttpContext http, int bytesMax, BodyBudget budget)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bound)
        {
            // The server closes the connection of a client that goes on sending; it counts what frames the chunks of a body, too.
            bound.MaxRequestBodySize = http.Request.ContentLength is null ? 2L * bytesMax : bytesMax;
        }

        // Most have come with their head, or soon after it.
        var reader = http.Request.BodyReader;
        if (http.Request.ContentLength <= Math.Min(AtOnceBytes, bytesMax) && reader.TryRead(out var read))
        {
            if (read.IsCompleted || read.Buffer.Length == http.Request.ContentLength)
            {
                ReadOnlyMemory<byte> whole = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return new(whole);
            }

            reader.AdvanceTo(read.Buffer.Start);
        }

        return Keep(http, reader, bytesMax, budget);
    }

    private static async ValueTask<Outcome<ReadOnlyMemory<byte>>> Keep(
        HttpContext http, PipeReader reader, int bytesMax, BodyBudget budget)
    {
        // Memory is taken for what has come, not for what was announced.
        HeldBody? held = null;
        using var kept = new KeptBody();
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            if (kept.Length + read.Buffer.Length > bytesMax)
            {
                throw new BadHttpRequestException("The body is too large.", StatusCodes.Status413PayloadTooLarge);
            }

            foreach (var segment in read.Buffer)
            {
                kept.Add(segment.Span);
            }

            reader.AdvanceTo(read.Buffer.End);
            if (kept.Length > BodyBudget.CountedFrom)
            {
                if (held is null)
                {
                    held = new HeldBody(budget);
                    http.Response.RegisterForDispose(held);
                }

                if (!held.TryGrow(kept.Length))
                {
                    return new Problem(ProblemCode.Unavailable, "The gate holds as much of requests' bodies as it may.");
                }
            }

            if (read.IsCompleted)
            {
                return (ReadOnlyMemory<byte>)kept.ToArray();
            }
        }
    }

    /// <summary>What could be read in two ways behind the gate is refused: members written twice, and text that is not UTF-8.</summary>
    /// <param name="condition">The route's; null for none.</param>
    /// <param name="body">All of it.</param>
    public static Outcome<LookedBody> Look(Condition? condition, ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return RequestBody.NotUnicode;
        }

        try
        {
            using var json = JsonDocument.Parse(body, Duplicates.Refused);
            var root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.EnumerateObject().Any(member => LaxNames.Resembles(member.Name, "model")))
            {
                return new Problem(ProblemCode.InvalidJson, "A member of the body differs from model by its case only.");
            }

            var model = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("model"u8, out var named) ? named : default;
            return new LookedBody(
                condition?.Holds(root),
                model.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null),
                model.ValueKind == JsonValueKind.String ? model.GetString() : null);
        }
        catch (JsonException fault)
        {
            return RequestBody.InvalidJson(fault);
        }
        catch (InvalidOperationException)
        {
            return RequestBody.NotUnicode;
        }
    }
}

/// <summary>What a body says of what decides.</summary>
/// <param name="IsConditionMet">Null where there is no condition.</param>
/// <param name="NamesModel">Whether it has a member <c>model</c>.</param>
/// <param name="Model">That, where it is a text.</param>
internal readonly record struct LookedBody(bool? IsConditionMet, bool NamesModel, string? Model);

/// <summary>A body as it grows, in pieces that are lent out anew after it.</summary>
internal sealed class KeptBody : IDisposable
{
    private const int PieceBytes = 65_536;

    private readonly List<byte[]> _full = [];
    private byte[] _last = [];
    private int _filled;

    public long Length { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        while (!bytes.IsEmpty)
        {
            if (_filled == _last.Length)
            {
                Next(bytes.Length);
            }

            var count = Math.Min(bytes.Length, _last.Length - _filled);
            bytes[..count].CopyTo(_last.AsSpan(_filled));
            _filled += count;
            bytes = bytes[count..];
        }
    }

    public byte[] ToArray()
    {
        var all = new byte[Length];
        var at = 0;
        foreach (var piece in _full)
        {
            piece.CopyTo(all, at);
            at += piece.Length;
        }

        _last.AsSpan(0, _filled).CopyTo(all.AsSpan(at));
        return all;
    }

    public void Dispose()
    {
        foreach (var piece in _full)
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        if (_last.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_last);
        }
    }

    /// <summary>Most bodies come at once: theirs is the only piece.</summary>
    private void Next(int bytes)
    {
        if (_filled > 0)
        {
            _full.Add(_last);
        }

        (_last, _filled) = (ArrayPool<byte>.Shared.Rent(_full.Count == 0 && _filled == 0 ? Math.Min(bytes, PieceBytes) : PieceBytes), 0);
    }
}
