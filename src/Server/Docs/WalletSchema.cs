using Microsoft.OpenApi;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Docs;

/// <summary>What the document says of wallets and their entries.</summary>
internal static class WalletSchema
{
    private const string AmountPattern = @"^-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?$";

    public static void Bound(string place, OpenApiSchema owner, string member, OpenApiSchema schema)
    {
        switch (place)
        {
            case "CreateWalletEntry.kind":
                SchemaRules.Need(owner, member, schema);
                schema.Enum = SchemaRules.Names(EntryKinds.ByHand, orNull: false);
                break;
            case "CreateWalletEntry.amount":
                SchemaRules.Need(owner, member, schema);
                schema.Pattern = AmountPattern;
                schema.Description = "Such as `50.00`: more than nothing, but that an adjustment may be negative. At most 1000000000.";
                break;
            case "CreateWalletEntry.external_id":
                SchemaRules.Need(owner, member, schema);
                (schema.MinLength, schema.MaxLength) = (1, EntryTerms.ExternalIdMax);
                schema.Description = "What the movement is called elsewhere, such as a payment's id.";
                break;
            case "CreateWalletEntry.note":
                schema.MaxLength = EntryTerms.NoteMax;
                break;
            case "WalletEntry.kind":
                schema.Enum = SchemaRules.Names([.. EntryKinds.ByHand, EntryKinds.Usage, EntryKinds.Transfer], orNull: false);
                break;
            case "WalletEntry.number":
                schema.Description = "From 1 in each organization, without gaps.";
                break;
            case "WalletEntry.requests":
                schema.Description = "Of usage: how many requests it pays for.";
                break;
            case "WalletEntry.external_id":
                schema.Description = "Null for usage and transfers.";
                break;
            case "WalletEntry.amount" or "WalletEntry.balance_after" or "Wallet.balance" or "Wallet.held" or "Wallet.available":
                schema.Pattern = AmountPattern;
                break;
            default:
                break;
        }
    }
}
