namespace Tollgate.Engine.Permissions;

/// <summary>The HTTP methods a route may name. TRACE and CONNECT are not among them: the gate lets neither through.</summary>
[Flags]
public enum Methods : byte
{
    None = 0,
    Get = 1,
    Head = 2,
    Post = 4,
    Put = 8,
    Patch = 16,
    Delete = 32,
    Options = 64,
    All = Get | Head | Post | Put | Patch | Delete | Options,
}

/// <summary>Names of methods, as they stand on the wire: upper case, compared exactly.</summary>
public static class MethodNames
{
    /// <summary>In the order of their bits.</summary>
    public static IReadOnlyList<string> All { get; } = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    /// <summary><see cref="Methods.None"/> for anything that is not one of the seven.</summary>
    public static Methods Parse(ReadOnlySpan<char> name) => name switch
    {
        "GET" => Methods.Get,
        "POST" => Methods.Post,
        "HEAD" => Methods.Head,
        "PUT" => Methods.Put,
        "PATCH" => Methods.Patch,
        "DELETE" => Methods.Delete,
        "OPTIONS" => Methods.Options,
        _ => Methods.None,
    };

    /// <summary><see cref="Methods.None"/> for anything that is not one of the seven.</summary>
    public static Methods Parse(ReadOnlySpan<byte> name) => name.Length switch
    {
        3 when name.SequenceEqual("GET"u8) => Methods.Get,
        3 when name.SequenceEqual("PUT"u8) => Methods.Put,
        4 when name.SequenceEqual("POST"u8) => Methods.Post,
        4 when name.SequenceEqual("HEAD"u8) => Methods.Head,
        5 when name.SequenceEqual("PATCH"u8) => Methods.Patch,
        6 when name.SequenceEqual("DELETE"u8) => Methods.Delete,
        7 when name.SequenceEqual("OPTIONS"u8) => Methods.Options,
        _ => Methods.None,
    };
}
