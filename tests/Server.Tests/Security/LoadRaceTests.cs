using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Keys;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Security;

/// <summary>
/// A load that has read a row and not yet brought it into memory while the row changes: what it brings is old, and 200 checks wait for it.
/// </summary>
public sealed class LoadRaceTests(Gates gates) : IClassFixture<Gates>
{
    private const int Checks = 200;

    [Theory]
    [InlineData(DatabaseKind.Sqlite, "POST /keys/{key}/revoke", "key_revoked")]
    [InlineData(DatabaseKind.PostgreSql, "POST /keys/{key}/revoke", "key_revoked")]
    [InlineData(DatabaseKind.Sqlite, "POST /keys/{key}/disable", "key_disabled")]
    [InlineData(DatabaseKind.PostgreSql, "POST /keys/{key}/disable", "key_disabled")]
    [InlineData(DatabaseKind.Sqlite, "POST /keys/{key}/regenerate", "key_retired")]
    [InlineData(DatabaseKind.PostgreSql, "DELETE /keys/{key}", "key_deleted")]
    [InlineData(DatabaseKind.Sqlite, "PATCH /organizations/{organization} {\"status\":\"suspended\"}", "organization_suspended")]
    [InlineData(DatabaseKind.PostgreSql, "PATCH /organizations/{organization} {\"status\":\"suspended\"}", "organization_suspended")]
    [InlineData(DatabaseKind.PostgreSql, "DELETE /projects/{project}", "key_revoked")]
    public async Task A_row_read_before_a_change_never_answers_a_check_after_it(DatabaseKind kind, string change, string code)
    {
        var gate = await gates.Of(kind);
        var project = await gate.NewProject();
        var organization = (await gate.Send("GET", $"/api/v1/projects/{project}", RunningGate.RootKey)).String("organization_id");
        var (id, secret) = await gate.NewPair(project: project);
        var parts = change.Replace("{key}", id, StringComparison.Ordinal).Replace("{project}", project, StringComparison.Ordinal)
            .Replace("{organization}", organization, StringComparison.Ordinal).Split(' ', 3);

        using var held = new HeldLoad(gate);
        var before = Many(gate, secret);
        await held.HasRead;
        (await gate.Send(parts[0], "/api/v1" + parts[1], RunningGate.RootKey, parts.ElementAtOrDefault(2))).Has(HttpStatusCode.OK);
        var after = Many(gate, secret);
        held.Release();

        // All of them waited for the one load, which was refused: those that began before the change see it too.
        Assert.All(await before, found => Assert.Equal(code, found));
        Assert.All(await after, found => Assert.Equal(code, found));
        Assert.All(await Many(gate, secret), found => Assert.Equal(code, found));
        Assert.True(held.Reads >= 1 + (code == "organization_suspended" ? 0 : 1), "the row was not read again");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_key_that_comes_while_it_is_being_found_missing_is_not_remembered_as_unknown(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var secret = gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));

        using var held = new HeldLoad(gate);
        var before = Many(gate, secret);
        await held.HasRead;
        (await gate.Create($"\"name\":\"Moved in\",\"secret_sha256\":\"{hash}\"")).Has(HttpStatusCode.Created);
        var after = Many(gate, secret);
        held.Release();

        Assert.All(await before, found => Assert.Equal("allowed", found));
        Assert.All(await after, found => Assert.Equal("allowed", found));
    }

    private static Task<string[]> Many(RunningGate gate, string secret) =>
        Task.WhenAll(Enumerable.Range(0, Checks).Select(_ => Task.Run(() => gate.CodeOf(secret))));

    /// <summary>Stops the first load between its reading and its taking in.</summary>
    private sealed class HeldLoad : IDisposable
    {
        private readonly KeyFeed _feed;
        private readonly TaskCompletionSource _hasRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _reads;

        public HeldLoad(RunningGate gate)
        {
            _feed = gate.Services.GetRequiredService<KeyFeed>();
            _feed.AfterRead = () =>
            {
                Interlocked.Increment(ref _reads);
                _hasRead.TrySetResult();
                return _release.Task;
            };
        }

        public Task HasRead => _hasRead.Task.WaitAsync(TimeSpan.FromSeconds(30));

        public int Reads => _reads;

        public void Release() => _release.TrySetResult();

        public void Dispose()
        {
            Release();
            _feed.AfterRead = null;
        }
    }
}
