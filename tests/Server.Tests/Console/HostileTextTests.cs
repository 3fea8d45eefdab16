using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Tollgate.Server.Hosting;
using Tollgate.Server.Tests.House;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Console;

/// <summary>
/// W9: texts that would run as script, or turn a page around, are typed into every text field there is, and seen on every page. A browser
/// judges: no dialog opens, no element or attribute comes of them, no policy is broken, and they are shown as they were typed.
/// </summary>
public sealed partial class HostileTextTests
{
    private const string Ada = Flow.Ada;

    /// <summary>Of pages that differ only in whose they are, so many are seen.</summary>
    private const int PagesPerShape = 2;

    /// <summary>All at once, for fields that are tried once.</summary>
    private const string All = "'\"><img src=x onerror=alert(1)><script>alert(2)</script>\U0001F600\u202E\u05D0";

    private const string Text = "input:is(:not([type]), [type=text], [type=email], [type=url], [type=search]), textarea";

    /// <summary>But those that script sends: a message to a model is tried by itself, and a passkey is not made here.</summary>
    private const string Form = $"form:has({Text}):not([data-stream] form):not(:has([data-passkey]))";

    private static readonly string[] Texts =
    [
        "<img src=x onerror=alert(1)>",
        "\"><script>alert(1)</script>",
        "' onfocus='alert(1)' autofocus x='",
        "\" onfocus=\"alert(1)\" autofocus=\"",
        "</bdi></code></textarea><svg onload=alert(1)>",
        "\U0001F600 \U00020BB7 \u202Etxet\u202C \u200F\u05D0\u05D1",
    ];

    private readonly HashSet<string> _typed = [];
    private readonly List<string> _dialogs = [];

    [Fact]
    public async Task W9_hostile_texts_in_every_field_are_shown_as_typed_on_every_page_and_none_of_it_runs()
    {
        await using var place = await PeoplePlace.Start(
            options: new GateOptions
            {
                LogLevel = "none", HashRounds = 1_000, WebhookHttp = "on", WebhookPrivateAddresses = "127.0.0.0/8",
            },
            with: provider => provider with { Wallet = Wallets.Rules });
        await using var at = await Flow.Of(place);
        at.Page.Dialog += async (_, dialog) =>
        {
            _dialogs.Add($"{at.Page.Url}: {dialog.Message}");
            await dialog.DismissAsync();
        };

        await Walk(at, "/sign-in", "/sign-up", "/forgot", "/magic");
        await at.SignUp(name: All);
        await Look(at, All);
        await Keys(at);
        await Team(at);
        await Try(at);
        await place.Run($"UPDATE people SET is_operator = 1 WHERE email_key = '{Ada}'");
        await Walk(at, "/console", at.Home, $"/console/{await at.OrganizationOf(Ada)}/all", "/account", "/console/operator");

        Assert.Empty(_dialogs);
        Assert.Empty(at.Chromium.Complaints);
        Assert.Empty(Fields().Except(_typed));
    }

    /// <summary>Keys, projects and webhooks with each of the texts, and the pages that show them.</summary>
    private async Task Keys(Flow at)
    {
        var organization = await at.OrganizationOf(Ada);
        foreach (var text in Texts)
        {
            var secret = await at.NewKey(text, async () =>
            {
                await at.More();
                await at.Fill("Description (optional)", text);
            });
            await Look(at, text);
            await at.Gate.Verify(secret);
            var refused = await at.Gate.Verify(secret, ",\"method\":\"GET\",\"path\":\"/nowhere\"");
            await at.Open($"{at.Home}/keys");
            await Look(at, text);
            await at.Chromium.Leave(() => at.Page.Locator("[aria-label=Keys] tbody a").First.ClickAsync());
            await Look(at, text);
            Assert.Equal(text, await at.Page.Locator("h1").InnerTextAsync());
            Assert.Equal(text, await at.Fact("Description"));
            await at.Open($"{at.Home}/refusals?request={refused.String("request_id")}");
            await Look(at, text);

            await at.Open($"/console/{organization}/projects/new");
            await at.Fill("Name", text);
            await at.Chromium.Leave(() => at.Page.Locator("main [type=submit]").ClickAsync());
            await Look(at, text);

            await at.Open($"{at.Home}/webhooks/new");
            await at.Fill("URL", "http://127.0.0.1:8080/tollgate");
            await at.Fill("Description (optional)", text);
            await at.Chromium.Leave(() => at.Page.Locator("main [type=submit]").ClickAsync());
            Assert.Equal(1, await at.Page.Locator("#secret").CountAsync());
            await at.Chromium.Leave(() => at.Follow("I have stored it"));
            await Look(at, text);
        }

        foreach (var page in new[] { at.Home, $"{at.Home}/usage?by=key", $"/console/{organization}/projects", $"{at.Home}/audit" })
        {
            await at.Open(page);
            await Look(at, page.EndsWith("/audit", StringComparison.Ordinal) || page == at.Home ? [All] : Texts);
        }
    }

