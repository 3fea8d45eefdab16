using System.Net;
using System.Net.Http.Headers;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Tests.Hosting;

/// <summary>Starting the built server: what it prints works, what it keeps stays, and what it must refuse it refuses in one
/// sentence.</summary>
public sealed class ServeTests : IDisposable
{
    private static readonly string Chosen = "an-operators-own-choice-" + new string('0', 20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-serve-");
    private readonly HttpClient _http = new();

    public static TheoryData<string> Providers => [.. ProviderFiles.Shipped.Names().Where(name => name != "template")];

    public void Dispose()
    {
        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task The_printed_lines_make_a_key_check_it_and_use_it(string provider)
    {
        await using var gate = await ServedGate.Start(_folder.FullName, provider);
        var printed = (await gate.Paste()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (ProviderFiles.Shipped.Load(provider).Model!.Wallet is not null)
        {
            Assert.Contains("\"kind\":\"top_up\",\"amount\":\"10.00\",\"balance_after\":\"10.00\"", printed[0], StringComparison.Ordinal);
            printed = printed[1..];
        }

        Assert.True(printed.Length == 3, string.Join('\n', printed) + gate.Said);
        Assert.True(printed[0].Length > 20 && !printed[0].Contains('{', StringComparison.Ordinal), printed[0]);
        Assert.StartsWith("{\"valid\":true,\"code\":\"allowed\"", printed[1], StringComparison.Ordinal);
        Assert.StartsWith("{", printed[2], StringComparison.Ordinal);
        Assert.DoesNotContain("\"error\"", printed[2], StringComparison.Ordinal);
        Assert.DoesNotContain("message", printed[2], StringComparison.Ordinal);
        Assert.Equal("ok\n", await _http.GetStringAsync(gate.Address + "/healthz"));
        Assert.Equal("ready\n", await _http.GetStringAsync(gate.Address + "/readyz"));
    }

    [Fact]
    public async Task A_second_start_keeps_everything_prints_no_secret_and_belongs_to_one_provider_and_one_process()
    {
        string rootKey;
        string projects;
        await using (var first = await ServedGate.Start(_folder.FullName))
        {
            rootKey = first.Said.Split("export TOLLGATE_ROOT_KEY=")[1].Split('\n')[0];
            projects = await Get(first, "/api/v1/projects", rootKey);
            Assert.Contains("First project", projects, StringComparison.Ordinal);

            await using var rival = await ServedGate.Start(_folder.FullName);
            Assert.Equal(3, await rival.WaitForExit());
            Assert.Contains("Another Tollgate process is using the data folder", rival.Said, StringComparison.Ordinal);
        }

        await using (var second = await ServedGate.Start(_folder.FullName))
        {
            Assert.Equal(projects, await Get(second, "/api/v1/projects", rootKey));
            Assert.DoesNotContain("tollgate_root_", second.Said, StringComparison.Ordinal);
            Assert.Contains("The root key was shown at the first start", second.Said, StringComparison.Ordinal);
        }

        await using (var other = await ServedGate.Start(_folder.FullName, "tensorx"))
        {
            Assert.Equal(3, await other.WaitForExit());
            Assert.Contains("This data belongs to provider \"default\"", other.Said, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", other.Said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_chosen_root_key_works_is_not_printed_and_replaces_the_one_before()
    {
        await using (var first = await ServedGate.Start(_folder.FullName, rootKey: Chosen))
        {
            Assert.Contains("First project", await Get(first, "/api/v1/projects", Chosen), StringComparison.Ordinal);
            Assert.DoesNotContain(Chosen, first.Said, StringComparison.Ordinal);
        }

        await using (var second = await ServedGate.Start(_folder.FullName, rootKey: Chosen + "2"))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await Send(second, "/api/v1/projects", Chosen)).StatusCode);
            var audit = await Get(second, "/api/v1/audit", Chosen + "2");
            Assert.Contains("root_key.replace", audit, StringComparison.Ordinal);
            Assert.DoesNotContain(Chosen, audit, StringComparison.Ordinal);
        }

        // Without the variable the key that was set last stays.
        await using var third = await ServedGate.Start(_folder.FullName);
        Assert.Contains("First project", await Get(third, "/api/v1/projects", Chosen + "2"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_that_cannot_be_says_everything_that_must_be_mended()
    {
        await using var weak = await ServedGate.Start(_folder.FullName, rootKey: "too-short", more: "--nonsense=1");
        Assert.Equal(2, await weak.WaitForExit());
        Assert.Contains("TOLLGATE_ROOT_KEY: must have 32 to 256 printable characters", weak.Said, StringComparison.Ordinal);
        Assert.Contains("--nonsense: is not an argument.", weak.Said, StringComparison.Ordinal);

        var file = Path.Combine(_folder.FullName, "broken.yaml");
        await File.WriteAllTextAsync(file, "provider:\n  name: X\n  nme: Y\nkeys:\n  expiry: sometimes\n");
        await using var broken = await ServedGate.Start(_folder.FullName, file);
        Assert.Equal(2, await broken.WaitForExit());
        Assert.Contains($"{file}:3:3", broken.Said, StringComparison.Ordinal);
        Assert.Contains($"{file}:5:", broken.Said, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder.FullName, "tollgate.db")));
    }

    private async Task<string> Get(ServedGate gate, string path, string key)
    {
        using var response = await Send(gate, path, key);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text + gate.Said);
        return text;
    }

    private async Task<HttpResponseMessage> Send(ServedGate gate, string path, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, gate.Address + path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await _http.SendAsync(request);
    }
}
