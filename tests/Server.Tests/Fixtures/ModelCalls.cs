namespace Tollgate.Server.Tests.Fixtures;

/// <summary>Bodies of calls to a model.</summary>
internal static class ModelCalls
{
    /// <summary>Good for a chat, a completion and an embedding of any model.</summary>
    public static readonly string Any = Of("any");

    /// <param name="model">Which is asked.</param>
    /// <param name="more">Further members, each with a comma before it.</param>
    public static string Of(string model, string more = "") =>
        $$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hello"}],"prompt":"Hello","input":"Hello"{{more}}}""";
}
