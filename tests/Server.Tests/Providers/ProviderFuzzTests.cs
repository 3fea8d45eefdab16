using System.Text;
using Tollgate.Server.Providers.Reading;

namespace Tollgate.Server.Tests.Providers;

/// <summary>Broken files of every kind: the loader answers with a model or with errors, and never falls over.</summary>
public sealed class ProviderFuzzTests
{
    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", "- ", "\n", "  ", "\t", "\"", "'", "$", "$key.id", "$$", "&a ", "*a", "!!str ", "|\n", ">\n", "? ",
        "#", "%",
        "%YAML 1.2\n", "---\n", "...\n", "null", "~", "true", "-1", "99999999999999999999", "0x1F", "é", "\U0001F511", "\0", "\\u",
        "\"\\x", "<<: ",
        "/", "**", "{}", "{project}", "any key", "extend: openai\n", "body.x is present", "\r", "\u2028", "\uFEFF",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void A_thousand_mutated_files_end_in_a_model_or_in_errors(int seed)
    {
        var random = new Random(seed);
        var files = Given.Names.Select(name => File.ReadAllBytes(Given.Files.PathOf(name))).ToList();
        var (good, bad) = (0, 0);
        for (var round = 0; round < 1000; round++)
        {
            var bytes = Mutated(files[random.Next(files.Count)], files, random);
            try
            {
                var load = ProviderReader.Read("p/x.yaml", path => path == "p/x.yaml" ? bytes : path == "p/openai.yaml" ? files[1] : null);
                Assert.True(load.Model is null != (load.Errors.Count == 0), "a model or errors, never both, never neither");
                Assert.All(load.Errors, error =>
                    Assert.True(error.At is { Line: > 0, Column: > 0 } && error.At.File.Length > 0 && error.Message.Length > 0));
                _ = load.Model is null ? bad++ : good++;
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}, round {round}: {e}\n{Encoding.UTF8.GetString(bytes)}");
            }
        }

        Assert.True(good > 20 && bad > 200, $"{good} good and {bad} bad files: the mutations are too wild or too tame");
    }

    private static byte[] Mutated(byte[] original, List<byte[]> files, Random random)
    {
        var bytes = original.ToList();
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 40), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]));
                    break;
                case 1:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - length + 1), length));
                    break;
                case 4:
                    var other = files[random.Next(files.Count)];
                    bytes.InsertRange(at, other[^Math.Min(other.Length, length * 4)..]);
                    break;
                default:
                    SwapLines(bytes, random);
                    break;
            }

            bytes = bytes.Count == 0 ? [(byte)'a'] : bytes;
        }

        return [.. bytes];
    }

    private static void SwapLines(List<byte> bytes, Random random)
    {
        var lines = Encoding.Latin1.GetString([.. bytes]).Split('\n');
        var (a, b) = (random.Next(lines.Length), random.Next(lines.Length));
        (lines[a], lines[b]) = (lines[b], lines[a]);
        bytes.Clear();
        bytes.AddRange(Encoding.Latin1.GetBytes(string.Join('\n', lines)));
    }
}
