using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Conformance;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Reach;
using Tollgate.Server.Tests.Wallet;
using Tollgate.Server.Tests.Webhooks;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Tests.Console;

/// <summary>A gate with some of everything that the console shows, for pages to be looked at, and the addresses of what is there.</summary>
internal sealed partial class LookPlace : IAsyncDisposable
{
    private readonly Receiver _receiver;
    private readonly ConsolePagesPlace _place;
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    private LookPlace(Receiver receiver, ConsolePagesPlace place) => (_receiver, _place) = (receiver, place);

    public RunningGate Gate => _place.Gate;

    public Chromium Chromium { get; private set; } = null!;

    public PageLook Look { get; private set; } = null!;

    public string this[string name] => _names[name];

    /// <param name="role">Who is at the browser.</param>
    /// <param name="hasScript">Whether pages may run scripts there.</param>
    public static async Task<LookPlace> Start(string role = "owner", bool hasScript = true)
    {
        var place = new LookPlace(await Receiver.Start(), await ConsolePagesPlace.Start(
            with: model => model with
            {
                Wallet = Wallets.Rules, Keys = model.Keys with { Revealable = true }, Teams = new TeamRules { OwnedMax = 2 },
            },
            options: new GateOptions { WebhookHttp = "on", WebhookPrivateAddresses = "127.0.0.0/8" }));
        await place.Fill();
        var owner = new Browser(place.Gate);
        using (owner)
        {
            owner.Jar.Add(new Uri(place.Gate.Address), new System.Net.Cookie("tollgate", await place.SignIn("owner"), "/"));
            await place.FillByHand(owner);
        }

        place.Chromium = await Chromium.Start(hasScript);
        place.Look = new PageLook(place.Gate, place.Chromium);
        await place.Chromium.SetCookie(place.Look.Url("/"), "tollgate", await place.SignIn(role));
        return place;
    }

    /// <summary>An address with the ids of what is there.</summary>
    public string At(string path) => Names().Replace(path, name => _names[name.Value]);

    /// <summary>Looks at each, and at the end says all that was found.</summary>
    public async Task See(IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            await Look.SeeFound(At(path), FileName().Replace(path.Trim('/'), "-"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Chromium.DisposeAsync();
        await _place.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    /// <summary>What days have left behind: keys in every state, requests that passed and that did not, and money.</summary>
    private async Task Fill()
    {
        var (reach, gate) = (_place.Reach, Gate);
        (_names["PROJECT"], _names["TEAM"], _names["OWNED"]) = (reach.Project, reach.Organization, reach.OtherProject);
        (_names["MEMBER"], _names["OTHER"], _names["BARRED"]) =
            (reach["member"].Person.Id, reach["other"].Person.Id, reach["suspended"].Person.Id);
        _names["HELD"] = reach["stranger"].Person.OrganizationId;
        await gate.Send("PATCH", $"/api/v1/organizations/{this["HELD"]}", RunningGate.RootKey, "{\"status\":\"suspended\"}");
        await gate.Send("PATCH", $"/api/v1/organizations/{reach.Organization}", RunningGate.RootKey, "{\"name\":\"Northwind Robotics\"}");
        await gate.Send("PATCH", $"/api/v1/projects/{reach.Project}", RunningGate.RootKey, "{\"name\":\"Assistant\"}");
        await gate.Enter("grant", "10", "welcome", reach.Organization);
        var key = await gate.NewKey("\"name\":\"Nightly batch jobs of the billing service\"", reach.Project);
        _names["KEY"] = key.GetProperty("id").GetString()!;
        _names["OFF"] = (await gate.Make("\"name\":\"Staging\"", reach.Project)).Id;
        await gate.Act(_names["OFF"], "disable");
        await gate.Act((await gate.Make("\"name\":\"Old laptop\"", reach.Project)).Id, "revoke");
        var ends = gate.Clock.GetUtcNow().AddHours(30).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        await gate.Make($"\"name\":\"For one day\",\"expires_at\":\"{ends}\"", reach.Project);
        var secret = key.GetProperty("secret").GetString()!;
        for (var day = 0; day < 4; day++)
        {
            for (var i = 0; i <= day; i++)
            {
                await gate.Report(await gate.Check(secret, "echo-large", 200_000, 2_000), 180_000 + (day * 9_000), 1_500);
                await gate.Report(await gate.Check(secret, "echo", 40_000, 2_000), 40_000, 900);
            }

            var refused = await _place.Check(secret, ",\"method\":\"GET\",\"path\":\"/nowhere/at/all\"");
            _names["REQUEST"] = refused.GetProperty("request_id").GetString()!;
            if (day < 3)
            {
                gate.Clock.Advance(TimeSpan.FromDays(1));
            }
        }
    }

    /// <summary>What the owner does at the console: invitations, a webhook with what arrived and what did not, and a token.</summary>
    private async Task FillByHand(Browser owner)
    {
        var team = $"/console/{this["TEAM"]}/team";
        Assert.Equal(303, (await owner.Fill($"{team}/invite", ("email", "grace.hopper@example.com"), ("role", "admin"))).Status);
        var hooks = $"/console/{this["PROJECT"]}/webhooks";
        await owner.Fill($"{hooks}/new", ("url", _receiver.Url), ("events", "*"), ("description", "The billing service's own listener"));
        var hook = Row().Match((await owner.Get(hooks)).Text).Groups["href"].Value;
        _names["HOOK"] = hook.Split('/')[^1];
        await owner.Send(await owner.Get(hook), $"{hook}/test");
        await _receiver.Arrived();
        _receiver.Status = 503;
        await owner.Send(await owner.Get(hook), $"{hook}/test");
        await _receiver.Arrived();
        await Gate.Services.GetRequiredService<WebhookCourier>().Idle();
        _names["DELIVERY"] = Delivery().Match((await owner.Get(hook)).Text).Groups["id"].Value;
        await owner.Fill(
            $"{hooks}/new", ("url", "https://hooks.example.com/services/T024BE7LD/B0ABCDEFGHI/events"), ("events", "key.revoked"));
        _names["RESTING"] = Row().Matches((await owner.Get(hooks)).Text)
            .Select(row => row.Groups["href"].Value.Split('/')[^1]).Single(id => id != this["HOOK"]);
        Assert.Equal(303, (await owner.Fill($"{hooks}/{this["RESTING"]}/disable")).Status);
    }

    private async Task<string> SignIn(string role) => (await Gate.Database.Write<string>(
        async scope => (await SignedPerson.Begin(Gate, scope, _place.Reach[role].Person)).Cookie)).Value;

    [GeneratedRegex("[A-Z]{3,}")]
    private static partial Regex Names();

    [GeneratedRegex("[^A-Za-z]+")]
    private static partial Regex FileName();

    [GeneratedRegex("class=\"row\" href=\"(?<href>[^\"]*)\"")]
    private static partial Regex Row();

    [GeneratedRegex("/deliveries/(?<id>[^\"]*)\"")]
    private static partial Regex Delivery();
}
