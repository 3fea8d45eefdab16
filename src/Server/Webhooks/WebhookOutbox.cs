using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json.Serialization.Metadata;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Webhooks;

/// <summary>
/// The door for every room that has something to tell: an event is kept in the transaction of the change that it tells of, so both are
/// there or neither. Where no webhook of the organization asked for its type, nothing is written: one look-up by an index.
/// </summary>
internal sealed class WebhookOutbox
{
    /// <summary>Undelivered events of one webhook; what comes on top of them is counted and not kept.</summary>
    public const long PendingMax = 100_000;

    /// <summary>No event comes near; one that does is a bug.</summary>
    public const int BodyBytesMax = 16_384;

    /// <summary>Raised after the commit of a change to a webhook, with its number: what was read of it before is no longer true.</summary>
    public event Action<long>? Changed;

    /// <summary>Raised after a commit that added something.</summary>
    public event Action? Filled;

    /// <summary>Money is the organization's: webhooks of its projects do not hear of it.</summary>
    public async Task Add(WriteScope scope, long organizationNo, string type, WalletEvent data) =>
        await Add(scope, await WebhookSql.Listening(scope, organizationNo, null), type, WebhookMessages.Default.WalletMessage, [data]);

    public async Task Add(WriteScope scope, long organizationNo, string projectId, string type, LimitEvent data) => await Add(
        scope, await WebhookSql.Listening(scope, organizationNo, projectId), type, WebhookMessages.Default.LimitMessage, [data]);

    /// <summary>For those who know the organization by its id; all events must be of that one.</summary>
    public async Task Add(WriteScope scope, string organizationId, string type, params IReadOnlyList<KeyEvent> data)
    {
        foreach (var of in data.GroupBy(one => one.ProjectId, StringComparer.Ordinal))
        {
            await Add(
                scope, await WebhookSql.Listening(scope, organizationId, of.Key), type, WebhookMessages.Default.KeyMessage, [.. of]);
        }
    }

    /// <summary>To one webhook, whatever it asked for.</summary>
    public async Task<WebhookDelivery> AddTest(WriteScope scope, Webhook webhook)
    {
        var message = MessageOf(scope, WebhookEvents.Test, WebhookMessages.Default.TestMessage, new TestEvent(webhook.Id));
        var deliveries = await Keep(scope, webhook, [message]);
        return deliveries[0];
    }

    /// <summary>Tells after the commit that a webhook is no longer what it was.</summary>
    public void Tell(WriteScope scope, Webhook changed) => scope.AfterCommit(() =>
    {
        Changed?.Invoke(changed.WebhookNo);
        Filled?.Invoke();
    });

    private async Task Add<T>(
        WriteScope scope, IReadOnlyList<Webhook> listening, string type, JsonTypeInfo<WebhookMessage<T>> json, IReadOnlyList<T> data)
    {
        var asked = listening.Where(webhook => webhook.WantsAny(type)).ToList();
        if (asked.Count == 0)
        {
            return;
        }

        Message[] messages = [.. data.Select(one => MessageOf(scope, type, json, one))];
        foreach (var webhook in asked)
        {
            await Keep(scope, webhook, messages);
        }
    }

    private async Task<IReadOnlyList<WebhookDelivery>> Keep(WriteScope scope, Webhook webhook, IReadOnlyList<Message> messages)
    {
        var room = (int)Math.Clamp(PendingMax - webhook.Pending, 0, messages.Count);
        var first = room == 0 ? 0 : await scope.NextNumbers("webhook_delivery", room);
        WebhookDelivery[] deliveries = [.. messages.Take(room).Select((message, i) => new WebhookDelivery
        {
            DeliveryNo = first + i,
            Id = WebhookIds.New(WebhookIds.Delivery),
            WebhookNo = webhook.WebhookNo,
            MessageId = message.Id,
            Type = message.Type,
            Body = message.Body,
            DueAtMs = scope.NowMs,
            CreatedAtMs = scope.NowMs,
        })];
        await DeliverySql.Insert(scope, deliveries);
        Failpoint.Pass("webhook.delivery");
        await WebhookSql.Filled(scope, webhook.WebhookNo, room, messages.Count - room);
        Failpoint.Pass("webhook.filled");
        scope.AfterCommit(() => Filled?.Invoke());
        return deliveries;
    }

    private static Message MessageOf<T>(WriteScope scope, string type, JsonTypeInfo<WebhookMessage<T>> json, T data)
    {
        var body = Answers.Bytes(
            new WebhookMessage<T>(type, DateTimeOffset.FromUnixTimeMilliseconds(scope.NowMs), data), json);
        return body.Length <= BodyBytesMax
            ? new Message(WebhookIds.New(WebhookIds.Message), type, body)
            : throw new InvalidOperationException($"An event {type} of {body.Length} bytes is larger than any should be.");
    }

    private sealed record Message(string Id, string Type, byte[] Body);
}

/// <summary>Ids of this room: a prefix and 22 of 62 characters, which nobody guesses.</summary>
internal static class WebhookIds
{
    public const string Webhook = "whk_";
    public const string Delivery = "dlv_";
    public const string Message = "msg_";

    private const int Length = 22;
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> Characters = SearchValues.Create(Alphabet);

    public static string New(string prefix) => prefix + RandomNumberGenerator.GetString(Alphabet, Length);

    /// <summary>What has another shape is no id, and is not looked up.</summary>
    public static bool Has(string text, string prefix) =>
        text.Length == prefix.Length + Length
        && text.StartsWith(prefix, StringComparison.Ordinal)
        && text.AsSpan(prefix.Length).IndexOfAnyExcept(Characters) < 0;
}
