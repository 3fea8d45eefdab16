using Tollgate.Engine.Wallet;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Wallet;

/// <summary>What is to be entered, once it was found to be sound. Every fault is collected, so that one answer names them all.</summary>
internal sealed record EntryTerms(string Kind, Money Amount, string ExternalId, string? Note)
{
    public const int ExternalIdMax = 200;
    public const int NoteMax = 500;

    private const string AmountForm =
        "must be a string such as \"50.00\" or \"-0.125\": digits with at most 6 decimals, no exponent and no plus sign, "
        + "at most 1000000000.";

    public static Outcome<EntryTerms> Read(CreateWalletEntry asked)
    {
        var faults = new List<FieldError>();
        var terms = new EntryTerms(
            ReadKind(asked.Kind, faults), ReadAmount(asked, faults), ReadExternalId(asked.ExternalId, faults), asked.Note);
        if (asked.Note is { } note && (note.Length > NoteMax || note.Any(char.IsControl)))
        {
            faults.Add(new("/note", $"must have at most {NoteMax} characters, none of them a control character."));
        }

        return faults.Count == 0 ? terms : Problem.Invalid(faults);
    }

    private static string ReadKind(string? kind, List<FieldError> faults)
    {
        if (kind is null || !EntryKinds.ByHand.Contains(kind))
        {
            faults.Add(new("/kind", $"must be among {string.Join(", ", EntryKinds.ByHand)}."));
        }

        return kind ?? "";
    }

    private static Money ReadAmount(CreateWalletEntry asked, List<FieldError> faults)
    {
        if (!Money.TryParse(asked.Amount, out var amount))
        {
            faults.Add(new("/amount", AmountForm));
        }
        else if (asked.Kind == EntryKinds.Adjustment ? amount == Money.Zero : amount <= Money.Zero)
        {
            faults.Add(new("/amount", asked.Kind == EntryKinds.Adjustment ? "must not be zero." : "must be more than zero."));
        }

        return amount;
    }

    private static string ReadExternalId(string? id, List<FieldError> faults)
    {
        if (id is null || id.Length is 0 or > ExternalIdMax || id.Any(char.IsControl))
        {
            faults.Add(new("/external_id", $"must have 1 to {ExternalIdMax} characters, none of them a control character."));
        }

        return id ?? "";
    }
}
