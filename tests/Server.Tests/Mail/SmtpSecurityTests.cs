using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Mail;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;

namespace Tollgate.Server.Tests.Mail;

/// <summary>A gate as an operator runs it, and a mail server that wants encryption and a password; and the same with a crash.</summary>
public sealed class SmtpSecurityTests(PostgresFixture postgres) : IDisposable
{
    private const int KilledBySignal9 = 128 + 9;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-smtp-");

    public static TheoryData<DatabaseKind, string, int> Points => new()
    {
        { DatabaseKind.Sqlite, "mail-sent", 2 },
        { DatabaseKind.Sqlite, "mail-written", 1 },
        { DatabaseKind.PostgreSql, "mail-sent", 2 },
        { DatabaseKind.PostgreSql, "mail-written", 1 },
    };

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_mail_goes_over_starttls_with_a_password()
    {
        var (certificate, key) = Certificate();
        await using var sink = await MailSink.Start(certificate, key, "gate", "the password of the gate");
        await QueueOne(null);
        await using var gate = await ServedGate.Start(
            _folder.FullName, rootKey: RunningGate.RootKey,
            environment: new Dictionary<string, string>(Settings(sink.Port, "gate", "the password of the gate"))
            {
                ["SSL_CERT_FILE"] = certificate,
            });

        await sink.Arrived();
        Assert.Equal((true, "gate"), ((await sink.Only()).IsEncrypted, (await sink.Only()).User));
        Assert.DoesNotContain("the password of the gate", gate.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_said_to_a_server_that_nobody_vouches_for_or_that_does_not_encrypt()
    {
        var (certificate, key) = Certificate();
        await using var stranger = await MailSink.Start(certificate, key);
        await using var open = await MailSink.Start();
        foreach (var port in new[] { stranger.Port, open.Port })
        {
            await QueueOne(null);
            await using var gate = await RunningGate.Start("default", new GateOptions
            {
                LogLevel = "none", MailHost = "localhost", MailPort = port, MailFrom = "gate@example.test",
            }, _folder.FullName, clock: Today());
            var courier = gate.Services.GetRequiredService<MailCourier>();
            var meter = gate.Services.GetRequiredService<MailMeter>();
            while (meter.Retried.Read == 0)
            {
                await courier.Idle();
                await Task.Yield();
            }

            Assert.Equal(0, meter.Sent.Read);
            await courier.Idle();
            await gate.Database.Write<int>(async scope => await scope.Execute("DELETE FROM mail_outbox"));
        }

        Assert.Empty(await stranger.Mails());
        Assert.Empty(await open.Mails());
    }

    [Theory, MemberData(nameof(Points))]
    public async Task A_mail_arrives_though_the_process_dies_around_its_sending_and_twice_only_as_one(
        DatabaseKind kind, string point, int times)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        await using var sink = await MailSink.Start();
        await QueueOne(database);
        var settings = new Dictionary<string, string>(Settings(sink.Port, null, null))
        {
            ["TOLLGATE_MAIL_SECURITY"] = "none", ["TOLLGATE_FAILPOINT"] = point,
        };
        await using (var doomed = await ServedGate.Start(
            _folder.FullName, rootKey: RunningGate.RootKey, database: database, environment: settings))
        {
            Assert.Equal(KilledBySignal9, await doomed.WaitForExit());
        }

        var options = new GateOptions
        {
            LogLevel = "none", MailHost = "127.0.0.1", MailPort = sink.Port, MailFrom = "gate@example.test", MailSecurity = "none",
        };
        await using var gate = await RunningGate.Start("default", options, _folder.FullName, database, Today());
        await sink.Arrived(times);
        await gate.Services.GetRequiredService<MailCourier>().Idle();
        Assert.Equal(0, (await gate.Database.Read(MailSql.State)).Waiting);
        Assert.Equal(times, (await sink.Mails()).Count);
        Assert.Single((await sink.Mails()).Select(mail => mail.Header("Message-ID")).Distinct());
    }

    private static ManualClock Today()
    {
        var clock = new ManualClock();
        clock.Advance(TimeProvider.System.GetUtcNow() - clock.GetUtcNow());
        return clock;
    }

    private static Dictionary<string, string> Settings(int port, string? user, string? password)
    {
        var settings = new Dictionary<string, string>
        {
            ["TOLLGATE_MAIL_HOST"] = "localhost",
            ["TOLLGATE_MAIL_PORT"] = $"{port}",
            ["TOLLGATE_MAIL_FROM"] = "gate@example.test",
        };
        if (user is not null)
        {
            (settings["TOLLGATE_MAIL_USER"], settings["TOLLGATE_MAIL_PASSWORD"]) = (user, password!);
        }

        return settings;
    }

    /// <summary>By a gate whose mail server is dead, so that the next one finds it.</summary>
    private async Task QueueOne(string? database)
    {
        await using var gate = await RunningGate.Start("default", new GateOptions
        {
            LogLevel = "none", MailHost = "127.0.0.1", MailPort = 1, MailFrom = "gate@example.test", MailSecurity = "none",
        }, _folder.FullName, database, Today());
        var outbox = gate.Services.GetRequiredService<MailOutbox>();
        Assert.True((await gate.Database.Write<bool>(async scope =>
        {
            await outbox.Queue(scope, MailPlace.Reset());
            return true;
        })).IsOk);
        await gate.Services.GetRequiredService<MailCourier>().StopAsync(default);
        await gate.Database.Write<int>(async scope => await scope.Execute("UPDATE mail_outbox SET due_at_ms = created_at_ms"));
    }

    /// <summary>For localhost, signed by itself; the files of certificate and key.</summary>
    private (string Certificate, string Key) Certificate()
    {
        using var key = RSA.Create(2_048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var files = (Path.Combine(_folder.FullName, "certificate.pem"), Path.Combine(_folder.FullName, "key.pem"));
        File.WriteAllText(files.Item1, certificate.ExportCertificatePem());
        File.WriteAllText(files.Item2, key.ExportPkcs8PrivateKeyPem());
        return files;
    }
}
