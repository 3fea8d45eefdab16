using Tollgate.Server.Tests.Identity;

namespace Tollgate.Server.Tests.Docs;

/// <summary>The documentation in Debian's Chromium, light and dark, on a telephone and on a desk.</summary>
public sealed class DocLookTests
{
    [Fact]
    public async Task The_documentation_is_for_everybody()
    {
        await using var place = await PeoplePlace.Start();
        await using var chromium = await Chromium.Start();
        var look = new PageLook(place, chromium);
        await look.See("/docs", "docs");
        await look.See("/docs/guides/first-request", "docs-guide");
        await look.See("/docs/errors/rate_limited", "docs-error");
        await look.See("/docs/api/wallets", "docs-api");
        await look.See("/docs/operating/deploy", "docs-operating");
        await look.See("/docs/no-such-page", "docs-missing");
        look.End();
    }
}
