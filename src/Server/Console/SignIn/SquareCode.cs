using System.Text;
using QRCoder;

namespace Tollgate.Server.Console.SignIn;

/// <summary>A square of dark and light that cameras read (a QR code), as one path of SVG.</summary>
internal static class SquareCode
{
    public static SquareFacts Of(string text)
    {
        using var square = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var rows = square.ModuleMatrix;
        var path = new StringBuilder();
        for (var y = 0; y < rows.Count; y++)
        {
            for (var x = 0; x < rows[y].Count; x++)
            {
                if (rows[y][x])
                {
                    path.Append(System.Globalization.CultureInfo.InvariantCulture, $"M{x} {y}h1v1h-1z");
                }
            }
        }

        return new SquareFacts(rows.Count, path.ToString());
    }
}
