using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Providers;
using Tollgate.Server.Providers.Reading;

namespace Tollgate.Server.Tests.Providers;

/// <summary>Small provider files for the tests, and the folder of the real ones.</summary>
internal static class Given
{
    /// <summary>The least a file must say; the line numbers are the tests'.</summary>
    public const string Least = """
        provider: { name: Acme, base_url: https://api.acme.example, key_variable: ACME_API_KEY }
        keys:
          secret: { prefix: acme_, length: 40, alphabet: alphanumeric, checksum: crc32, shown: once }
          mask: { head: 9, tail: 4 }
          name: { min: 1, max: 100 }
          expiry: optional
          operations: [rotate, revoke]
        permissions:
          scopes: { files: Files }
          routes:
            - /v1/files/**: files
        errors:
          default: { body: { error: $code } }
        """;

    public static string Folder { get; } = FindFolder();

    public static ProviderFiles Files { get; } = new(Folder);

    public static IReadOnlyList<string> Names { get; } = Files.Names();

    public static ProviderModel Real(string name)
    {
        var load = Files.Load(name);
        Assert.True(load.Model is not null, string.Join('\n', load.Errors));
        return load.Model;
    }

    public static ProviderLoad Read(string text, params (string Name, string Text)[] others) =>
        ProviderReader.Read("p/acme.yaml", path =>
        {
            var found = path == "p/acme.yaml" ? text
                : others.Where(other => path == $"p/{other.Name}.yaml").Select(other => other.Text).FirstOrDefault();
            return found is null ? null : Encoding.UTF8.GetBytes(found);
        });

    public static ProviderModel Model(string text, params (string Name, string Text)[] others)
    {
        var load = Read(text, others);
        Assert.True(load.Model is not null, string.Join('\n', load.Errors));
        return load.Model;
    }

    public static string Written(BodyTemplate template, TemplateValues values)
    {
        var buffer = new ArrayBufferWriter<byte>();
        template.Write(buffer, values);
        using var valid = JsonDocument.Parse(buffer.WrittenMemory);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static string FindFolder([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../providers"));
}
