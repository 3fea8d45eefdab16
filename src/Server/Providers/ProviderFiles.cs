using Tollgate.Server.Providers.Reading;

namespace Tollgate.Server.Providers;

/// <summary>The folder of provider files, and the way from what an operator writes after <c>--provider</c> to a model.</summary>
internal sealed class ProviderFiles(string folder)
{
    /// <summary>The files that come with the program.</summary>
    public static ProviderFiles Shipped { get; } = new(Path.Combine(AppContext.BaseDirectory, "providers"));

    /// <summary>The names in the folder, in order; <c>template</c> is there to be copied and is one of them.</summary>
    public IReadOnlyList<string> Names() =>
        Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder, "*.yaml")
                .Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)]
            : [];

    /// <summary>The path of a name such as <c>default</c>, or of a file, which has a slash or an ending.</summary>
    public string PathOf(string nameOrPath) =>
        nameOrPath.Contains('/', StringComparison.Ordinal) || Path.HasExtension(nameOrPath)
            ? nameOrPath : Path.Combine(folder, nameOrPath + ".yaml");

    public ProviderLoad Load(string nameOrPath)
    {
        var path = PathOf(nameOrPath);
        if (File.Exists(path))
        {
            return ProviderReader.Read(path, BytesOf);
        }

        var names = Names();
        var hint = Spelling.Hint(nameOrPath, names);
        var offer = names.Count == 0 ? "" : $" There are {string.Join(", ", names)}.";
        var message = $"there is no provider file \"{nameOrPath}\"{(hint.Length == 0 ? "." : hint)}{offer}";
        return new ProviderLoad(null, [new ProviderError(default, message)]);
    }

    // One byte more than allowed is enough to tell that a file is too large.
    private static byte[]? BytesOf(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        using var file = File.OpenRead(path);
        var bytes = new byte[(int)Math.Min(file.Length, YamlTree.BytesMax + 1)];
        file.ReadExactly(bytes);
        return bytes;
    }
}
