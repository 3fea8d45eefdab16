using System.Text;

namespace Tollgate.Engine.Verification;

/// <summary>The spelling of the codes, the step at which each is given, and the number by which it is kept.</summary>
public static class VerdictCodes
{
    // In the order of the enum; a test holds the two together. A number is given once and never changes: the usage log is full of them.
    private static readonly (string Text, VerdictStep Step, byte Number)[] Rows =
    [
        ("key_missing", VerdictStep.Credential, 1),
        ("key_malformed", VerdictStep.Shape, 2),
        ("not_loaded", VerdictStep.Lookup, 3),
        ("too_many_unknown_keys", VerdictStep.Lookup, 4),
        ("key_unknown", VerdictStep.Lookup, 5),
        ("key_deleted", VerdictStep.Status, 6),
        ("key_revoked", VerdictStep.Status, 7),
        ("key_retired", VerdictStep.Status, 8),
        ("key_expired", VerdictStep.Status, 9),
        ("key_disabled", VerdictStep.Status, 10),
        ("key_archived", VerdictStep.Status, 24),
        ("organization_suspended", VerdictStep.Status, 11),
        ("address_refused", VerdictStep.Address, 12),
        ("project_mismatch", VerdictStep.Project, 13),
        ("route_unknown", VerdictStep.Permission, 14),
        ("action_missing", VerdictStep.Permission, 15),
        ("scope_missing", VerdictStep.Permission, 16),
        ("body_condition", VerdictStep.Permission, 17),
        ("model_refused", VerdictStep.Permission, 23),
        ("rate_limited", VerdictStep.Limits, 18),
        ("exceeds_limit", VerdictStep.Limits, 19),
        ("in_flight_holds", VerdictStep.Limits, 20),
        ("wallet_empty", VerdictStep.Limits, 21),
        ("busy", VerdictStep.Limits, 22),
        ("allowed", VerdictStep.Allowed, 100),
    ];

    private static readonly byte[][] Utf8 = [.. Rows.Select(row => Encoding.UTF8.GetBytes(row.Text))];

    private static readonly string[] StepTexts = [.. Enum.GetNames<VerdictStep>().Select(name => name.ToLowerInvariant())];

    /// <summary>The stable name, such as <c>key_revoked</c>.</summary>
    public static string ToText(this VerdictCode code) => Rows[(int)code].Text;

    public static ReadOnlySpan<byte> ToUtf8(this VerdictCode code) => Utf8[(int)code];

    public static VerdictStep StepOf(this VerdictCode code) => Rows[(int)code].Step;

    /// <summary>The stable number, from 1, by which the usage log keeps it.</summary>
    public static byte NumberOf(this VerdictCode code) => Rows[(int)code].Number;

    /// <summary>The code with a stable number; false for a number that was never given.</summary>
    public static bool TryFromNumber(int number, out VerdictCode code)
    {
        int index = Array.FindIndex(Rows, row => row.Number == number);
        code = (VerdictCode)Math.Max(0, index);
        return index >= 0;
    }

    /// <summary>The stable name of a step, such as <c>permission</c>.</summary>
    public static string ToText(this VerdictStep step) => StepTexts[(int)step];
}
