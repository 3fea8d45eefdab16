using System.Text.RegularExpressions;
using Tollgate.Client;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Cli;
using Tollgate.Server.Tests.Client;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;

namespace Tollgate.Server.Tests.Identity;

/// <summary>How the operator gets in: what the first start prints, and what the root key makes.</summary>
public sealed partial class OperatorLinkTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-operator-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_first_start_prints_the_console_and_a_link_that_signs_in_once_and_a_second_start_only_the_console()
    {
        string link;
        await using (var gate = await ServedGate.Start(_folder.FullName))
        {
            var port = new Uri(gate.Address).Port;
            Assert.Contains($"\n  Console: http://localhost:{port}/console\n", gate.Said, StringComparison.Ordinal);
            link = Once().Match(gate.Said).Groups["link"].Value;
            Assert.StartsWith($"http://localhost:{port}/sign-in/once/", link, StringComparison.Ordinal);
            using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(gate.Address) };
            var page = await Page.Of(await http.GetAsync(new Uri(link).AbsolutePath));
            Assert.Equal(200, page.Status);
            using var form = new FormUrlEncodedContent(page.Hidden(page.Action).Select(one => KeyValuePair.Create(one.Name, one.Value)));
            Assert.Equal("/account", (await Page.Of(await http.PostAsync(page.Action, form))).Location);
            page = await Page.Of(await http.GetAsync("/account"));
            Assert.Contains("operator of this gate", page.Text, StringComparison.Ordinal);
        }

        await using var again = await ServedGate.Start(_folder.FullName);
        Assert.Contains("\n  Console: ", again.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("Sign in once", again.Said, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_root_key_makes_further_links_for_the_same_operator_by_the_client(DatabaseKind kind)
    {
        await using var place = await PeoplePlace.Start(kind, postgres);
        using var client = new TollgateClient(new Uri(place.Gate.Address), RunningGate.RootKey);

        var link = await client.Operator.CreateLinkAsync(cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(place.Clock.GetUtcNow().AddMinutes(15), link.ExpiresAt);
        Assert.DoesNotContain("http", link.ToString(), StringComparison.Ordinal);
        Assert.Equal("/account", (await place.Browser().Press(link.Url)).Location);
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM people"));
        Assert.Contains(await place.Audit(), row => row is { Action: "operator.link", ActorType: "root" });
    }

    [Fact]
    public async Task Operator_link_prints_the_link_alone_on_standard_output()
    {
        const string answer = """{"url":"http://localhost:8700/sign-in/once/x","expires_at":"2026-01-02T03:19:05Z"}""";
        await using var gate = await StandInGate.Start(new Client.Answer(201, answer));

        var ran = await Ran.Command(gate, "operator link");

        Assert.Equal((0, "http://localhost:8700/sign-in/once/x\n"), (ran.ExitCode, ran.Out));
        Assert.Contains("2026-01-02 03:19 UTC", ran.Error, StringComparison.Ordinal);
        Assert.Equal("POST /api/v1/operator/links", $"{gate.Only.Method} {gate.Only.Path}");
        await using var other = await StandInGate.Start(new Client.Answer(201, answer));
        Assert.Contains("\"url\"", (await Ran.Command(other, "operator link --json")).Out, StringComparison.Ordinal);
    }

    [GeneratedRegex("Sign in once: (?<link>\\S+)\n")]
    private static partial Regex Once();
}
