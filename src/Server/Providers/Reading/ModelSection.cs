using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads <c>models</c>: what is on offer, and at which price.</summary>
internal static class ModelSection
{
    public const int ModelsMax = 2000;
    public const int OutputTokensMax = 10_000_000;
    private const int IdCharsMax = 200;

    /// <summary>For a million tokens; the cost of the largest request stays far from what a number can hold.</summary>
    private static readonly Money PriceMax = new(1_000_000 * Money.MicrosPerUnit);

    public static IReadOnlyList<ModelOffer> Read(YamlNode? node, ErrorList errors)
    {
        var (models, taken) = (new List<ModelOffer>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var item in node is null ? [] : FieldReader.ItemsOf(node, "models", ModelsMax, errors))
        {
            var offer = item.Kind == YamlKind.Map ? ReadPriced(item, errors)
                : FieldReader.TextOf(item, "models", IdCharsMax, errors) is { } id ? new ModelOffer(id) : null;
            if (offer is null)
            {
                continue;
            }

            if (!taken.Add(offer.Id))
            {
                errors.Report(item.Kind == YamlKind.Map ? item["id"]! : item, $"\"{offer.Id}\" stands twice in models");
            }

            models.Add(offer);
        }

        return models;
    }

    private static ModelOffer? ReadPriced(YamlNode item, ErrorList errors)
    {
        var fields = FieldReader.Of(item, Vocabulary.Model, errors);
        var (input, output) = (fields.Amount("input", PriceMax), fields.Amount("output", PriceMax));
        if ((fields["input"] is null) != (fields["output"] is null))
        {
            errors.Report(item, "a model has a price for input and one for output, or none");
        }

        var (cached, reasoning) = (fields.Amount("cached_input", PriceMax), fields.Amount("reasoning", PriceMax));
        foreach (var part in new[] { "cached_input", "reasoning" })
        {
            if (fields[part] is { } alone && fields["input"] is null && fields["output"] is null)
            {
                errors.Report(alone, $"{part} is a price beside input and output");
            }
        }

        var (outputDefault, outputMax) =
            (fields.Number("default_output", 1, OutputTokensMax, 0), fields.Number("max_output", 1, OutputTokensMax, 0));
        if (outputMax > 0 && outputDefault > outputMax)
        {
            errors.Report(fields["default_output"]!, $"default_output {outputDefault} is more than max_output {outputMax}");
        }

        return fields.Text("id", IdCharsMax) is { Length: > 0 } id
            ? new ModelOffer(id)
            {
                Price = input is { } inputPrice && output is { } outputPrice
                    ? new ModelPrice(inputPrice.Micros, outputPrice.Micros)
                    {
                        CachedPerMillion = cached?.Micros, ReasoningPerMillion = reasoning?.Micros,
                    }
                    : null,
                OutputDefault = outputDefault,
                OutputMax = outputMax,
            }
            : null;
    }
}
