using System.Security.Cryptography;

namespace Tollgate.Server.Console.SignIn;

/// <summary>A file that pages name, built in; its address changes with it, so that it can be kept for good.</summary>
internal sealed class PageFile
{
    private const string Css = "text/css; charset=utf-8";
    private const string JavaScript = "text/javascript; charset=utf-8";

    /// <summary>Of the pages of signing in.</summary>
    public static readonly PageFile SignInStyle = new("sign-in.css", Css);

    /// <summary>For the pages of passkeys alone, whose work no form can do.</summary>
    public static readonly PageFile PasskeyScript = new("passkey.js", JavaScript);

    /// <summary>Of the console and the documentation.</summary>
    public static readonly PageFile ConsoleStyle = new("console.css", Css);

    /// <summary>Copies, reads charts by arrow keys, and tells times in the reader's zone. All else works without it.</summary>
    public static readonly PageFile ConsoleScript = new("console.js", JavaScript);

    /// <summary>
    /// Which links of the side bar a browser may open while a pointer rests on them: pages of one's own places that only read. The
    /// operator's are not among them, since each look there is told to the audit log.
    /// </summary>
    public static readonly PageFile Speculation = new("speculation.json", "application/speculationrules+json");

    public static IReadOnlyList<PageFile> All { get; } = [SignInStyle, PasskeyScript, ConsoleStyle, ConsoleScript, Speculation];

    private readonly byte[] _bytes;
    private readonly string _type;

    private PageFile(string name, string type)
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
        using var file = typeof(PageFile).Assembly.GetManifestResourceStream($"console/{name}")
            ?? throw new InvalidOperationException($"{name} is not in the program.");
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return bytes.ToArray();
    }
}
