using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Hosting;

/// <summary>What an operator reads first: the root key, faults that name their remedy, the usage.</summary>
public sealed class FirstLinesTests : IDisposable
{
    private static readonly string Chosen = "an-operators-own-choice-" + new string('0', 20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-first-lines-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_first_start_on_a_busy_port_shows_the_root_key_and_one_line_with_a_hint()
    {
        using var busy = new TcpListener(IPAddress.Loopback, 0);
        busy.Start();
        await using var gate = await ServedGate.Start(_folder.FullName, address: $"http://{busy.LocalEndpoint}");
        Assert.Equal(3, await gate.WaitForExit());
        var fault = Assert.Single(gate.Said.Split('\n'), line => line.StartsWith("tollgate: ", StringComparison.Ordinal));
        Assert.Contains("address already in use", fault, StringComparison.Ordinal);
        Assert.EndsWith("Other addresses to listen on can be named with --urls.", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", gate.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", gate.Said, StringComparison.Ordinal);

        var rootKey = gate.Said.Split("export TOLLGATE_ROOT_KEY=")[1].Split('\n')[0];
        await using var second = await ServedGate.Start(_folder.FullName);
        Assert.Equal(HttpStatusCode.OK, await Ask(second, rootKey));
    }

    [Fact]
    public async Task A_start_says_which_root_key_holds()
    {
        await using (var first = await ServedGate.Start(_folder.FullName))
        {
            Assert.Contains("  Root key, shown this once; only a hash of it is kept:\n", first.Said, StringComparison.Ordinal);
        }

        await AssertSays("  Root key: TOLLGATE_ROOT_KEY now replaces the one this data had.\n", Chosen);
        await AssertSays("  Root key: the one in TOLLGATE_ROOT_KEY.\n", Chosen);
        await AssertSays(
            "  The root key was shown at the first start. Lost it? "
            + "Set TOLLGATE_ROOT_KEY to a new one (32 characters or more) and start again.\n",
            null);

        async Task AssertSays(string line, string? rootKey)
        {
            await using var gate = await ServedGate.Start(_folder.FullName, rootKey: rootKey);
            Assert.Contains(line, gate.Said, StringComparison.Ordinal);
            Assert.DoesNotContain(Chosen, gate.Said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_first_start_says_nothing_of_migrations()
    {
        await using var gate = await ServedGate.Start(_folder.FullName);
        Assert.DoesNotContain("migration", gate.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upgrade_tells_each_migration_it_applies()
    {
        var options = new StorageOptions { DataDirectory = _folder.FullName };
        using var log = new LogCapture();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log).SetMinimumLevel(LogLevel.Information));
        await Open(Migration.Embedded.Count - 1);
        Assert.Empty(log.Lines);
        await Open(Migration.Embedded.Count);
        Assert.Contains($"Applied migration {Migration.Embedded.Count} ", Assert.Single(log.Lines), StringComparison.Ordinal);

        async Task Open(int count)
        {
            Migration[] migrations = [.. Migration.Embedded.Take(count)];
            await using var database = await Database.Open(
                options, TimeProvider.System, loggers, migrations, TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("postgres://tollgate:secret@127.0.0.1/tollgate")]
    [InlineData("secret")]
    [InlineData("Host=;Password=secret")]
    [InlineData("Host=127.0.0.1;Port=secret")]
    [InlineData("Host=127.0.0.1;Nonsense=secret")]
    public async Task A_database_that_is_no_connection_string_is_refused_without_being_quoted(string database)
    {
        await using var gate = await ServedGate.Start(_folder.FullName, database: database);
        Assert.Equal(2, await gate.WaitForExit());
        Assert.Equal(
            "TOLLGATE_DATABASE: must be a connection string such as Host=127.0.0.1;Database=tollgate;Username=tollgate.", gate.Said.Trim());
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("serve", "--help")]
    [InlineData("serve", "--data", "elsewhere", "-h")]
    [InlineData("provider", "--help")]
    [InlineData("provider", "list", "-h")]
    [InlineData("provider", "check", "--help")]
    public async Task Help_is_told_on_standard_output(params string[] arguments)
    {
        var (exitCode, output, faults) = await ServedGate.Run(arguments);
        Assert.Equal((0, ""), (exitCode, faults));
        Assert.StartsWith("usage: serve [--provider NAME|FILE]", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("provider", "check", "nosuch")]
    [InlineData("serve", "--provider", "nosuch")]
    public async Task A_provider_that_is_none_is_told_with_those_there_are_and_without_a_path(params string[] arguments)
    {
        var (exitCode, _, faults) = await ServedGate.Run(arguments);
        Assert.Equal(2, exitCode);
        Assert.StartsWith("there is no provider file \"nosuch\". There are default, openai, ", faults, StringComparison.Ordinal);
        Assert.DoesNotContain(AppContext.BaseDirectory, faults, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> Ask(ServedGate gate, string rootKey)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", rootKey);
        using var response = await http.GetAsync(gate.Address + "/api/v1/projects");
        return response.StatusCode;
    }
}
