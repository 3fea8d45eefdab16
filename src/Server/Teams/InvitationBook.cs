using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Engine.Verification;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Mail;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Teams;

/// <summary>
/// The door for how people come into a team: by a link in a mail, for one use and one address, used in the write of what it is good for. A
/// link that is no longer good and one that is another's are told apart to nobody.
/// </summary>
internal sealed class InvitationBook(
    Database database, ProviderModel provider, OrganizationRegister organizations, TeamRoster roster, MailOutbox outbox, PublicUrl url,
    MailThrottle throttle, Pepper pepper)
{
    /// <summary>Of a team, at a time.</summary>
    public const int WaitingMax = 100;

    public static readonly TimeSpan Life = TimeSpan.FromDays(7);

    /// <summary>Where its link leads.</summary>
    public const string Path = "/invitations/";

    /// <summary>By which its mails are counted.</summary>
    private static readonly LinkKind Mailed = new("invitation", Life);

    /// <summary>
    /// Invites an address; one that was invited before gets another link, and the one before ends. The work is the same whether somebody
    /// has an account there or not.
    /// </summary>
    public async Task<Outcome<Invitation>> Invite(WriteScope scope, string organizationId, string? address, string? role)
    {
        if (provider.Teams is null)
        {
            return TeamRoster.NoTeams;
        }

        if (!TeamRoles.Invited.Contains(role))
        {
            return Problem.Invalid("/role", $"must be among {string.Join(", ", TeamRoles.Invited)}.");
        }

        if (!EmailAddress.TryRead(address, out var email))
        {
            return Problem.Invalid("/email", EmailAddress.Expected);
        }

        if (!(await TeamRoster.Managed(scope, organizationId, TeamRoles.Parse(role)!.Value)).TryGet(out var team, out var problem))
        {
            return problem;
        }

        var person = await PersonDirectory.Find(scope, email);
        if (await TeamSql.FindMember(scope.Connection, scope.Transaction, team.OrganizationNo, person?.Id ?? "") is not null)
        {
            return new Problem(ProblemCode.Conflict, "This person is a member already.");
        }

        await TeamSql.Purge(scope);
        await TeamSql.Replace(scope, team.OrganizationNo, email.Key);
        if (await Fault(scope, team) is { } fault)
        {
            return fault;
        }

        if (!MayMail(scope, email))
        {
            return Problem.Of(ProblemCode.TooManyTries);
        }

        return await Make(scope, team, email, role!);
    }

    /// <summary>Those that can still be used, to who may send some.</summary>
    public async Task<Outcome<IReadOnlyList<Invitation>>> List(Caller caller, string organizationId, CancellationToken cancel)
    {
        if (!(await organizations.Find(organizationId, cancel)).TryGet(out var team, out var problem))
        {
            return problem;
        }

        return await database.Read<Outcome<IReadOnlyList<Invitation>>>(
            async connection => await TeamRoster.RoleOf(connection, null, team, caller) switch
            {
                null => OrganizationRegister.NoOrganization,
                { } who when TeamRoles.MayManage(who, TeamRole.Member) =>
                    await TeamSql.Invitations(connection, null, team.OrganizationNo, NowMs),
                _ => Problem.Of(ProblemCode.RoleMissing),
            },
            cancel);
    }

    /// <summary>Takes one back: its link is good no more.</summary>
    public static async Task<Outcome<Invitation>> Withdraw(WriteScope scope, string organizationId, string id)
    {
        if (!(await TeamRoster.Managed(scope, organizationId, TeamRole.Member)).TryGet(out var team, out var problem))
        {
            return problem;
        }

        if (!InvitationIds.IsOne(id) || await TeamSql.Take(scope, team.OrganizationNo, id) is not { } invitation)
        {
            return new Problem(ProblemCode.NotFound, "There is no such invitation.");
        }

        await Tell(scope, "invitation.withdraw", team, invitation, isMade: false);
        return invitation;
    }

    /// <summary>Takes back what somebody has sent who may send none any more: who was put out lets nobody in.</summary>
    public static async Task WithdrawAllOf(WriteScope scope, Organization team, Member member)
    {
        foreach (var invitation in await TeamSql.TakeAllOf(scope, team.OrganizationNo, member.PersonId))
        {
            await Tell(scope, "invitation.withdraw", team, invitation, isMade: false);
        }
    }

    /// <summary>What a link says; looking uses nothing up. Null where it is not good.</summary>
    public async Task<Invited?> Look(string? secret, CancellationToken cancel)
    {
        if (!SecretText.IsOne(secret)
            || await database.Read(connection => TeamSql.FindInvitation(connection, null, HashOf(secret!), NowMs), cancel) is not { } found)
        {
            return null;
        }

        var places = await database.Read(
            connection => OrganizationRegister.OrganizationPlaces(connection, [found.OrganizationNo]), cancel);
        return (await organizations.Find(places[0].Id, cancel)).TryGet(out var team, out _) ? new Invited(team, found) : null;
    }

    /// <summary>
    /// Uses a link: whoever is signed in joins, if the invitation was sent to the address that they have proved to read. Of fifty who use
    /// one at once, one finds it.
    /// </summary>
    public async Task<Outcome<Joined>> Accept(WriteScope scope, Person who, string? secret)
    {
        if (provider.Teams is null || !SecretText.IsOne(secret)
            || await TeamSql.FindInvitation(scope.Connection, scope.Transaction, HashOf(secret!), scope.NowMs) is not { } invitation
            || await PersonDirectory.Find(scope, who.Id) is not { MaySignIn: true, VerifiedAtMs: not null } person
            || person.EmailKey != invitation.EmailKey
            || !(await TeamOf(scope, invitation)).TryGet(out var team, out _))
        {
            return Problem.Of(ProblemCode.LinkEnded);
        }

        await TeamSql.Take(scope, invitation.OrganizationNo, invitation.Id);
        if (await TeamSql.FindMember(scope.Connection, scope.Transaction, team.OrganizationNo, person.Id) is { } member)
        {
            // Came in by another way meanwhile: the role stays as it is.
            return new Joined(team, member, default);
        }

        if ((await TeamSql.Members(scope.Connection, scope.Transaction, team.OrganizationNo)).Count >= TeamRoster.MembersMax)
        {
            return Full;
        }

        await Tell(scope, "invitation.accept", team, invitation, isMade: false);
        return await roster.Join(scope, team, person, TeamRoles.Parse(invitation.Role)!.Value);
    }

    /// <summary>Counted once it is sure that the mail is sent; the operator is not somebody to be kept from it.</summary>
    private bool MayMail(WriteScope scope, EmailAddress email) => scope.Context.Caller.IsRoot
        || ((scope.Context.Address is not { } from || throttle.TryTake(ClientNetwork.Of(IPAddress.Parse(from))))
            && throttle.TryTake(email, Mailed));

    private static Problem Full => new(ProblemCode.Conflict, $"A team has at most {TeamRoster.MembersMax} members.");

    private long NowMs => database.Time.GetUtcNow().ToUnixTimeMilliseconds();

    private static async Task<Outcome<Organization>> TeamOf(WriteScope scope, Invitation invitation) =>
        await OrganizationRegister.Find(scope, (await OrganizationRegister.PlaceOf(scope, invitation.OrganizationNo)).Id);

    private static async Task<Problem?> Fault(WriteScope scope, Organization team)
    {
        var waiting = await TeamSql.Invitations(scope.Connection, scope.Transaction, team.OrganizationNo, scope.NowMs);
        var members = await TeamSql.Members(scope.Connection, scope.Transaction, team.OrganizationNo);
        return waiting.Count >= WaitingMax
            ? new Problem(ProblemCode.Conflict, $"At most {WaitingMax} invitations of a team wait at a time.")
            : members.Count >= TeamRoster.MembersMax ? Full : null;
    }

    private async Task<Invitation> Make(WriteScope scope, Organization team, EmailAddress email, string role)
    {
        var secret = SecretText.New();
        var caller = scope.Context.Caller;
        var invitation = new Invitation
        {
            InvitationNo = await scope.NextNumber("invitation"),
            Id = InvitationIds.New(),
            OrganizationNo = team.OrganizationNo,
            Email = email.Text,
            EmailKey = email.Key,
            Role = role,
            InviterId = caller.Kind == CallerKind.Person ? caller.Id : null,
            Inviter = caller.Kind == CallerKind.Person ? (await PersonDirectory.Find(scope, caller.Id))!.Name : "The operator",
            CreatedAtMs = scope.NowMs,
            EndsAtMs = scope.NowMs + (long)Life.TotalMilliseconds,
        };
        await TeamSql.Insert(scope, invitation, HashOf(secret));
        await Tell(scope, "invitation.create", team, invitation, isMade: true);
        var ends = DateTimeOffset.FromUnixTimeMilliseconds(invitation.EndsAtMs);
        await outbox.Queue(scope, new MailMessage(email.Text, "invitation", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Inviter"] = invitation.Inviter,
            ["Organization"] = team.Name,
            ["Url"] = url.To(Path + secret),
            ["Expires"] = ends.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture),
        })
        {
            Until = ends,
        });
        return invitation;
    }

    private byte[] HashOf(string secret) => pepper.HashSecret(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));

    /// <summary>Without the address: what the audit log has stays for good, and people go.</summary>
    private static Task Tell(WriteScope scope, string action, Organization team, Invitation invitation, bool isMade)
    {
        var json = new JsonObject { ["id"] = invitation.Id, ["role"] = invitation.Role }.ToJsonString(JsonSerializerOptions.Default);
        return AuditLog.Append(scope, new AuditEntry
        {
            Action = action,
            TargetType = "invitation",
            TargetId = invitation.Id,
            OrganizationId = team.Id.Text,
            Before = isMade ? null : json,
            After = isMade ? json : null,
        });
    }
}
