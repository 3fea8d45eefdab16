using System.Net;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Keys;

/// <summary>A call that is sent again with its <c>Idempotency-Key</c> happens once.</summary>
public sealed class IdempotentCallTests(Gates gates) : IClassFixture<Gates>
{
    private static readonly (string, string) Once = ("Idempotency-Key", "order-1");

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_repeated_create_answers_the_same_secret_for_ten_minutes_to_its_caller_alone(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var project = await gate.NewProject();
        var manager = await gate.NewSecret("\"name\":\"Manager\",\"rights\":[\"keys:manage\"]", project);
        var path = $"/api/v1/projects/{project}/keys";
        var made = (await gate.Send("POST", path, RunningGate.RootKey, "{\"name\":\"One\"}", Once)).Has(HttpStatusCode.Created);
        var rows = await gate.Rows();

        var again = await gate.Send("POST", path, RunningGate.RootKey, "{\"name\":\"One\"}", Once);
        Assert.Equal((made.Status, made.Text), (again.Status, again.Text));
        Assert.Equal("true", again.Headers["Idempotency-Replayed"]);
        Assert.False(made.Headers.ContainsKey("Idempotency-Replayed"));
        Assert.Equal("no-store", again.Headers["Cache-Control"]);
        Assert.Equal(rows, await gate.Rows());

        (await gate.Send("POST", path, RunningGate.RootKey, "{\"name\":\"Two\"}", Once))
            .Has(HttpStatusCode.UnprocessableEntity, "idempotency_mismatch");
        var other = (await gate.Send("POST", path, manager, "{\"name\":\"One\"}", Once)).Has(HttpStatusCode.Created);
        Assert.NotEqual(made.String("secret"), other.String("secret"));

        gate.Clock.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromMilliseconds(1));
        (await gate.Send("POST", path, RunningGate.RootKey, "{\"name\":\"One\"}", Once))
            .Has(HttpStatusCode.Conflict, "idempotency_expired");
    }

    [Fact]
    public async Task A_repeated_rotation_makes_one_secret_and_a_refusal_is_not_kept()
    {
        var gate = await gates.Of("default");
        var (id, _) = await gate.NewPair();
        await gate.Act(id, "rotate");
        (await Rotate(gate, id)).Has(HttpStatusCode.Conflict, "rotation_running");
        gate.Clock.Advance(TimeSpan.FromHours(24));

        var rotated = (await Rotate(gate, id)).Has(HttpStatusCode.OK);
        Assert.Equal(rotated.Text, (await Rotate(gate, id)).Has(HttpStatusCode.OK).Text);
        Assert.Equal("allowed", await gate.CodeOf(rotated.String("secret")));
        Assert.Equal(3, (await gate.Send("GET", $"/api/v1/keys/{id}", RunningGate.RootKey)).Json.GetProperty("secrets").GetArrayLength());
    }

    [Fact]
    public async Task On_a_providers_own_surface_the_project_is_a_part_of_the_request()
    {
        var gate = await gates.Of("default");
        var project = await gate.NewProject();
        var first = await gate.Send("POST", "/v1/api-keys", RunningGate.RootKey, "{\"name\":\"One\"}", Once);
        first.Has(HttpStatusCode.Created);
        var elsewhere =
            await gate.Send("POST", "/v1/api-keys", RunningGate.RootKey, "{\"name\":\"One\"}", Once, ("X-Tollgate-Project", project));
        elsewhere.Has(HttpStatusCode.UnprocessableEntity);
        Assert.DoesNotContain(first.String("secret"), elsewhere.Text, StringComparison.Ordinal);
        Assert.Equal(first.Text, (await gate.Send("POST", "/v1/api-keys", RunningGate.RootKey, "{\"name\":\"One\"}", Once)).Text);
    }

    private static Task<Answer> Rotate(RunningGate gate, string id) =>
        gate.Send("POST", $"/api/v1/keys/{id}/rotate", RunningGate.RootKey, null, ("Idempotency-Key", "rotate-1"));
}
