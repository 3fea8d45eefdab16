using System.Text.RegularExpressions;
using Tollgate.Server.Tests.Identity;

namespace Tollgate.Server.Tests.Docs;

/// <summary>Every page of the documentation, by axe-core in both themes.</summary>
public sealed class DocAxeTests
{
    [Fact]
    public async Task Every_page_of_the_documentation_is_for_everybody()
    {
        await using var place = await PeoplePlace.Start();
        await using var chromium = await Chromium.Start();
        var look = new PageLook(place, chromium);
        var list = await place.Gate.Http.GetStringAsync("/llms.txt", TestContext.Current.CancellationToken);
        var paths = Regex.Matches(list, @"\]\((?:https?://[^/)]+)?(?<path>/docs[^)]*)\.md\)").Select(found => found.Groups["path"].Value)
            .Distinct().ToList();
        Assert.True(paths.Count > 100, $"{paths.Count} pages");

        foreach (var path in paths)
        {
            await look.Read(path);
        }

        look.End();
    }
}
