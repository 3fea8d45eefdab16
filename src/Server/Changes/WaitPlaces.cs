using Tollgate.Server.Access;

namespace Tollgate.Server.Changes;

/// <summary>
/// How many polls may be under way at a time, those that wait and those that read. The operator's own and all others have places of their
/// own, and no other organization more than a few: nobody who may verify its own keys can keep the operator's API servers from waiting.
/// </summary>
internal sealed class WaitPlaces
{
    public const int Max = 1_000;
    public const int OfOrganizationMax = 16;

    private readonly Lock _turn = new();

    /// <summary>Both under the lock. Organizations without anybody who waits are not in it.</summary>
    private readonly Dictionary<string, int> _byOrganization = new(StringComparer.Ordinal);
    private int _operators;
    private int _others;

    /// <summary>False when all places are taken; otherwise <see cref="Leave"/> must follow.</summary>
    public bool TryTake(Caller caller)
    {
        lock (_turn)
        {
            if (caller.OfOperator)
            {
                return _operators < Max && ++_operators > 0;
            }

            var own = _byOrganization.GetValueOrDefault(caller.OrganizationId!);
            if (own >= OfOrganizationMax || _others >= Max)
            {
                return false;
            }

            _byOrganization[caller.OrganizationId!] = own + 1;
            _others++;
            return true;
        }
    }

    public void Leave(Caller caller)
    {
        lock (_turn)
        {
            if (caller.OfOperator)
            {
                _operators--;
                return;
            }

            _others--;
            if (--_byOrganization[caller.OrganizationId!] == 0)
            {
                _byOrganization.Remove(caller.OrganizationId!);
            }
        }
    }
}
