using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Wire;

/// <summary>
/// What can be wrong with a JSON body. First what makes it no JSON for anybody (400: syntax, bytes that are not UTF-8, two members of
/// one name), or no text for a database (422: U+0000); then what does not fit the record it is read into (422, with a pointer).
/// </summary>
internal static class BodyFaults
{
    private const int DepthMax = 32;

    /// <summary>Null when the JSON is sound; then <paramref name="members"/> names those of the outermost object.</summary>
    public static Problem? Find(ReadOnlySpan<byte> json, out IReadOnlyList<string> members)
    {
        members = [];
        if (!Utf8.IsValid(json))
        {
            return new Problem(ProblemCode.InvalidJson, "The body is not valid UTF-8.");
        }

        try
        {
            var walk = new Walk();
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = DepthMax });
            while (reader.Read())
            {
                if (walk.Step(ref reader) is { } fault)
                {
                    return fault;
                }
            }

            members = walk.Members;
            return walk.IsObject ? null : new Problem(ProblemCode.InvalidJson, "The body must be a JSON object.");
        }
        catch (JsonException error)
        {
            return RequestBody.InvalidJson(error);
        }
    }

    /// <summary>Why sound JSON could not be read into the record.</summary>
    public static Problem Explain(JsonException error, JsonTypeInfo type, IReadOnlyList<string> members)
    {
        var unknown = members.FirstOrDefault(member => type.Properties.All(property => property.Name != member));
        if (unknown is not null)
        {
            return Problem.Invalid(JsonPointer.Of(JsonPointer.Short(unknown)), Unknown(type));
        }

        FieldError[] missing =
        [
            .. type.Properties.Where(property => property.IsRequired && !members.Contains(property.Name))
                .Select(property => new FieldError(JsonPointer.Of(property.Name), "is needed.")),
        ];
        if (missing.Length > 0)
        {
            return Problem.Invalid(missing);
        }

        var steps = JsonPointer.Steps(error.Path);
        var pointer = JsonPointer.Of(steps.Select(JsonPointer.Short));
        return Expected(type, steps) is { } expected
            ? Problem.Invalid(pointer, expected)
            : Problem.Invalid(pointer, "does not fit.");
    }

    /// <summary>What the place takes, found by walking the record's own description.</summary>
    private static string? Expected(JsonTypeInfo type, IReadOnlyList<string> steps)
    {
        JsonTypeInfo? at = type;
        foreach (var step in steps)
        {
            var next = at!.Kind switch
            {
                JsonTypeInfoKind.Object => at.Properties.FirstOrDefault(property => property.Name == step)?.PropertyType,
                JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary => at.ElementType,
                _ => null,
            };
            if (next is null)
            {
                return at.Kind == JsonTypeInfoKind.Object ? Unknown(at) : null;
            }

            if (!at.Options.TryGetTypeInfo(next, out at))
            {
                return Kind(next);
            }
        }

        return Kind(at!.Type);
    }

    private static string Unknown(JsonTypeInfo type) =>
        $"is not a member of this call. Known are {string.Join(", ", type.Properties.Select(property => property.Name))}.";

    private static string Kind(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(string) ? "must be a string."
            : type == typeof(bool) ? "must be true or false."
            : type == typeof(DateTimeOffset) ? Rfc3339Time.Expected
            : type == typeof(decimal) || type == typeof(double) ? "must be a number."
            : type.IsPrimitive ? "must be a whole number."
            : type.IsAssignableTo(typeof(IDictionary)) ? "must be an object."
            : type.IsAssignableTo(typeof(IEnumerable)) ? "must be an array."
            : "must be an object.";
    }

    /// <summary>One pass over the tokens that knows where it is.</summary>
    private sealed class Walk
    {
        private readonly Stack<Level> _levels = new();
        private string _name = "";

        public bool IsObject { get; private set; }

        public List<string> Members { get; } = [];

        public Problem? Step(ref Utf8JsonReader reader)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    IsObject |= _levels.Count == 0;
                    Enter(new HashSet<string>(StringComparer.Ordinal));
                    return null;
                case JsonTokenType.StartArray:
                    Enter(null);
                    return null;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    _levels.Pop();
                    return null;
                case JsonTokenType.PropertyName:
                    return Name(ref reader);
                case JsonTokenType.String:
                    CountElement();
                    return Text(ref reader, out _);
                default:
                    CountElement();
                    return null;
            }
        }

        private void Enter(HashSet<string>? names)
        {
            CountElement();
            _levels.Push(new Level { Names = names, Step = _levels.Count == 0 ? null : StepHere() });
        }

        private void CountElement()
        {
            if (_levels.TryPeek(out var level) && level.Names is null)
            {
                level.Index++;
            }
        }

        private string StepHere() => _levels.Peek() is { Names: null } array
            ? array.Index.ToString(System.Globalization.CultureInfo.InvariantCulture)
            : JsonPointer.Short(_name);

        private string Pointer() => JsonPointer.Of(_levels.Reverse().Select(level => level.Step).OfType<string>().Append(StepHere()));

        private Problem? Name(ref Utf8JsonReader reader)
        {
            if (Text(ref reader, out var name) is { } fault)
            {
                return fault;
            }

            _name = name;
            if (!_levels.Peek().Names!.Add(name))
            {
                return new Problem(ProblemCode.InvalidJson, $"The member {Pointer()} is given twice.");
            }

            if (_levels.Count == 1)
            {
                Members.Add(name);
            }

            return null;
        }

        private Problem? Text(ref Utf8JsonReader reader, out string text)
        {
            try
            {
                text = reader.GetString()!;
            }
            catch (InvalidOperationException)
            {
                // Half of a surrogate pair, written as an escape.
                text = "";
                return new Problem(ProblemCode.InvalidJson, "The body holds an escape that is no character.");
            }

            return text.Contains('\0', StringComparison.Ordinal)
                ? Problem.Invalid(_levels.Count == 0 ? "" : Pointer(), "must not contain U+0000.")
                : null;
        }
    }

    private sealed class Level
    {
        /// <summary>The members seen so far; null for an array.</summary>
        public HashSet<string>? Names { get; init; }

        /// <summary>How this level is reached from the one around it; null for the outermost.</summary>
        public string? Step { get; init; }

        public int Index { get; set; } = -1;
    }
}
