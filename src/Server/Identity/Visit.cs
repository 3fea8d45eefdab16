using Tollgate.Engine.Verification;
using Tollgate.Server.Access;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Mutations;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity;

/// <summary>From where somebody is at a page: what tries are counted by, and what the audit log and a list of sessions tell.</summary>
internal sealed record Visit
{
    private const string UnknownDevice = "unknown";

    public required ClientNetwork Network { get; init; }

    /// <summary>By which name an account knows the browser. See <see cref="DeviceCookie"/>.</summary>
    public required Func<string, string?> KnownAs { get; init; }

    /// <summary>Of nobody yet.</summary>
    public required MutationContext Context { get; init; }

    public string Device => Context.UserAgent ?? UnknownDevice;

    public string? Address => Context.Address;

    public static Visit Of(HttpContext http) => new()
    {
        Network = ClientNetwork.Of(http.Connection.RemoteIpAddress),
        KnownAs = account => http.RequestServices.GetRequiredService<DeviceCookie>().Find(http, account),
        Context = MutationRunner.ContextOf(http, Caller.Nobody),
    };

    public MutationContext By(Person person) => Context with { Caller = person.Caller };
}
