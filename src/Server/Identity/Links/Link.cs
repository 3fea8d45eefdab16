namespace Tollgate.Server.Identity.Links;

/// <summary>What a link is good for. A link of one kind is none of another.</summary>
internal sealed record LinkKind(string Name, TimeSpan Life)
{
    /// <summary>Makes the person of a sign-up, whose reader proves by it to read mails at the address.</summary>
    public static readonly LinkKind Verify = new("verify", TimeSpan.FromHours(24));

    /// <summary>The same of the address that a person wants to change to.</summary>
    public static readonly LinkKind Email = new("email", TimeSpan.FromHours(24));

    public static readonly LinkKind Reset = new("reset", TimeSpan.FromHours(1));

    public static readonly LinkKind Magic = new("magic", TimeSpan.FromMinutes(15));

    /// <summary>A sign-in between its two steps: in a cookie, and in no mail.</summary>
    public static readonly LinkKind Second = new("second", TimeSpan.FromMinutes(10));

    /// <summary>No link at all: a question that was answered, which is good once.</summary>
    public static readonly LinkKind Spent = new("spent", TimeSpan.FromMinutes(10));

    /// <summary>Printed for the operator, who has no address yet.</summary>
    public static readonly LinkKind Once = new("once", TimeSpan.FromMinutes(15));

    public long LifeMs => (long)Life.TotalMilliseconds;
}

/// <summary>A link that can still be used. Its secret is known to who has the link alone.</summary>
internal sealed record Link
{
    public long LinkNo { get; init; }

    public string Kind { get; init; } = "";

    /// <summary>Null for a sign-up, which has no person yet.</summary>
    public long? PersonNo { get; init; }

    /// <summary>The address that using it proves; null where it proves none.</summary>
    public string? Email { get; init; }

    /// <summary>Of a sign-up: the canonical address, by which all of it are found.</summary>
    public string? EmailKey { get; init; }

    /// <summary>Of a sign-up: how the person wants to be called.</summary>
    public string? Name { get; init; }

    /// <summary>Of a sign-up: the person has the password that was typed for this very link, and no other.</summary>
    public string? PasswordHash { get; init; }

    /// <summary>Of a sign-in that waits for its second step: by what the first one was.</summary>
    public string? Method { get; init; }

    public long EndsAtMs { get; init; }

    public override string ToString() => $"link {LinkNo} ({Kind})";
}
