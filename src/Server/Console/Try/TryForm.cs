using System.Globalization;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Keys;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.Try;

/// <summary>The form of a trial: what can be chosen, what was typed, and what is wrong with it.</summary>
internal sealed record TryForm(string Model, string Message, string TokensMax)
{
    /// <summary>Of the message; every character of it fits into the form, however it is written.</summary>
    public const int MessageCharsMax = 1_000;

    public const int TokensMost = 1_000_000;

    private const int ModelCharsMax = 200;

    public static TryForm Empty { get; } = new("", "Hello", "");

    /// <summary>Null where nothing is asked for.</summary>
    public int? Tokens => int.TryParse(TokensMax, NumberStyles.None, CultureInfo.InvariantCulture, out var most) ? most : null;

    public static TryForm Of(IFormCollection sent) =>
        new(Text(sent, "model").Trim(), Text(sent, "message").ReplaceLineEndings("\n"), Text(sent, "tokens").Trim());

    public TryFormFacts Show(string home, Key? chosen, IEnumerable<Key> keys, ProviderModel provider, string? makeHref)
    {
        var models = ModelsOf(chosen, provider);
        return new TryFormFacts(home, chosen?.Id.ToString())
        {
            Keys =
            [
                .. keys.Select(key => new FormChoice(key.Id.ToString(), key.Name, key.Mask, key.KeyNo == chosen?.KeyNo)),
            ],
            Models = [.. models.Select(model => new FormChoice(model, model, null, model == Model))],
            Model = Model, Message = Message, TokensMax = TokensMax, MakeHref = makeHref,
        };
    }

    public IReadOnlyList<PageFault> Faults(Key key, ProviderModel provider)
    {
        var (faults, models) = (new List<PageFault>(), ModelsOf(key, provider));
        if (Model.Length is 0 or > ModelCharsMax || (models.Count > 0 && !models.Contains(Model)))
        {
            faults.Add(new PageFault("model", "Choose a model that the key may use."));
        }

        if (string.IsNullOrWhiteSpace(Message) || Message.Length > MessageCharsMax)
        {
            faults.Add(new PageFault("message", $"It must have 1 to {Shown.Number(MessageCharsMax)} characters."));
        }

        if (TokensMax.Length > 0 && Tokens is not (>= 1 and <= TokensMost))
        {
            faults.Add(new PageFault("tokens", $"It must be a whole number from 1 to {Shown.Number(TokensMost)}."));
        }

        return faults;
    }

    /// <summary>Where requests are paid for, only what has a price is on offer. None: any, by its name.</summary>
    private static List<string> ModelsOf(Key? key, ProviderModel provider)
    {
        var offered = provider.Models.Where(model => provider.Wallet is null || model.Price is not null).Select(model => model.Id).ToList();
        return key?.Models is not { } own ? offered
            : offered.Count == 0 || provider.Wallet is null ? [.. own]
            : [.. offered.Where(own.Contains)];
    }

    private static string Text(IFormCollection sent, string name) => sent[name] is [{ } text] ? text : "";
}
