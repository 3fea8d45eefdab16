using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Gateway.Echo;

/// <summary>The answer to an embedding: for each text a vector of length 1 that depends on nothing but the text.</summary>
internal sealed class EmbeddingEcho(EchoCall call, IReadOnlyList<string> texts)
{
    public IEnumerable<ReadOnlyMemory<byte>> Whole()
    {
        using var output = new EchoWriter();
        var json = output.Json;
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        for (var i = 0; i < texts.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("object"u8, "embedding"u8);
            json.WriteNumber("index"u8, i);
            WriteVector(output, VectorOf(texts[i], call.Dimensions));
            json.WriteEndObject();
            if (i + 1 < texts.Count)
            {
                yield return output.Piece();
            }
        }

        var tokens = texts.Sum(text => (long)EchoTokens.Count(text));
        json.WriteEndArray();
        json.WriteString("model"u8, call.Model);
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, tokens);
        json.WriteNumber("total_tokens"u8, tokens);
        json.WriteEndObject();
        json.WriteEndObject();
        yield return output.Piece();
    }

    /// <summary>Numbers that the text's hash begins, brought to length 1.</summary>
    public static float[] VectorOf(string text, int dimensions)
    {
        var state = BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        var vector = new float[dimensions];
        var square = 0.0;
        for (var i = 0; i < dimensions; i++)
        {
            state = Next(state, out var mixed);
            // The upper 53 bits as a number from -1 to 1.
            var value = ((mixed >> 11) * (2.0 / (1L << 53))) - 1.0;
            vector[i] = (float)value;
            square += value * value;
        }

        var length = (float)Math.Sqrt(square);
        for (var i = 0; i < dimensions; i++)
        {
            vector[i] = length > 0 ? vector[i] / length : 1;
        }

        return vector;
    }

    private void WriteVector(EchoWriter output, float[] vector)
    {
        var json = output.Json;
        if (call.InBase64)
        {
            var bytes = new byte[vector.Length * sizeof(float)];
            for (var i = 0; i < vector.Length; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
            }

            json.WriteBase64String("embedding"u8, bytes);
            return;
        }

        json.WriteStartArray("embedding"u8);
        foreach (var value in vector)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }

    // SplitMix64, whose arithmetic wraps around by design.
    private static ulong Next(ulong state, out ulong mixed)
    {
        unchecked
        {
            state += 0x9E3779B97F4A7C15UL;
            mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9UL;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
            mixed ^= mixed >> 31;
            return state;
        }
    }
}
