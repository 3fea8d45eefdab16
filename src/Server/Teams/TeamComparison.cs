using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Server.Audit;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Teams;

/// <summary>
/// Compares a restored database, not yet in place, with the one that it is to replace: who would be in a team or in one of its projects
/// again, or be more there than now. Told what to keep, it takes that away again, as an audited change of the restored database.
/// </summary>
internal sealed class TeamComparison(DbConnection inPlace, WriteScope restored, bool keep)
{
    private const int Batch = 500;
    private const string KeptReason = "kept by a restore";

    public async IAsyncEnumerable<UndoneChange> Find()
    {
        var after = 0L;
        while (await TeamSql.After(restored, after, Batch) is { Count: > 0 } page)
        {
            var teams = await Same([.. page.Select(member => member.OrganizationNo).Distinct()]);
            foreach (var back in page.Where(back => teams.ContainsKey(back.OrganizationNo)))
            {
                var now = await InPlaceException.Reading(() => TeamSql.FindMember(inPlace, null, back.OrganizationNo, back.PersonId));
                var team = teams[back.OrganizationNo];
                if (now is null || now.TeamRole > back.TeamRole)
                {
                    yield return now is null
                        ? new("left", "member", back.PersonId, team.Name, null, $"would be in the team {team.Id} again, as {back.Role}")
                        : new("role", "member", back.PersonId, team.Name, null, $"would be {back.Role} of the team {team.Id} again");
                    if (keep)
                    {
                        await Keep(team, now, back);
                    }
                }

                // Whose membership was taken away has lost its places with it.
                await foreach (var change in now is null ? AsyncEnumerable.Empty<UndoneChange>() : Places(now, back))
                {
                    yield return change;
                }
            }

            after = page[^1].MemberNo;
        }

        if (keep)
        {
            await KeepArchives();
        }
    }

    /// <summary>The places in projects that a member would have again, or be more in than now.</summary>
    private async IAsyncEnumerable<UndoneChange> Places(Member now, Member back)
    {
        var places = await ProjectMemberSql.OfMember(restored.Connection, restored.Transaction, back.MemberNo);
        if (places.Count == 0)
        {
            yield break;
        }

        var kept = (await InPlaceException.Reading(() => ProjectMemberSql.OfMember(inPlace, null, now.MemberNo)))
            .ToDictionary(place => place.ProjectNo);
        var projects = await SameProjects(places.ConvertAll(place => place.ProjectNo));
        foreach (var place in places.Where(place => projects.ContainsKey(place.ProjectNo)))
        {
            var (project, still) = (projects[place.ProjectNo], kept.GetValueOrDefault(place.ProjectNo));
            if (still is not null && still.ProjectRole <= place.ProjectRole)
            {
                continue;
            }

            yield return still is null
                ? new("left", "project_member", back.PersonId, project.Name, null,
                    $"would be in the project {project.Id} again, as {place.Role}")
                : new("role", "project_member", back.PersonId, project.Name, null,
                    $"would be {place.Role} of the project {project.Id} again");
            if (keep)
            {
                await Keep(project, back, place, still);
            }
        }
    }

    private async Task Keep(OwnerPlace project, Member member, ProjectMember back, ProjectMember? now)
    {
        if (now is null)
        {
            await ProjectMemberSql.Remove(restored, back.ProjectNo, member.MemberNo);
        }
        else
        {
            await ProjectMemberSql.Set(restored, back with { Role = now.Role });
        }

        await AuditLog.Append(restored, new AuditEntry
        {
            Action = now is null ? "project_member.remove" : "project_member.set",
            TargetType = "project_member",
            TargetId = member.PersonId,
            OrganizationId = project.OrganizationId,
            ProjectId = project.Id,
            Before = ProjectRoster.Json(member, back),
            After = ProjectRoster.Json(member, now),
            Reason = KeptReason,
        });
    }

    /// <summary>The same of projects as <see cref="Same"/> of organizations.</summary>
    private async Task<Dictionary<long, OwnerPlace>> SameProjects(IReadOnlyList<long> numbers)
    {
        var now = (await InPlaceException.Reading(() => OrganizationRegister.ProjectPlaces(inPlace, numbers)))
            .ToDictionary(place => place.No, place => place.Id);
        return (await OrganizationRegister.ProjectPlaces(restored.Connection, numbers, restored.Transaction))
            .Where(place => now.GetValueOrDefault(place.No) == place.Id).ToDictionary(place => place.No);
    }

    /// <summary>Of these organizations, those that both databases know: a number may have been given anew in another history.</summary>
    private async Task<Dictionary<long, OwnerPlace>> Same(IReadOnlyList<long> numbers)
    {
        var now = (await InPlaceException.Reading(() => OrganizationRegister.OrganizationPlaces(inPlace, numbers)))
            .ToDictionary(place => place.No, place => place.Id);
        return (await OrganizationRegister.OrganizationPlaces(restored.Connection, numbers, restored.Transaction))
            .Where(place => now.GetValueOrDefault(place.No) == place.Id).ToDictionary(place => place.No);
    }

    private async Task Keep(OwnerPlace team, Member? now, Member back)
    {
        if (now is null)
        {
            await ProjectRoster.Leave(restored, back);
            await TeamSql.Remove(restored, back.MemberNo);
        }
        else
        {
            await TeamSql.SetRole(restored, back.MemberNo, now.Role);
        }

        await AuditLog.Append(restored, new AuditEntry
        {
            Action = now is null ? "member.remove" : "member.role",
            TargetType = "member",
            TargetId = back.PersonId,
            OrganizationId = team.Id,
            Before = Json(back),
            After = now is null ? null : Json(now),
            Reason = KeptReason,
        });
    }

    /// <summary>
    /// The keys of these keep their hold, so that it is also known that they have it: whose owner is in no team in the restored database
    /// has them back with the next start.
    /// </summary>
    private async Task KeepArchives()
    {
        var after = 0L;
        while (await InPlaceException.Reading(() => TeamSql.Archives(inPlace, null, after, Batch)) is { Count: > 0 } page)
        {
            foreach (var organizationNo in (await Same(page)).Keys)
            {
                await TeamSql.Archive(restored, organizationNo);
            }

            after = page[^1];
        }
    }

    private static string Json(Member member) =>
        new JsonObject { ["person_id"] = member.PersonId, ["role"] = member.Role }.ToJsonString(JsonSerializerOptions.Default);
}
