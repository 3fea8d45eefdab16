using System.Globalization;

namespace Tollgate.Bench;

/// <summary>
/// The promise: spent ≤ balance, and counted = used. Many clients ask for paid requests of unknown final cost against a balance for a part
/// of them, settle most, walk away from some, and repeat what got no answer; meanwhile the gate is killed and started again. In the end
/// every request that was admitted is in the log exactly once, at the cost its client was told, and the ledger adds up.
/// </summary>
internal static class MoneyBench
{
    public static async Task<int> Run(string[] args)
    {
        var options = new Options(args);
        var page = new ResultPage("money", "Spent, held, lost and doubled, while the gate is killed");
        page.Add("| database | kills | asked | admitted | refused | settled | left | paid in | spent | held | lost | doubled |");
        page.Add("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        bool isKept = await Prove(options, "SQLite", null, page);
        await using PostgresServer? postgres = await PostgresServer.Start();
        if (postgres is null)
        {
            page.Add("| PostgreSQL | not on this machine | | | | | | | | | | |");
        }
        else
        {
            isKept &= await Prove(options, "PostgreSQL", postgres.Connection, page);
        }

        page.Add("");
        page.Add("Before the first kill and after each the same sum is put in. Refused: with 402. Left: by their clients, and settled");
        page.Add("by the sweep. Lost: admitted or settled requests that the log does not have, or has at another cost. Doubled: those it");
        page.Add("has twice. At each look in between, held was never more than the balance; the ledger, the balance and the costs in");
        page.Add("the log agree.");
        page.Save(options.Text("--results"));
        return isKept ? 0 : 1;
    }

    private static async Task<bool> Prove(Options options, string name, string? postgres, ResultPage page)
    {
        string folder = Directory.CreateTempSubdirectory("tollgate-bench-money-").FullName;
        try
        {
            await using var gate = new KilledGate(folder, postgres);
            await gate.Start();
            using var load = new MoneyLoad(gate, options.Text("--balance") ?? "3.00");
            await load.Prepare();
            int kills = options.Number("--kills", 10);
            Task clients = load.Run(options.Number("--clients", 100));
            for (int kill = 0; kill < kills; kill++)
            {
                await Task.Delay(TimeSpan.FromSeconds(options.Number("--seconds", 20)) / (kills + 1));
                await gate.KillAndStart();
                await load.TopUp(string.Create(CultureInfo.InvariantCulture, $"after kill {kill}"));
            }

            await Task.Delay(TimeSpan.FromSeconds(options.Number("--seconds", 20)) / (kills + 1));
            load.Stop();
            await clients;
            MoneyAccount account = await load.Close();
            page.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {kills} | {load.Asked:N0} | {load.Admitted:N0} | {load.Refused:N0} | {load.Settled:N0} "
                + $"| {account.Orphaned:N0} | {account.PaidIn} | {account.Spent} | {account.Held} | {account.Lost} | {account.Doubled} |"));
            foreach (string fault in account.Faults)
            {
                page.Add("");
                page.Add($"**{name}: {fault}**");
            }

            return account.IsKept;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
