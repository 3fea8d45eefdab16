using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tollgate.Client;

/// <summary>Webhooks of an organization. For the root key, and for its keys with <c>webhooks:manage</c>.</summary>
public sealed class WebhookCalls
{
    private readonly Connection _connection;

    internal WebhookCalls(Connection connection) => _connection = connection;

    /// <summary>Creates a webhook. Its secret is in the answer and nowhere else.</summary>
    public async Task<IssuedWebhook> CreateAsync(
        string organizationId, NewWebhook webhook, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        Issued(await _connection.Change(
            HttpMethod.Post, Path(organizationId), webhook, TollgateJson.Default.NewWebhook, idempotencyKey,
            TollgateJson.Default.JsonObject, cancellationToken).ConfigureAwait(false));

    /// <summary>All of them; there are few.</summary>
    public async Task<IReadOnlyList<Webhook>> ListAsync(string organizationId, CancellationToken cancellationToken = default) =>
        (await _connection.Get(Path(organizationId), TollgateJson.Default.WebhookPage, cancellationToken).ConfigureAwait(false)).Data;

    public Task<Webhook> GetAsync(string organizationId, string webhookId, CancellationToken cancellationToken = default) =>
        _connection.Get(Path(organizationId, webhookId), TollgateJson.Default.Webhook, cancellationToken);

    public Task<Webhook> ChangeAsync(
        string organizationId,
        string webhookId,
        WebhookChange change,
        string? idempotencyKey = null,
        CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Patch, Path(organizationId, webhookId), change, TollgateJson.Default.WebhookChange, idempotencyKey,
            TollgateJson.Default.Webhook, cancellationToken);

    public Task DeleteAsync(
        string organizationId, string webhookId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Delete, Path(organizationId, webhookId), idempotencyKey, TollgateJson.Default.JsonObject, cancellationToken);

    /// <summary>A new secret; the old one signs too for the grace, a day unless another is named.</summary>
    public async Task<IssuedWebhook> RotateSecretAsync(
        string organizationId,
        string webhookId,
        TimeSpan? grace = null,
        bool force = false,
        string? idempotencyKey = null,
        CancellationToken cancellationToken = default)
    {
        var how = new JsonObject();
        if (grace is { } time)
        {
            how["grace_seconds"] = (long)time.TotalSeconds;
        }

        if (force)
        {
            how["force"] = true;
        }

        return Issued(await _connection.Change(
            HttpMethod.Post, $"{Path(organizationId, webhookId)}/rotate-secret", how, TollgateJson.Default.JsonObject, idempotencyKey,
            TollgateJson.Default.JsonObject, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Sends <c>webhook.test</c>.</summary>
    public Task<WebhookDelivery> TestAsync(
        string organizationId, string webhookId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Post, $"{Path(organizationId, webhookId)}/test", idempotencyKey, TollgateJson.Default.WebhookDelivery,
            cancellationToken);

    /// <summary>What was or is to be delivered, newest first, page by page.</summary>
    /// <param name="organizationId">Whose.</param>
    /// <param name="webhookId">To which.</param>
    /// <param name="status"><c>pending</c>, <c>delivered</c> or <c>failed</c>; null for all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public IAsyncEnumerable<WebhookDelivery> DeliveriesAsync(
        string organizationId, string webhookId, string? status = null, CancellationToken cancellationToken = default) =>
        TollgateClient.Walk(
            (cursor, cancel) => _connection.Get(
                $"{Path(organizationId, webhookId)}/deliveries" + Address.Query(("status", status), ("cursor", cursor)),
                TollgateJson.Default.WebhookDeliveryPage,
                cancel),
            cancellationToken);

    /// <summary>Delivers one event once more, whatever became of it.</summary>
    public Task<WebhookDelivery> ReplayAsync(
        string organizationId,
        string webhookId,
        string deliveryId,
        string? idempotencyKey = null,
        CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Post, $"{Path(organizationId, webhookId)}/deliveries/{Address.Segment(deliveryId)}/replay", idempotencyKey,
            TollgateJson.Default.WebhookDelivery, cancellationToken);

    /// <summary>Delivers once more what failed since, as much as one call takes.</summary>
    public Task<Replay> ReplayFailedAsync(
        string organizationId,
        string webhookId,
        DateTimeOffset since,
        string? idempotencyKey = null,
        CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Post, $"{Path(organizationId, webhookId)}/replay", new JsonObject { ["since"] = WireTime.Text(since) },
            TollgateJson.Default.JsonObject, idempotencyKey, TollgateJson.Default.Replay, cancellationToken);

    private static IssuedWebhook Issued(JsonObject answer) => new(
        answer.Deserialize(TollgateJson.Default.Webhook)!, answer.Deserialize(TollgateJson.Default.SecretAnswer)!.Secret);

    private static string Path(string organizationId) => $"organizations/{Address.Segment(organizationId)}/webhooks";

    private static string Path(string organizationId, string webhookId) => $"{Path(organizationId)}/{Address.Segment(webhookId)}";
}
