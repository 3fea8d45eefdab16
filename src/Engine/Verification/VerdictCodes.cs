using System.Text;

namespace Tollgate.Engine.Verification;

/// <summary>The spelling of the codes and the step at which each is given.</summary>
public static class VerdictCodes
{
    // In the order of the enum; a test holds the two together.
    private static readonly (string Text, VerdictStep Step)[] Rows =
    [
        ("key_missing", VerdictStep.Credential),
        ("key_malformed", VerdictStep.Shape),
        ("not_loaded", VerdictStep.Lookup),
        ("too_many_unknown_keys", VerdictStep.Lookup),
        ("key_unknown", VerdictStep.Lookup),
        ("key_deleted", VerdictStep.Status),
        ("key_revoked", VerdictStep.Status),
        ("key_retired", VerdictStep.Status),
        ("key_expired", VerdictStep.Status),
        ("key_disabled", VerdictStep.Status),
        ("organization_suspended", VerdictStep.Status),
        ("address_refused", VerdictStep.Address),
        ("project_mismatch", VerdictStep.Project),
        ("route_unknown", VerdictStep.Permission),
        ("action_missing", VerdictStep.Permission),
        ("scope_missing", VerdictStep.Permission),
        ("body_condition", VerdictStep.Permission),
        ("allowed", VerdictStep.Allowed),
    ];

    private static readonly byte[][] Utf8 = [.. Rows.Select(row => Encoding.UTF8.GetBytes(row.Text))];

    private static readonly string[] StepTexts = [.. Enum.GetNames<VerdictStep>().Select(name => name.ToLowerInvariant())];

    /// <summary>The stable name, such as <c>key_revoked</c>.</summary>
    public static string ToText(this VerdictCode code) => Rows[(int)code].Text;

    public static ReadOnlySpan<byte> ToUtf8(this VerdictCode code) => Utf8[(int)code];

    public static VerdictStep StepOf(this VerdictCode code) => Rows[(int)code].Step;

    /// <summary>The stable name of a step, such as <c>permission</c>.</summary>
    public static string ToText(this VerdictStep step) => StepTexts[(int)step];
}
