using System.Security.Cryptography;

namespace Tollgate.Server.Console.Frame;

/// <summary>A file of the console, built in; its address changes with it, so that it can be kept for good.</summary>
internal sealed class FrameFile
{
    public static readonly FrameFile Style = new("console.css", "text/css; charset=utf-8");

    /// <summary>Copies, reads charts by arrow keys, and tells times in the reader's zone. All else works without it.</summary>
    public static readonly FrameFile Script = new("console.js", "text/javascript; charset=utf-8");

    /// <summary>
    /// Which links of the side bar a browser may open while a pointer rests on them: pages of one's own places that only read. The
    /// operator's are not among them, since each look there is told to the audit log.
    /// </summary>
    public static readonly FrameFile Speculation = new("speculation.json", "application/speculationrules+json");

    private readonly byte[] _bytes;
    private readonly string _type;

    private FrameFile(string name, string type)
    {
        (_bytes, _type) = (Read(name), type);
        Address = $"/assets/{Convert.ToHexStringLower(SHA256.HashData(_bytes)[..8])}/{name}";
    }

    public string Address { get; }

    public IResult Answer(HttpContext http)
    {
        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Bytes(_bytes, _type);
    }

    private static byte[] Read(string name)
    {
        using var file = typeof(FrameFile).Assembly.GetManifestResourceStream($"console/{name}")
            ?? throw new InvalidOperationException($"{name} is not in the program.");
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return bytes.ToArray();
    }
}
