using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Keys;
using Tollgate.Server.Keys;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Tests.Security;

/// <summary>Revoked means revoked: what begins after the acknowledgement does not pass, however many ask at the same time.</summary>
public sealed class RevocationRaceTests(Gates gates) : IClassFixture<Gates>
{
    private const int Callers = 200;

    [Theory]
    [InlineData(DatabaseKind.Sqlite, "revoke", "key_revoked")]
    [InlineData(DatabaseKind.PostgreSql, "revoke", "key_revoked")]
    [InlineData(DatabaseKind.Sqlite, "disable", "key_disabled")]
    [InlineData(DatabaseKind.PostgreSql, "disable", "key_disabled")]
    [InlineData(DatabaseKind.Sqlite, "regenerate", "key_retired")]
    [InlineData(DatabaseKind.PostgreSql, "regenerate", "key_retired")]
    public async Task No_check_that_begins_after_the_answer_passes(DatabaseKind kind, string operation, string code)
    {
        var gate = await gates.OfUnlimited("default", kind);
        var (id, secret) = await gate.NewPair();
        Assert.Equal("allowed", await gate.CodeOf(secret));
        var acknowledged = long.MaxValue;
        var begun = new CountdownEvent(Callers);
        var callers = Enumerable.Range(0, Callers).Select(_ => Task.Run(CallOn)).ToList();
        // The change is asked for while all of them are asking.
        await Task.Run(begun.Wait).WaitAsync(TimeSpan.FromSeconds(30));
        (await gate.Act(id, operation)).Has(HttpStatusCode.OK);
        Interlocked.Exchange(ref acknowledged, Stopwatch.GetTimestamp());

        var results = (await Task.WhenAll(callers)).SelectMany(found => found).ToList();
        var after = results.Where(result => result.Began >= acknowledged).ToList();
        Assert.True(after.Count >= Callers && results.Count - after.Count >= Callers, $"{after.Count} of {results.Count} began after it");
        Assert.All(after, result => Assert.Equal(code, result.Code));
        Assert.All(results, result => Assert.Contains(result.Code, new[] { "allowed", code }));
        Assert.Contains(results, result => result.Code == "allowed");

        // Each asks without a pause until it has had an answer to a question asked after the acknowledgement.
        async Task<List<(long Began, string Code)>> CallOn()
        {
            var found = new List<(long Began, string Code)>();
            do
            {
                found.Add((Stopwatch.GetTimestamp(), await gate.CodeOf(secret)));
                if (found.Count == 1)
                {
                    begun.Signal();
                }
            }
            while (found[^1].Began < Interlocked.Read(ref acknowledged));
            return found;
        }
    }

    [Fact]
    public async Task Many_rotations_at_once_leave_two_secrets_at_most()
    {
        var gate = await gates.Of(DatabaseKind.Sqlite);
        var (id, first) = await gate.NewPair();
        var rotations = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            gate.Act(id, "rotate", i % 2 == 0 ? null : "{\"force\":true}")));
        var secrets = rotations.Where(answer =>
            answer.Status == HttpStatusCode.OK).Select(answer => answer.String("secret")).Prepend(first).ToList();
        Assert.All(rotations, answer => Assert.Contains(answer.Status, new[] { HttpStatusCode.OK, HttpStatusCode.Conflict }));
        Assert.InRange(secrets.Count, 11, 21);
        var codes = new List<string>();
        foreach (var secret in secrets)
        {
            codes.Add(await gate.CodeOf(secret));
        }

        Assert.Equal(2, codes.Count(code => code == "allowed"));
        Assert.All(codes, code => Assert.Contains(code, new[] { "allowed", "key_retired" }));
    }

    [Fact]
    public async Task Loads_of_one_secret_at_once_all_end_and_none_stays_behind()
    {
        var gate = await gates.Of(DatabaseKind.Sqlite);
        var feed = gate.Services.GetRequiredService<KeyFeed>();
        var table = gate.Services.GetRequiredService<KeyTable>();
        var format = gate.Services.GetRequiredService<ProviderModel>().Keys.Format;
        for (var round = 0; round < 200; round++)
        {
            var hash = KeyHash.Of(System.Text.Encoding.ASCII.GetBytes(format.Mint(0)));
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => feed.Load(hash))));
            Assert.True(table.IsUnknown(hash));
            // A load that stayed behind would answer at once and load nothing.
            table.Forget(hash);
            await feed.Load(hash);
            Assert.True(table.IsUnknown(hash));
        }
    }
}
