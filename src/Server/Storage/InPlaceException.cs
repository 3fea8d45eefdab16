using System.Data.Common;

namespace Tollgate.Server.Storage;

/// <summary>
/// The database in place could not be read: its own fault, which a restore may live with, told apart from one of the database being filled,
/// which it may not.
/// </summary>
internal sealed class InPlaceException(DbException fault) : Exception(fault.Message, fault)
{
    public static Task Reading(Func<Task> read) => Reading(async () =>
    {
        await read();
        return true;
    });

    public static async Task<T> Reading<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (DbException fault)
        {
            throw new InPlaceException(fault);
        }
    }
}
