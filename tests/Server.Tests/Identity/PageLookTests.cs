using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Identity.Passkeys;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Mail;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.House;
using Tollgate.Server.Tests.Teams;

namespace Tollgate.Server.Tests.Identity;

/// <summary>
/// Every page of signing in and of the account, in Debian's Chromium: nothing that axe-core finds, no report of a broken policy, nothing
/// that scrolls sideways, all of it by the keyboard.
/// </summary>
public sealed class PageLookTests(PostgresFixture postgres)
{
    private const string Ada = "ada@example.test";
    private const string Own = "a quite different one";

    [Fact]
    public async Task The_pages_of_signing_up_and_in_are_for_everybody()
    {
        await using var place = await PeoplePlace.Start();
        await using var chromium = await Chromium.Start();
        var look = new PageLook(place, chromium);
        await look.See("/sign-in", "sign-in");
        await look.Send("/sign-in", "sign-in-refused", ("email", Ada), ("password", "not the right one"));
        await look.See("/sign-in?done=verified", "sign-in-notice");
        await look.See("/sign-up", "sign-up");
        await look.Send("/sign-up", "sign-up-faults", ("name", ""), ("email", "ada"), ("password", "short"));
        await look.Send("/sign-up", "sign-up-sent", ("name", "Ada Lovelace"), ("email", Ada), ("password", PeoplePlace.Password));
        await look.See("/forgot", "forgot");
        await look.Send("/forgot", "forgot-fault", ("email", "ada"));
        await look.See("/magic", "magic");
        await look.Send("/magic", "magic-sent", ("email", Ada));

        var link = new Uri(await place.Link(Ada)).PathAndQuery;
        await look.See(link, "verify");
        await look.Send("/verify", "verify-wrong", ("password", "not the right one"));
        await look.See(link.Replace("/verify?", "/verify/anew?", StringComparison.Ordinal), "verify-anew");
        await look.Send("/verify/anew", "verify-anew-faults", ("name", ""), ("password", "short"));
        await look.Send("/verify/anew", "verified", ("name", "Ada"), ("password", Own));
        await look.See(link, "link-ended");

        await place.Browser().Fill("/forgot", ("email", Ada));
        await look.See(new Uri(await place.Link(Ada)).PathAndQuery, "reset");
        await look.Send("/reset", "reset-fault", ("password", "short"));
        await place.Browser().Fill("/magic", ("email", Ada));
        await look.See(new Uri(await place.Link(Ada)).PathAndQuery, "magic-link");
        var once = await place.Gate.Send("POST", "/api/v1/operator/links", RunningGate.RootKey);
        await look.See(new Uri(once.String("url")).PathAndQuery, "once");
        await look.See("/sign-in/passkey", "passkey");
        await look.See("/sign-in/google", "nothing-here");
        await look.See("/mail", "mail-none");
        var (folder, outbox) = (place.Gate.Services.GetRequiredService<MailFolder>(), place.Gate.Services.GetRequiredService<MailOutbox>());
        foreach (var row in await place.Gate.Database.Read(async connection => await Dapper.SqlMapper.QueryAsync<QueuedMail>(
            connection, "SELECT * FROM mail_outbox WHERE blank = 0 ORDER BY mail_no")))
        {
            Assert.Equal(SendResult.Sent, await folder.Send(row, outbox.Open(row)!));
        }

        await look.See("/mail", "mail");
        look.End();
    }

    [Fact]
    public async Task The_pages_of_an_account_are_for_everybody()
    {
        await using var teams = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        await using var chromium = await Chromium.Start();
        var (place, look) = (teams.People, new PageLook(teams.People, chromium));
        await place.SignedUp(Ada);
        Assert.Equal("ok", (await teams.Invite(teams.Owner, Ada)).CodeOf());
        var invitation = new Uri(await place.Link(Ada)).PathAndQuery;
        Assert.Equal("ok", (await teams.Invite(teams.Owner, "bob@example.test")).CodeOf());
        await look.See(invitation, "invitation-out");
        await chromium.Open(look.Url("/sign-in"));
        await look.Send("/sign-in", "invitation", ("email", Ada), ("password", PeoplePlace.Password));
        await look.Send(invitation, "joined");
        await look.See(new Uri(await place.Link("bob@example.test")).PathAndQuery, "invitation-other");

        await look.See("/account", "account-new");
        await look.See("/account/passkeys/add", "passkey-add");
        await look.See("/account/second", "second-setup");
        var secret = Base32(await chromium.Run("document.querySelector('code').innerText"));
        await look.Send("/account/second", "second-setup-fault", ("code", "000000"));
        await look.Send("/account/second", "recovery-codes", ("code", TimeCode.At(secret, place.Clock.NowMs / 30_000)));
        await Fill(place);
        await look.See("/account", "account-full");
        await look.Send("/account/password", "account-fault", ("current", PeoplePlace.Password), ("password", "short"));
        place.Clock.Advance(TimeSpan.FromMinutes(11));
        await look.See("/account", "account-stale");
        await look.See("/account/second", "proof-needed");

        await chromium.Open(look.Url("/account"));
        await look.Send("/sign-out", "signed-out");
        await look.Send("/sign-in", "second-step", ("email", Ada), ("password", PeoplePlace.Password));
        await look.Send("/sign-in/second", "second-step-wrong", ("code", "000000"));
        look.End();
    }

