using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Access;
using Tollgate.Server.Closures;
using Tollgate.Server.Identity;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Teams;

/// <summary>A gate with people and a team of theirs; what is done is done by one of them.</summary>
internal sealed class TeamPlace : IAsyncDisposable
{
    private readonly PeoplePlace _people;

    private TeamPlace(PeoplePlace people) => _people = people;

    public RunningGate Gate => _people.Gate;

    public PeoplePlace People => _people;

    public ManualClock Clock => _people.Clock;

    public TeamRoster Roster => Gate.Services.GetRequiredService<TeamRoster>();

    public InvitationBook Book => Gate.Services.GetRequiredService<InvitationBook>();

    public Person Owner { get; private set; } = null!;

    public Organization Team { get; private set; } = null!;

    public string TeamId => Team.Id.Text;

    public static async Task<TeamPlace> Start(
        DatabaseKind kind, PostgresFixture postgres, Func<ProviderModel, ProviderModel>? with = null)
    {
        var place = new TeamPlace(await PeoplePlace.Start(kind, postgres, with: with));
        place.Owner = await place.NewPerson("owner@example.test");
        place.Team = await place.NewTeam("The team", place.Owner);
        return place;
    }

    /// <summary>All that a provider can say of teams, and wallets beside it.</summary>
    public static ProviderModel Moving(ProviderModel provider) => provider with
    {
        Wallet = Wallets.Rules with { ToCreateAbove = null, DisableAt = null, LowAt = null },
        Teams = new TeamRules { ArchivesPersonalKeys = true, DeletesLeaverKeys = true, MovesBalance = true },
    };

    /// <summary>The same where nothing is paid for.</summary>
    public static ProviderModel Resting(ProviderModel provider) => Moving(provider) with { Wallet = null };

    /// <summary>Somebody with an organization and a project of its own.</summary>
    public async Task<Settled> NewSettled(string email)
    {
        var organization = (await Gate.Send("POST", "/api/v1/organizations", RunningGate.RootKey, "{\"name\":\"Own\"}")).String("id");
        var project = (await Gate.Send(
            "POST", $"/api/v1/organizations/{organization}/projects", RunningGate.RootKey, "{\"name\":\"Own\"}")).String("id");
        var person = (await AsRoot<Person>(async scope => await TeamRows.NewPerson(scope, organization, email))).Value;
        return new Settled(person, organization, project);
    }

    /// <summary>The same, who then comes in by an invitation.</summary>
    public async Task Enter(Settled who, string role = "member") =>
        Assert.Equal("ok", (await Accept(who.Person, await Secret(who.Person.Email!, role))).CodeOf());

    /// <summary>A team that the operator makes for somebody.</summary>
    public async Task<Organization> NewTeam(string name, Person owner) =>
        (await AsRoot(scope => Roster.Create(scope, name, owner.Id))).Value.Team;

    /// <summary>Deletes an organization as the API does once it is settled that somebody may; null for the operator.</summary>
    public async Task<Outcome<Closed>> Close(Person? who, string id)
    {
        var closure = Gate.Services.GetRequiredService<Closure>();
        await closure.Ready!();
        return await Gate.Database.Write(scope => closure.Close(scope, id), MutationContext.Of(who?.Caller ?? Caller.Root));
    }

    public async Task SetStatus(string organization, string status) => (await Gate.Send(
        "PATCH", $"/api/v1/organizations/{organization}", RunningGate.RootKey, $"{{\"status\":\"{status}\"}}")).Has(HttpStatusCode.OK);

    public async Task Leave(Settled who) =>
        Assert.Equal("ok", (await As(who.Person, scope => Roster.Remove(scope, TeamId, who.Person.Id))).CodeOf());

    /// <summary>The project that the team began with.</summary>
    public async Task<string> Project() => (await Gate.Send(
        "GET", $"/api/v1/organizations/{TeamId}/projects", RunningGate.RootKey)).Json.GetProperty("data")[0].GetProperty("id").GetString()!;

    /// <summary>What the API says that holds a key.</summary>
    public async Task<string> Holds(string key) => string.Join(' ', (await Gate.Send("GET", $"/api/v1/keys/{key}", RunningGate.RootKey))
        .Json.GetProperty("holds").EnumerateArray().Select(hold => hold.GetString()));

    public async Task<Person> NewPerson(string email) =>
        (await AsRoot<Person>(async scope => await TeamRows.NewPerson(scope, Gate.OrganizationId, email))).Value;

    public Task<Outcome<T>> As<T>(Person who, Func<WriteScope, Task<Outcome<T>>> work) =>
        Gate.Database.Write(work, MutationContext.Of(who.Caller));

    public Task<Outcome<T>> AsRoot<T>(Func<WriteScope, Task<Outcome<T>>> work) =>
        Gate.Database.Write(work, MutationContext.Of(Caller.Root));

    /// <summary>Somebody who was put into the team.</summary>
    public async Task<Person> NewMember(string email, TeamRole role)
    {
        var person = await NewPerson(email);
        Assert.Equal("ok", (await AsRoot(scope => Roster.Join(scope, Team, person, role))).CodeOf());
        return person;
    }

    public Task<Outcome<Invitation>> Invite(Person who, string email, string role = "member") =>
        As(who, scope => Book.Invite(scope, TeamId, email, role));

    /// <summary>Invites an address; what its mail's link ends with.</summary>
    public async Task<string> Secret(string email, string role = "member")
    {
        Assert.Equal("ok", (await Invite(Owner, email, role)).CodeOf());
        return SecretOf(await _people.Link(email));
    }

    public Task<Outcome<Joined>> Accept(Person who, string secret) => As(who, scope => Book.Accept(scope, who, secret));

    /// <summary>Who is in it, as the root key sees it: what stands before the @, and the role.</summary>
    public async Task<string> Members() => string.Join(
        ' ', (await Roster.Members(Caller.Root, TeamId, default)).Value.Select(one => $"{one.Email!.Split('@')[0]}:{one.Member.Role}"));

    public Task<long> Count(string table) => _people.Ask<long>($"SELECT COUNT(*) FROM {table}");

    public static string SecretOf(string url) => url.Split(InvitationBook.Path)[1];

    public ValueTask DisposeAsync() => _people.DisposeAsync();
}

/// <summary>Somebody, and what is his own.</summary>
internal sealed record Settled(Person Person, string Organization, string Project);
