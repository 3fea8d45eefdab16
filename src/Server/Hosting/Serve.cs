using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Server.Identity;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Hosting;

/// <summary>The verb <c>serve</c>: from arguments to a listening server, or to a list of what must be mended first.</summary>
internal static class Serve
{
    private const int MustMend = 2;
    private const int CannotStart = 3;

    private const string Forms =
        """
        usage: serve [--provider NAME|FILE] [--urls URLS] [--data DIR] [--config FILE] [--public-url URL]
               provider list
               provider check NAME|FILE
               migrate [--check]
               backup --to FILE|DIR
               restore FILE [--keep-revocations [--without-comparison]] [--yes]
               doctor [--json]
               wallet check
        The last five take --data and --config as well.
        Every option is told in docs/reference/configuration.md.
        """;

    public static int Usage()
    {
        System.Console.Error.WriteLine(Forms);
        return MustMend;
    }

    public static int Help()
    {
        System.Console.WriteLine(Forms);
        return 0;
    }

    public static async Task<int> Run(string[] arguments)
    {
        var (options, faults) = OptionsReader.Read(arguments, OptionsReader.Variables());
        if (options is null)
        {
            return Complain(faults);
        }

        var loaded = ProviderFiles.Shipped.Load(options.Provider);
        if (loaded.Model is not { } provider)
        {
            return Complain(loaded.Errors.Select(error => error.ToString()));
        }

        RequestThreads.Choose(options);
        try
        {
            await Run(options, provider);
            return 0;
        }
        catch (Exception fault) when (fault is StartException or StorageException or IOException)
        {
            System.Console.Error.WriteLine($"tollgate: {fault.Message}");
            return CannotStart;
        }
    }

    private static async Task Run(GateOptions options, ProviderModel provider)
    {
        var time = TimeProvider.System;
        using var loggers = LoggerFactory.Create(logging => GateHost.Log(logging, options, provider, time));
        await using var database = await Database.Open(options.Storage, time, loggers);
        var pepper = await Pepper.Open(options.PepperPath, database);
        await using var app = GateHost.Build(options, provider, database, pepper, time);
        var start = await app.Services.GetRequiredService<FirstStart>().Prepare(options.RootKey, CancellationToken.None);
        // Before listening: a start that fails from here on has stored the key already and cannot show it again.
        System.Console.WriteLine(Greeting.OfRootKey(start, options.RootKey is not null));
        using var takenOver = database.TakenOver.Register(() => app.Lifetime.StopApplication());
        await Listen(app);
        var address = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        System.Console.WriteLine(Greeting.OfConsole(
            app.Services.GetRequiredService<PersonMail>(), app.Services.GetRequiredService<PublicUrl>(), start));
        System.Console.WriteLine(Greeting.Text(address, start, provider));
        await app.WaitForShutdownAsync();
        if (database.TakenOver.IsCancellationRequested)
        {
            throw new StartException(
                "stopped, because the lock on the database was lost and another Tollgate process has it now.");
        }
    }

    private static async Task Listen(WebApplication app)
    {
        try
        {
            await app.StartAsync();
        }
        catch (Exception fault) when (fault is IOException or SocketException)
        {
            // What has begun beside the listening must not find the database closed.
            await app.StopAsync();
            throw new StartException($"{fault.Message.TrimEnd('.')}. Other addresses to listen on can be named with --urls.");
        }
    }

    private static int Complain(IEnumerable<string> faults)
    {
        foreach (var fault in faults)
        {
            System.Console.Error.WriteLine(fault);
        }

        return MustMend;
    }
}
