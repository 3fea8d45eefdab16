using System.Net;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Tests.Webhooks;

/// <summary>Where a customer's URL may lead, and where not, whatever it looks like.</summary>
public sealed class SenderTests
{
    private static readonly byte[] Secret = new byte[32];

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("10.0.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("100.127.255.255")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.8")]
    [InlineData("192.0.2.1")]
    [InlineData("192.88.99.1")]
    [InlineData("192.168.0.1")]
    [InlineData("198.18.0.1")]
    [InlineData("198.19.255.255")]
    [InlineData("198.51.100.1")]
    [InlineData("203.0.113.1")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.255")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("168.63.129.16")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::ffff:0:127.0.0.1")]
    [InlineData("64:ff9b::10.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b:1::8.8.8.8")]
    [InlineData("100::1")]
    [InlineData("2001::1")]
    [InlineData("2001:0:a00:1::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2002:a9fe:a9fe::1")]
    [InlineData("2002:c0a8:1::1")]
    [InlineData("3fff::1")]
    [InlineData("4000::1")]
    [InlineData("5f00::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("fe80::1%1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public void An_address_that_is_not_public_is_refused_in_every_form_W10(string address) =>
        Assert.False(new AddressGuard(null).Permits(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("9.255.255.255")]
    [InlineData("11.0.0.0")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("192.0.1.1")]
    [InlineData("198.17.255.255")]
    [InlineData("198.20.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("168.63.129.17")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("2001:200::1")]
    [InlineData("::ffff:1.1.1.1")]
    [InlineData("64:ff9b::1.1.1.1")]
    [InlineData("2002:0101:0101::1")]
    public void A_public_address_passes(string address) => Assert.True(new AddressGuard(null).Permits(IPAddress.Parse(address)));

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("64:ff9b::10.1.2.3", true)]
    [InlineData("10.2.0.0", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("fd12::1", true)]
    [InlineData("fd13::1", false)]
    public void The_operator_opens_the_networks_it_lists_and_no_others(string address, bool passes) =>
        Assert.Equal(passes, new AddressGuard(Rule("10.1.0.0/16", "fd12::/16")).Permits(IPAddress.Parse(address)));

    [Fact]
    public async Task A_name_that_leads_inside_is_refused_and_nothing_is_connected_to_W10()
    {
        await using var receiver = await Receiver.Start();
        using var sender = Sender(null, (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback, IPAddress.IPv6Loopback]));

        var attempt = await sender.Send($"http://innocent.example:{receiver.Port}/hook", Delivery(), [Secret], default);

        Assert.Equal((null, AttemptErrors.AddressRefused), (attempt.Status, attempt.Error));
        Assert.Empty(receiver.Log);
    }

    [Fact]
    public async Task A_name_that_answers_otherwise_a_moment_later_changes_nothing_W10()
    {
        // Public first, which is what a check would see; inside the second time, which is what a connection made by name would reach.
        await using var receiver = await Receiver.Start();
        var asked = 0;
        using var sender = Sender(Rule("127.0.0.2"), (_, _) => Task.FromResult<IPAddress[]>(
            [++asked == 1 ? IPAddress.Parse("127.0.0.2") : IPAddress.Loopback]));
        var url = $"http://rebinding.example:{receiver.Port}/hook";

        var first = await sender.Send(url, Delivery(), [Secret], default);
        Assert.Equal((1, AttemptErrors.Connect), (asked, first.Error));
        var second = await sender.Send(url, Delivery(), [Secret], default);

        // The receiver listens at 127.0.0.1 alone: neither the address that was permitted nor the one that was not led there.
        Assert.Equal((2, AttemptErrors.AddressRefused), (asked, second.Error));
        Assert.Empty(receiver.Log);
    }

    [Fact]
    public async Task Of_a_names_addresses_only_those_permitted_are_tried_and_the_name_is_asked_for_once()
    {
        await using var receiver = await Receiver.Start();
        var asked = new List<string>();
        using var sender = Sender(Rule("127.0.0.1"), (name, _) =>
        {
            asked.Add(name);
            return Task.FromResult<IPAddress[]>([IPAddress.Parse("10.0.0.1"), IPAddress.Parse("127.0.0.2"), IPAddress.Loopback]);
        });

        var attempt = await sender.Send($"http://both.example:{receiver.Port}/hook?x=1", Delivery(), [Secret], default);

        Assert.Equal((200, true), (attempt.Status, attempt.IsDelivered));
        Assert.Equal("both.example", Assert.Single(asked));
        Assert.Equal(("/hook?x=1", $"both.example:{receiver.Port}"), (receiver.Only.Path, receiver.Only.Headers["Host"]));
    }

    [Fact]
    public async Task A_redirect_is_a_failure_and_is_not_followed_W10()
    {
        await using var receiver = await Receiver.Start();
        receiver.Reply = http =>
        {
            http.Response.Redirect("/elsewhere");
            return Task.CompletedTask;
        };
        using var sender = Sender(Rule("127.0.0.1"));

        var attempt = await sender.Send(receiver.Url, Delivery(), [Secret], default);

        Assert.Equal((302, AttemptErrors.Status), (attempt.Status, attempt.Error));
        Assert.Equal("/hook", receiver.Only.Path);
    }

    [Fact]
    public async Task An_answer_without_end_is_read_to_the_bound_and_its_status_counts_W10()
    {
        await using var receiver = await Receiver.Start();
        var ended = new TaskCompletionSource();
        receiver.Reply = async http =>
        {
            try
            {
                while (!http.RequestAborted.IsCancellationRequested)
                {
                    await http.Response.Body.WriteAsync(new byte[4_096], http.RequestAborted);
                }
            }
            finally
            {
                ended.SetResult();
            }
        };
        // Its five seconds are never over, so that it can only be the bound that ends it.
        using var sender = new WebhookSender(new AddressGuard(Rule("127.0.0.1")), new FiredClock());

        var sending = sender.Send(receiver.Url, Delivery(), [Secret], default);
        var attempt = await sending.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.True(attempt.IsDelivered);
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Who_does_not_answer_within_five_seconds_has_failed_W10()
    {
        await using var receiver = await Receiver.Start();
        receiver.Reply = http => Task.Delay(Timeout.Infinite, http.RequestAborted);
        var clock = new FiredClock();
        using var sender = new WebhookSender(new AddressGuard(Rule("127.0.0.1")), clock);
        var sending = sender.Send(receiver.Url, Delivery(), [Secret], default);
        await receiver.Arrived();
        Assert.False(sending.IsCompleted);

        clock.Fire(TimeSpan.FromSeconds(5));

        var attempt = await sending;
        Assert.Equal((null, AttemptErrors.Late, 5_000L), (attempt.Status, attempt.Error, attempt.DurationMs));
    }

    [Fact]
    public async Task A_name_that_nobody_knows_and_a_port_where_nobody_listens_are_told_apart()
    {
        var closed = await Receiver.Start();
        var port = closed.Port;
        await closed.DisposeAsync();
        using var sender = Sender(Rule("127.0.0.1"), (name, _) => name == "nobody.example"
            ? throw new System.Net.Sockets.SocketException(11001)
            : Task.FromResult<IPAddress[]>([IPAddress.Loopback]));

        Assert.Equal(AttemptErrors.NameUnknown, (await sender.Send("https://nobody.example/", Delivery(), [Secret], default)).Error);
        Assert.Equal(AttemptErrors.Connect, (await sender.Send($"http://closed.example:{port}/", Delivery(), [Secret], default)).Error);
    }

    [Fact]
    public async Task One_that_speaks_no_TLS_and_one_that_hangs_up_are_failures_and_no_exceptions()
    {
        await using var receiver = await Receiver.Start();
        receiver.Reply = http =>
        {
            http.Abort();
            return Task.CompletedTask;
        };
        using var sender = Sender(Rule("127.0.0.1"));

        Assert.Equal(AttemptErrors.NoAnswer, (await sender.Send(receiver.Url, Delivery(), [Secret], default)).Error);
        Assert.Equal(AttemptErrors.Tls, (await sender.Send($"https://127.0.0.1:{receiver.Port}/", Delivery(), [Secret], default)).Error);
    }

    [Theory]
    [InlineData("ftp://example.com/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://example.com/")]
    [InlineData("//example.com/")]
    [InlineData("example.com")]
    [InlineData("https://")]
    [InlineData("https://user@example.com/")]
    [InlineData("https://user:word@example.com/")]
    [InlineData("https://@example.com/")]
    [InlineData("https://example.com/#fragment")]
    [InlineData("https://example.com\\@127.0.0.1/")]
    [InlineData("https://example.com/a b")]
    [InlineData("https://example.com/\n")]
    [InlineData("https://exämple.com/")]
    [InlineData("https://example.com:22/")]
    [InlineData("https://example.com:25/")]
    [InlineData("https://example.com:1023/")]
    [InlineData("https://example.com:6667/")]
    [InlineData("https://example.com:11211/")]
    [InlineData("https://localhost/")]
    [InlineData("https://LOCALHOST./")]
    [InlineData("https://a.localhost/")]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://127.1/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f000001/")]
    [InlineData("https://0177.0.0.1/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[::ffff:127.0.0.1]/")]
    [InlineData("https://[fe80::1%25eth0]/")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("")]
    [InlineData(null)]
    public void A_URL_that_could_lead_astray_is_refused_when_it_is_given_W10(string? url) =>
        Assert.Equal("webhook_url_refused", new WebhookUrl(new WebhookOptions(), new AddressGuard(null)).Read(url).CodeOf());

    [Theory]
    [InlineData("https://example.com")]
    [InlineData("https://example.com:8443/hooks/x?y=z@w")]
    [InlineData("https://1.1.1.1/")]
    [InlineData("https://[2606:4700:4700::1111]/")]
    [InlineData("HTTPS://Example.com:1024/")]
    public void A_URL_of_the_public_web_is_taken(string url) =>
        Assert.Equal("ok", new WebhookUrl(new WebhookOptions(), new AddressGuard(null)).Read(url).CodeOf());

    [Fact]
    public void A_URL_has_at_most_2048_characters()
    {
        var urls = new WebhookUrl(new WebhookOptions(), new AddressGuard(null));
        var longest = "https://example.com/".PadRight(WebhookUrl.CharsMax, 'x');
        Assert.Equal(("ok", "webhook_url_refused"), (urls.Read(longest).CodeOf(), urls.Read(longest + "x").CodeOf()));
    }

    private static WebhookSender Sender(AddressRule? allowed, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null) =>
        new(
            new AddressGuard(allowed),
            TimeProvider.System,
            resolve ?? ((_, _) => throw new InvalidOperationException("No name is asked for.")));

    private static WebhookDelivery Delivery() =>
        new() { Id = "dlv_1", MessageId = "msg_1", Body = Encoding.UTF8.GetBytes("{\"type\":\"webhook.test\"}") };

    private static AddressRule Rule(params string[] ranges) =>
        AddressRule.TryParse(ranges, out var rule, out _) ? rule : throw new ArgumentException("These are no ranges.", nameof(ranges));

    /// <summary>A clock whose timers go off when the test says so.</summary>
    private sealed class FiredClock : TimeProvider
    {
        private readonly List<(TimeSpan Due, TimerCallback Callback, object? State)> _timers = [];
        private long _ticks = TimeSpan.TicksPerDay;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public void Fire(TimeSpan after)
        {
            Interlocked.Add(ref _ticks, after.Ticks);
            lock (_timers)
            {
                foreach (var (due, callback, state) in _timers.Where(timer => timer.Due <= after))
                {
                    callback(state);
                }
            }
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            lock (_timers)
            {
                _timers.Add((dueTime, callback, state));
            }

            return new NoTimer();
        }

        private sealed class NoTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
