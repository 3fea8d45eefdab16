using System.ComponentModel.DataAnnotations;
using Tollgate.Server.Storage;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Hosting;

/// <summary>
/// Everything an operator can set. Each is documented in <c>docs/reference/configuration.md</c>; a test holds the two together.
/// </summary>
internal sealed record GateOptions
{
    [Option("provider", "TOLLGATE_PROVIDER", "--provider")]
    public string Provider { get; init; } = "default";

    [Option("urls", "TOLLGATE_URLS", "--urls")]
    [HttpUrls]
    public string Urls { get; init; } = "http://127.0.0.1:8700";

    [Option("data", "TOLLGATE_DATA", "--data")]
    public string Data { get; init; } = "data";

    /// <summary>A PostgreSQL connection string; without one the database is SQLite in the data folder.</summary>
    [Option("database", "TOLLGATE_DATABASE", null, IsSecret = true)]
    [PostgresConnection]
    public string? Database { get; init; }

    /// <summary>Where the pepper lies; without a path, in the data folder.</summary>
    [Option("pepper_file", "TOLLGATE_PEPPER_FILE", null)]
    public string? PepperFile { get; init; }

    /// <summary>
    /// The operator's own choice of root key, at least 32 characters; without one, made at the first start and printed once.
    /// </summary>
    [Option("root_key", "TOLLGATE_ROOT_KEY", null, IsSecret = true)]
    [AcceptableRootKey]
    public string? RootKey { get; init; }

    /// <summary>How many secrets the memory table holds before it lets unused ones go.</summary>
    [Option("keys_in_memory_max", "TOLLGATE_KEYS_IN_MEMORY_MAX", null)]
    [Range(1_000, 50_000_000)]
    public int KeysInMemoryMax { get; init; } = 2_000_000;

    /// <summary>The largest request body a provider's route takes, in bytes.</summary>
    [Option("body_bytes_max", "TOLLGATE_BODY_BYTES_MAX", null)]
    [Range(1_024, 1_073_741_824)]
    public int BodyBytesMax { get; init; } = 33_554_432;

    /// <summary>From which level on the log is written: trace, debug, information, warning, error, critical or none.</summary>
    [Option("log_level", "TOLLGATE_LOG_LEVEL", null)]
    [AllowedValues("trace", "debug", "information", "warning", "error", "critical", "none")]
    public string LogLevel { get; init; } = "information";

    /// <summary>Never prints the root key or the connection string.</summary>
    public override string ToString() => $"provider {Provider}, urls {Urls}, data {Data}";
}

/// <summary>The names of an option in <c>tollgate.yaml</c>, in the environment and, where it has one, on the command line.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OptionAttribute(string key, string variable, string? argument) : Attribute
{
    public string Key { get; } = key;

    public string Variable { get; } = variable;

    public string? Argument { get; } = argument;

    /// <summary>A fault does not quote the value.</summary>
    public bool IsSecret { get; init; }
}

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
