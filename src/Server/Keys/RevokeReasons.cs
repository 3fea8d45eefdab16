namespace Tollgate.Server.Keys;

/// <summary>Why keys are revoked, as RFC 5280 tells it of certificates.</summary>
internal static class RevokeReasons
{
    /// <summary>Others may have the secret: what is under way with it is cut.</summary>
    public const string Compromised = "compromised";

    public static IReadOnlyList<string> All { get; } =
        ["unspecified", Compromised, "superseded", "affiliation_changed", "cessation_of_operation"];
}
