namespace Tollgate.Server.Tests.House;

/// <summary>A place where the house is not as <c>CONTRIBUTING.md</c> says: the rule, where it is broken, and what to do.</summary>
internal sealed record Finding(string Rule, string Place, string Fix)
{
    public override string ToString() => $"{Place}: {Rule}. {Fix}.";

    /// <summary>Passes when there is nothing to say, and says all of it otherwise.</summary>
    public static void None(IEnumerable<Finding> findings)
    {
        var all = findings.Select(finding => finding.ToString()).Order(StringComparer.Ordinal).ToList();
        Assert.True(all.Count == 0, string.Join('\n', all));
    }
}
