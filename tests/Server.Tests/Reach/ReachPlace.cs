using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Verification;
using Tollgate.Server.Access;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Reach;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Teams;

namespace Tollgate.Server.Tests.Reach;

/// <summary>
/// A team with a project and a key in it, and a person of every role, each signed in; made in one write, so that a test may have many.
/// </summary>
internal sealed class ReachPlace
{
    private readonly Dictionary<string, SignedPerson> _people = new(StringComparer.Ordinal);

    private ReachPlace(RunningGate gate) => Gate = gate;

    public RunningGate Gate { get; }

    public string Organization { get; private set; } = "";

    public string Project { get; private set; } = "";

    /// <summary>Nobody but the owner and the admin is in it.</summary>
    public string OtherProject { get; private set; } = "";

    public string Key { get; private set; } = "";

    /// <summary>By their role: owner, admin, billing, member, project admin, project member, viewer; other (a member that is acted upon),
    /// stranger, suspended, operator.</summary>
    public SignedPerson this[string role] => _people[role];

    public static async Task<ReachPlace> Make(RunningGate gate, CreateKey? key = null)
    {
        var place = new ReachPlace(gate);
        var (register, ring) = (gate.Services.GetRequiredService<OrganizationRegister>(), gate.Services.GetRequiredService<KeyRing>());
        var made = await gate.Database.Write<bool>(
            async scope =>
            {
                var team = (await register.Create(scope, "The team")).Value;
                var project = (await register.CreateProject(scope, team.Id.Text, "The project")).Value;
                place.OtherProject = (await register.CreateProject(scope, team.Id.Text, "Another project")).Value.Id.Text;
                (place.Organization, place.Project) = (team.Id.Text, project.Id.Text);
                await TeamSql.Insert(scope, team.OrganizationNo);
                foreach (var role in Enum.GetValues<TeamRole>())
                {
                    await place.Add(scope, role.Text(), team, role);
                }

                await place.Add(scope, "other", team, TeamRole.Member);
                foreach (var (name, role) in new[] { ("project admin", "admin"), ("project member", "member"), ("viewer", "viewer") })
                {
                    var person = await place.Add(scope, name, team, TeamRole.Member);
                    Assert.True((await ProjectRoster.Set(scope, place.Project, person.Id, role)).IsOk);
                }

                await ProjectRoster.Set(scope, place.Project, place["other"].Person.Id, "viewer");
                return true;
            },
            MutationContext.Of(Caller.Root));
        Assert.True(made.IsOk, made.Problem?.Detail);
        await gate.Fund(place.Organization);
        await place.Finish(ring, key ?? new CreateKey { Name = "A test key" });
        return place;
    }

    /// <summary>A call with the cookie of somebody's session, and with its token where it changes something.</summary>
    public Task<Answer> As(string role, string method, string path, string? body = null, params (string Name, string Value)[] headers) =>
        this[role].Send(Gate, method, path, body, headers);

    /// <summary>Somebody put into the team, and signed in when all are.</summary>
    private async Task<Person> Add(WriteScope scope, string name, Organization team, TeamRole? role)
    {
        var own = (await Gate.Services.GetRequiredService<OrganizationRegister>().Create(scope, "Personal organization")).Value;
        var person = await TeamRows.NewPerson(scope, own.Id.Text);
        if (role is { } joins)
        {
            await Gate.Services.GetRequiredService<TeamRoster>().Join(scope, team, person, joins);
        }

        _people[name] = new SignedPerson(person, "");
        return person;
    }

    /// <summary>With money in the wallet, where there is one: the key, those who are not in the team, and everybody's session.</summary>
    private async Task Finish(KeyRing ring, CreateKey key)
    {
        var made = await Gate.Database.Write<bool>(async scope =>
        {
            Key = (await ring.Issue(scope, Project, key)).Value.Key.Id.ToString();
            var team = (await OrganizationRegister.Find(scope, Organization)).Value;
            await Add(scope, "stranger", team, null);
            await Add(scope, "suspended", team, TeamRole.Owner);
            await Add(scope, "operator", team, null);
            await scope.Execute("UPDATE people SET is_operator = 1 WHERE id = @Id", new { this["operator"].Person.Id });
            foreach (var (name, signed) in _people.ToList())
            {
                _people[name] = await SignedPerson.Begin(Gate, scope, signed.Person);
            }

            await scope.Execute(
                "UPDATE people SET disabled_at_ms = @NowMs WHERE id = @Id", new { scope.NowMs, this["suspended"].Person.Id });
            return true;
        }, MutationContext.Of(Caller.Root));
        Assert.True(made.IsOk, made.Problem?.Detail);
    }
}

/// <summary>Somebody with the cookie of a session.</summary>
internal sealed record SignedPerson(Person Person, string Cookie)
{
    public static async Task<SignedPerson> Begin(RunningGate gate, WriteScope scope, Person person)
    {
        var visit = new Visit
        {
            Network = ClientNetwork.Of(IPAddress.Loopback), KnownAs = _ => null, Context = MutationContext.System,
        };
        return new SignedPerson(
            person, await gate.Services.GetRequiredService<SessionBook>().Begin(scope, person, "test", visit, null));
    }

    public string Token(RunningGate gate) => gate.Services.GetRequiredService<ApiToken>().Of(Cookie);

    public Task<Answer> Send(
        RunningGate gate, string method, string path, string? body = null, params (string Name, string Value)[] headers) =>
        gate.Send(
            method, path, null, body,
            [("Cookie", $"tollgate={Cookie}"), .. method == "GET" ? [] : new[] { (ApiToken.Header, Token(gate)) }, .. headers]);
}
