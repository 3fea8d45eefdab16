using System.Text.RegularExpressions;
using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads <c>wallet</c>: how requests are paid for.</summary>
internal static partial class WalletSection
{
    private const int UrlCharsMax = 500;
    private static readonly Money AmountMax = new(1_000_000 * Money.MicrosPerUnit);

    private static readonly Dictionary<string, WalletMode> Modes = new(StringComparer.Ordinal)
    {
        ["strict"] = WalletMode.Strict, ["extend"] = WalletMode.Extend,
    };

    public static WalletRules? Read(YamlNode? node, ErrorList errors)
    {
        if (node is null)
        {
            return null;
        }

        var fields = FieldReader.Of(node, Vocabulary.Wallet, errors);
        var rules = new WalletRules
        {
            Currency = fields.Matching("currency", CurrencyForm(), "a currency as ISO 4217 writes it, such as USD"),
            ToCreateAbove = fields.Amount("to_create_above", AmountMax),
            DisableAt = fields.Amount("disable_at", AmountMax),
            LowAt = fields.Amount("low_at", AmountMax),
            TopUpUrl = ReadUrl(fields, errors),
            Mode = fields.Choice("mode", Modes, WalletMode.Strict),
            StepTokens = fields.Number("step_tokens", 1, WalletRules.StepTokensMax, WalletRules.StepTokensDefault),
        };
        if (rules.Mode == WalletMode.Strict && fields["step_tokens"] is { } step)
        {
            errors.Report(step, "step_tokens is of mode extend: otherwise all is held at once");
        }

        if (rules.LowAt < rules.DisableAt)
        {
            errors.Report(
                fields["low_at"]!, $"low_at {rules.LowAt} is below disable_at {rules.DisableAt}: the owner would be told too late");
        }

        return rules;
    }

    private static string? ReadUrl(FieldReader fields, ErrorList errors)
    {
        if (fields["top_up_url"] is null)
        {
            return null;
        }

        var url = fields.Text("top_up_url", UrlCharsMax);
        var isGood = Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "https" or "http"
            && parsed!.UserInfo.Length == 0;
        if (url.Length > 0 && !isGood)
        {
            errors.Report(fields["top_up_url"]!, $"\"{url}\" is not an http or https address");
        }

        return url;
    }

    [GeneratedRegex(@"\A[A-Z]{3}\z")]
    private static partial Regex CurrencyForm();
}
