using Tollgate.Client;

namespace Tollgate.Cli.Import;

/// <summary>Sends a file's rows call by call, and notes after each answer how far it has come.</summary>
internal sealed class ImportRun(ImportCalls gate, ImportPlan plan, ImportState state, RefusedFile refused, ImportMeter meter)
{
    /// <summary>A row that is not even sent is told in the code of what the gate would say.</summary>
    private const string LocalCode = "invalid_row";

    private readonly ImportBatch _batch = new(plan.Batch);

    public async Task Send(IAsyncEnumerable<SourceRow> rows, CancellationToken cancel)
    {
        var done = state.Rows;
        var number = 0L;
        await foreach (var row in rows.WithCancellation(cancel))
        {
            if (number++ < done)
            {
                continue;
            }

            if (!_batch.TryAdd(row))
            {
                await Flush(cancel);
                _batch.TryAdd(row);
            }
        }

        await Flush(cancel);
    }

    private async Task Flush(CancellationToken cancel)
    {
        if (_batch.Rows.Count == 0)
        {
            return;
        }

        var report = _batch.HasLines
            ? await gate.SendLinesAsync(_batch.Lines, plan.ProjectId, plan.IsTrial, null, cancel)
            : new ImportReport();
        if (report.Data.Count != _batch.Rows.Count(ImportBatch.IsSent))
        {
            throw new TollgateException(new Problem { Title = "The answer does not have an outcome for each row." });
        }

        var results = report.Data.GetEnumerator();
        foreach (var row in _batch.Rows)
        {
            Book(row, ImportBatch.IsSent(row) && results.MoveNext() ? results.Current : null);
        }

        refused.Flush();
        state.RefusedBytes = refused.Bytes;
        if (!plan.IsTrial)
        {
            state.Write(plan.StateFile);
        }

        _batch.Clear();
        meter.Show(state);
    }

    private void Book(SourceRow row, ImportResult? result)
    {
        state.Rows++;
        if (row.IsSkipped)
        {
            state.Skipped++;
            return;
        }

        Count(state.LeftOut, row.LeftOut);
        Count(state.NotEnforced, row.NotEnforced);
        switch (result?.Status)
        {
            case ImportStatus.Created:
                state.Created++;
                break;
            case ImportStatus.Unchanged:
                state.Unchanged++;
                break;
            default:
                state.Refused++;
                refused.Add(
                    row,
                    result?.Error ?? new ImportError { Code = LocalCode, Detail = row.Fault ?? "The gate did not say why." },
                    result?.ExternalId);
                break;
        }
    }

    private static void Count(SortedDictionary<string, long> counts, IReadOnlyList<string> columns)
    {
        foreach (var column in columns)
        {
            counts[column] = counts.GetValueOrDefault(column) + 1;
        }
    }
}

/// <summary>What a run was asked to do.</summary>
internal sealed record ImportPlan
{
    public required string File { get; init; }

    public required string Format { get; init; }

    public required string ProjectId { get; init; }

    public required int Batch { get; init; }

    public required bool IsTrial { get; init; }

    public string StateFile => File + ".import-state.json";

    public string RefusedPath => File + ".refused.ndjson";
}
