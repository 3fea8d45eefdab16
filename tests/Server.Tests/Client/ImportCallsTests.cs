using System.Text;
using System.Text.Json.Nodes;
using Tollgate.Client;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Keys.Import;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Client;

/// <summary>Keys move in from .NET, into a real gate.</summary>
public sealed class ImportCallsTests(ImportGates gates) : IClassFixture<ImportGates>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_come_in_with_all_they_say_and_each_has_its_outcome()
    {
        var gate = await gates.Sqlite();
        using var client = new TollgateClient(new Uri(gate.Address), RunningGate.RootKey);
        var (first, second) = (Imports.Foreign(), Imports.Foreign());
        ImportRow[] rows =
        [
            new()
            {
                ExternalId = "1",
                Name = "First",
                Secret = first,
                ProjectId = gate.ProjectId,
                Environment = "test",
                Scopes = ["chat"],
                Rights = ["verify"],
                Description = "From elsewhere",
                ExpiresAt = gate.Clock.GetUtcNow().AddDays(1),
                CreatedAt = gate.Clock.GetUtcNow().AddDays(-1),
                AllowedAddresses = ["10.0.0.0/8"],
                Metadata = new JsonObject { ["team"] = "a" },
            },
            new() { ExternalId = "2", Name = "Other", SecretSha256 = Imports.Base64(second), Start = "sk-", End = "wxyz", Disabled = true },
            new() { ExternalId = "3", Name = "", Secret = "sk-" },
        ];

        var trial = await client.Import.SendAsync(rows, gate.ProjectId, dryRun: true, cancellationToken: Cancel);
        var report = await client.Import.SendAsync(rows, gate.ProjectId, cancellationToken: Cancel);
        var again = await client.Import.SendAsync(rows[..2], gate.ProjectId, cancellationToken: Cancel);

        Assert.Equal((2, 0, 1), (trial.Created, trial.Unchanged, trial.Refused));
        Assert.Null(trial.Data[0].Id);
        Assert.Equal((2, 0, 1), (report.Created, report.Unchanged, report.Refused));
        Assert.Equal([ImportStatus.Created, ImportStatus.Created, ImportStatus.Refused], report.Data.Select(row => row.Status));
        Assert.Equal([(1, "1"), (2, "2"), (3, "3")], report.Data.Select(row => (row.Line, row.ExternalId!)));
        Assert.Equal(["/secret", "/name"], report.Data[2].Error!.Errors.Select(error => error.Member));
        Assert.Equal(2, again.Unchanged);
        var key = await client.Keys.GetAsync(report.Data[0].Id!, Cancel);
        Assert.Equal(("First", "test", "From elsewhere"), (key.Name, key.Environment, key.Description));
        Assert.Equal((rows[0].CreatedAt, rows[0].ExpiresAt), (key.CreatedAt, key.ExpiresAt));
        Assert.Equal("key_disabled", await gate.CodeOf(second));
    }

    [Fact]
    public async Task A_call_of_too_many_rows_is_not_made()
    {
        using var client = new TollgateClient(new Uri("http://127.0.0.1:1"), "caller");
        var rows = Enumerable.Repeat(new ImportRow { ExternalId = "1", Name = "x" }, ImportCalls.RowsMax + 1).ToList();

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.Import.SendAsync(rows, cancellationToken: Cancel));
    }

    [Fact]
    public async Task Lines_go_out_as_they_are_and_under_the_key_that_is_given()
    {
        await using var gate = await StandInGate.Start(new Answer(200, """{"data":null,"created":0,"unchanged":0,"refused":0}"""));
        using var client = new TollgateClient(gate.Address, "caller");

        var report = await client.Import.SendLinesAsync("{ }\n"u8.ToArray(), "prj_1", dryRun: true, "mine", Cancel);

        Assert.Empty(report.Data);
        Assert.Equal(("POST", "/api/v1/import?project=prj_1&dry_run=true", "{ }\n"), (gate.Only.Method, gate.Only.Path, gate.Only.Body));
        Assert.Equal(("application/x-ndjson", "mine"), (gate.Only.Headers["Content-Type"], gate.Only.Headers["Idempotency-Key"]));
        Assert.Equal(4, Encoding.UTF8.GetByteCount(gate.Only.Body));
    }
}
