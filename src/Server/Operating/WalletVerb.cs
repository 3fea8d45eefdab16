using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Usage;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Operating;

/// <summary>
/// The verb <c>wallet check</c>: adds up every wallet again and names what differs, beside a running gate too. Ends with 0 when all sums
/// are as they are written down, 1 when one is not.
/// </summary>
internal static class WalletVerb
{
    public static Task<int> Run(string[] arguments) => Verb.Run(arguments, new VerbForm([]), async line =>
    {
        await using var snapshot = await DatabaseSnapshot.Open(line.Options.Storage);
        var report = await Report(snapshot);
        foreach (var difference in report.Named)
        {
            System.Console.WriteLine(difference);
        }

        if (report.Differences > report.Named.Count)
        {
            System.Console.WriteLine($"and {report.Differences - report.Named.Count} more");
        }

        System.Console.WriteLine(report.Sentence);
        return report.IsSound ? Verb.Done : Verb.NotDone;
    });

    /// <summary>The ledger beside what requests under way hold and what the usage log's sums say, all at one moment.</summary>
    public static async Task<WalletReport> Report(DatabaseSnapshot snapshot) => await new WalletCheck(
        snapshot.Connection, await Remembrance.Held(snapshot.Connection), await UsageReader.Billed(snapshot.Connection)).Run();
}
