using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// Reads a body whose members the provider has named: each is renamed to our own name and then read as strictly as any body. What is wrong
/// is told under the provider's names.
/// </summary>
internal static class SurfaceBody
{
    public static async Task<Outcome<SurfaceRequest<T>>> Read<T>(HttpContext http, SurfaceRoute place, JsonTypeInfo<T> type)
        where T : class
    {
        if (!(await RequestBody.ReadBytes(http)).TryGet(out var bytes, out var problem))
        {
            return problem;
        }

        if (bytes.IsEmpty)
        {
            return new SurfaceRequest<T>(null, bytes, place.Accepts);
        }

        if (!Renamed(bytes, place.Accepts).TryGet(out var renamed, out problem))
        {
            return problem;
        }

        return RequestBody.Parse(renamed, type).TryGet(out var value, out problem)
            ? new SurfaceRequest<T>(value, bytes, place.Accepts)
            : new SurfaceRequest<T>(null, bytes, place.Accepts).Worded(problem);
    }

    private static Outcome<byte[]> Renamed(ReadOnlyMemory<byte> bytes, IReadOnlyDictionary<string, string> names)
    {
        if (BodyFaults.Find(bytes.Span, out _) is { } unsound)
        {
            return unsound;
        }

        try
        {
            using var body = JsonDocument.Parse(bytes, Duplicates.Refused);
            var output = new ArrayBufferWriter<byte>(bytes.Length + 64);
            using var json = new Utf8JsonWriter(output);
            json.WriteStartObject();
            foreach (var member in body.RootElement.EnumerateObject())
            {
                if (!names.TryGetValue(member.Name, out var name))
                {
                    return Problem.Invalid(
                        JsonPointer.Of(JsonPointer.Short(member.Name)),
                        $"is not a member of this call. Known are {string.Join(", ", names.Keys)}.");
                }

                json.WritePropertyName(name);
                member.Value.WriteTo(json);
            }

            json.WriteEndObject();
            json.Flush();
            return output.WrittenSpan.ToArray();
        }
        catch (JsonException fault)
        {
            return RequestBody.InvalidJson(fault);
        }
    }
}

/// <summary>A body in our own names, the bytes it came as, and the way back to the provider's names.</summary>
internal sealed record SurfaceRequest<T>(T? Value, ReadOnlyMemory<byte> Raw, IReadOnlyDictionary<string, string> Names)
{
    /// <summary>The problem with our names replaced by those that the caller used.</summary>
    public Problem Worded(Problem problem) => problem.Errors.Count == 0
        ? problem
        : Problem.Invalid([.. problem.Errors.Select(error => error with { Pointer = Theirs(error.Pointer) })]);

    private string Theirs(string pointer)
    {
        var end = pointer.IndexOf('/', 1);
        var ours = end < 0 ? pointer[1..] : pointer[1..end];
        var theirs = Names.FirstOrDefault(name => name.Value == ours).Key ?? ours;
        return $"/{theirs}{(end < 0 ? "" : pointer[end..])}";
    }
}
