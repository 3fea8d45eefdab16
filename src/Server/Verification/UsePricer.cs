using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Usage;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Verification;

/// <summary>
/// Turns what an API server says of a request into what the check sets aside for it: never less than it can cost. Where requests are paid
/// from a wallet, a model without a price is refused, and so is a request of which nobody can say how long its answer may be.
/// </summary>
internal sealed class UsePricer(ProviderModel provider, PriceBook prices, ModelNames models)
{
    /// <summary>Waits only for a model that nobody has asked for before.</summary>
    /// <param name="model">Null when none was told.</param>
    /// <param name="tokens">Null when none were told.</param>
    /// <param name="at">The JSON pointer of the call.</param>
    public ValueTask<Outcome<PricedUse>> Price(string? model, TokenBounds? tokens, string at)
    {
        if (model is null)
        {
            return new(provider.Wallet is not null && tokens is not null
                ? Problem.Invalid($"{at}/model", "is needed: requests are paid for by model.")
                : new PricedUse { InputTokens = tokens?.Input ?? 0, OutputTokens = tokens?.OutputMax ?? 0 });
        }

        if (!prices.Find(model).TryGet(out var priced, out var problem))
        {
            return new(problem);
        }

        if (provider.Wallet is not null && tokens is null)
        {
            return new(Problem.Invalid($"{at}/tokens/input", "is needed: what a request brings is paid for."));
        }

        var offer = priced.Offer;
        var output = tokens?.OutputMax ?? (offer is { OutputDefault: > 0 } ? offer.OutputDefault : offer?.OutputMax ?? 0);
        if (offer is { OutputMax: > 0 })
        {
            output = Math.Min(output, offer.OutputMax);
        }

        if (provider.Wallet is not null && tokens?.OutputMax is null && output == 0)
        {
            return new(Problem.Invalid(
                $"{at}/tokens/max_output", "is needed: nothing says how many tokens this model answers with at most."));
        }

        var use = new PricedUse
        {
            PriceVersion = priced.Price is null ? (ushort)0 : priced.Version,
            InputTokens = tokens?.Input ?? 0,
            OutputTokens = output,
            Hold = priced.Price?.MostCost(tokens?.Input ?? 0, output),
        };
        return models.TryFind(model, out var number) ? new(use with { Model = number }) : Learn(model, use);
    }

    private async ValueTask<Outcome<PricedUse>> Learn(string model, PricedUse use) =>
        (await models.Learn(model)).TryGet(out var number, out var problem) ? use with { Model = number } : problem;
}
