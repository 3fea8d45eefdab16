using System.Globalization;
using System.Text.Json.Nodes;

namespace Tollgate.Cli.Import;

/// <summary>The report at the end of an import.</summary>
internal static class ImportTable
{
    public static void Show(Voice voice, ImportPlan plan, ImportState state)
    {
        if (voice.Json)
        {
            voice.Result(Json(plan, state));
            return;
        }

        var table = Tables.Facts();
        table.Fact(plan.IsTrial ? "would create" : "created", Number(state.Created));
        table.Fact("unchanged", Number(state.Unchanged));
        table.Fact("refused", Number(state.Refused));
        if (state.Skipped > 0)
        {
            table.Fact("skipped", $"{Number(state.Skipped)} deleted there");
        }

        table.Fact("left out", Columns(state.LeftOut));
        table.Fact("not enforced", Columns(state.NotEnforced));
        voice.Table(table);
        if (state.LeftOut.Count > 0)
        {
            voice.Say("Left out: columns with values that have no place here yet, and in how many rows.");
        }

        if (state.NotEnforced.Count > 0)
        {
            voice.Say("Not enforced: columns that limited keys there; they are kept in the keys' metadata and limit nothing here.");
        }

        if (state.Refused > 0)
        {
            voice.Say($"The refused rows and their reasons are in {plan.RefusedPath}. Mend them and run this again.");
        }
    }

    private static JsonObject Json(ImportPlan plan, ImportState state) => new()
    {
        ["dry_run"] = plan.IsTrial,
        ["rows"] = state.Rows,
        ["created"] = state.Created,
        ["unchanged"] = state.Unchanged,
        ["refused"] = state.Refused,
        ["skipped"] = state.Skipped,
        ["left_out"] = Counts(state.LeftOut),
        ["not_enforced"] = Counts(state.NotEnforced),
        ["refused_file"] = state.Refused > 0 ? plan.RefusedPath : null,
    };

    private static JsonObject Counts(SortedDictionary<string, long> columns) =>
        new(columns.Select(column => KeyValuePair.Create(column.Key, (JsonNode?)column.Value)));

    private static string Columns(SortedDictionary<string, long> columns) =>
        string.Join(", ", columns.Select(column => $"{column.Key} ({Number(column.Value)})"));

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
