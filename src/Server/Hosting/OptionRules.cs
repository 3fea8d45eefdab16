using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Tollgate.Engine.Keys;
using Tollgate.Server.Mail;
using Tollgate.Server.Storage;
using Tollgate.Server.Upstreams;
using Tollgate.Server.Verification;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Hosting;

/// <summary>Addresses to listen on, separated by ; or a comma. Plain HTTP: certificates are the business of the proxy in front.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class HttpUrlsAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => Split((string)value!) is { Length: > 0 } urls && urls.All(IsUrl);

    public override string FormatErrorMessage(string name) => $"{name} must be addresses such as http://127.0.0.1:8700";

    public static string[] Split(string urls) =>
        urls.Split([';', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static bool IsUrl(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            return address is { Scheme: "http", PathBase: "", IsUnixPipe: false, IsNamedPipe: false, Port: >= 0 and <= 65_535 }
                && (address.Host is "*" or "+" || Uri.CheckHostName(address.Host) != UriHostNameType.Unknown);
        }
        catch (FormatException)
        {
            return false;
        }
    }
}

/// <summary>Where people reach the console: https, or http on the machine itself; no path, no query.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PublicAddressAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => Uri.TryCreate((string)value!, UriKind.Absolute, out var url)
        && url is { AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" }
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));

    public override string FormatErrorMessage(string name) =>
        $"{name} must be an address such as https://console.example.com, or http://localhost:8700 on the machine itself, without a path";
}

/// <summary>Where a provider of sign-in is: https, or http on the machine itself.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ConnectionUrlAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => Uri.TryCreate((string)value!, UriKind.Absolute, out var url)
        && url is { Fragment: "", UserInfo: "" }
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));

    public override string FormatErrorMessage(string name) =>
        $"{name} must be an address such as https://accounts.example.com/authorize, or with http on the machine itself";
}

/// <summary>A number of places in a ring.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PowerOfTwoAttribute(int least, int most) : ValidationAttribute
{
    public override bool IsValid(object? value) => value is int number && number >= least && number <= most && int.IsPow2(number);

    public override string FormatErrorMessage(string name) =>
        string.Create(CultureInfo.InvariantCulture, $"{name} must be a power of two between {least} and {most}");
}

/// <summary>Key and value pairs that name a PostgreSQL server. The value may hold a password and is never quoted.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PostgresConnectionAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => PostgresDriver.IsConnectionString((string)value!);

    public override string FormatErrorMessage(string name) =>
        $"{name} must be a connection string such as Host=127.0.0.1;Database=tollgate;Username=tollgate";
}

/// <summary>What the operator's own choice of root key must be.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AcceptableRootKeyAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => RootKey.IsAcceptable((string)value!);

    public override string FormatErrorMessage(string name) =>
        $"{name} must have {RootKey.LengthMin} to {Credential.SecretBytesMax} printable characters without spaces";
}

/// <summary>Where a server behind the gate is.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class UpstreamUrlAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => UpstreamBounds.TryReadUrl((string)value!, out _);

    public override string FormatErrorMessage(string name) => $"{name} {UpstreamBounds.UrlForm}";
}

/// <summary>What the credential for a server behind the gate must be.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AcceptableUpstreamKeyAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => UpstreamBounds.IsKey((string)value!);

    public override string FormatErrorMessage(string name) => $"{name} {UpstreamBounds.KeyForm}";
}

/// <summary>What a token for reading metrics must be.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AcceptableTokenAttribute : ValidationAttribute
{
    public const int LengthMin = 16;
    public const int LengthMax = 256;

    public override bool IsValid(object? value) =>
        value is string { Length: >= LengthMin and <= LengthMax } text && !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    public override string FormatErrorMessage(string name) =>
        $"{name} must have {LengthMin} to {LengthMax} printable characters without spaces";
}

/// <summary>The address of an OpenTelemetry collector, without what only its paths add.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class CollectorUrlAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) =>
        Uri.TryCreate((string)value!, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
        && url is { Query: "", Fragment: "", UserInfo: "" };

    public override string FormatErrorMessage(string name) => $"{name} must be an address such as http://127.0.0.1:4318";
}

/// <summary>Headers as OpenTelemetry writes them: <c>name=value,name=value</c>. A value may be a secret and is never quoted.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class HeaderPairsAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => Split((string)value!).All(pair => pair is [{ Length: > 0 } name, { Length: > 0 } text]
        && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.')
        && text.All(character => character is >= ' ' and <= '~'));

    public override string FormatErrorMessage(string name) => $"{name} must be pairs such as name=value,name=value";

    public static IEnumerable<string[]> Split(string pairs) =>
        pairs.Split(',').Select(pair => pair.Split('=', 2, StringSplitOptions.TrimEntries));
}

/// <summary>Addresses and networks of proxies, separated by commas.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ProxyNetworksAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => TrustedProxies.From((string)value!) is not null;

    public override string FormatErrorMessage(string name) =>
        $"{name} must be at most {AddressRule.RangesMax} addresses and networks such as 127.0.0.1, 10.0.0.0/8, 2001:db8::/32, "
        + "each network by its own first address";
}

/// <summary>Networks that webhooks may reach though they are not public, separated by commas.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class WebhookNetworksAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => WebhookOptions.TryReadNetworks((string)value!, out _);

    public override string FormatErrorMessage(string name) =>
        $"{name} must be at most {AddressRule.RangesMax} addresses and networks such as 10.0.0.0/8, fd00::/8, each network by its own "
        + "first address";
}

/// <summary>The name or the address of a mail server, without a port.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class MailHostAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => Uri.CheckHostName((string)value!) != UriHostNameType.Unknown;

    public override string FormatErrorMessage(string name) => $"{name} must be a name or an address such as smtp.example.com";
}

/// <summary>Whom mail comes from.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class MailAddressAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => Mailbox.IsGood((string)value!);

    public override string FormatErrorMessage(string name) => $"{name} must be an address such as gate@example.com, without a name";
}
