namespace Tollgate.Server.Hosting;

/// <summary>
/// Has the runtime complete what sockets do on the threads that wait for them, one a core, instead of handing each piece to the pool. The
/// common path of a request waits for nothing, so it needs no other thread; whoever goes to the database leaves for the pool first, see
/// <see cref="Storage.Database"/>. The runtime reads its switch when the first socket is made, and knows it by an environment variable.
/// </summary>
internal static class RequestThreads
{
    public const string Inline = "inline";

    private const string Switch = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Before anything listens or connects. What the operator has set for the whole machine stays.</summary>
    public static void Choose(GateOptions options)
    {
        if (options.RequestThreads == Inline && Environment.GetEnvironmentVariable(Switch) is null)
        {
            Environment.SetEnvironmentVariable(Switch, "1");
        }
    }
}
