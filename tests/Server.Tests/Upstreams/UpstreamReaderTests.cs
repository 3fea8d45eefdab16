using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Hosting;
using Tollgate.Server.Upstreams;

namespace Tollgate.Server.Tests.Upstreams;

/// <summary>The upstreams as an operator writes them, on one line or in a list, and every fault with its place.</summary>
public sealed class UpstreamReaderTests : IDisposable
{
    private static readonly Dictionary<string, string> Nothing = [];

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void One_line_makes_an_upstream_for_everything()
    {
        var options = Good(["--upstream", "http://127.0.0.1:9000/v1", "--upstream-key", "secret"], Nothing);
        var only = Assert.Single(options.Upstreams);
        Assert.Equal(
            new UpstreamConfig { Name = "upstream", Url = new Uri("http://127.0.0.1:9000/v1"), Key = "secret" }, only);
        Assert.DoesNotContain("secret", only.ToString(), StringComparison.Ordinal);
        Assert.Empty(Good([], Nothing).Upstreams);
    }

    [Fact]
    public void Every_member_of_the_list_is_read_and_what_is_left_out_has_its_default()
    {
        var options = Listed(
            """
            upstreams:
              - name: big-1
                url: https://gpu-1.internal/v1
                key_env: BIG_KEY
                models: [qwen3, "deep*"]
                routes: [/v1/files/**]
                connect_seconds: 2
                first_byte_seconds: 3
                idle_seconds: 4
                concurrency: 5
                health: /health?full=1
              - { name: rest, url: "http://127.0.0.1:9000", key: its-own }
            """,
            new Dictionary<string, string> { ["BIG_KEY"] = "from-the-environment" });
        Assert.Equal(
            [
                new UpstreamConfig
                {
                    Name = "big-1",
                    Url = new Uri("https://gpu-1.internal/v1"),
                    Key = "from-the-environment",
                    Models = ["qwen3", "deep*"],
                    Routes = ["/v1/files/**"],
                    Connect = TimeSpan.FromSeconds(2),
                    FirstByte = TimeSpan.FromSeconds(3),
                    Idle = TimeSpan.FromSeconds(4),
                    ConcurrencyMax = 5,
                    HealthPath = "/health?full=1",
                },
                new UpstreamConfig
                {
                    Name = "rest",
                    Url = new Uri("http://127.0.0.1:9000"),
                    Key = "its-own",
                    Connect = TimeSpan.FromSeconds(5),
                    FirstByte = TimeSpan.FromSeconds(600),
                    Idle = TimeSpan.FromSeconds(120),
                    ConcurrencyMax = 10_000,
                },
            ],
            options.Upstreams);
    }

