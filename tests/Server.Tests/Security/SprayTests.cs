using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Verification;
using Tollgate.Server.Hosting;
using Tollgate.Server.Keys;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Security;

/// <summary>A spray of well-formed keys that do not exist: <c>./bench/run spray</c> in small.</summary>
public sealed class SprayTests
{
    /// <summary>Half of it looked up is more than the table remembers as unknown.</summary>
    private const int Sprayed = 140_000;

    [Fact]
    public async Task Valid_keys_pass_while_unknown_ones_are_sprayed_and_nothing_in_memory_grows()
    {
        // Each request is two events, and who takes them in has to share the machine with the spray.
        var options = new GateOptions { LogLevel = "none", TrustedProxies = "127.0.0.1", UsageBufferEvents = 65_536 };
        await using var gate = await RunningGate.Start("default", options);
        var (feed, table) = (gate.Services.GetRequiredService<KeyFeed>(), gate.Services.GetRequiredService<KeyTable>());
        var hot = await gate.NewSecret();
        var cold = new Queue<string>();
        for (var i = 0; i < 20; i++)
        {
            cold.Enqueue(await gate.NewSecret());
        }

        Assert.Equal(HttpStatusCode.OK, (await Ask(gate, hot)).Status);
        var before = (table.Count, table.FactsBytes);
        var spray = Task.WhenAll(Enumerable.Range(0, 4).Select(part => Task.Run(() => Spray(gate, part))));
        var asked = 0;
        while (!spray.IsCompleted || asked < 20)
        {
            Assert.Equal(HttpStatusCode.OK, (await Ask(gate, hot)).Status);
            Assert.InRange(feed.UnderWay, 0, KeyFeed.LoadsMax);
            asked++;
        }

        Assert.True((await spray).Sum() > new KeyTableOptions().UnknownMax);
        Assert.Equal(before, (table.Count, table.FactsBytes));
        Assert.Equal(0, feed.UnderWay);
        Assert.Equal(MissLimiter.BucketCountUsual, gate.Services.GetRequiredService<MissLimiter>().BucketCount);
        while (cold.TryDequeue(out var secret))
        {
            Assert.Equal(HttpStatusCode.OK, (await Ask(gate, secret)).Status);
        }
    }

    /// <summary>Half from one network, half from one each. Each is refused, this way or that; answers how many were looked up.</summary>
    private static async Task<int> Spray(RunningGate gate, int part)
    {
        var inner = gate.Services.GetRequiredService<Server.Verification.Gate>();
        var format = gate.Services.GetRequiredService<ProviderModel>().Keys.Format;
        var address = new byte[] { 100, 64, (byte)part, 0 };
        var looked = 0;
        for (var i = 0; i < Sprayed / 4; i++)
        {
            (address[1], address[3]) = i % 2 == 0 ? ((byte)1, (byte)1) : ((byte)(64 + (i >> 8)), (byte)(i & 255));
            var client = new IPAddress(address);
            var secret = Encoding.ASCII.GetBytes(format.Mint(0));
            var verdict = await inner.Settle(
                inner.CheckCaller(secret, client), ClientNetwork.Of(client), () => inner.CheckCaller(secret, client));
            Assert.Contains(verdict.Code, new[] { VerdictCode.KeyUnknown, VerdictCode.TooManyUnknownKeys });
            looked += verdict.Code == VerdictCode.KeyUnknown ? 1 : 0;
        }

        return looked;
    }

    private static Task<Answer> Ask(RunningGate gate, string secret) =>
        gate.Send("GET", "/v1/models", secret, null, ("X-Forwarded-For", "203.0.113.9"));
}
