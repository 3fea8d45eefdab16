using Tollgate.Server.Providers;

namespace Tollgate.Server.Hosting;

/// <summary>The verbs <c>provider list</c> and <c>provider check</c>.</summary>
internal static class ProviderVerbs
{
    private const int Failed = 1;
    private const int MustMend = 2;

    public static int List()
    {
        foreach (var name in ProviderFiles.Shipped.Names())
        {
            var loaded = ProviderFiles.Shipped.Load(name);
            System.Console.WriteLine($"{name,-14} {loaded.Model?.DisplayName ?? $"({loaded.Errors.Count} errors: provider check {name})"}");
        }

        return 0;
    }

    /// <summary>Reads the file, then sends each of its examples to a gate of its own on a fresh folder and compares the answers.</summary>
    public static async Task<int> Check(string nameOrFile)
    {
        var loaded = ProviderFiles.Shipped.Load(nameOrFile);
        if (loaded.Model is not { } provider)
        {
            foreach (var error in loaded.Errors)
            {
                System.Console.Error.WriteLine(error);
            }

            return MustMend;
        }

        var results = await ExampleRun.Run(provider);
        foreach (var (example, fault) in results)
        {
            System.Console.WriteLine(fault is null ? $"ok      {example.Name}" : $"FAILED  {example.Name}: {fault}");
        }

        var failed = results.Count(result => result.Fault is not null);
        System.Console.WriteLine($"{nameOrFile}: valid; {results.Count - failed} of {results.Count} examples answered as written");
        return failed == 0 ? 0 : Failed;
    }
}
