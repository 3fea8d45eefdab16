using Dapper;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Console;

/// <summary>A gate with wallets and plans whose operator is at the console, beside a team and its people.</summary>
internal sealed class OperatorPlace : IAsyncDisposable
{
    public const string Root = "/console/operator";

    private OperatorPlace(ConsolePagesPlace console) => (Console, Operator) = (console, console.As("operator"));

    public ConsolePagesPlace Console { get; }

    public Browser Operator { get; }

    public string Customer => $"{Root}/customers/{Console.Reach.Organization}";

    public string OperatorId => Console.Reach["operator"].Person.Id;

    public string PersonPath(string role) => $"{Root}/people/{Console.Reach[role].Person.Id}";

    public static async Task<OperatorPlace> Start(string provider = "default", Func<ProviderModel, ProviderModel>? with = null) =>
        new(await ConsolePagesPlace.Start(provider, model =>
        {
            model = model with { Wallet = Wallets.Rules };
            return with?.Invoke(model) ?? model;
        }));

    /// <summary>Rows of the audit log behind the one with this number, as action, actor, target and reason.</summary>
    public Task<List<AuditLine>> Audit(long after = 0) => Console.Gate.Database.Read(async rows => (await rows.QueryAsync<AuditLine>(
        """
        SELECT action, actor_type, actor_id, target_id, organization_id, reason, address, request_id, before_json, after_json
        FROM audit WHERE seq > @after ORDER BY seq
        """,
        new { after })).AsList());

    public Task<long> LastSeq() => Ask<long>("SELECT coalesce(max(seq), 0) FROM audit");

    public async Task<T> Ask<T>(string sql) =>
        (await Console.Gate.Database.Read(connection => connection.ExecuteScalarAsync<T>(sql)))!;

    /// <summary>As somebody would who has the database in hands.</summary>
    public async Task Run(string sql, object parameters) =>
        Assert.True((await Console.Gate.Database.Write<int>(async scope => await scope.Execute(sql, parameters))).IsOk);

    public ValueTask DisposeAsync() => Console.DisposeAsync();
}
