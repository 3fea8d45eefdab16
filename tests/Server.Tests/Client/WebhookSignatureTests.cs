using System.Text;
using Tollgate.Client;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Tests.Client;

public sealed class WebhookSignatureTests
{
    // The example that Standard Webhooks' own libraries are tested with.
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const long Timestamp = 1614265330;
    private const string Signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    private const string Other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private static readonly byte[] Body = Encoding.UTF8.GetBytes("{\"test\": 2432232314}");
    private static readonly DateTimeOffset Then = DateTimeOffset.FromUnixTimeSeconds(Timestamp);

    [Fact]
    public void The_published_example_is_signed_and_verified_as_published_W11()
    {
        var key = Convert.FromBase64String(Secret["whsec_".Length..]);

        Assert.Equal(Signature, WebhookSigner.Sign(Id, Timestamp, Body, [key]));
        Assert.Equal(WebhookCheck.Valid, Verify());
        Assert.Equal(WebhookCheck.Valid, Verify(secrets: [Secret["whsec_".Length..]]));
    }

    [Theory]
    [InlineData(300, WebhookCheck.Valid)]
    [InlineData(301, WebhookCheck.TooOld)]
    [InlineData(-300, WebhookCheck.Valid)]
    [InlineData(-301, WebhookCheck.TooNew)]
    public void What_is_more_than_five_minutes_old_or_ahead_is_refused_W11(int seconds, WebhookCheck expected) =>
        Assert.Equal(expected, Verify(now: Then.AddSeconds(seconds)));

    [Fact]
    public void One_of_several_secrets_and_one_of_several_signatures_is_enough_W11()
    {
        Assert.Equal(WebhookCheck.Valid, Verify(secrets: [Other, Secret]));
        Assert.Equal(WebhookCheck.Valid, Verify(signature: $"v1,AAAA v2,x {Signature}"));
        Assert.Equal(WebhookCheck.NoMatch, Verify(secrets: [Other]));
        Assert.Equal(WebhookCheck.NoMatch, Verify(secrets: []));
    }

    [Fact]
    public void Whatever_is_changed_the_signature_no_longer_matches()
    {
        Assert.Equal(WebhookCheck.NoMatch, Verify(body: "{\"test\": 2432232315}"));
        Assert.Equal(WebhookCheck.NoMatch, Verify(id: Id + "x"));
        Assert.Equal(WebhookCheck.NoMatch, Verify(timestamp: $"{Timestamp + 1}"));
        Assert.Equal(WebhookCheck.NoMatch, Verify(signature: Signature[3..]));
        Assert.Equal(WebhookCheck.NoMatch, Verify(signature: "v1a" + Signature[2..]));
    }

    [Theory]
    [InlineData(null, "1614265330", Signature)]
    [InlineData("", "1614265330", Signature)]
    [InlineData(Id, null, Signature)]
    [InlineData(Id, "", Signature)]
    [InlineData(Id, "-1614265330", Signature)]
    [InlineData(Id, " 1614265330", Signature)]
    [InlineData(Id, "1614265330.0", Signature)]
    [InlineData(Id, "99999999999999999999", Signature)]
    [InlineData(Id, "1614265330", null)]
    [InlineData(Id, "1614265330", "")]
    public void A_header_that_is_missing_or_cannot_be_read_is_told(string? id, string? timestamp, string? signature) =>
        Assert.Equal(WebhookCheck.HeadersMissing, WebhookSignature.Verify(Headers(id, timestamp, signature), Body, [Secret], Then));

    [Fact]
    public void The_largest_timestamp_is_too_new_and_overflows_nothing() =>
        Assert.Equal(WebhookCheck.TooNew, Verify(timestamp: $"{long.MaxValue}"));

    private static WebhookCheck Verify(
        string id = Id, string? timestamp = null, string signature = Signature, string? body = null, string[]? secrets = null,
        DateTimeOffset? now = null) => WebhookSignature.Verify(
            Headers(id, timestamp ?? $"{Timestamp}", signature), body is null ? Body : Encoding.UTF8.GetBytes(body), secrets ?? [Secret],
            now ?? Then);

    private static Func<string, string?> Headers(string? id, string? timestamp, string? signature) => name => name switch
    {
        WebhookSignature.IdHeader => id,
        WebhookSignature.TimestampHeader => timestamp,
        WebhookSignature.SignatureHeader => signature,
        _ => throw new ArgumentException(name),
    };
}