    [Theory]
    [InlineData("name", "a", "1234567890123456789012345678901234567890", "12345678901234567890123456789012345678901")]
    [InlineData("name", "gpu-1", "0", "Gpu")]
    [InlineData("name", "gpu-1", "echoes", "echo")]
    [InlineData("url", "http://h", "https://h:1/a/b", "ftp://h")]
    [InlineData("url", "http://h", "http://h/", "http://user:password@h")]
    [InlineData("url", "http://h", "http://[::1]:9000/v1", "http://h/?q=1")]
    [InlineData("url", "http://h", "http://h/v1", "h:9000")]
    [InlineData("models", "[a]", "[a/b:c*]", "[a*b]")]
    [InlineData("routes", "[/v1/**]", "['/v1/models/{model}']", "[v1]")]
    [InlineData("models", "[a]", "[a, b]", "[]")]
    [InlineData("connect_seconds", "1", "60", "61")]
    [InlineData("connect_seconds", "1", "2", "0")]
    [InlineData("first_byte_seconds", "1", "3600", "3601")]
    [InlineData("idle_seconds", "1", "3600", "3601")]
    [InlineData("idle_seconds", "1", "2", "0.5")]
    [InlineData("concurrency", "1", "100000", "100001")]
    [InlineData("concurrency", "1", "2", "0")]
    [InlineData("health", "/", "/up?x=1", "up")]
    [InlineData("key", "k", "\"~!@#\"", "\"with a space\"")]
    [InlineData("headers", null, null, "{}")]
    public void Each_member_is_held_to_its_bounds(string member, string? least, string? most, string bad)
    {
        foreach (var good in new[] { least, most }.OfType<string>())
        {
            Listed(With(member, good), Nothing);
        }

        var fault = Assert.Single(Faults(With(member, bad)));
        Assert.StartsWith($"{_file}:", fault, StringComparison.Ordinal);
        Assert.Contains($"upstreams[0].{member}", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("with a space", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("password", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_the_environment_shall_have_must_be_there_and_is_none_of_the_gates_own()
    {
        var text = With("key_env", "ITS_KEY");
        Assert.Contains("upstreams[0].key_env: must name a variable", Assert.Single(Faults(text)), StringComparison.Ordinal);
        Assert.Single(Faults(text, new Dictionary<string, string> { ["ITS_KEY"] = "with a space" }));
        Assert.Single(Faults(
            With("key_env", "TOLLGATE_ROOT_KEY"), new Dictionary<string, string> { ["TOLLGATE_ROOT_KEY"] = new('r', 40) }));
        Assert.Contains("only one of them", Assert.Single(Faults(
            With("key", "k\n    key_env: ITS_KEY"), new Dictionary<string, string> { ["ITS_KEY"] = "k" })), StringComparison.Ordinal);
    }

    [Fact]
    public void All_faults_are_told_at_once_each_at_its_line()
    {
        var faults = Faults(
            """
            upstreams:
              - name: a
                url: nowhere
              - name: a
                url: http://h
                idle_seconds: never
              - just text
            """);
        Assert.Equal(
            [
                $"{_file}:3:10: upstreams[0].url: {UpstreamBounds.UrlForm}, not \"nowhere\".",
                $"{_file}:6:19: upstreams[1].idle_seconds: must be a whole number between 1 and 3600, not \"never\".",
                $"{_file}:4:5: upstreams[1].name: is given twice: \"a\".",
                $"{_file}:7:5: upstreams[2]: must hold lines of the form member: value.",
            ],
            faults);
    }

    [Fact]
    public void There_are_sixty_four_at_most()
    {
        Assert.Equal(64, Listed(Many(64), Nothing).Upstreams.Count);
        Assert.Contains("at most 64", Assert.Single(Faults(Many(65))), StringComparison.Ordinal);

        static string Many(int count) => "upstreams:\n" + string.Concat(
            Enumerable.Range(0, count).Select(i => $"  - {{ name: u{i}, url: \"http://h\" }}\n"));
    }

    [Theory]
    [InlineData("upstreams: [{ name: a, url: \"http://h\" }]", "--upstream", "http://h", "stands beside the list")]
    [InlineData("upstreams: [{ name: a, url: \"http://h\" }]", "--upstream-key", "k", "stands beside the list")]
    [InlineData("", "--upstream-key", "k", "--upstream-key: needs upstream beside it.")]
    [InlineData("", "--upstream", "http://user:secret@h", "must be an http or https address")]
    [InlineData("upstream: http://h", "--upstream-key", "secret key", "must have 1 to 4096 printable characters")]
    public void What_cannot_be_meant_is_refused_and_no_secret_is_told(string file, string argument, string value, string expected)
    {
        File.WriteAllText(_file, file);
        var (options, faults) = OptionsReader.Read(["--config", _file, argument, value], Nothing);
        Assert.Null(options);
        Assert.Contains(expected, Assert.Single(faults), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", faults[0], StringComparison.Ordinal);
    }

    [Fact]
    public void They_are_read_anew_from_where_they_came()
    {
        var options = Listed("upstreams: [{ name: a, url: \"http://h\" }]", Nothing);
        File.WriteAllText(_file, "upstreams: [{ name: b, url: \"http://h\" }]");
        Assert.Equal("b", Assert.Single(options.UpstreamsAnew().Upstreams!).Name);

        File.WriteAllText(_file, "upstreams: [{ name: B, url: \"http://h\" }]\nlog_level: loud");
        var (upstreams, faults) = options.UpstreamsAnew();
        Assert.Null(upstreams);
        Assert.Equal(2, faults.Count);
    }

    [Theory]
    [InlineData("upstreams: { a: b }")]
    [InlineData("upstreams: text")]
    [InlineData("upstreams: [[a]]")]
    [InlineData("upstreams: [*nobody]")]
    [InlineData("upstreams: [{ [name]: a, url: \"http://h\" }]")]
    [InlineData("upstreams: [{ name: [a], url: { b: c } }]")]
    [InlineData("upstreams: [{ name: a, name: b, url: \"http://h\" }]")]
    [InlineData("upstreams: [{ name: a, url: \"http://h\", models: { b: c } }]")]
    [InlineData("upstreams: [{ name: a, url: \"http://h\", models: [[b]], routes: [[c]], health: [d], key: [e] }]")]
    [InlineData("upstreams: [{ name: a, url: \"http://h:99999\" }]")]
    [InlineData("upstreams: [{ name: a, url: \"http://h\", routes: [\"/{a}{b}\"] }]")]
    [InlineData("upstreams:\n\t- name: a")]
    [InlineData("[upstreams]: a")]
    public void Whatever_shape_it_has_it_is_a_fault_and_no_crash(string text) => Assert.NotEmpty(Faults(text));

    /// <summary>A list of one good upstream with this member, in place of its own where it has one.</summary>
    private static string With(string member, string value) =>
        "upstreams:\n  - " + (member == "name" ? "" : "name: one\n    ") + (member == "url" ? "" : "url: http://127.0.0.1\n    ")
        + $"{member}: {value}\n";

    private static GateOptions Good(string[] arguments, IReadOnlyDictionary<string, string> environment)
    {
        var (options, faults) = OptionsReader.Read(arguments, environment);
        Assert.Empty(faults);
        return options!;
    }

    private GateOptions Listed(string text, IReadOnlyDictionary<string, string> environment)
    {
        File.WriteAllText(_file, text);
        return Good(["--config", _file], environment);
    }

    private IReadOnlyList<string> Faults(string text, IReadOnlyDictionary<string, string>? environment = null)
    {
        File.WriteAllText(_file, text);
        var (options, faults) = OptionsReader.Read(["--config", _file], environment ?? Nothing);
        Assert.Null(options);
        return faults;
    }
}
