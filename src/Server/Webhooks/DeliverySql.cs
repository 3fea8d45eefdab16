using Tollgate.Server.Storage;

namespace Tollgate.Server.Webhooks;

/// <summary>Every statement on deliveries.</summary>
internal static class DeliverySql
{
    public static Task Insert(WriteScope scope, IReadOnlyList<WebhookDelivery> deliveries) => scope.Execute(
        """
        INSERT INTO webhook_deliveries (delivery_no, id, webhook_no, message_id, type, body, state, attempts, due_at_ms, created_at_ms)
        VALUES (@DeliveryNo, @Id, @WebhookNo, @MessageId, @Type, @Body, @State, @Attempts, @DueAtMs, @CreatedAtMs)
        """,
        deliveries);
}
