using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Verification;
using Tollgate.Server.Hosting;
using Tollgate.Server.Keys;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Verification;

namespace Tollgate.Bench;

/// <summary>A gate in this process on the data of <see cref="SeededKeys"/>, put together as the server does it and not listening.</summary>
internal sealed class LoadedGate : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LoadedGate(WebApplication app, Database database, Pepper pepper) => (_app, Database, Pepper) = (app, database, pepper);

    public Database Database { get; }

    public Pepper Pepper { get; }

    public Gate Gate => _app.Services.GetRequiredService<Gate>();

    public Gatekeeper Gatekeeper => _app.Services.GetRequiredService<Gatekeeper>();

    public KeyFeed Feed => _app.Services.GetRequiredService<KeyFeed>();

    public ProviderModel Provider => _app.Services.GetRequiredService<ProviderModel>();

    public IServiceProvider Services => _app.Services;

    public static async Task<LoadedGate> Open(string folder, string? postgres = null, string company = "default")
    {
        TimeProvider time = TimeProvider.System;
        ProviderModel provider = ProviderFiles.Shipped.Load(company).Model!;
        var options = new GateOptions { Data = folder, LogLevel = "none" };
        var storage = new StorageOptions { DataDirectory = folder, PostgresConnectionString = postgres };
        Database database = await Database.Open(storage, time);
        Pepper pepper = await Pepper.Open(Path.Combine(folder, Pepper.DefaultFile), database);
        return new LoadedGate(GateHost.Build(options, provider, database, pepper, time), database, pepper);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await Database.DisposeAsync();
    }
}
