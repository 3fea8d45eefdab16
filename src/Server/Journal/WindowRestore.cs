using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>Gives a key that comes into memory its lasting windows back, as they were counted before.</summary>
internal sealed class WindowRestore(Database database, Fold fold)
{
    /// <summary>
    /// What is counted in the key's lasting windows, slot by slot, with everything that was appended before this call. Slots that no
    /// window reaches any more may be among them.
    /// </summary>
    public async Task<IReadOnlyList<WindowCount>> CountsOf(long keyNo)
    {
        await fold.WaitAll();
        return await database.Read(connection => JournalSql.WindowsOf(connection, keyNo));
    }

    /// <summary>The requests that were under way when the last process ended. At the start, after the journal was opened.</summary>
    public Task<IReadOnlyList<OpenReservation>> Reservations(CancellationToken cancel = default) =>
        database.Read(JournalSql.Reservations, cancel);
}
