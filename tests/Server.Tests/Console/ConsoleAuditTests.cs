using System.Net;
using System.Text.RegularExpressions;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Console;

/// <summary>Who changed what, at the console.</summary>
public sealed class ConsoleAuditTests
{
    [Fact]
    public async Task Each_change_says_when_who_what_on_what_and_from_where_and_is_found_by_each_of_them_W14()
    {
        await using var place = await ConsolePagesPlace.Start();
        var (owner, admin, audit) = (place.As("owner"), place.As("admin"), $"{place.Home}/audit");
        await owner.Fill($"{place.Keys}/{place.Reach.Key}/disable");
        await admin.Fill($"{place.Keys}/{place.Reach.Key}/revoke", ("reason", "compromised"));

        var page = await admin.Get(audit);
        Assert.Contains("Disabled a key", page.Text, StringComparison.Ordinal);
        Assert.Contains("<code>key.disable</code>", page.Text, StringComparison.Ordinal);
        Assert.Contains("<bdi>you</bdi>", page.Text, StringComparison.Ordinal);
        Assert.Contains("the operator", page.Text, StringComparison.Ordinal);
        Assert.Contains($"href=\"{place.Keys}/{place.Reach.Key}\"><bdi>A test key</bdi>", page.Text, StringComparison.Ordinal);
        Assert.Contains("<bdi>compromised</bdi>", page.Text, StringComparison.Ordinal);
        Assert.Contains("<code>127.0.0.1</code>", page.Text, StringComparison.Ordinal);
        Assert.Contains("<bdi>status: active → disabled</bdi>", WebUtility.HtmlDecode(page.Text), StringComparison.Ordinal);

        var (mine, its) = (place.Reach["owner"].Person.Id, place.Reach["admin"].Person.Id);
        var today = place.Gate.Clock.GetUtcNow().ToString("yyyy-MM-dd", null);
        foreach (var (query, codes) in new (string, string[])[]
        {
            ("action=key.disable", ["key.disable"]), ($"by={mine}", ["key.disable"]), ($"by={its}", ["key.revoke"]),
            ($"target={place.Reach.Key}", ["key.revoke", "key.disable", "key.create"]), ("by=per_nobody", []),
            ($"by={mine}&from={today}&to={today}", ["key.disable"]), ("to=2026-01-01", []), ("action=nothing.known", []),
        })
        {
            Assert.Equal(codes, CodesOf(await owner.Get($"{audit}?{query}")));
            Assert.Equal(codes.Length + 1, (await owner.Get($"{audit}.csv?{query}")).Text.Split("\r\n").Length - 1);
        }
    }

