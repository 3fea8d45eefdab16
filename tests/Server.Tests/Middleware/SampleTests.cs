using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Tests.House;

namespace Tollgate.Server.Tests.Middleware;

/// <summary>The sample does what its README says when it is pasted; only the gate runs already, and ports are free ones.</summary>
public sealed partial class SampleTests
{
    private const string Started = "dotnet run --project samples/Endpoints --";
    private const string Pause = "sleep 0.1\n";

    /// <summary>People wait a moment; a test waits for what is to come, within the patience of the paste.</summary>
    private const string Wait = "until curl -s $API/endpoints -H \"Authorization: Bearer $KEY\" | grep -q invalid_key; do :; done\n";

    [Fact]
    public async Task The_readme_of_the_sample_holds_when_pasted()
    {
        await using var gate = await RunningGate.Start("tensorone");
        var address = $"http://127.0.0.1:{FreePort()}";
        var blocks = Blocks().Matches(Repository.Text("samples/Endpoints/README.md")).Select(block => block.Groups[1].Value).ToList();
        Assert.StartsWith("./run --provider tensorone", blocks[0], StringComparison.Ordinal);
        var script = string.Concat(blocks.Skip(1));
        Assert.Contains(Started, script, StringComparison.Ordinal);
        Assert.Contains(Pause, script, StringComparison.Ordinal);

        var printed = await ServedGate.Paste(script
            .Replace("http://127.0.0.1:8700", gate.Address, StringComparison.Ordinal)
            .Replace("http://127.0.0.1:8800", address, StringComparison.Ordinal)
            .Replace("Bearer ...", $"Bearer {RunningGate.RootKey}", StringComparison.Ordinal)
            .Replace(Started, $"dotnet {Path.Combine(AppContext.BaseDirectory, "Tollgate.Endpoints.dll")}", StringComparison.Ordinal)
            .Replace(Pause, Wait, StringComparison.Ordinal));

        var lines = printed.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length >= 6, printed);
        Assert.Equal("ok", lines[0]);
        Assert.Equal("{\"name\":\"first\",\"model\":\"small\"}", lines[1]);
        Assert.Equal("{\"name\":\"first\",\"model\":\"small\"}", lines[2]);
        Assert.Contains("\"required_permission\":\"endpoints:write\"", lines[3], StringComparison.Ordinal);
        Assert.Contains("\"key_missing\"", lines[4], StringComparison.Ordinal);
        Assert.Contains("\"invalid_key\"", lines[5], StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [GeneratedRegex("```sh\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
