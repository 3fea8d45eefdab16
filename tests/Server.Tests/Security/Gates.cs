using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Security;

/// <summary>Gates that the tests of a class share: one a provider and database, started when a test first asks.</summary>
public sealed class Gates(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly Dictionary<(string, DatabaseKind), RunningGate> _gates = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async Task<RunningGate> Of(DatabaseKind kind, string provider = "default")
    {
        if (!_gates.TryGetValue((provider, kind), out var gate))
        {
            gate = await RunningGate.Start(provider, postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);
            _gates.Add((provider, kind), gate);
        }

        return gate;
    }

    public Task<RunningGate> Of(string provider) => Of(DatabaseKind.Sqlite, provider);

    /// <summary>The same provider with nothing limited, so that verdicts may be kept and asked for without end.</summary>
    public async Task<RunningGate> OfUnlimited(string provider, DatabaseKind kind = DatabaseKind.Sqlite)
    {
        if (!_gates.TryGetValue((provider + " unlimited", kind), out var gate))
        {
            gate = await RunningGate.Start(
                provider, new GateOptions { LogLevel = "none" },
                postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null,
                with: model => model with { Limits = [], Plans = [Plan.Free] });
            _gates.Add((provider + " unlimited", kind), gate);
        }

        return gate;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gate in _gates.Values)
        {
            await gate.DisposeAsync();
        }
    }
}
