using System.Collections.Frozen;
using System.Text.Json;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Wallet;

/// <summary>What models cost, as it was written down under one version. Immutable.</summary>
internal sealed class PriceList
{
    private readonly FrozenDictionary<string, ModelPrice> _prices;

    private PriceList(ushort version, Dictionary<string, ModelPrice> prices) =>
        (Version, _prices) = (version, prices.ToFrozenDictionary(StringComparer.Ordinal));

    /// <summary>No price at all; 0 stands for it where no list was ever made.</summary>
    public static PriceList None { get; } = new(0, []);

    public ushort Version { get; }

    /// <summary>Null where the list gives none, which is never a price of nothing.</summary>
    public ModelPrice? Of(string model) => _prices.TryGetValue(model, out var price) ? price : null;

    /// <summary>
    /// The file's prices as text: the same prices give the same text, whatever their order in the file. Empty where no model has one.
    /// </summary>
    public static string ContentOf(ProviderModel provider)
    {
        var priced = provider.Models.Where(model => model.Price is not null).OrderBy(model => model.Id, StringComparer.Ordinal).ToList();
        if (priced.Count == 0)
        {
            return "";
        }

        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("currency"u8, provider.Wallet?.Currency ?? "");
            json.WriteStartObject("models"u8);
            foreach (var model in priced)
            {
                json.WriteStartArray(model.Id);
                Write(json, model.Price!.Value);
                json.WriteEndArray();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Reads what <see cref="ContentOf"/> wrote.</summary>
    public static PriceList Read(long version, string content)
    {
        var prices = new Dictionary<string, ModelPrice>(StringComparer.Ordinal);
        if (content.Length > 0)
        {
            using var json = JsonDocument.Parse(content);
            foreach (var model in json.RootElement.GetProperty("models").EnumerateObject())
            {
                prices.Add(model.Name, Read(model.Value));
            }
        }

        return new PriceList(checked((ushort)version), prices);
    }

    /// <summary>Two numbers, as ever, where these are all there are: a text that says the same is no other version.</summary>
    private static void Write(Utf8JsonWriter json, ModelPrice price)
    {
        json.WriteNumberValue(price.InputPerMillion);
        json.WriteNumberValue(price.OutputPerMillion);
        if ((price.CachedPerMillion ?? price.ReasoningPerMillion) is null)
        {
            return;
        }

        foreach (var part in new[] { price.CachedPerMillion, price.ReasoningPerMillion })
        {
            if (part is { } number)
            {
                json.WriteNumberValue(number);
            }
            else
            {
                json.WriteNullValue();
            }
        }
    }

    private static ModelPrice Read(JsonElement numbers)
    {
        return new ModelPrice(numbers[0].GetInt64(), numbers[1].GetInt64()) { CachedPerMillion = At(2), ReasoningPerMillion = At(3) };

        long? At(int index) => numbers.GetArrayLength() > index && numbers[index].ValueKind == JsonValueKind.Number
            ? numbers[index].GetInt64()
            : null;
    }
}
