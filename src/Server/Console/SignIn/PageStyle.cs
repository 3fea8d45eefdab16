using System.Security.Cryptography;

namespace Tollgate.Server.Console.SignIn;

/// <summary>The style sheet of the pages, built in; its address changes with it, so that it can be kept.</summary>
internal static class PageStyle
{
    private static readonly byte[] Bytes = Read();

    public static string Address { get; } = $"/assets/{Convert.ToHexStringLower(SHA256.HashData(Bytes)[..8])}/sign-in.css";

    public static IResult Answer(HttpContext http)
    {
        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Bytes(Bytes, "text/css; charset=utf-8");
    }

    private static byte[] Read()
    {
        using var file = typeof(PageStyle).Assembly.GetManifestResourceStream("console/sign-in.css")
            ?? throw new InvalidOperationException("The style sheet is not in the program.");
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return bytes.ToArray();
    }
}
