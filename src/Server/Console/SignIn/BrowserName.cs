namespace Tollgate.Server.Console.SignIn;

/// <summary>
/// What a person calls a browser that says of itself "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 ...". Anybody can say anything
/// there: it helps to tell one's own devices apart, and proves nothing.
/// </summary>
internal static class BrowserName
{
    /// <summary>Longer ones are cut; the whole text is shown beside.</summary>
    public const int LengthMax = 60;

    /// <summary>In this order: most say of themselves that they are several of those that come later.</summary>
    private static readonly (string Mark, string Name)[] Browsers =
    [
        ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("FxiOS/", "Firefox"), ("Firefox/", "Firefox"),
        ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
    ];

    private static readonly (string Mark, string Name)[] Systems =
    [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];

    public static string Of(string device) =>
        !device.StartsWith("Mozilla/", StringComparison.Ordinal) || NameIn(Browsers, device) is not { } browser ? Cut(device)
        : NameIn(Systems, device) is { } system ? $"{browser} on {system}"
        : browser;

    private static string? NameIn((string Mark, string Name)[] names, string device) =>
        names.FirstOrDefault(one => device.Contains(one.Mark, StringComparison.Ordinal)).Name;

    private static string Cut(string device) => device.Length <= LengthMax ? device : device[..(LengthMax - 3)] + "...";
}
