using Tollgate.Server.Tests.Identity;

namespace Tollgate.Server.Tests.Console;

/// <summary>The page that tries a key, in Debian's Chromium: what script adds to it, and how it looks.</summary>
public sealed class ConsoleTryLookTests
{
    private const string Ada = "ada@example.test";

    [Fact]
    public async Task An_answer_streams_in_with_what_it_used_and_a_refusal_reads_as_without_script()
    {
        await using var place = await PeoplePlace.Start();
        await using var chromium = await Chromium.Start();
        var look = new PageLook(place, chromium);
        var browser = await place.SignedIn(Ada);
        await chromium.SetCookie(look.Url("/"), "tollgate", browser.Session!);
        var home = (await browser.Get("/console")).Location!;
        await look.See($"{home}/try", "try-empty");
        await ConsolePagesPlace.Make(browser, $"{home}/keys", ("name", "Nightly job"));
        await look.See($"{home}/try", "try");
        await ConsolePagesPlace.Make(browser, $"{home}/keys", ("name", "A key with one request"), ("limits/rpm", "1"));

        await chromium.Open(look.Url($"{home}/try"));
        var said = await Press(chromium, "Tell me of gates");
        Assert.Contains("gates", said, StringComparison.Ordinal);
        Assert.Equal("Answer", await chromium.Run("document.getElementById('trial-title').innerText"));
        var used = await chromium.Run("document.getElementById('used').innerText");
        Assert.Contains("A key with one request", used, StringComparison.Ordinal);
        Assert.Matches(@"\d+ in, \d+ out", used);
        Assert.Contains("req_", await chromium.Run("document.getElementById('headers').textContent"), StringComparison.Ordinal);
        Assert.Equal("true", await chromium.Run("String(document.getElementById('broken').hidden)"));
        await look.Shown("try-answer");

        await Press(chromium, "And once more");
        Assert.Equal("It was refused", await chromium.Run("document.getElementById('trial-title').innerText"));
        Assert.Equal("And once more", await chromium.Run("document.getElementById('message').value"));
        await look.Shown("try-refused");
        look.End();
    }

    [Fact]
    public async Task Ones_own_token_is_for_everybody_TP1()
    {
        await using var place = await PeoplePlace.Start(
            with: provider => provider with { Keys = provider.Keys with { Revealable = true } });
        await using var chromium = await Chromium.Start();
        var look = new PageLook(place, chromium);
        var browser = await place.SignedIn(Ada);
        await chromium.SetCookie(look.Url("/"), "tollgate", browser.Session!);
        var home = (await browser.Get("/console")).Location!;
        await look.See($"{home}/profile", "profile-none");
        await look.Send($"{home}/profile/generate", "profile-token");
        await look.See($"{home}/profile", "profile");
        look.End();
    }

    /// <summary>Sends the form as a person does, and returns the answer when all of it is there.</summary>
    private static Task<string> Press(Chromium chromium, string message) => chromium.Run(
        $$"""
        new Promise((done) => {
          document.getElementById('message').value = '{{message}}';
          const send = document.querySelector('[data-stream] form');
          new MutationObserver((_, watch) => {
            const used = document.getElementById('used');
            if (used && used.children.length > 0) {
              watch.disconnect();
              done(document.getElementById('answer')?.innerText ?? '');
            }
          }).observe(document.body, { childList: true, subtree: true });
          send.requestSubmit();
        })
        """);
}
