using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Audit;

public sealed class AuditEndpointTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Pages_lead_from_the_newest_row_to_the_oldest_without_a_gap(DatabaseKind kind)
    {
        await using var server = await AuditServer.Start(kind, postgres, Caller.Root);
        await server.Append(5);

        var (_, first) = await server.Get("?limit=2");
        var (_, second) = await server.Get($"?limit=2&cursor={Next(first)}");
        var (_, third) = await server.Get($"?limit=2&cursor={Next(second)}");

        Assert.Equal([[5, 4], [3, 2], [1]], new[] { Seqs(first), Seqs(second), Seqs(third) });
        Assert.Null(Next(third));
    }

    [Fact]
    public async Task A_row_is_shown_in_the_documented_shape()
    {
        await using var server = await AuditServer.Start(DatabaseKind.Sqlite, postgres, Caller.Root);
        await server.Append(1);

        var (status, body) = await server.Get("");

        var hash = body.GetProperty("data")[0].GetProperty("hash").GetString();
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.True(JsonElement.DeepEquals(
            JsonElement.Parse($$"""
            {
              "data": [{
                "seq": 1, "at": "2026-01-02T03:04:05Z", "actor": {"type": "root", "id": "root", "name": "root key"}, "action": "thing.make",
                "target": {"type": "thing", "id": "thing_1"}, "organization_id": "org_1", "project_id": "prj_1",
                "environment": null, "before": null,
                "after": {"n": 1}, "reason": null, "address": null, "user_agent": null, "request_id": "none",
                "prev_hash": "{{AuditRow.NoHash}}", "hash": "{{hash}}"
              }],
              "next_cursor": null
            }
            """),
            body), body.GetRawText());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_key_sees_the_rows_of_its_own_project_only_whatever_it_asks_for(DatabaseKind kind)
    {
        await using var server = await AuditServer.Start(kind, postgres, Callers.Key("key_1", Rights.AuditRead, projectId: "prj_1"));
        await server.Append(6);

        Assert.Equal([5, 3, 1], Seqs((await server.Get("")).Body));
        Assert.Equal([3], Seqs((await server.Get("?target_id=thing_3")).Body));
        Assert.Empty(Seqs((await server.Get("?target_id=thing_2")).Body));
        Assert.Empty(Seqs((await server.Get("?project_id=prj_0")).Body));
    }

    [Fact]
    public async Task A_key_without_the_right_is_refused()
    {
        var caller = Callers.Key("key_1", Rights.All & ~Rights.AuditRead);
        await using var server = await AuditServer.Start(DatabaseKind.Sqlite, postgres, caller);
        await server.Append(1);

        var (status, body) = await server.Get("");

        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Equal("right_missing", body.GetProperty("code").GetString());
        Assert.Equal("audit:read", body.GetProperty("required_permission").GetString());
        Assert.Equal("/docs/errors/right_missing", body.GetProperty("type").GetString());
        Assert.Equal(403, body.GetProperty("status").GetInt32());
        Assert.NotEmpty(body.GetProperty("request_id").GetString()!);
    }

    [Theory]
    [InlineData("?limit=0", "validation_failed")]
    [InlineData("?limit=101", "validation_failed")]
    [InlineData("?from=yesterday", "validation_failed")]
    [InlineData("?to=2026-13-01T00:00:00Z", "validation_failed")]
    [InlineData("?action=a%00", "validation_failed")]
    [InlineData("?cursor=broken", "invalid_cursor")]
    [InlineData("?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "invalid_cursor")]
    [InlineData("?cursor=", "invalid_cursor")]
    public async Task A_bad_query_is_refused(string query, string code)
    {
        await using var server = await AuditServer.Start(DatabaseKind.Sqlite, postgres, Caller.Root);
        await server.Append(1);

        Assert.Equal(code, (await server.Get(query)).Body.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_limit_of_100_is_taken()
    {
        await using var server = await AuditServer.Start(DatabaseKind.Sqlite, postgres, Caller.Root);
        await server.Append(101);

        Assert.Equal(100, Seqs((await server.Get("?limit=100")).Body).Count);
    }

    [Fact]
    public async Task A_cursor_of_another_filter_is_refused()
    {
        await using var server = await AuditServer.Start(DatabaseKind.Sqlite, postgres, Caller.Root);
        await server.Append(5);
        var cursor = Next((await server.Get("?limit=1")).Body);

        Assert.Equal("invalid_cursor", (await server.Get($"?action=thing.make&cursor={cursor}")).Body.GetProperty("code").GetString());
    }

    private static List<long> Seqs(JsonElement body) =>
        [.. body.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("seq").GetInt64())];

    private static string? Next(JsonElement body) => body.GetProperty("next_cursor").GetString();

    /// <summary>The endpoint on a real server, called by one caller.</summary>
    private sealed class AuditServer(TestStore store, WebApplication app, HttpClient client) : IAsyncDisposable
    {
        public static async Task<AuditServer> Start(DatabaseKind kind, PostgresFixture postgres, Caller caller)
        {
            var store = await TestStore.Open(kind, postgres);
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Services.AddSingleton(store.Database).AddSingleton(store.Pepper).AddSingleton<Pages>().AddSingleton<AuditLog>();
            var app = builder.Build();
            app.UseRouting();
            app.Use((http, next) =>
            {
                // As the gate does before an endpoint: who calls, and whether the endpoint's row admits that caller.
                http.Features.Set(caller);
                var row = http.GetEndpoint()!.Metadata.GetRequiredMetadata<AccessRow>();
                return row.Refuse(caller) is { } refusal ? new ProblemResult(refusal).ExecuteAsync(http) : next(http);
            });
            app.MapAudit();
            await app.StartAsync();
            var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            return new AuditServer(store, app, new HttpClient { BaseAddress = new Uri(address) });
        }

        public async Task Append(int rows) => Assert.True((await store.Database.Write<bool>(
            async scope =>
            {
                for (var i = 1; i <= rows; i++)
                {
                    await AuditLog.Append(scope, new AuditEntry
                    {
                        Action = "thing.make",
                        TargetType = "thing",
                        TargetId = $"thing_{i}",
                        OrganizationId = "org_1",
                        ProjectId = $"prj_{i % 2}",
                        After = $$"""{"n":{{i}}}""",
                    });
                }

                return true;
            },
            MutationContext.Of(Caller.Root))).IsOk);

        public async Task<(HttpStatusCode Status, JsonElement Body)> Get(string query)
        {
            using var answer = await client.GetAsync(new Uri("/audit" + query, UriKind.Relative));
            Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
            return (answer.StatusCode, JsonElement.Parse(await answer.Content.ReadAsStringAsync()));
        }

        public async ValueTask DisposeAsync()
        {
            client.Dispose();
            await app.DisposeAsync();
            await store.DisposeAsync();
        }
    }
}
