using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Mail;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Teams;

namespace Tollgate.Server.Tests.Console;

/// <summary>People as who runs the gate sees them at the console, and what is done about their accounts there.</summary>
public sealed class OperatorPersonTests
{
    private const string List = OperatorPlace.Root + "/people";

    [Fact]
    public async Task Somebody_is_found_by_name_address_and_id_and_told_with_organizations_and_sessions()
    {
        await using var place = await OperatorPlace.Start();
        var person = place.Console.Reach["billing"].Person;
        var link = $"href=\"{place.PersonPath("billing")}\"";
        foreach (var search in new[] { "", person.Id, person.Email!, person.Email![..^3], person.Name.ToUpperInvariant() })
        {
            Assert.Contains(
                link, (await place.Operator.Get($"{List}?search={Uri.EscapeDataString(search)}")).Text, StringComparison.Ordinal);
        }

        var none = await place.Operator.Get($"{List}?search=%25_");
        Assert.Contains("Nobody has this in the name", none.Text, StringComparison.Ordinal);
        Assert.Equal(422, (await place.Operator.Get($"{List}?search={new string('x', 201)}")).Status);

        var page = await place.Operator.Get(place.PersonPath("billing"));
        Assert.True(page.Status == 200, page.ToString());
        foreach (var text in new[]
        {
            person.Email!, person.Id, $"href=\"{place.Customer}\"", "<td>billing</td>", "<td>test</td>",
            $"href=\"{OperatorPlace.Root}/customers/{person.OrganizationId}\"", "own organization",
            $"href=\"{place.PersonPath("billing")}/suspend\"",
            $"href=\"{place.PersonPath("billing")}/sessions\"",
        })
        {
            Assert.Contains(text, page.Text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("/second-step\"", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("/reinstate\"", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Somebody_is_suspended_with_a_reason_signed_out_at_once_and_reinstated()
    {
        await using var place = await OperatorPlace.Start();
        var (path, billing) = (place.PersonPath("billing"), place.Console.As("billing"));
        Assert.Equal(200, (await billing.Get("/account")).Status);
        Assert.Equal(422, (await place.Operator.Fill($"{path}/suspend", ("reason", ""))).Status);
        Assert.Equal(200, (await billing.Get("/account")).Status);

        var done = await place.Operator.Fill($"{path}/suspend", ("reason", "Asked by the bank"));

        Assert.Equal($"{path}?done=suspend", done.Location);
        Assert.Equal("/sign-in", (await billing.Get("/account")).Location);
        var page = await place.Operator.Get(done.Location!);
        Assert.Contains("every session is ended", page.Text, StringComparison.Ordinal);
        Assert.Contains("may not sign in", page.Text, StringComparison.Ordinal);
        var row = (await place.Audit()).Single(one => one.Action == "person.disable");
        Assert.Equal((place.OperatorId, "Asked by the bank"), (row.ActorId, row.Reason));
        Assert.Equal(303, (await place.Operator.Fill($"{path}/reinstate")).Status);
        Assert.Contains("<span class=\"status good\">active</span>", (await place.Operator.Get(path)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_sessions_of_somebody_end_at_once_and_nobody_elses()
    {
        await using var place = await OperatorPlace.Start();
        var (billing, owner) = (place.Console.As("billing"), place.Console.As("owner"));
        Assert.Equal(200, (await billing.Get("/account")).Status);

        var done = await place.Operator.Fill($"{place.PersonPath("billing")}/sessions");

        Assert.Equal($"{place.PersonPath("billing")}?done=sessions", done.Location);
        Assert.Equal("/sign-in", (await billing.Get("/account")).Location);
        Assert.Equal(200, (await owner.Get("/account")).Status);
        var page = await place.Operator.Get(done.Location!);
        Assert.Contains("Nowhere at present.", page.Text, StringComparison.Ordinal);
        Assert.Equal(place.OperatorId, (await place.Audit()).Single(one => one.Action == "session.end_all").ActorId);
    }

    [Fact]
    public async Task A_second_step_that_was_lost_is_removed_with_every_session_and_a_mail_tells_of_it()
    {
        await using var place = await OperatorPlace.Start();
        var (gate, person) = (place.Console.Gate, place.Console.Reach["billing"].Person);
        await gate.Services.GetRequiredService<MailCourier>().StopAsync(default);
        await TeamRows.GiveStep(gate.Database, person.Id);
        await TeamRows.GiveStep(gate.Database, place.Console.Reach["owner"].Person.Id);
        var (path, billing) = (place.PersonPath("billing"), place.Console.As("billing"));
        Assert.Equal(200, (await billing.Get("/account")).Status);
        Assert.Contains("recovery codes left: 1", (await place.Operator.Get(path)).Text, StringComparison.Ordinal);
        Assert.Contains("make sure by another way", (await place.Operator.Get($"{path}/second-step")).Text, StringComparison.Ordinal);
        Assert.Equal(422, (await place.Operator.Fill($"{path}/second-step", ("reason", " "))).Status);
        Assert.Equal(2, await place.Ask<long>("SELECT COUNT(*) FROM authenticators"));

        var done = await place.Operator.Fill($"{path}/second-step", ("reason", "Called back"));

        Assert.Equal($"{path}?done=second-step", done.Location);
        Assert.Contains("a mail tells the person", (await place.Operator.Get(done.Location!)).Text, StringComparison.Ordinal);
        Assert.Equal("/sign-in", (await billing.Get("/account")).Location);
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM authenticators"));
        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM recovery_codes"));
        var mails = await gate.Database.Read(connection => connection.QueryAsync<QueuedMail>("SELECT * FROM mail_outbox"));
        var mail = Assert.Single(mails, one => one.Template == "second-step-taken");
        var letter = gate.Services.GetRequiredService<MailOutbox>().Open(mail)!;
        Assert.Equal(person.Email, letter.To);
        Assert.DoesNotContain("127.0.0.1:", letter.Plain.Split("http", 2)[0], StringComparison.Ordinal);
        var row = (await place.Audit()).Single(one => one.Action == "second_step.take_away");
        Assert.Equal((place.OperatorId, person.Id, "Called back"), (row.ActorId, row.TargetId, row.Reason));
        Assert.Equal(409, (await place.Operator.Fill($"{path}/second-step", ("reason", "Again"))).Status);
    }

    [Fact]
    public async Task The_same_by_the_management_API_with_an_audit_row_each()
    {
        await using var place = await OperatorPlace.Start();
        var (gate, person) = (place.Console.Gate, place.Console.Reach["billing"].Person);
        await TeamRows.GiveStep(gate.Database, person.Id);
        var path = $"/api/v1/operator/people/{person.Id}";

        var removed = await gate.Send("DELETE", $"{path}/second-step", RunningGate.RootKey);
        Assert.Equal((200, person.Id), ((int)removed.Status, removed.String("id")));
        Assert.Equal(409, (int)(await gate.Send("DELETE", $"{path}/second-step", RunningGate.RootKey)).Status);
        Assert.Equal(404, (int)(await gate.Send("DELETE", "/api/v1/operator/people/per_none/second-step", RunningGate.RootKey)).Status);
        Assert.Equal(404, (int)(await gate.Send("DELETE", "/api/v1/operator/people/per_none/sessions", RunningGate.RootKey)).Status);
        var owner = place.Console.Reach["owner"].Person.Id;
        var ended = await place.Console.Reach.As("operator", "DELETE", $"/api/v1/operator/people/{owner}/sessions");
        Assert.Equal(1, ended.Json.GetProperty("ended").GetInt32());
        gate.Clock.Advance(TimeSpan.FromMinutes(11));
        var stale = await place.Console.Reach.As("operator", "DELETE", $"{path}/sessions");
        Assert.Equal(("proof_needed", 403), (stale.String("code"), (int)stale.Status));
    }

    [Fact]
    public async Task About_oneself_nothing_is_changed_there()
    {
        await using var place = await OperatorPlace.Start();
        var own = place.PersonPath("operator");
        await TeamRows.GiveStep(place.Console.Gate.Database, place.OperatorId);

        var page = await place.Operator.Get(own);

        Assert.Contains("href=\"/account\"", page.Text, StringComparison.Ordinal);
        var other = $"{place.PersonPath("billing")}/suspend";
        var token = (await place.Operator.Get(other)).Hidden(other).Single(field => field.Name == "form_token");
        foreach (var name in new[] { "suspend", "sessions", "second-step" })
        {
            Assert.DoesNotContain($"href=\"{own}/{name}\"", page.Text, StringComparison.Ordinal);
            Assert.Equal(409, (await place.Operator.Get($"{own}/{name}")).Status);
            Assert.Equal(409, (await place.Operator.Post($"{own}/{name}", token, ("reason", "By hand"))).Status);
        }

        Assert.Equal(1, await place.Ask<long>("SELECT COUNT(*) FROM authenticators"));
        Assert.Equal(200, (await place.Operator.Get(own)).Status);
    }
}
