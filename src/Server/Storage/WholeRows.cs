using System.Data;
using System.Reflection;
using Dapper;

namespace Tollgate.Server.Storage;

/// <summary>
/// Lets Dapper ask for rows as a whole. By itself it asks for them column by column, and what of a row has not arrived yet is then waited
/// for by blocking the thread: where sockets complete on the threads that wait for them, that is the thread which would have to tell of
/// the rest, and nothing arrives until the statement times out.
/// </summary>
/// <remarks>Dapper has the switch, and keeps it to itself; a version without it is refused at the first start.</remarks>
internal static class WholeRows
{
    private const string Switch = "AllowedCommandBehaviors";

    public static void Ask()
    {
        var allowed = typeof(SqlMapper.Settings).GetProperty(Switch, BindingFlags.Static | BindingFlags.NonPublic)
            ?? throw new MissingMemberException(nameof(SqlMapper.Settings), Switch);
        allowed.SetValue(null, ~(CommandBehavior.SequentialAccess | CommandBehavior.SingleResult));
    }
}
