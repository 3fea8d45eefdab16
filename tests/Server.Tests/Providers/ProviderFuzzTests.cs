using System.Text;
using Tollgate.Server.Providers.Reading;
using Tollgate.Server.Tests.Fixtures;

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

    [Fact]
    public void Mutated_files_end_in_a_model_or_in_errors_with_their_places()
    {
        var seed = FuzzSeed.Take();
        var files = Given.Names.Select(name => File.ReadAllBytes(Given.Files.PathOf(name)))
            .Append(Encoding.UTF8.GetBytes(Given.Least)).ToList();
        var openai = File.ReadAllBytes(Given.Files.PathOf("openai"));
        var (good, bad) = (0, 0);
        // On this thread alone: a pool whose every thread computes stands still, and with it the gates of the tests that run beside this.
        for (var round = 0; round < FuzzSeed.Cases; round++)
        {
            // Each case has a random of its own, so that it can be repeated alone.
            var random = new Random(unchecked((seed * 31) + round));
            var bytes = Mutated(Part(random.Pick(files), random), files, random);
            try
            {
                var load = ProviderReader.Read("p/x.yaml", path => path == "p/x.yaml" ? bytes : path == "p/openai.yaml" ? openai : null);
                Assert.True(load.Model is null != (load.Errors.Count == 0), "a model or errors, never both, never neither");
                Assert.All(load.Errors, error =>
                    Assert.True(error.At is { Line: > 0, Column: > 0 } && error.At.File.Length > 0 && error.Message.Length > 0));
                (good, bad) = load.Model is null ? (good, bad + 1) : (good + 1, bad);
            }
            catch (Exception e)
            {
                Assert.Fail($"FUZZ_SEED={seed}, round {round}: {e}\n{Encoding.UTF8.GetString(bytes)}");
            }
        }

        Assert.True(
            good > FuzzSeed.Cases / 1000 && bad > FuzzSeed.Cases / 10,
            $"FUZZ_SEED={seed}: {good} good and {bad} bad files: the mutations are too wild or too tame");
    }

    /// <summary>
    /// The whole file, or most often some of its sections: a short file is read sooner, and what a section needs of another is missing.
    /// </summary>
    private static byte[] Part(byte[] file, Random random)
    {
        if (random.Next(20) == 0)
        {
            return file;
        }

        var lines = Encoding.UTF8.GetString(file).Split('\n').Where(line => !line.TrimStart().StartsWith('#')).ToList();
        var sections = new List<List<string>>();
        foreach (var line in lines)
        {
            if (sections.Count == 0 || (line.Length > 0 && char.IsAsciiLetter(line[0])))
            {
                sections.Add([]);
            }

            sections[^1].Add(line);
        }

        var kept = sections.Where(section =>
            section[0].StartsWith("examples", StringComparison.Ordinal) ? random.Next(10) == 0 : random.Next(4) > 0);
        return Encoding.UTF8.GetBytes(string.Join('\n', kept.SelectMany(section => section)) + "\n");
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
