using System.Net;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Operating;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Wallet;

/// <summary>A backup knows nothing of what was spent after it: a restore says whose money would come back, and can keep it spent.</summary>
public sealed class WalletRestoreTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Money_that_was_spent_since_would_come_back_and_is_kept_spent_when_told(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        string organization, richer, secret;
        await using (var gate = await Start(place))
        {
            organization = gate.OrganizationId;
            richer = (await gate.Send("POST", "/api/v1/organizations", RunningGate.RootKey, "{\"name\":\"Richer\"}")).String("id");
            await gate.TopUp("10", "in");
            await gate.TopUp("1", "in", richer);
            secret = await gate.NewSecret();
        }

        var backup = await place.Backup();
        await using (var gate = await Start(place))
        {
            await gate.Spend("9.96");
            await gate.TopUp("5", "more", richer);
        }

        var asked = await place.Run("restore", backup);
        Assert.Equal(1, asked.ExitCode);
        Assert.Contains($"{organization} \"Operator\"", asked.Output, StringComparison.Ordinal);
        Assert.Contains("would have 9.96 again that was spent since", asked.Output, StringComparison.Ordinal);
        Assert.Contains("WARNING: 1 organizations have more money than in the backup", asked.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(richer, asked.Output, StringComparison.Ordinal);

        var done = await place.Run("restore", backup, "--yes", "--keep-revocations");
        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal(0, (await place.Run("wallet", "check")).ExitCode);
        await using (var gate = await Start(place))
        {
            Assert.Equal("0.04 0.00 0.04", await gate.Figures());
            Assert.Equal(["adjustment -9.96 0.04", "top_up 10.00 10.00"], await gate.Told());
            Assert.NotEqual("allowed", await gate.CodeOf(secret));
            Assert.Equal("1.00 0.00 1.00", await gate.Figures(richer));
            (await gate.Enter("top_up", "5", "more", richer)).Has(HttpStatusCode.Created);
        }
    }

    private static Task<RunningGate> Start(Place place) =>
        RunningGate.Start(Wallets.Provider(Wallets.Rules), folder: place.Folder, postgres: place.Postgres, clock: place.Clock);
}
