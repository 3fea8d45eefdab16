using System.Reflection;
using Tollgate.Server.Hosting;

namespace Tollgate.Server.Tests.Hosting;

/// <summary>Every option from every place it can come from, and every fault at once with its place.</summary>
public sealed class OptionsReaderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-options-");

    private static readonly Dictionary<string, string> Nothing = [];

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>A good value of each option, other than its default.</summary>
    private static readonly Dictionary<string, string> Values = new(StringComparer.Ordinal)
    {
        ["provider"] = "tensorx",
        ["urls"] = "http://127.0.0.1:1; http://[::1]:2",
        ["data"] = "elsewhere",
        ["upstream"] = "http://127.0.0.1:9000/v1",
        ["upstream_key"] = "the-model-servers-own-key",
        ["database"] = "Host=db",
        ["pepper_file"] = "/run/pepper",
        ["root_key"] = "an-operators-own-choice-of-root-key-0123",
        ["lease_seconds"] = "2",
        ["keys_in_memory_max"] = "1000",
        ["body_bytes_max"] = "1024",
        ["trusted_proxies"] = "127.0.0.1, 10.0.0.0/8",
        ["misses_per_minute"] = "60",
        ["public_url"] = "https://console.example.com",
        ["session_idle_hours"] = "1",
        ["session_days"] = "30",
        ["webhook_http"] = "on",
        ["webhook_private_addresses"] = "10.0.0.0/8, fd00::/8",
        ["webhook_retention_days"] = "365",
        ["usage_buffer_events"] = "1024",
        ["usage_log_days"] = "1",
        ["refusal_days"] = "1",
        ["active_limits_max"] = "2048",
        ["reservation_seconds"] = "10",
        ["drain_seconds"] = "0",
        ["request_threads"] = "pool",
        ["mail.host"] = "smtp.example.com",
        ["mail.port"] = "25",
        ["mail.from"] = "gate@example.com",
        ["mail.security"] = "none",
        ["mail.user"] = "gate",
        ["mail.password"] = "the gate's own password",
        ["mail.timeout_seconds"] = "300",
        ["google.client_id"] = "gate.apps.example",
        ["google.client_secret"] = "the gate's secret there",
        ["google.issuer"] = "https://accounts.example",
        ["google.authorize_url"] = "https://accounts.example/authorize",
        ["google.token_url"] = "https://accounts.example/token",
        ["github.client_id"] = "Iv1.0123456789abcdef",
        ["github.client_secret"] = "the gate's other secret there",
        ["github.authorize_url"] = "http://127.0.0.1:3000/authorize",
        ["github.token_url"] = "http://127.0.0.1:3000/token",
        ["github.api_url"] = "http://127.0.0.1:3000/api/v3",
        ["log_level"] = "debug",
        ["log_format"] = "json",
        ["metrics_urls"] = "http://127.0.0.1:9464",
        ["metrics_token"] = "a-scrapers-token",
        ["otlp_endpoint"] = "https://collector.example:4318/base",
        ["otlp_protocol"] = "grpc",
        ["otlp_headers"] = "authorization=Bearer x=,x-tenant=7",
        ["otlp_traces"] = "0.25",
        ["otlp_service_name"] = "gate-eu",
        ["otlp_interval_seconds"] = "1",
        ["otlp_http_metrics"] = "on",
    };

    [Fact]
    public void Every_option_is_read_from_the_file_the_environment_and_the_command_line()
    {
        var options = typeof(GateOptions).GetProperties()
            .Select(property => (property, Option: property.GetCustomAttribute<OptionAttribute>()))
            .Where(row => row.Option is not null).ToList();
        Assert.Equal(options.Select(row => row.Option!.Key).Order(), Values.Keys.Order());
        foreach (var (property, option) in options)
        {
            var value = Values[option!.Key];
            // A key without its server is a fault, and so are a mail server without a sender and a user without a password.
            var beside = option.Key switch
            {
                "upstream_key" => new Dictionary<string, string> { ["TOLLGATE_UPSTREAM"] = "http://127.0.0.1:1" },
                "mail.host" or "mail.user" or "mail.password" => WithMail(option.Variable),
                var key when key.Split('.')[0] is "google" or "github" => WithConnections(option.Variable),
                _ => Nothing,
            };
            var file = Write(option.Key.Split('.') is [var section, var inner]
                ? $"{section}:\n  {inner}: \"{value}\""
                : $"{option.Key}: \"{value}\"");
            AssertIs(OptionsReader.Read(["--config", file], beside));
            AssertIs(OptionsReader.Read([], new Dictionary<string, string>(beside) { [option.Variable] = value }));
            if (option.Argument is not null)
            {
                AssertIs(OptionsReader.Read([option.Argument, value], beside));
                AssertIs(OptionsReader.Read([$"{option.Argument}={value}"], beside));
            }

            void AssertIs((GateOptions? Options, IReadOnlyList<string> Faults) read)
            {
                Assert.Empty(read.Faults);
                Assert.Equal(value, property.GetValue(read.Options)!.ToString());
                Assert.NotEqual(value, property.GetValue(new GateOptions())?.ToString());
            }
        }
    }

    [Theory]
    [InlineData("google.client_id", "gate", "needs google.client_secret beside it")]
    [InlineData("google.client_secret", "s", "needs google.client_id beside it")]
    [InlineData("google.issuer", "https://accounts.example", "needs google.client_id beside it")]
    [InlineData("github.api_url", "https://api.example", "needs github.client_id beside it")]
    [InlineData("github.token_url", "http://10.0.0.1/token", "must be an address such as https://accounts.example.com/authorize")]
    public void A_provider_of_sign_in_is_set_up_whole_and_over_https_or_not_at_all(string key, string value, string fault)
    {
        var variable = "TOLLGATE_" + key.Replace('.', '_').ToUpperInvariant();

        var (options, faults) = OptionsReader.Read([], new Dictionary<string, string> { [variable] = value });

        Assert.Null(options);
        Assert.Contains(faults, one => one.StartsWith($"{variable}: {fault}", StringComparison.Ordinal));
        Assert.Empty(new GateOptions().People.Connections);
        Assert.DoesNotContain(
            "hidden", new GateOptions { GithubClientId = "a", GithubClientSecret = "hidden" }.People.Connections[0].ToString(),
            StringComparison.Ordinal);
    }

    private static Dictionary<string, string> WithConnections(string without)
    {
        var all = new Dictionary<string, string>
        {
            ["TOLLGATE_GOOGLE_CLIENT_ID"] = "a", ["TOLLGATE_GOOGLE_CLIENT_SECRET"] = "b", ["TOLLGATE_GITHUB_CLIENT_ID"] = "c",
            ["TOLLGATE_GITHUB_CLIENT_SECRET"] = "d",
        };
        all.Remove(without);
        return all;
    }

    private static Dictionary<string, string> WithMail(string without)
    {
        var all = new Dictionary<string, string>
        {
            ["TOLLGATE_MAIL_HOST"] = "127.0.0.1", ["TOLLGATE_MAIL_FROM"] = "gate@example.org", ["TOLLGATE_MAIL_USER"] = "u",
            ["TOLLGATE_MAIL_PASSWORD"] = "p",
        };
        all.Remove(without);
        return all;
    }

    [Fact]
    public void A_section_is_read_by_its_lines_and_nothing_else_in_it()
    {
        var file = Write("mail:\n  host: smtp.example.com\n  from: g@example.com\n");
        var (options, faults) = OptionsReader.Read(["--config", file], Nothing);
        Assert.Empty(faults);
        Assert.Equal(
            ("smtp.example.com", 587, "g@example.com", true),
            (options!.Mail.Host, options.Mail.Port, options.Mail.From, options.Mail.IsEncrypted));
        Assert.Empty(OptionsReader.Read(["--config", Write("mail:\n")], Nothing).Faults);
        Assert.Null(OptionsReader.Read(["--config", Write("mail: {host: \"\"}")], Nothing).Options!.Mail.Host);

        foreach (var (text, fault) in new[]
        {
            ("mail: smtp.example.com", ":1:1: mail must hold lines of the form option: value."),
            ("mail: [a]", ":1:1: mail must hold lines of the form option: value."),
            ("mail:\n  hots: a", ":2:3: mail.hots is not an option."),
            ("mail:\n  port: {a: b}", ":2:3: mail.port must be a single value."),
            ("mail:\n  data: a", ":2:3: mail.data is not an option."),
            ("mail.port: 25", ":1:1: mail.port is not an option."),
            ("mail:\n  mail.port: 25", ":2:3: mail.mail.port is not an option."),
        })
        {
            file = Write(text);
            Assert.StartsWith(
                file + fault, Assert.Single(OptionsReader.Read(["--config", file], Nothing).Faults), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("mail.host", "smtp.example.com:25", "must be a name or an address such as smtp.example.com")]
    [InlineData("mail.host", "https://smtp.example.com", "must be a name or an address")]
    [InlineData("mail.port", "0", "must be between 1 and 65535")]
    [InlineData("mail.port", "65536", "must be between 1 and 65535")]
    [InlineData("mail.from", "Gate <gate@example.com>", "must be an address such as gate@example.com, without a name")]
    [InlineData("mail.security", "ssl", "must be among starttls, none")]
    [InlineData("mail.timeout_seconds", "0", "must be between 1 and 300")]
    [InlineData("mail.timeout_seconds", "301", "must be between 1 and 300")]
    public void An_option_of_mail_that_is_wrong_is_told(string key, string value, string expected)
    {
        var variable = $"TOLLGATE_{key.Replace('.', '_').ToUpperInvariant()}";
        // Of a wrong one nothing more is said.
        var given = key == "mail.from" ? Nothing : new Dictionary<string, string> { ["TOLLGATE_MAIL_FROM"] = "gate@example.com" };
        var faults = OptionsReader.Read([], new Dictionary<string, string>(given) { [variable] = value }).Faults;
        Assert.StartsWith($"{variable}: {expected}", Assert.Single(faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HOST", "TOLLGATE_MAIL_HOST: needs mail.from beside it.")]
    [InlineData("HOST,FROM,USER", "TOLLGATE_MAIL_USER: needs mail.password beside it.")]
    [InlineData("HOST,FROM,PASSWORD", "TOLLGATE_MAIL_PASSWORD: needs mail.user beside it.")]
    [InlineData("FROM,USER,PASSWORD", "TOLLGATE_MAIL_USER: needs mail.host beside it.")]
    [InlineData("HOST,FROM,USER,PASSWORD,SECURITY", "TOLLGATE_MAIL_USER: is never sent over a connection that is not encrypted")]
    public void What_cannot_be_meant_together_is_told_and_no_password(string given, string expected)
    {
        var environment = given.Split(',').ToDictionary(
            name => $"TOLLGATE_MAIL_{name}", name => name switch
            {
                "HOST" => "127.0.0.1", "FROM" => "gate@example.com", "SECURITY" => "none", _ => "s3cret",
            });
        var fault = Assert.Single(OptionsReader.Read([], environment).Faults);
        Assert.StartsWith(expected, fault, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void The_command_line_wins_over_the_environment_and_that_over_the_file()
    {
        var file = Write("data: from-file\nprovider: from-file\nlog_level: error\n");
        var environment =
            new Dictionary<string, string> { ["TOLLGATE_DATA"] = "from-environment", ["TOLLGATE_PROVIDER"] = "from-environment" };
        var (options, faults) = OptionsReader.Read(["--config", file, "--data", "from-arguments"], environment);
        Assert.Empty(faults);
        Assert.Equal(("from-arguments", "from-environment", "error"), (options!.Data, options.Provider, options.LogLevel));
    }

    [Fact]
    public void Every_fault_is_named_at_once_with_its_place()
    {
        var file = Write("data: here\nlog_levl: debug\nlog_level: loud\n  \nbody_bytes_max: much\nurls: [a, b]\n");
        var environment = new Dictionary<string, string>
        {
            ["TOLLGATE_DATE"] = "x", ["TOLLGATE_KEYS_IN_MEMORY_MAX"] = "999", ["TOLLGATE_URL"] = "the client's own", ["PATH"] = "/bin",
        };
        var (options, faults) =
            OptionsReader.Read(["--port", "--config", file, "--data", "a", "--data", "b", "--urls", "8700"], environment);
        Assert.Null(options);
        string[] starts =
        [
            "--port: is not an argument. Known are --config, --provider, --urls, --data, --upstream, --upstream-key, --public-url.",
            "--data: is given twice.",
            $"{file}:2:1: log_levl is not an option. Known are provider, urls, data,",
            $"{file}:6:1: urls must be a single value.",
            "TOLLGATE_DATE: is not an option. Known are TOLLGATE_PROVIDER, TOLLGATE_URLS,",
            "--urls: must be addresses such as http://127.0.0.1:8700, not \"8700\".",
            "TOLLGATE_KEYS_IN_MEMORY_MAX: must be between 1000 and 50000000, not \"999\".",
            $"{file}:5:1: body_bytes_max: must be a whole number, not \"much\".",
            $"{file}:3:1: log_level: must be among trace, debug, information, warning, error, critical, none, not \"loud\".",
        ];
        foreach (var start in starts)
        {
            Assert.True(faults.Any(fault =>
                fault.StartsWith(start, StringComparison.Ordinal)), $"{start}\nis not among\n{string.Join('\n', faults)}");
        }

        Assert.Equal(starts.Length, faults.Count);
    }

    [Theory]
    [InlineData("http://127.0.0.1", true)]
    [InlineData("http://*:80,http://localhost:8700", true)]
    [InlineData("https://127.0.0.1:8700", false)]
    [InlineData("http://127.0.0.1:port", false)]
    [InlineData("http://127.0.0.1:99999", false)]
    [InlineData("http://127.0.0.1:8700/base", false)]
    [InlineData("127.0.0.1:8700", false)]
    [InlineData("http://unix:/tmp/socket", false)]
    [InlineData(";", false)]
    public void Addresses_are_held_to_what_the_server_can_listen_on(string urls, bool isGood) =>
        Assert.Equal(isGood, OptionsReader.Read(["--urls", urls], Nothing).Faults.Count == 0);

    [Theory]
    [InlineData("0123456789012345678901234567890")]
    [InlineData("a root key with spaces in it 0123456789")]
    [InlineData("ein-schlüssel-mit-umlaut-0123456789-0123")]
    public void A_root_key_that_is_too_weak_is_refused_without_being_quoted(string key)
    {
        var faults = OptionsReader.Read([], new Dictionary<string, string> { ["TOLLGATE_ROOT_KEY"] = key }).Faults;
        Assert.StartsWith("TOLLGATE_ROOT_KEY: must have 32 to 256 printable characters", Assert.Single(faults), StringComparison.Ordinal);
        Assert.DoesNotContain(key, faults[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data: [", ":2:1:")]
    [InlineData("data: a\ndata: b", ":2:1:")]
    [InlineData("just text", ":1:1: must hold lines of the form option: value.")]
    public void A_file_that_is_no_mapping_is_told_with_its_place(string text, string place)
    {
        var file = Write(text);
        var fault = Assert.Single(OptionsReader.Read(["--config", file], Nothing).Faults);
        Assert.StartsWith(file + place, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_was_named_must_exist_and_an_empty_value_is_none()
    {
        Assert.Contains(
            "there is no such file", Assert.Single(
                OptionsReader.Read(["--config", "/nowhere.yaml"], Nothing).Faults), StringComparison.Ordinal);
        Assert.Equal("--data: needs a value.", Assert.Single(OptionsReader.Read(["--data"], Nothing).Faults));
        Assert.Equal("--data: needs a value.", Assert.Single(OptionsReader.Read(["--data="], Nothing).Faults));
        var (options, faults) = OptionsReader.Read(
            ["--config", Write("database:\nroot_key: \"\"\n")], new Dictionary<string, string> { ["TOLLGATE_DATA"] = "" });
        Assert.Empty(faults);
        Assert.Equal(new GateOptions { UpstreamsAnew = options!.UpstreamsAnew }, options);
        Assert.Empty(OptionsReader.Read(["--config", Write("")], Nothing).Faults);
    }

    [Theory]
    [InlineData("public_url", "http://console.example.com", "must be an address such as https://console.example.com")]
    [InlineData("public_url", "https://console.example.com/path", "without a path")]
    [InlineData("public_url", "https://a:b@console.example.com", "without a path")]
    [InlineData("public_url", "console.example.com", "must be an address")]
    [InlineData("session_idle_hours", "0", "must be between 1 and 168")]
    [InlineData("session_idle_hours", "169", "must be between 1 and 168")]
    [InlineData("session_days", "0", "must be between 1 and 30")]
    [InlineData("session_days", "31", "must be between 1 and 30")]
    [InlineData("usage_buffer_events", "512", "must be a power of two between 1024 and 16777216")]
    [InlineData("usage_buffer_events", "1025", "must be a power of two")]
    [InlineData("usage_buffer_events", "33554432", "must be a power of two")]
    [InlineData("usage_log_days", "0", "must be between 1 and 3650")]
    [InlineData("usage_log_days", "3651", "must be between 1 and 3650")]
    [InlineData("refusal_days", "366", "must be between 1 and 365")]
    [InlineData("active_limits_max", "2047", "must be between 2048 and 67108864")]
    [InlineData("active_limits_max", "67108865", "must be between 2048 and 67108864")]
    [InlineData("reservation_seconds", "9", "must be between 10 and 86400")]
    [InlineData("reservation_seconds", "86401", "must be between 10 and 86400")]
    [InlineData("drain_seconds", "3601", "must be between 0 and 3600")]
    [InlineData("log_format", "xml", "must be among text, json")]
    [InlineData("metrics_urls", "https://127.0.0.1:9464", "must be addresses such as")]
    [InlineData("metrics_token", "fifteen-letters", "must have 16 to 256 printable characters")]
    [InlineData("metrics_token", "with a space in it", "must have 16 to 256 printable characters")]
    [InlineData("otlp_endpoint", "127.0.0.1:4318", "must be an address such as http://127.0.0.1:4318")]
    [InlineData("otlp_endpoint", "http://user:pass@127.0.0.1:4318", "must be an address such as")]
    [InlineData("otlp_endpoint", "ftp://127.0.0.1", "must be an address such as")]
    [InlineData("otlp_protocol", "udp", "must be among http, grpc")]
    [InlineData("otlp_headers", "no-value", "must be pairs such as name=value")]
    [InlineData("otlp_headers", "a=b,,c=d", "must be pairs such as name=value")]
    [InlineData("otlp_headers", "a b=c", "must be pairs such as name=value")]
    [InlineData("otlp_traces", "1.01", "must be between 0 and 1")]
    [InlineData("otlp_traces", "-0.5", "must be a number such as 0.25")]
    [InlineData("otlp_traces", "0,5", "must be a number such as 0.25")]
    [InlineData("otlp_interval_seconds", "0", "must be between 1 and 3600")]
    [InlineData("otlp_http_metrics", "yes", "must be among on, off")]
    public void An_option_of_telemetry_that_is_wrong_is_told_and_a_secret_one_not_quoted(string key, string value, string expected)
    {
        var environment = new Dictionary<string, string> { [$"TOLLGATE_{key.ToUpperInvariant()}"] = value };
        var fault = Assert.Single(OptionsReader.Read([], environment).Faults);
        Assert.Contains(expected, fault, StringComparison.Ordinal);
        Assert.Equal(key is not ("metrics_token" or "otlp_headers"), fault.Contains(value, StringComparison.Ordinal));
    }

    private string Write(string text)
    {
        var file = Path.Combine(_folder.FullName, Path.GetRandomFileName() + ".yaml");
        File.WriteAllText(file, text);
        return file;
    }
}
