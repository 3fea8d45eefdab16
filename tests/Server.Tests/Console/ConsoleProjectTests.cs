using System.Net;
using System.Text.RegularExpressions;
using Tollgate.Server.Organizations;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Console;

/// <summary>Projects at the console, by forms and without script: which one reaches, who is in them, and their end.</summary>
public sealed partial class ConsoleProjectTests
{
    [Theory]
    [InlineData("owner", true, "owner", "1")]
    [InlineData("admin", true, "admin", "1")]
    [InlineData("billing", true, "billing", null)]
    [InlineData("project admin", false, "admin", "1")]
    [InlineData("viewer", false, "viewer", "1")]
    public async Task Everybody_sees_the_projects_that_they_reach_and_what_they_are_there_TL12plus(
        string role, bool seesAll, string text, string? keys)
    {
        await using var place = await ConsolePagesPlace.Start();
        var browser = place.As(role);

        foreach (var home in new[] { $"/console/{place.Reach.Organization}", place.Home })
        {
            var page = await browser.Get($"{home}/projects");
            Assert.Equal(200, page.Status);
            Assert.Contains(place.Reach.Project, page.Text, StringComparison.Ordinal);
            Assert.Equal(seesAll, page.Text.Contains("Another project", StringComparison.Ordinal));
            Assert.Equal((keys, text), RowOf(page, "The project"));
            Assert.Equal(role is "owner" or "admin", page.Text.Contains("/projects/new\"", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Who_is_in_no_project_is_told_who_can_change_that()
    {
        await using var place = await ConsolePagesPlace.Start();

        var page = await place.As("member").Get($"/console/{place.Reach.Organization}/projects");

        Assert.Contains("You are in no project yet", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(place.Reach.Project, page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Another project", page.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await place.As("member").Get($"{place.Home}/project")).Status);
    }

    [Fact]
    public async Task Pages_of_no_place_lead_back_to_where_one_was_last_and_never_to_what_is_not_ones_own()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, other) = (place.As("owner"), $"/console/{place.Reach.OtherProject}");
        await owner.Get(other);
        Assert.Equal(other, (await owner.Get("/console")).Location);
        Assert.Contains($"href=\"{other}/keys\"", (await owner.Get("/account")).Text, StringComparison.Ordinal);

        await owner.Get(place.Keys);
        Assert.Equal(place.Home, (await owner.Get("/console")).Location);
        owner.Headers.Add("Sec-Purpose", "prefetch;anonymous-client-ip");
        await owner.Get(other);
        Assert.Equal(place.Home, (await owner.Get("/console")).Location);

        await owner.Send(await owner.Get("/account"), "/sign-out");
        Assert.Null(owner.Jar.GetCookies(new Uri(place.Gate.Address))["tollgate-place"]);

        var stranger = place.As("stranger");
        var own = (await stranger.Get("/console")).Location!;
        foreach (var id in new[] { place.Reach.Project, "prj_nonsense", "..", "%0d%0a", new string('a', 65) })
        {
            stranger.Jar.Add(new Uri(place.Gate.Address), new Cookie("tollgate-place", id, "/"));
            Assert.Equal((id, own), (id, (await stranger.Get("/console")).Location));
            Assert.DoesNotContain(place.Reach.Project, (await stranger.Get("/account")).Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_project_is_made_renamed_and_deleted_with_its_keys_by_its_name()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (gate, owner, list) = (place.Gate, place.As("owner"), $"/console/{place.Reach.Organization}/projects");

        var refused = await owner.Fill($"{list}/new", ("name", new string('n', 101)));
        Assert.Equal(422, refused.Status);
        Assert.Contains("id=\"name-fault\"", refused.Text, StringComparison.Ordinal);
        Assert.Contains(new string('n', 101), refused.Text, StringComparison.Ordinal);
        var made = await owner.Fill($"{list}/new", ("name", new string('n', 100)));
        var home = made.Location!.Split('?')[0];
        Assert.Contains("is made. It has no keys yet", (await owner.Get(made.Location!)).Text, StringComparison.Ordinal);

        Assert.Equal(422, (await owner.Fill($"{home}/name", ("name", " "))).Status);
        Assert.Equal($"{home}?done=renamed", (await owner.Fill($"{home}/name", ("name", "Search"))).Location);
        Assert.Contains("The project is called Search now", (await owner.Get($"{home}?done=renamed")).Text, StringComparison.Ordinal);

        var project = home.Split('/')[2];
        var secrets = new[] { (await gate.NewPair(project: project)).Secret, (await gate.NewPair(project: project)).Secret };
        var asked = await owner.Get($"{home}/delete");
        Assert.Contains("2 keys in it are revoked", asked.Text, StringComparison.Ordinal);
        Assert.Equal(422, (await owner.Send(asked, $"{home}/delete", ("confirm", "search"))).Status);
        Assert.Equal("allowed", await gate.CodeOf(secrets[0]));
        var deleted = await owner.Send(asked, $"{home}/delete", ("confirm", "Search"));

        Assert.Equal($"{list}?done=deleted&name=Search", deleted.Location);
        Assert.Contains("Search is deleted", (await owner.Get(deleted.Location!)).Text, StringComparison.Ordinal);
        Assert.NotEqual("allowed", await gate.CodeOf(secrets[0]));
        Assert.NotEqual("allowed", await gate.CodeOf(secrets[1]));
        Assert.Equal(404, (await owner.Get(home)).Status);
    }

    [Fact]
    public async Task A_projects_admin_manages_who_is_in_it_without_managing_the_team_TL12plus()
    {
        await using var place = await ConsolePagesPlace.Start("tensorlake");
        var (admin, member, home) = (place.As("project admin"), place.Reach["member"].Person, $"{place.Home}/project");
        var page = await admin.Get(home);
        Assert.Contains("<dd>project admin</dd>", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain($"{home}/delete", page.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await place.As("member").Get(home)).Status);

        var nobody = await admin.Fill($"{home}/members/add", ("person", ""), ("role", "member"));
        Assert.Equal(422, nobody.Status);
        Assert.Contains("id=\"person-fault\"", nobody.Text, StringComparison.Ordinal);
        Assert.Equal(422, (await admin.Fill(
            $"{home}/members/add", ("person", place.Reach["stranger"].Person.Id), ("role", "member"))).Status);
        Assert.Equal(422, (await admin.Fill($"{home}/members/add", ("person", member.Id), ("role", "king"))).Status);
        var added = await admin.Fill($"{home}/members/add", ("person", member.Id), ("role", "viewer"));
        Assert.Contains($"{member.Name} is in the project", (await admin.Get(added.Location!)).Text, StringComparison.Ordinal);
        Assert.Equal(200, (await place.As("member").Get(home)).Status);

        var one = $"{home}/members/{member.Id}";
        var changed = await admin.Send(await admin.Get(one), $"{one}/role", ("role", "admin"));
        Assert.Equal($"{one}?done=role", changed.Location);
        Assert.Equal("admin", await RoleOf(place, "member"));
        Assert.Contains("They stay in the team", (await admin.Get($"{one}/remove")).Text, StringComparison.Ordinal);
        var removed = await admin.Fill($"{one}/remove");
        Assert.Contains("is in the project no more", (await admin.Get(removed.Location!)).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await place.As("member").Get(home)).Status);

        Assert.Equal(403, (await admin.Get($"{home}/delete")).Status);
        Assert.Equal(403, (await admin.Post($"{home}/delete", Token(page), ("confirm", "The project"))).Status);
        Assert.Equal(403, (await admin.Post($"{place.Home}/projects/new", Token(page), ("name", "By hand"))).Status);
        Assert.Equal(403, (await admin.Post(
            $"{place.Home}/team/invite", Token(page), ("email", "x@example.test"), ("role", "member"))).Status);
    }

    [Theory]
    [InlineData("project member", 403)]
    [InlineData("viewer", 403)]
    [InlineData("billing", 403)]
    [InlineData("member", 404)]
    [InlineData("stranger", 404)]
    public async Task Who_may_not_change_a_project_sees_no_button_and_a_form_sent_by_hand_changes_nothing(string role, int status)
    {
        await using var place = await ConsolePagesPlace.Start();
        var (browser, home, other) = (place.As(role), $"{place.Home}/project", place.Reach["other"].Person.Id);
        var page = await browser.Get($"/console/{place.Reach[role].Person.OrganizationId}/projects");
        var seen = await browser.Get(home);
        foreach (var link in new[] { "/members/add\"", $"/members/{other}\"", "/name\"", "/delete\"" })
        {
            Assert.DoesNotContain(home + link, seen.Text, StringComparison.Ordinal);
        }

        foreach (var (path, fields) in new (string, (string, string)[])[]
        {
            ("/members/add", [("person", place.Reach["member"].Person.Id), ("role", "admin")]),
            ($"/members/{other}/role", [("role", "admin")]), ($"/members/{other}/remove", []), ("/name", [("name", "By hand")]),
            ("/delete", [("confirm", "The project")]),
        })
        {
            var sent = await browser.Post(home + path, [Token(page), .. fields]);
            Assert.True(sent.Status == status, $"{path}: {sent}");
        }

        var after = await place.As("owner").Get(home);
        Assert.DoesNotContain("By hand", after.Text, StringComparison.Ordinal);
        Assert.Equal("viewer", await RoleOf(place, "other"));
        Assert.Null(await RoleOf(place, "member"));
    }

    [Fact]
    public async Task Who_leaves_a_project_stays_in_the_team_and_comes_back_to_the_list()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (viewer, id, home) = (place.As("viewer"), place.Reach["viewer"].Person.Id, $"{place.Home}/project");
        Assert.Contains($"{home}/members/{id}/remove", (await viewer.Get(home)).Text, StringComparison.Ordinal);

        Assert.Contains("You stay in the team", (await viewer.Get($"{home}/members/{id}/remove")).Text, StringComparison.Ordinal);
        var left = await viewer.Fill($"{home}/members/{id}/remove");

        Assert.Equal($"/console/{place.Reach.Organization}/projects?done=left&name=The%20project", left.Location);
        Assert.Contains("You have left The project", (await viewer.Get(left.Location!)).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await viewer.Get(home)).Status);
        Assert.Equal(200, (await viewer.Get($"/console/{place.Reach.Organization}/team")).Status);
    }

    [Fact]
    public async Task Where_members_make_keys_the_role_says_so()
    {
        await using var place = await ConsolePagesPlace.Start(with: provider => provider with
        {
            Teams = provider.Teams! with { MembersMakeKeys = true, MembersSeeProjects = true },
        });

        var form = await place.As("project admin").Get($"{place.Home}/project/members/add");

        Assert.Contains("Makes keys, and manages those that they made", form.Text, StringComparison.Ordinal);
        var list = await place.As("member").Get($"/console/{place.Reach.Organization}/projects");
        Assert.Equal(("1", "viewer"), RowOf(list, "The project"));
        Assert.Contains("Another project", list.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_projects_than_the_switch_holds_are_on_the_list_in_pages()
    {
        await using var place = await ConsolePagesPlace.Start();
        var register = (OrganizationRegister)place.Gate.Services.GetService(typeof(OrganizationRegister))!;
        var owner = place.As("owner");
        Assert.DoesNotContain("More projects", (await owner.Get(place.Home)).Text, StringComparison.Ordinal);
        Assert.True((await place.Gate.Database.Write<bool>(async scope =>
        {
            for (var i = 0; i < 99; i++)
            {
                Assert.True((await register.CreateProject(scope, place.Reach.Organization, $"Project {i}")).IsOk);
            }

            return true;
        })).IsOk);

        var page = await owner.Get($"/console/{place.Reach.Organization}/projects");

        Assert.Contains($"href=\"/console/{place.Reach.Organization}/projects\">More projects</a>", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("More projects", (await place.As("viewer").Get(place.Home)).Text, StringComparison.Ordinal);
        var names = new List<string>();
        for (var pages = 1; ; pages++)
        {
            names.AddRange(Rows().Matches(page.Text).Select(row => row.Groups["name"].Value));
            var next = OlderPage().Match(page.Text);
            if (!next.Success)
            {
                Assert.Equal((3, 101, 101), (pages, names.Count, names.Distinct().Count()));
                break;
            }

            page = await owner.Get(WebUtility.HtmlDecode(next.Groups["href"].Value));
        }

        Assert.Equal(400, (await owner.Get($"/console/{place.Reach.Organization}/projects?cursor=none")).Status);
    }

    [Fact]
    public async Task An_organization_of_ones_own_has_projects_without_members()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (stranger, own) = (place.As("stranger"), $"/console/{place.Reach["stranger"].Person.OrganizationId}");
        Assert.Contains("Make the first project", (await stranger.Get($"{own}/projects")).Text, StringComparison.Ordinal);

        var home = (await stranger.Fill($"{own}/projects/new", ("name", "Mine"))).Location!.Split('?')[0];
        var page = await stranger.Get(home);

        Assert.DoesNotContain("Members", page.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await stranger.Get($"{home}/members/add")).Status);
        Assert.Equal(404, (await stranger.Get($"{own}/project")).Status);
    }

    [Fact]
    public async Task A_form_without_its_token_and_one_from_another_site_change_nothing_W7()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, other) = (place.As("owner"), place.Reach["other"].Person.Id);
        var page = await owner.Get($"{place.Home}/project");
        (string Path, (string, string)[] Fields)[] all =
        [
            ("/projects/new", [("name", "Forged")]), ("/project/name", [("name", "Forged")]),
            ("/project/delete", [("confirm", "The project")]), ($"/project/members/{other}/role", [("role", "admin")]),
            ($"/project/members/{other}/remove", []),
            ("/project/members/add", [("person", place.Reach["member"].Person.Id), ("role", "admin")]),
        ];

        foreach (var (path, fields) in all)
        {
            Assert.Equal(400, (await owner.Post(place.Home + path, fields)).Status);
        }

        owner.Headers.Add("Sec-Fetch-Site", "cross-site");
        foreach (var (path, fields) in all)
        {
            Assert.Equal(403, (await owner.Post(place.Home + path, [Token(page), .. fields])).Status);
        }

        page = await place.As("owner").Get($"{place.Home}/projects");
        Assert.DoesNotContain("Forged", page.Text, StringComparison.Ordinal);
        Assert.Contains("The project", page.Text, StringComparison.Ordinal);
        Assert.Equal("viewer", await RoleOf(place, "other"));
        Assert.Null(await RoleOf(place, "member"));
    }

    [Fact]
    public async Task Hostile_names_are_written_as_text_everywhere_W9()
    {
        const string hostile = "\u202e\U0001f98a</option><script>alert(1)</script>\"'><img src=x>";
        await using var place = await ConsolePagesPlace.Start();
        var (owner, home, other) = (place.As("owner"), $"{place.Home}/project", place.Reach["other"].Person.Id);
        Assert.True((await place.Gate.Database.Write<int>(
            async scope => await scope.Execute("UPDATE people SET name = @hostile", new { hostile }))).IsOk);
        Assert.Equal(303, (await owner.Fill($"{home}/name", ("name", hostile))).Status);

        var sent = Uri.EscapeDataString(hostile);
        foreach (var page in new[]
        {
            await owner.Get(home), await owner.Get($"{home}?done=added&name={sent}"), await owner.Get($"{home}/members/{other}"),
            await owner.Get($"{home}/members/{other}/remove"), await owner.Get($"{home}/members/add"), await owner.Get($"{home}/delete"),
            await owner.Get($"{home}/name"), await owner.Get($"{place.Home}/projects"),
            await owner.Get($"{place.Home}/projects?done=deleted&name={sent}"),
            await owner.Fill($"{place.Home}/projects/new", ("name", hostile + hostile)),
            await owner.Fill($"{home}/members/add", ("person", hostile), ("role", hostile)),
        })
        {
            Assert.DoesNotContain("<script>alert", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("<img", page.Text, StringComparison.Ordinal);
            Assert.Contains("&lt;script&gt;", page.Text, StringComparison.Ordinal);
        }

        var deleted = await owner.Fill($"{home}/delete", ("confirm", hostile));
        Assert.Equal(303, deleted.Status);
        Assert.DoesNotContain("<script>alert", (await owner.Get(deleted.Location!)).Text, StringComparison.Ordinal);
    }

    private static (string Name, string Value) Token(Page page) => page.Hidden("/sign-out").Single(field => field.Name == "form_token");

    /// <summary>What the list says of a project: its keys that work, null where they are not told, and what one is there.</summary>
    private static (string? Keys, string Role) RowOf(Page list, string name)
    {
        var row = Rows().Matches(list.Text).FirstOrDefault(one => one.Groups["name"].Value == name);
        Assert.True(row is not null, list.ToString());
        var keys = row.Groups["keys"].Value;
        return (keys.Length == 0 ? null : keys, row.Groups["role"].Value);
    }

    private static async Task<string?> RoleOf(ConsolePagesPlace place, string who) =>
        (await place.Gate.Send("GET", $"/api/v1/projects/{place.Reach.Project}/members", RunningGate.RootKey))
            .Json.GetProperty("data").EnumerateArray()
            .Where(one => one.GetProperty("person_id").GetString() == place.Reach[who].Person.Id)
            .Select(one => one.GetProperty("role").GetString()).SingleOrDefault();

    [GeneratedRegex(
        "<a class=\"row\" href=\"[^\"]*\"><bdi>(?<name>[^<]*)</bdi></a></th>\\s*<td><code>[^<]*</code></td>"
        + "(?:\\s*<td class=\"number\">(?<keys>[^<]*)</td>)?\\s*<td>(?<role>[^<]*)</td>")]
    private static partial Regex Rows();

    [GeneratedRegex("<a href=\"(?<href>[^\"]*)\">Older projects</a>")]
    private static partial Regex OlderPage();
}
