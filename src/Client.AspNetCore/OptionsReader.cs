using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Tollgate.Client.AspNetCore;

/// <summary>Fills the options from the configuration, and says everything that is wrong with them at once.</summary>
internal sealed class OptionsReader(IConfiguration? configuration) : IConfigureOptions<TollgateOptions>, IValidateOptions<TollgateOptions>
{
    private const string AddressVariable = "TOLLGATE_URL";
    private const string KeyVariable = "TOLLGATE_KEY";

    private static readonly TimeSpan CacheForMax = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan BoundMin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BoundMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan TimeoutMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan TimeoutMax = TimeSpan.FromMinutes(1);

    public void Configure(TollgateOptions options)
    {
        if (configuration is null)
        {
            return;
        }

        SetAddress(options, AddressVariable, configuration[AddressVariable]);
        SetKey(options, KeyVariable, configuration[KeyVariable]);
        foreach (var member in configuration.GetSection(TollgateOptions.Section).GetChildren())
        {
            Set(options, member.Key, $"{TollgateOptions.Section}:{member.Key}", member.Value);
        }
    }

    public ValidateOptionsResult Validate(string? name, TollgateOptions options)
    {
        List<string> faults = [.. options.ConfigurationFaults];
        if (options.Address is null)
        {
            faults.Add($"Address is needed: where the gate is, such as http://127.0.0.1:8700 (or set {AddressVariable}).");
        }
        else if (!options.Address.IsAbsoluteUri || options.Address.Scheme is not ("http" or "https"))
        {
            faults.Add("Address must be an http or https address, such as http://127.0.0.1:8700.");
        }

        if (options.Key is null)
        {
            faults.Add($"Key is needed: a key with the right verify (or set {KeyVariable}).");
        }

        Hold("CacheFor", options.CacheFor, TimeSpan.Zero, CacheForMax);
        Hold("RevocationBound", options.RevocationBound, BoundMin, BoundMax);
        Hold("Timeout", options.Timeout, TimeoutMin, TimeoutMax);
        if (options.CacheEntriesMax is < 1 or > 100_000)
        {
            faults.Add("CacheEntriesMax must be between 1 and 100000.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults.Select(fault => "Tollgate: " + fault));

        void Hold(string member, TimeSpan value, TimeSpan least, TimeSpan most)
        {
            if (value < least || value > most)
            {
                faults.Add($"{member} must be between {least:c} and {most:c}.");
            }
        }
    }

    private static void Set(TollgateOptions options, string member, string place, string? text)
    {
        switch (member.ToUpperInvariant())
        {
            case "ADDRESS":
                SetAddress(options, place, text);
                break;
            case "KEY":
                SetKey(options, place, text);
                break;
            case "CACHEFOR":
                options.CacheFor = Span(options, place, text) ?? options.CacheFor;
                break;
            case "REVOCATIONBOUND":
                options.RevocationBound = Span(options, place, text) ?? options.RevocationBound;
                break;
            case "TIMEOUT":
                options.Timeout = Span(options, place, text) ?? options.Timeout;
                break;
            case "CACHEENTRIESMAX":
                var isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
                options.CacheEntriesMax = isNumber ? number : Fault(options, place, "a number", options.CacheEntriesMax);
                break;
            case "SENDSADDRESS":
                options.SendsAddress = bool.TryParse(text, out var sends) ? sends : Fault(options, place, "true or false", true);
                break;
            default:
                options.ConfigurationFaults.Add($"{place} is not an option.");
                break;
        }
    }

    private static void SetAddress(TollgateOptions options, string place, string? text)
    {
        if (!string.IsNullOrEmpty(text))
        {
            options.Address = Uri.TryCreate(text, UriKind.Absolute, out var address)
                ? address
                : Fault(options, place, "an address such as http://127.0.0.1:8700", options.Address);
        }
    }

    /// <summary>A fault does not quote the value.</summary>
    private static void SetKey(TollgateOptions options, string place, string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return;
        }

        try
        {
            options.Key = Secret.From(text);
        }
        catch (ArgumentException)
        {
            options.ConfigurationFaults.Add($"{place} must have visible ASCII characters only, without spaces.");
        }
    }

    private static TimeSpan? Span(TollgateOptions options, string place, string? text) =>
        TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var span)
            ? span
            : Fault<TimeSpan?>(options, place, "a time such as 00:00:30", null);

    private static T Fault<T>(TollgateOptions options, string place, string expected, T instead)
    {
        options.ConfigurationFaults.Add($"{place} must be {expected}.");
        return instead;
    }
}
