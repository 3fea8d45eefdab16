using System.Text.Json.Nodes;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity;

/// <summary>What later rooms have of people, which is told with them and ends with them. Set by the room of teams.</summary>
internal sealed class PersonTies
{
    /// <summary>Takes somebody who is to be deleted in this write out of what is shared with others; or says why that cannot be.</summary>
    public Func<WriteScope, Person, Task<Problem?>>? Cut { get; set; }

    /// <summary>What ends with somebody's leave to sign in, in the write that takes it.</summary>
    public Func<WriteScope, Person, Task>? Suspended { get; set; }

    /// <summary>The teams that somebody is in, as an export tells them.</summary>
    public Func<Person, CancellationToken, Task<JsonArray>>? Teams { get; set; }
}
