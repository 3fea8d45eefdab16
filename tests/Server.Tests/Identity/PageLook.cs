using System.Text.Json;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.House;

namespace Tollgate.Server.Tests.Identity;

/// <summary>
/// Looks at the page that Chromium shows, light and dark, on a telephone and on a desk: with axe-core, for what scrolls sideways, with the
/// Tab key alone, and at what it weighs. With <c>PAGES_TO</c> set, a picture of each goes to that folder, for somebody to look at.
/// </summary>
internal sealed class PageLook(RunningGate gate, Chromium chromium)
{
    /// <summary>Of the page alone, unpacked.</summary>
    public const int HtmlBytesMax = 60_000;

    /// <summary>Of the page with its style and script, as they are transferred.</summary>
    public const int BytesMax = 150_000;

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

    public PageLook(PeoplePlace place, Chromium chromium)
        : this(place.Gate, chromium)
    {
    }

    public async Task See(string path, string name)
    {
        await chromium.Open(Url(path));
        await Look(name);
    }

    /// <summary>A page that is there: one that says that nothing is would look well too.</summary>
    public async Task SeeFound(string path, string name)
    {
        await See(path, name);
        var status = await chromium.Run("performance.getEntriesByType('navigation')[0].responseStatus");
        if (status != "200")
        {
            _findings.Add($"{name}: {path} answers {status}");
        }
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

    public string Url(string path) => $"http://localhost:{new Uri(gate.Address).Port}{path}";

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

            // The order of the keys is the same in the dark.
            if (!isDark)
            {
                await Tab(shown);
            }

            await Examine(shown);
        }

        // In between, and on the largest screens: nothing sticks out.
        foreach (var width in new[] { 740, 2560 })
        {
            await chromium.Look(width, isDark: false);
            var wide = int.Parse(await chromium.Run("document.documentElement.scrollWidth"), null);
            if (wide > width)
            {
                _findings.Add($"{name}-{width}: is {wide} wide");
            }
        }

        await Weigh(name);
    }

    /// <summary>Opens a page of many that are drawn alike, and has it examined in both themes.</summary>
    public async Task Read(string path)
    {
        await chromium.Open(Url(path));
        foreach (var isDark in new[] { false, true })
        {
            await chromium.Look(1280, isDark);
            await Examine($"{path} {(isDark ? "dark" : "light")}");
        }
    }

    private async Task Examine(string shown)
    {
        if (await chromium.Run("typeof axe") == "undefined")
        {
            await chromium.Run(Axe + "; ''");
        }

        _findings.AddRange(JsonSerializer.Deserialize<List<string>>(await chromium.Run(
            """
            axe.run(document, { preload: false, resultTypes: ['violations'] }).then(found => JSON.stringify(
              found.violations.map(rule => `${rule.id}: ${rule.nodes.map(node => node.html + ' ' + node.failureSummary).join('; ')}`)))
            """))!.Select(found => $"{shown}: {found}"));
    }

    /// <summary>Each control is reached, is on the screen when it is, and shows that it is: looked at as the key is let go.</summary>
    private async Task Tab(string shown)
    {
        var stops = int.Parse(await chromium.Run(
            $$"""
            (() => {
              const faults = [], reached = new Set();
              window.tabs = { faults, reached };
              document.activeElement.blur();
              scrollTo(0, 0);
              window.tabbed ??= addEventListener('keyup', () => {
                const here = document.activeElement;
                if (here === document.body) { return; }
                tabs.reached.add(here);
                const style = getComputedStyle(here), box = here.getBoundingClientRect();
                const isSeen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
                // What only scrolls may be larger than the screen: of that, a part is enough.
                const isHere = here.matches('[tabindex]') ? box.top < innerHeight && box.bottom > 0
                  : box.top >= -1 && box.bottom <= innerHeight + 1 && box.left >= -1 && box.right <= innerWidth + 1;
                if (!isSeen || !isHere) { tabs.faults.push(`${here.outerHTML} ${isSeen ? 'is off the screen' : 'shows no focus'}`); }
              }) ?? true;
              // A date has a stop for each of its parts; and the browser's own bar may be on the way round.
              return {{Controls}}.length + 6 * document.querySelectorAll('input[type^=date]').length + 6;
            })()
            """), null);
        // Where the first round begins is the browser's to say; what it has left out is come to by the second.
        var missed = new List<string>();
        for (var round = 0; round < 2 && (round == 0 || missed.Count > 0); round++)
        {
            for (var i = 0; i < stops; i++)
            {
                await chromium.Tab();
            }

            missed = JsonSerializer.Deserialize<List<string>>(await chromium.Run(
                $$"""
                JSON.stringify([...tabs.faults, ...{{Controls}}.filter(one => !tabs.reached.has(one)
                  // Of choices of which one is taken, the key comes to one, and arrows to the others.
                  && !(one.type === 'radio' && [...tabs.reached].some(other => other.name === one.name)))
                  .map(one => `Tab does not reach ${one.outerHTML}`)])
                """))!;
        }

        _findings.AddRange(missed.Select(fault => $"{shown}: {fault}"));
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

        var html = int.Parse(await chromium.Run("performance.getEntriesByType('navigation')[0].decodedBodySize"), null);
        var bytes = int.Parse(
            await chromium.Run(
                """
                [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
                  .reduce((sum, one) => sum + one.encodedBodySize, 0)
                """),
            null);
        if (html is 0 or > HtmlBytesMax || bytes is 0 or > BytesMax)
        {
            _findings.Add($"{name}: weighs {bytes} bytes, {html} of them the page");
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
