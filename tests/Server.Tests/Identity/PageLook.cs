using System.Text.Json;
using Tollgate.Server.Tests.House;

namespace Tollgate.Server.Tests.Identity;

/// <summary>
/// Looks at the page that Chromium shows, light and dark, on a telephone and on a desk: with axe-core, for what scrolls sideways, with the
/// Tab key alone, and at what it weighs. With <c>PAGES_TO</c> set, a picture of each goes to that folder, for somebody to look at.
/// </summary>
internal sealed class PageLook(PeoplePlace place, Chromium chromium)
{
    /// <summary>Of a page with its style and script, unpacked.</summary>
    public const int BytesMax = 60_000;

    private const string Controls =
        """
        [...document.querySelectorAll(
          'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex="-1"])')]
          .filter(one => one.checkVisibility())
        """;

    private static readonly string Axe = File.ReadAllText(
        Path.Combine(Repository.Root, "tests/sign-in/node_modules/axe-core/axe.min.js"));

    private readonly string? _folder = Environment.GetEnvironmentVariable("PAGES_TO");

    private readonly List<string> _findings = [];

    public async Task See(string path, string name)
    {
        await chromium.Open(Url(path));
        await Look(name);
    }

    /// <summary>The page as it is by now.</summary>
    public Task Shown(string name) => Look(name);

    /// <summary>Fills in a form of the page and sends it, past what the browser itself would mind, and looks at what comes.</summary>
    public async Task Send(string action, string name, params (string Name, string Value)[] fields)
    {
        var typed = JsonSerializer.Serialize(fields.ToDictionary(field => field.Name, field => field.Value));
        await chromium.Leave(
            $$"""
            (() => {
              const form = [...document.forms].find(one => one.getAttribute('action') === '{{action}}');
              for (const [name, value] of Object.entries({{typed}})) { form.elements[name].value = value; }
              form.submit();
              return '';
            })()
            """);
        await Look(name);
    }

    public string Url(string path) => $"http://localhost:{new Uri(place.Gate.Address).Port}{path}";

    public void End()
    {
        Assert.True(_findings.Count == 0, string.Join('\n', _findings));
        Assert.Empty(chromium.Complaints);
    }

    private async Task Look(string name)
    {
        foreach (var (width, isDark) in new[] { (360, false), (360, true), (1280, false), (1280, true) })
        {
            var shown = $"{name}-{width}-{(isDark ? "dark" : "light")}";
            await chromium.Look(width, isDark);
            await chromium.Run("document.activeElement.blur(); scrollTo(0, 0); ''");
            await Draw(shown);
            var wide = int.Parse(await chromium.Run("document.documentElement.scrollWidth"), null);
            if (wide > width)
            {
                _findings.Add($"{shown}: is {wide} wide");
            }

            await Tab(shown);
            await chromium.Run(Axe + "; ''");
            _findings.AddRange(JsonSerializer.Deserialize<List<string>>(await chromium.Run(
                """
                axe.run(document, { preload: false }).then(found => JSON.stringify(
                  found.violations.map(rule => `${rule.id}: ${rule.nodes.map(node => node.html + ' ' + node.failureSummary).join('; ')}`)))
                """))!.Select(found => $"{shown}: {found}"));
        }

        await Weigh(name);
    }

    /// <summary>Each control is reached, is on the screen when it is, and shows that it is.</summary>
    private async Task Tab(string shown)
    {
        await chromium.Run("window.reached = new Set(); document.activeElement.blur(); scrollTo(0, 0); ''");
        var controls = int.Parse(await chromium.Run($"{Controls}.length"), null);
        for (var i = 0; i < controls + 3; i++)
        {
            await chromium.Tab();
            var fault = await chromium.Run(
                """
                new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => {
                  const here = document.activeElement;
                  if (here === document.body) { return ''; }
                  reached.add(here);
                  const style = getComputedStyle(here), box = here.getBoundingClientRect();
                  const isSeen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
                  // What only scrolls may be larger than the screen: of that, a part is enough.
                  const isHere = here.matches('[tabindex]') ? box.top < innerHeight && box.bottom > 0
                    : box.top >= -1 && box.bottom <= innerHeight + 1 && box.left >= -1 && box.right <= innerWidth + 1;
                  return isSeen && isHere ? '' : `${here.outerHTML} ${isSeen ? 'is off the screen' : 'shows no focus'}`;
                })
                """);
            if (fault.Length > 0)
            {
                _findings.Add($"{shown}: {fault}");
            }
        }

        var missed = await chromium.Run($"{Controls}.filter(one => !reached.has(one)).map(one => one.outerHTML).join(' ')");
        if (missed.Length > 0)
        {
            _findings.Add($"{shown}: Tab does not reach {missed}");
        }
    }

    private async Task Weigh(string name)
    {
        var foreign = await chromium.Run(
            """
            performance.getEntriesByType('resource').map(one => one.name).filter(one => !one.startsWith(location.origin + '/')).join(' ')
            """);
        if (foreign.Length > 0)
        {
            _findings.Add($"{name}: asks others for {foreign}");
        }

        var bytes = int.Parse(
            await chromium.Run(
                """
                [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
                  .reduce((sum, one) => sum + one.decodedBodySize, 0)
                """),
            null);
        if (bytes is 0 or > BytesMax)
        {
            _findings.Add($"{name}: weighs {bytes} bytes");
        }
    }

    private async Task Draw(string shown)
    {
        if (_folder is not null)
        {
            Directory.CreateDirectory(_folder);
            await File.WriteAllBytesAsync(Path.Combine(_folder, shown + ".png"), await chromium.Picture());
        }
    }
}
