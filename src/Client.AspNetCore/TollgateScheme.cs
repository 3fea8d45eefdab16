namespace Tollgate.Client.AspNetCore;

/// <summary>The names of the authentication scheme and of the claims it makes. The key's id is the name identifier.</summary>
public static class TollgateScheme
{
    /// <summary>The scheme.</summary>
    public const string Name = "Tollgate";

    /// <summary>The name of the key, which is also <c>User.Identity.Name</c>.</summary>
    public const string KeyName = "tollgate:name";

    /// <summary>The id of its project.</summary>
    public const string Project = "tollgate:project";

    /// <summary>The id of its organization.</summary>
    public const string Organization = "tollgate:organization";

    /// <summary>Its environment, such as <c>live</c>.</summary>
    public const string Environment = "tollgate:environment";

    /// <summary>One per scope.</summary>
    public const string Scope = "scope";

    /// <summary>One per permission.</summary>
    public const string Permission = "permission";
}
