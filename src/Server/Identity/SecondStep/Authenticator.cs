namespace Tollgate.Server.Identity.SecondStep;

/// <summary>The app that a person counts codes with.</summary>
internal sealed record Authenticator
{
    public long PersonNo { get; init; }

    /// <summary>Sealed under the person's id.</summary>
    public byte[] Secret { get; init; } = [];

    /// <summary>The newest span of time whose code was used.</summary>
    public long LastStep { get; init; }

    public long CreatedAtMs { get; init; }

    public override string ToString() => $"authenticator of person {PersonNo}";
}

/// <summary>What a person is told of its second step.</summary>
/// <param name="SinceMs">When it was set up.</param>
/// <param name="CodesLeft">Recovery codes that were not used.</param>
internal sealed record SecondStepState(long SinceMs, long CodesLeft);

/// <summary>A session under a new id, and the recovery codes, which are shown this once.</summary>
internal sealed record SecondStepMade(string Secret, IReadOnlyList<string> Codes)
{
    public override string ToString() => "a second step";
}
