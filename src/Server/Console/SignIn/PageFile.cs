using System.Security.Cryptography;

namespace Tollgate.Server.Console.SignIn;

/// <summary>A file that pages name, built in; its address changes with it, so that it can be kept.</summary>
internal sealed class PageFile
{
    public static readonly PageFile Style = new("sign-in.css", "text/css; charset=utf-8");

    /// <summary>The only script, for the pages of passkeys alone.</summary>
    public static readonly PageFile Script = new("passkey.js", "text/javascript; charset=utf-8");

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
