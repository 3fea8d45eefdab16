using System.Text.RegularExpressions;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.House;

namespace Tollgate.Server.Tests.Faults;

/// <summary>Half of the operations on SQLite. Each class here takes minutes, and they run side by side.</summary>
public sealed class FailpointSqliteTests(PostgresFixture postgres) : FailpointTests(postgres)
{
    public static TheoryData<string> Cases => [.. CrashMatrix.All.Where((_, i) => i % 2 == 0).Select(operation => operation.Name)];

    [Theory, MemberData(nameof(Cases))]
    public Task A_process_killed_between_two_writes_leaves_all_or_nothing_and_the_retry_ends_it(string name) =>
        Kill(DatabaseKind.Sqlite, name);
}

/// <summary>The other half.</summary>
public sealed class FailpointSqliteOtherTests(PostgresFixture postgres) : FailpointTests(postgres)
{
    public static TheoryData<string> Cases => [.. CrashMatrix.All.Where((_, i) => i % 2 == 1).Select(operation => operation.Name)];

    [Theory, MemberData(nameof(Cases))]
    public Task A_process_killed_between_two_writes_leaves_all_or_nothing_and_the_retry_ends_it(string name) =>
        Kill(DatabaseKind.Sqlite, name);
}

/// <summary>Those of the operations that are tried on PostgreSQL too, so that each point is.</summary>
public sealed class FailpointPostgresTests(PostgresFixture postgres) : FailpointTests(postgres)
{
    public static TheoryData<string> Cases => [.. CrashMatrix.OnPostgres];

    [Theory, MemberData(nameof(Cases))]
    public Task A_process_killed_between_two_writes_leaves_all_or_nothing_and_the_retry_ends_it(string name) =>
        Kill(DatabaseKind.PostgreSql, name);
}

/// <summary>That nothing is left out.</summary>
public sealed partial class FailpointMatrixTests
{
    [Fact]
    public void Every_fail_point_of_a_change_is_in_the_matrix_and_on_both_databases()
    {
        var named = Repository.CSharp("src").SelectMany(file => Passed().Matches(file.Text)).Select(pass => pass.Groups["name"].Value)
            // The places of a change are named noun.what; a migration's or a restore's, with a dash, are passed by no call.
            .Where(point => point.Contains('.', StringComparison.Ordinal)).ToHashSet();
        var everywhere = Points(CrashMatrix.All);
        var onPostgres = Points(CrashMatrix.All.Where(operation => CrashMatrix.OnPostgres.Contains(operation.Name)));

        var ofPaid = CrashMatrix.Paid.Select(point => point.Split(':')[0]).ToHashSet();
        var ofFold = CrashMatrix.Fold.Select(row => row.Point).Where(point => !point.StartsWith("write.", StringComparison.Ordinal));
        Assert.Superset(ofFold.ToHashSet(), ofPaid);
        var ofSeal = CrashMatrix.Seal.Select(row => row.Point).ToHashSet();
        Assert.Superset(ofSeal, named);
        named.ExceptWith(ofSeal);
        Assert.ProperSuperset(ofPaid, named);
        named.ExceptWith(ofPaid.Except(everywhere));
        Assert.True(named.Count >= 10);
        Assert.Equal(named.Order(), everywhere.Order());
        Assert.Equal(named.Order(), onPostgres.Order());

        static HashSet<string> Points(IEnumerable<CrashOperation> operations) =>
            [.. operations.SelectMany(operation => operation.AllPoints).Select(point => point.Split(':')[0])];
    }

    [GeneratedRegex("Failpoint\\.Pass\\(\"(?<name>[^\"]+)\"\\)")]
    private static partial Regex Passed();
}
