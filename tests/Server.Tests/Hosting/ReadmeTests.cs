using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Tollgate.Server.Tests.Hosting;

/// <summary>The first lines of the README do what it says when they are pasted.</summary>
public sealed partial class ReadmeTests : IDisposable
{
    private const string Heading = "## The first key, in two minutes\n";
    private static readonly string RootKey = "an-operators-own-choice-" + new string('0', 20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-readme-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_first_key_is_made_checked_used_rotated_and_revoked_by_pasting()
    {
        await using var gate = await ServedGate.Start(_folder.FullName, rootKey: RootKey);
        var section = (await File.ReadAllTextAsync(Readme())).Split(Heading)[1].Split("\n## ")[0];
        var script = string.Concat(Blocks().Matches(section).Select(block => block.Groups[1].Value))
            .Replace("http://127.0.0.1:8700", gate.Address, StringComparison.Ordinal)
            .Replace("TOLLGATE_ROOT_KEY=...", $"TOLLGATE_ROOT_KEY={RootKey}", StringComparison.Ordinal);

        var printed = await ServedGate.Paste(script);

        var lines = printed.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var streamed = lines.TakeWhile(line => line != "data: [DONE]").ToList();
        Assert.Contains(streamed, line => line.Contains("\"content\":\"Hello,", StringComparison.Ordinal));
        Assert.DoesNotContain(streamed, line => line.Contains("usage", StringComparison.Ordinal));

        // One line for each request after the stream; the last one shows the head of its answer too.
        lines = lines[(streamed.Count + 1)..];
        Assert.True(lines.Length > 5, printed);
        Assert.Contains("\"requests\":1,", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"output_tokens\":2,\"cached_tokens\":0,\"reasoning_tokens\":0,\"cost\":\"0.000004\"", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("{\"valid\":true,\"code\":\"allowed\"", lines[1], StringComparison.Ordinal);
        Assert.Contains("\"echo-small\"", lines[2], StringComparison.Ordinal);
        Assert.Contains("\"cost\":\"0.000117\"", lines[3], StringComparison.Ordinal);
        Assert.Contains("\"output_tokens\":89,", lines[4], StringComparison.Ordinal);
        Assert.Contains("\"revoked\"", lines[5], StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 401 ", lines[6], StringComparison.Ordinal);
    }

    [GeneratedRegex("```sh\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();

    private static string Readme([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../README.md"));
}