    [Fact]
    public async Task A_projects_admin_reads_what_is_of_the_project_and_nothing_else()
    {
        await using var place = await ConsolePagesPlace.Start();
        await place.Gate.Send(
            "POST", $"/api/v1/projects/{place.Reach.OtherProject}/keys", RunningGate.RootKey, "{\"name\":\"Of another project\"}");
        var (owner, admin) = (place.As("owner"), place.As("project admin"));
        var all = $"/console/{place.Reach.Organization}/audit";

        Assert.Contains("Of another project", (await owner.Get(all)).Text, StringComparison.Ordinal);
        Assert.Contains("member.join", (await owner.Get(all)).Text, StringComparison.Ordinal);
        Assert.Contains($"href=\"{all}\"", (await owner.Get($"{place.Home}/audit")).Text, StringComparison.Ordinal);
        var page = await admin.Get($"{place.Home}/audit");
        Assert.Equal(200, page.Status);
        foreach (var text in new[] { page.Text, (await owner.Get($"{place.Home}/audit.csv")).Text })
        {
            Assert.Contains("A test key", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("Of another project", text, StringComparison.Ordinal);
            Assert.DoesNotContain("<code>member.join", text, StringComparison.Ordinal);
        }

        // A page says "you"; a file is read by others too.
        await owner.Fill($"{place.Keys}/{place.Reach.Key}/disable");
        Assert.Contains("<bdi>you</bdi>", (await owner.Get($"{place.Home}/audit")).Text, StringComparison.Ordinal);
        var file = (await owner.Get($"{place.Home}/audit.csv")).Text;
        Assert.DoesNotContain(",you,", file, StringComparison.Ordinal);
        Assert.Contains($",{place.Reach["owner"].Person.Name},key.disable,", file, StringComparison.Ordinal);
        Assert.Contains("<bdi>role: admin</bdi>", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain($"href=\"{all}\"", page.Text, StringComparison.Ordinal);
        Assert.Equal(403, (await admin.Get(all)).Status);
        Assert.Equal(403, (await admin.Get($"{all}.csv")).Status);
        Assert.Equal(404, (await admin.Get($"/console/{place.Reach.OtherProject}/audit")).Status);
        foreach (var role in new[] { "viewer", "project member" })
        {
            Assert.DoesNotContain("/audit", (await place.As(role).Get(place.Home)).Text, StringComparison.Ordinal);
            Assert.Equal(403, (await place.As(role).Get($"{place.Home}/audit")).Status);
            Assert.Equal(403, (await place.As(role).Get($"{place.Home}/audit.csv")).Status);
        }

        Assert.Equal(200, (await place.As("billing").Get(all)).Status);
    }

    [Fact]
    public async Task Fifty_rows_are_a_page_and_a_file_has_all_of_them_however_many()
    {
        await using var place = await ConsolePagesPlace.Start();
        var before = RowsOf(await place.As("owner").Get($"{place.Home}/audit.csv"));
        await Append(place, 1_050, "A name");
        var owner = place.As("owner");

        var first = await owner.Get($"{place.Home}/audit");
        var older = Regex.Match(first.Text, "href=\"(?<href>[^\"]*)\">Older[^<]*<").Groups["href"].Value;
        var second = await owner.Get(WebUtility.HtmlDecode(older));

        Assert.Equal((50, 50), (CodesOf(first).Count, CodesOf(second).Count));
        Assert.NotEqual(first.Plain, second.Plain);
        Assert.True(first.Text.Length < 60_000, $"{first.Text.Length} bytes");
        Assert.Equal(before + 1_050, RowsOf(await owner.Get($"{place.Home}/audit.csv")));
        Assert.Equal(400, (await owner.Get(WebUtility.HtmlDecode(older) + "&action=key.create")).Status);
    }

    [Fact]
    public async Task Who_is_something_else_by_the_second_page_of_a_file_gets_no_more_of_it()
    {
        await using var place = await ConsolePagesPlace.Start();
        await Append(place, 6_000, new string('x', 150));
        var signed = place.Reach["project admin"];
        using var http = new HttpClient { BaseAddress = new Uri(place.Gate.Address) };
        http.DefaultRequestHeaders.Add("Cookie", $"tollgate={signed.Cookie}");
        using var answer = await http.GetAsync(
            new Uri($"{place.Home}/audit.csv", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead,
            TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True((await place.Gate.Database.Write<int>(async scope => await scope.Execute("DELETE FROM sessions"))).IsOk);

        await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Hostile_names_are_written_as_text_and_a_filter_too_long_is_told_W9()
    {
        const string hostile = "</bdi><script>alert(1)</script>\"'\U0001F511\u202E";
        await using var place = await ConsolePagesPlace.Start();
        var (owner, audit) = (place.As("owner"), $"{place.Home}/audit");
        await place.Gate.Send(
            "PATCH", $"/api/v1/keys/{place.Reach.Key}", RunningGate.RootKey,
            System.Text.Json.JsonSerializer.Serialize(new { name = hostile }));

        var sent = Uri.EscapeDataString(hostile);
        foreach (var page in new[]
        {
            await owner.Get(audit), await owner.Get($"{audit}?action={sent}&by={sent}&target={sent}"),
            await owner.Get($"{audit}?from={sent}"),
        })
        {
            Assert.DoesNotContain("<script>alert", page.Text, StringComparison.Ordinal);
            Assert.Contains("&lt;script&gt;", page.Text, StringComparison.Ordinal);
        }

        foreach (var query in new[] { $"target={new string('x', 201)}", "by=%00", "from=yesterday", "from=2026-02-02&to=2026-02-01" })
        {
            var page = await owner.Get($"{audit}?{query}");
            Assert.Equal(422, page.Status);
            Assert.Contains("role=\"alert\"", page.Text, StringComparison.Ordinal);
        }
    }

    private static async Task Append(ConsolePagesPlace place, int rows, string name)
    {
        var made = await place.Gate.Database.Write<bool>(
            async scope =>
            {
                await AuditLog.Append(scope, [.. Enumerable.Range(0, rows).Select(i => new AuditEntry
                {
                    Action = "key.reveal", TargetType = "key", TargetId = $"key_{i}", OrganizationId = place.Reach.Organization,
                    ProjectId = place.Reach.Project, Reason = name,
                })]);
                return true;
            },
            MutationContext.Of(Caller.Root));
        Assert.True(made.IsOk);
    }

    private static int RowsOf(Identity.Page file) => file.Text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length - 1;

    private static List<string> CodesOf(Identity.Page page)
    {
        Assert.True(page.Status == 200, page.ToString());
        return [.. Regex.Matches(page.Text, "<small><code>(?<code>[^<]*)</code></small>").Select(found => found.Groups["code"].Value)];
    }
}
