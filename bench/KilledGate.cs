namespace Tollgate.Bench;

/// <summary>A gate on its own data that is killed without warning and started again on the same data.</summary>
internal sealed class KilledGate(string folder, string? postgres) : IAsyncDisposable
{
    private ServerProcess? _process;

    /// <summary>Where it listens since its last start; another port each time.</summary>
    public string Address { get; private set; } = "";

    public async Task Start()
    {
        (string, string)[] environment =
        [
            ("TOLLGATE_ROOT_KEY", SeededKeys.RootKey),
            ("TOLLGATE_RESERVATION_SECONDS", "10"),
            .. postgres is null ? [] : new[] { ("TOLLGATE_DATABASE", postgres) },
        ];
        _process = await ServerProcess.Start(
            "Tollgate.Server.dll",
            ["serve", "--provider", Path.Combine(AppContext.BaseDirectory, "money.yaml"), "--urls", "http://127.0.0.1:0", "--data", folder],
            environment);
        Address = _process.Address;
    }

    public async Task KillAndStart()
    {
        _process!.Dispose();
        await Start();
    }

    public ValueTask DisposeAsync()
    {
        _process?.Dispose();
        return ValueTask.CompletedTask;
    }
}
