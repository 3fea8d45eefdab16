using System.Globalization;
using System.Text.Json;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>
/// The models that one key is bound to, by their ids in the order given; null binds it to none, so that it may be used for every one.
/// </summary>
internal static class KeyModels
{
    public const int Max = 100;
    public const int NameCharsMax = 200;

    public static string? ToJson(IReadOnlyList<string>? models) =>
        models is null ? null : JsonSerializer.Serialize(models, KeyWire.Default.IReadOnlyListString);

    /// <summary>
    /// What is asked for. An id need not be the file's, for upstreams have models that it does not name; but where requests are paid for,
    /// one that is not offered could never be used.
    /// </summary>
    public static IReadOnlyList<string>? Read(IReadOnlyList<string>? asked, ProviderModel provider, List<FieldError> faults)
    {
        if (asked is { Count: 0 } or { Count: > Max })
        {
            faults.Add(new("/models", asked.Count > 0
                ? $"may hold at most {Max} models."
                : "must name at least one model, for a key for none is of no use; null is for every model."));
            return asked;
        }

        for (var i = 0; i < asked?.Count; i++)
        {
            if (FaultOf(asked, i, provider) is { } fault)
            {
                faults.Add(new(string.Create(CultureInfo.InvariantCulture, $"/models/{i}"), fault));
            }
        }

        return asked;
    }

    /// <summary>Whether whoever is bound to the narrower list reaches no model that the wider one lacks.</summary>
    public static bool AreWithin(IReadOnlyList<string>? narrow, IReadOnlyList<string>? wide) =>
        wide is null || (narrow is not null && !narrow.Except(wide, StringComparer.Ordinal).Any());

    private static string? FaultOf(IReadOnlyList<string> asked, int i, ProviderModel provider) => asked[i] switch
    {
        not { Length: > 0 and <= NameCharsMax } => $"must be the id of a model, of 1 to {NameCharsMax} characters.",
        var name when name.Any(char.IsControl) => "must have no control characters.",
        var name when asked.Take(i).Contains(name, StringComparer.Ordinal) => "must not be named twice.",
        var name when provider.Wallet is not null && provider.Models.All(offer => offer.Id != name) =>
            "is not offered: where requests are paid for, a key can be for models of the provider file only.",
        _ => null,
    };
}

/// <summary>
/// The numbers by which the check knows models. The room of usage gives them, once and for good, and comes after this one: so it calls in.
/// </summary>
/// <param name="give">The number of a model within a write, given now when it has none; 0 when there are too many.</param>
/// <param name="find">The same for a key on its way into memory. Waits only where memory does not know the model.</param>
internal sealed class ModelNumbers(Func<WriteScope, string, Task<ushort>> give, Func<string, ValueTask<ushort>> find)
{
    /// <summary>
    /// Gives the models of a key their numbers in the write that binds it to them, so that its check only looks them up. A model that can
    /// have none could never be told apart from others.
    /// </summary>
    /// <param name="scope">The write.</param>
    /// <param name="models">Null for every model, which needs none.</param>
    /// <param name="given">Where one write makes many keys: the names that have their number already.</param>
    public async Task<Problem?> Give(WriteScope scope, IReadOnlyList<string>? models, HashSet<string>? given = null)
    {
        for (var i = 0; i < models?.Count; i++)
        {
            if (given?.Contains(models[i]) == true)
            {
                continue;
            }

            if (await give(scope, models[i]) == 0)
            {
                return Problem.Invalid(
                    string.Create(CultureInfo.InvariantCulture, $"/models/{i}"),
                    "cannot be kept: this gate has met as many models as it can tell apart.");
            }

            given?.Add(models[i]);
        }

        return null;
    }

    /// <summary>Null for every model.</summary>
    public async ValueTask<ushort[]?> Of(IReadOnlyList<string>? models)
    {
        if (models is null)
        {
            return null;
        }

        var numbers = new ushort[models.Count];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = await find(models[i]);
        }

        return numbers;
    }
}