    private async Task Team(Flow at)
    {
        await at.Open($"/console/{await at.OrganizationOf(Ada)}/team/new");
        await at.Fill("Name of the team", Texts[1]);
        await at.Chromium.Leave(() => at.Press("Make the team"));
        await Look(at, Texts[1]);
        var team = new Uri(at.Page.Url).AbsolutePath;
        await at.Open($"{team}/invite");
        await at.Fill("Address", "bob@example.test");
        await at.Pick("role", "member");
        await at.Chromium.Leave(() => at.Press("Send the invitation"));
        await Look(at, Texts[1], "bob@example.test");
        await at.OpenMail("bob@example.test");
        await Look(at, Texts[1], All);
    }

    private async Task Try(Flow at)
    {
        foreach (var text in Texts)
        {
            await at.Open($"{at.Home}/try");
            await at.Fill("Message", text);
            await at.Press("Send");
            await at.Page.Locator("#used dd").First.WaitForAsync();
            await Look(at, text);
        }

        await at.More();
        await at.Fill("Most tokens of the answer (optional)", All);
        await at.Press("Send");
        await at.Page.Locator("#tokens-fault").WaitForAsync();
        await Look(at, All);
        _typed.UnionWith(["message", "tokens"]);
    }

    /// <summary>From these pages along every link, and into every form with a text field.</summary>
    private async Task Walk(Flow at, params string[] starts)
    {
        var (waiting, seen, sent) = (new Queue<string>(starts), new Dictionary<string, int>(StringComparer.Ordinal), new HashSet<string>());
        while (waiting.TryDequeue(out var path))
        {
            await at.Open(path);
            await Look(at);
            foreach (var link in await at.Page.EvaluateAsync<string[]>(
                "[...document.querySelectorAll('a[href]')].filter(a => a.origin === location.origin).map(a => a.pathname + a.search)"))
            {
                var shape = Id().Replace(QueryValue().Replace(link, "="), "{}");
                if (Walked().IsMatch(link) && seen.GetValueOrDefault(shape) < PagesPerShape)
                {
                    seen[shape] = seen.GetValueOrDefault(shape) + 1;
                    waiting.Enqueue(link);
                }
            }

            for (var i = 0; i < await at.Page.Locator(Form).CountAsync(); i++)
            {
                var form = at.Page.Locator(Form).Nth(i);
                if (sent.Add(Id().Replace(await form.GetAttributeAsync("action") ?? "", "{}")))
                {
                    await Type(at, form);
                    await at.Open(path);
                }
            }
        }
    }

    private async Task Type(Flow at, ILocator form)
    {
        var fields = form.Locator(Text);
        for (var i = 0; i < await fields.CountAsync(); i++)
        {
            var field = fields.Nth(i);
            _typed.Add((await field.GetAttributeAsync("name"))!);

            // What the browser itself would stop is for the server to judge.
            await field.EvaluateAsync("one => { one.form.noValidate = true; one.closest('details')?.setAttribute('open', ''); }");
            await field.FillAsync(All);
        }

        await at.Chromium.Leave(() => form.Locator("[type=submit]").Last.ClickAsync());
        await Look(at);
    }

    /// <summary>Nothing on the page came of a text but text.</summary>
    private static async Task Look(Flow at, params string[] shown)
    {
        var grown = await at.Chromium.Run(
            """
            [...document.querySelectorAll('img[src="x"], svg[onload], [onerror], [onfocus], [autofocus], script:not([src])')]
              .map(one => one.outerHTML).join(' ')
            """);
        Assert.True(grown.Length == 0, $"{at.Page.Url}: {grown}");
        var text = await Seen(at);
        Assert.All(shown, one => Assert.True(text.Contains(one, StringComparison.Ordinal), $"{at.Page.Url} does not show {one}"));
    }

    /// <summary>All text of the page, and what is in its fields.</summary>
    private static Task<string> Seen(Flow at) => at.Chromium.Run(
        "document.body.textContent + [...document.querySelectorAll('input, textarea')].map(one => '\\n' + one.value).join('')");

    /// <summary>The names of the text fields that the pages are written with.</summary>
    private static IEnumerable<string> Fields() => Repository.Files("src/Server/Console", ".razor")
        .SelectMany(file => Field().Matches(file.Text))
        .Where(field => !Hidden().IsMatch(field.Value)).Select(field => field.Groups["name"].Value).Distinct();

    [GeneratedRegex("<(?:TextField|PageField) (?:Form=\"[^\"]*\" )?Name=\"(?<name>[a-z_]+)\"[^>]*>")]
    private static partial Regex Field();

    [GeneratedRegex("Type=\"(?:password|date)\"")]
    private static partial Regex Hidden();

    [GeneratedRegex("(?<=/|=)[a-z]+_[0-9A-Za-z]{8,}")]
    private static partial Regex Id();

    [GeneratedRegex("=[^&]*")]
    private static partial Regex QueryValue();

    [GeneratedRegex("^/(?:console|account|sign-in|sign-up|forgot|magic)(?!.*(?:\\.csv|/export))")]
    private static partial Regex Walked();
}
