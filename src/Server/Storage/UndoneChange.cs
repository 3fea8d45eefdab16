namespace Tollgate.Server.Storage;

/// <summary>
/// Something that was taken away after a backup was made, and that restoring the backup would give back: a revocation, a deletion, a hold,
/// an earlier expiry, a narrower permission, an ended secret.
/// </summary>
/// <param name="What">Such as <c>revoked</c>.</param>
/// <param name="TargetType">key, organization, person, project or root_key.</param>
/// <param name="TargetId">As people see it.</param>
/// <param name="Name">The target's name.</param>
/// <param name="AtMs">When it was taken away, where the row tells.</param>
/// <param name="Detail">What exactly would come back.</param>
internal sealed record UndoneChange(string What, string TargetType, string TargetId, string Name, long? AtMs, string Detail);
