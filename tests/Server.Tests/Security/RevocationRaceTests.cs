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
    [Theory]
    [InlineData(DatabaseKind.Sqlite, "revoke", "key_revoked")]
    [InlineData(DatabaseKind.PostgreSql, "revoke", "key_revoked")]
    [InlineData(DatabaseKind.Sqlite, "disable", "key_disabled")]
    public async Task No_check_that_begins_after_the_answer_passes(DatabaseKind kind, string operation, string code)
    {
        var gate = await gates.Of(kind);
        var (id, secret) = await gate.NewPair();
        Assert.Equal("allowed", await gate.CodeOf(secret));
        var acknowledged = long.MaxValue;
        var checks = Enumerable.Range(0, 200).Select(_ => Check()).ToList();
        (await gate.Act(id, operation)).Has(HttpStatusCode.OK);
        Interlocked.Exchange(ref acknowledged, Stopwatch.GetTimestamp());
        checks.AddRange(Enumerable.Range(0, 200).Select(_ => Check()));

        var results = await Task.WhenAll(checks);
        Assert.All(results.Where(result => result.Began >= acknowledged), result => Assert.Equal(code, result.Code));
        Assert.True(results.Count(result => result.Began >= acknowledged) >= 200);
        Assert.All(results, result => Assert.Contains(result.Code, new[] { "allowed", code }));

        async Task<(long Began, string Code)> Check()
        {
            await Task.Yield();
            var began = Stopwatch.GetTimestamp();
            return (began, await gate.CodeOf(secret));
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
