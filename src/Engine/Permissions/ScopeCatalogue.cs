using System.Numerics;

namespace Tollgate.Engine.Permissions;

/// <summary>
/// The scopes and actions a provider declares, numbered as bits in the order of the file. Built once at start; immutable.
/// Names live in the database and in files, bits only here: reordering a file changes no key's rights.
/// </summary>
public sealed class ScopeCatalogue
{
    /// <summary>A mask has 64 bits; four stay free for what later versions may need.</summary>
    public const int ScopesMax = 60;

    public const int ActionsMax = 8;

    private readonly Dictionary<string, int> _scopeBits;
    private readonly Dictionary<string, int> _actionBits;
    private readonly ulong[] _granted;
    private readonly byte[] _actionOfMethod = new byte[MethodNames.All.Count];

    /// <summary>
    /// Declarations must be unique and refer to each other only; a provider file is checked for that before it comes here.
    /// </summary>
    public ScopeCatalogue(IReadOnlyList<Scope> scopes, IReadOnlyList<ScopeAction> actions)
    {
        ArgumentNullException.ThrowIfNull(scopes);
        ArgumentNullException.ThrowIfNull(actions);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(scopes.Count, ScopesMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(actions.Count, ActionsMax);
        Scopes = [.. scopes];
        Actions = [.. actions];
        _scopeBits = Numbered(scopes.Select(scope => scope.Name));
        _actionBits = Numbered(actions.Select(action => action.Name));
        _granted = GrantedByEach();
        NumberMethods();
    }

    public IReadOnlyList<Scope> Scopes { get; }

    /// <summary>Empty for a provider that does not tell reading from writing: then no requirement asks for an action.</summary>
    public IReadOnlyList<ScopeAction> Actions { get; }

    /// <summary>
    /// What a key with these stored scopes may reach, implied scopes included. A name that is not declared, or that no key may
    /// have, grants nothing and is added to <paramref name="withoutEffect"/>, for the log.
    /// </summary>
    public ulong MaskOf(IEnumerable<string> names, ICollection<string>? withoutEffect = null)
    {
        ArgumentNullException.ThrowIfNull(names);
        var mask = 0UL;
        foreach (var name in names)
        {
            if (_scopeBits.TryGetValue(name, out var bit) && Scopes[bit].Grantable)
            {
                mask |= _granted[bit];
            }
            else
            {
                withoutEffect?.Add(name);
            }
        }

        return mask;
    }

    /// <summary>The same for actions, which imply nothing.</summary>
    public byte ActionsOf(IEnumerable<string> names, ICollection<string>? withoutEffect = null)
    {
        ArgumentNullException.ThrowIfNull(names);
        byte mask = 0;
        foreach (var name in names)
        {
            if (_actionBits.TryGetValue(name, out var bit))
            {
                mask |= (byte)(1 << bit);
            }
            else
            {
                withoutEffect?.Add(name);
            }
        }

        return mask;
    }

    /// <summary>
    /// The bit of the action that a request with this one method is; 0 when no action names the method. HEAD counts as GET unless it is
    /// named.
    /// </summary>
    public byte ActionOf(Methods method) => _actionOfMethod[BitOperations.TrailingZeroCount((byte)method)];

    /// <summary>The bit of this scope alone, without what it implies: what a route asks for. 0 when it is not declared.</summary>
    public ulong BitOf(string scope) => _scopeBits.TryGetValue(scope, out var bit) ? 1UL << bit : 0;

    public bool IsDeclared(string scope) => _scopeBits.ContainsKey(scope);

    public bool IsAction(string action) => _actionBits.ContainsKey(action);

    /// <summary>Declared, and not one that no key may have.</summary>
    public bool IsGrantable(string scope) => _scopeBits.TryGetValue(scope, out var bit) && Scopes[bit].Grantable;

    /// <summary>
    /// What was asked for, as a caller reads it: <c>endpoints:write</c>, <c>inference or rag</c>, <c>write</c>; empty when any good key
    /// will do.
    /// Scopes that suffice under a condition come last.
    /// </summary>
    public string Describe(Requirement requirement)
    {
        var action = string.Join('+', Actions.Where((_, bit) => (requirement.Actions & (1 << bit)) != 0).Select(each => each.Name));
        var names = ScopesIn(requirement.AnyScope).Concat(ScopesIn(requirement.ConditionalScopes & ~requirement.AnyScope)).ToList();
        if (names.Count == 0)
        {
            return action;
        }

        return string.Join(" or ", action.Length == 0 ? names : names.Select(name => $"{name}:{action}"));
    }

    /// <summary>Reads <c>scope</c> or <c>scope:action</c>; false when either is not declared.</summary>
    public bool TryParseRequirement(string? text, out Requirement requirement)
    {
        requirement = default;
        if (text is null)
        {
            return false;
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var scope = colon < 0 ? text : text[..colon];
        if (!_scopeBits.TryGetValue(scope, out var bit))
        {
            return false;
        }

        var action = 0;
        if (colon >= 0 && !_actionBits.TryGetValue(text[(colon + 1)..], out action))
        {
            return false;
        }

        requirement = new Requirement(1UL << bit, colon < 0 ? (byte)0 : (byte)(1 << action));
        return true;
    }

    private static Dictionary<string, int> Numbered(IEnumerable<string> names) =>
        names.Select((name, bit) => (name, bit)).ToDictionary(pair => pair.name, pair => pair.bit, StringComparer.Ordinal);

    private IEnumerable<string> ScopesIn(ulong mask) => Scopes.Where((_, bit) => (mask & (1UL << bit)) != 0).Select(scope => scope.Name);

    // Implication is closed over here, once: at run time a grant is one mask. A scope that no key may have is not reached by implication
    // either.
    private ulong[] GrantedByEach()
    {
        var grantable = 0UL;
        var granted = new ulong[Scopes.Count];
        for (var bit = 0; bit < granted.Length; bit++)
        {
            grantable |= Scopes[bit].Grantable ? 1UL << bit : 0;
            granted[bit] = Scopes[bit].Implies.Aggregate(1UL << bit, (mask, name) => mask | (1UL << _scopeBits[name]));
        }

        for (var changed = true; changed;)
        {
            changed = false;
            for (var bit = 0; bit < granted.Length; bit++)
            {
                var wider = granted[bit];
                for (var other = 0; other < granted.Length; other++)
                {
                    wider |= (granted[bit] & (1UL << other)) != 0 ? granted[other] : 0;
                }

                changed |= wider != granted[bit];
                granted[bit] = wider;
            }
        }

        return [.. granted.Select(mask => mask & grantable)];
    }

    private void NumberMethods()
    {
        for (var bit = 0; bit < Actions.Count; bit++)
        {
            foreach (var method in Actions[bit].Methods.Select(name => MethodNames.Parse(name)))
            {
                _actionOfMethod[BitOperations.TrailingZeroCount((byte)method)] = (byte)(1 << bit);
            }
        }

        var (get, head) = (BitOperations.TrailingZeroCount((byte)Methods.Get), BitOperations.TrailingZeroCount((byte)Methods.Head));
        if (_actionOfMethod[head] == 0)
        {
            _actionOfMethod[head] = _actionOfMethod[get];
        }
    }
}
