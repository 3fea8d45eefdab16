namespace Tollgate.Engine.Permissions;

/// <summary>What a key may do on the management API. They say nothing about the provider's own routes.</summary>
[Flags]
public enum Rights : byte
{
    None = 0,
    Verify = 1,
    UsageWrite = 2,
    UsageRead = 4,
    KeysRead = 8,
    KeysManage = 16,
    AuditRead = 32,
    WebhooksManage = 64,
    All = Verify | UsageWrite | UsageRead | KeysRead | KeysManage | AuditRead | WebhooksManage,
}