    [Fact]
    public async Task The_pages_with_accounts_elsewhere_are_for_everybody()
    {
        await using var place = await PeoplePlace.Start(options: new GateOptions
        {
            LogLevel = "none", HashRounds = 1_000, GoogleClientId = "gate", GoogleClientSecret = "secret", GithubClientId = "gate",
            GithubClientSecret = "secret",
        });
        await using var chromium = await Chromium.Start();
        var look = new PageLook(place, chromium);
        await look.See("/sign-in", "sign-in-ways");
        await look.See("/sign-up", "sign-up-ways");
        await place.SignedUp(Ada);
        await Fill(place);
        await chromium.Open(look.Url("/sign-in"));
        await look.Send("/sign-in", "console-first", ("email", Ada), ("password", PeoplePlace.Password));
        await look.See("/account", "account-ways");
        look.End();
    }

    [Fact]
    public async Task The_square_of_a_second_step_is_read_by_a_camera_and_says_the_secret()
    {
        await using var place = await PeoplePlace.Start();
        await using var chromium = await Chromium.Start();
        var look = new PageLook(place, chromium);
        var browser = await place.SignedIn(Ada);
        await chromium.SetCookie(look.Url("/"), "tollgate", browser.Session!);
        var reader = await File.ReadAllTextAsync(
            Path.Combine(Repository.Root, "tests/sign-in/node_modules/jsqr/dist/jsQR.js"), TestContext.Current.CancellationToken);
        foreach (var isDark in new[] { false, true })
        {
            await chromium.Look(360, isDark);
            await chromium.Open(look.Url("/account/second"));
            var secret = await chromium.Run("document.querySelector('code').innerText");
            var picture = Convert.ToBase64String(await chromium.Picture());

            // On a page without a policy: there the reader, which is others' program, sees nothing but the picture.
            await chromium.Open("about:blank");
            await chromium.Run(reader + "; ''");
            var read = await chromium.Run(
                $$"""
                (async () => {
                  const picture = new Image();
                  picture.src = 'data:image/png;base64,{{picture}}';
                  await picture.decode();
                  const canvas = document.createElement('canvas');
                  [canvas.width, canvas.height] = [picture.width, picture.height];
                  const pen = canvas.getContext('2d');
                  pen.drawImage(picture, 0, 0);
                  return jsQR(pen.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height)?.data ?? 'nothing';
                })()
                """);

            var said = new Uri(read);
            Assert.Equal(("otpauth", "totp"), (said.Scheme, said.Host));
            Assert.EndsWith($":{Uri.EscapeDataString(Ada)}", said.AbsolutePath, StringComparison.Ordinal);
            var parts = said.Query[1..].Split('&');
            Assert.Contains($"secret={secret}", parts);
            Assert.Contains("digits=6", parts);
            Assert.Contains("period=30", parts);
        }
    }

    /// <summary>An account with some of everything.</summary>
    private static async Task Fill(PeoplePlace place)
    {
        foreach (var device in new[]
        {
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Mobile/15E148 Safari/604.1",
            "A-Device/With-A-Name-That-Has-No-End-And-No-Space-Either-So-That-It-Goes-On-And-On",
        })
        {
            await place.Run(
                $"""
                INSERT INTO sessions (session_no, id, secret_hash, person_no, method, address, device, created_at_ms, proved_at_ms,
                    seen_at_ms, ends_at_ms)
                SELECT {device.Length} + 1000, 'ses_{device.Length}', CAST('{device.Length}' AS BLOB), person_no, 'password',
                    '2001:db8:85a3:8d3:1319:8a2e:370:7348', '{device}', {place.Clock.NowMs}, {place.Clock.NowMs},
                    {place.Clock.NowMs}, {place.Clock.NowMs + 86_400_000}
                FROM people WHERE email_key = '{Ada}'
                """);
        }

        var personNo = await place.Ask<long>($"SELECT person_no FROM people WHERE email_key = '{Ada}'");
        var done = await place.Gate.Database.Write<bool>(async scope =>
        {
            foreach (var (name, i) in new[] { "Laptop", "A very long name of a telephone that I own" }.Select((name, i) => (name, i)))
            {
                await PasskeySql.Insert(scope, new Passkey
                {
                    CredentialId = [(byte)i, 1, 2], PersonNo = personNo, Name = name, PublicKey = [1], CreatedAtMs = scope.NowMs,
                    UsedAtMs = scope.NowMs,
                });
            }

            foreach (var (name, email) in new[] { ("google", Ada), ("github", null) })
            {
                await ConnectionSql.Insert(scope, new Connection
                {
                    Name = name, Subject = "1", PersonNo = personNo, Email = email, CreatedAtMs = scope.NowMs, UsedAtMs = scope.NowMs,
                });
            }

            return true;
        });
        Assert.True(done.IsOk);
    }

    private static byte[] Base32(string text)
    {
        var bits = string.Concat(text.Select(letter => Convert.ToString(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(letter, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. bits.Chunk(8).Where(eight => eight.Length == 8).Select(eight => Convert.ToByte(new string(eight), 2))];
    }
}
