using System.Text.Json;
using Tollgate.Server.Journal;
using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Verification;

/// <summary>How many tokens a request will use at most, as the API server tells it: <c>{"input": 1200, "max_output": 500}</c>.</summary>
/// <param name="Input">Of its input, counted or over-estimated.</param>
/// <param name="OutputMax">Of its output; null leaves it to the model.</param>
internal readonly record struct TokenBounds(int Input, int? OutputMax)
{
    /// <summary>Reads the object; the reader stands on its start and is left on its end.</summary>
    public static Outcome<TokenBounds> Read(ref Utf8JsonReader json, string at)
    {
        int? input = null, output = null;
        while (json.Read() && json.TokenType != JsonTokenType.EndObject)
        {
            var isInput = json.ValueTextEquals("input"u8);
            if (!isInput && !json.ValueTextEquals("max_output"u8))
            {
                return Problem.Invalid(
                    at + JsonPointer.Of(JsonPointer.Short(json.GetString()!)),
                    "is not a member of this call. Known are input, max_output.");
            }

            var name = isInput ? "input" : "max_output";
            if ((isInput ? input : output) is not null)
            {
                return new Problem(ProblemCode.InvalidJson, $"The member {at}/{name} is given twice.");
            }

            json.Read();
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt32(out var tokens) || tokens is < 0 or > ReportTerms.TokensMax)
            {
                return Problem.Invalid($"{at}/{name}", $"must be a whole number from 0 to {ReportTerms.TokensMax}.");
            }

            input = isInput ? tokens : input;
            output = isInput ? output : tokens;
        }

        return input is { } count
            ? new TokenBounds(count, output)
            : Problem.Invalid($"{at}/input", "is needed: how many tokens the request will bring.");
    }
}
