using Tollgate.Engine.Wallet;
using Tollgate.Gateway.Metering;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Usage;
using Tollgate.Server.Verification;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Surfaces;

/// <summary>What a call to a model is admitted with, and how it goes on.</summary>
internal readonly record struct CallTerms
{
    /// <summary>In the terms of the check: tokens are estimated, money is held for the most there can be.</summary>
    public required PricedUse Use { get; init; }

    /// <summary>The most output tokens of a choice that the upstream is told; null to leave the call as it is.</summary>
    public int? OutputMax { get; init; }

    /// <summary>Null where no price is known.</summary>
    public ModelPrice? Price { get; init; }

    /// <summary>More input tokens than it can have.</summary>
    public uint InputBound { get; init; }

    /// <summary>The most output tokens of all choices.</summary>
    public uint OutputTotal { get; init; }

    /// <summary>Output tokens paid ahead at a time; 0 where all of them are held.</summary>
    public uint Step { get; init; }
}

/// <summary>
/// Turns a call into what is set aside for it: never less than it can cost, where requests are paid for. A model without a price is then
/// refused, and so is a call of which nobody can say how long its answer may be.
/// </summary>
internal sealed class CallPricer(ProviderModel provider, PriceBook prices, ModelNames models)
{
    /// <summary>Bytes of text that make a token, in an estimate.</summary>
    private const int BytesOfToken = 4;

    /// <summary>Waits only for a model that nobody has asked for before.</summary>
    public async ValueTask<Outcome<CallTerms>> Price(ModelCall call)
    {
        if (!prices.Find(call.Model).TryGet(out var priced, out var problem))
        {
            return problem;
        }

        if (!(await models.LearnAsked(call.Model)).TryGet(out var number, out problem))
        {
            return problem;
        }

        var each = OutputOf(call, priced.Offer);
        if (provider.Wallet is not null && each == 0 && call.Kind != ModelCallKind.Embedding)
        {
            return Problem.Invalid("/max_tokens", "is needed: nothing says how many tokens this model answers with at most.");
        }

        return TermsOf(call, priced, number, each);
    }

    private CallTerms TermsOf(ModelCall call, PricedModel priced, ushort number, int each)
    {
        var total = Math.Min((long)each * call.FanOut, int.MaxValue);
        var isPaid = provider.Wallet is not null;
        var step = provider.Wallet is { Mode: WalletMode.Extend } wallet && call is { Streams: true, Kind: not ModelCallKind.Embedding }
            ? wallet.StepTokens : 0;
        return new CallTerms
        {
            Use = new PricedUse
            {
                Model = number,
                PriceVersion = priced.Price is null ? (ushort)0 : priced.Version,
                InputTokens = ((call.InputBound - 1) / BytesOfToken) + 1,
                OutputTokens = (int)total,
                Hold = priced.Price?.MostCost(call.InputBound, step > 0 ? Math.Min(step, total) : total),
            },
            OutputMax = isPaid && call.Kind != ModelCallKind.Embedding && (call.OutputMax is not { } asked || asked > each) ? each : null,
            Price = priced.Price,
            InputBound = (uint)call.InputBound,
            OutputTotal = (uint)total,
            Step = isPaid ? (uint)step : 0,
        };
    }

    /// <summary>The most output tokens of one choice; 0 where nothing bounds them.</summary>
    private static int OutputOf(ModelCall call, ModelOffer? offer)
    {
        if (call.Kind == ModelCallKind.Embedding)
        {
            return 0;
        }

        var most = offer?.OutputMax ?? 0;
        var asked = call.OutputMax ?? (offer is { OutputDefault: > 0 } ? offer.OutputDefault : most);
        return most > 0 ? Math.Min(asked, most) : asked;
    }
}
