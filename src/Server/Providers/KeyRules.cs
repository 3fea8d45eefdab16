using Tollgate.Engine.Keys;

namespace Tollgate.Server.Providers;

/// <summary>What the provider promises about its keys: how they look, what may be asked for, what may be done to them.</summary>
internal sealed record KeyRules
{
    private KeyFormat? _format;

    /// <summary>At least one; the first is the default.</summary>
    public required IReadOnlyList<KeyEnvironment> Environments { get; init; }

    /// <summary>Characters after the prefix, the checksum among them; letters and digits.</summary>
    public required int Length { get; init; }

    /// <summary>Whether the last six characters are a CRC-32, so that junk is refused without a look-up.</summary>
    public required bool Crc32Checksum { get; init; }

    /// <summary>Foreign shapes that imported keys may have.</summary>
    public required IReadOnlyList<ForeignFormat> Accepts { get; init; }

    /// <summary>Whether a secret can be shown again; otherwise it is shown once, when it is made.</summary>
    public required bool Revealable { get; init; }

    /// <summary>Characters shown from the start of a secret, the prefix among them.</summary>
    public required int MaskHead { get; init; }

    /// <summary>Characters shown from the end of a secret.</summary>
    public required int MaskTail { get; init; }

    /// <summary>In characters as people count them: Unicode code points.</summary>
    public required int NameMin { get; init; }

    /// <inheritdoc cref="NameMin"/>
    public required int NameMax { get; init; }

    public required ExpiryRule Expiry { get; init; }

    /// <summary>What customers may do to a key. The operator may always disable, enable and revoke.</summary>
    public required KeyOperations Operations { get; init; }

    /// <summary>How long the old secret lives on after a rotation, unless the caller says otherwise.</summary>
    public required TimeSpan GraceDefault { get; init; }

    /// <summary>The longest grace a caller may ask for; at most seven days.</summary>
    public required TimeSpan GraceMax { get; init; }

    /// <summary>At least one; a provider that knows no types has the one type <c>standard</c> with every action.</summary>
    public required IReadOnlyList<KeyType> Types { get; init; }

    public required KeyType DefaultType { get; init; }

    /// <summary>The scopes of a key for which none were asked. Not for a type whose scopes are required.</summary>
    public required IReadOnlyList<string> DefaultScopes { get; init; }

    /// <summary>Whether a key has one scope exactly.</summary>
    public required bool ExactlyOneScope { get; init; }

    /// <summary>Whether a key may be asked for by actions (<c>permissions: [read]</c>) rather than only by type.</summary>
    public required bool AcceptsPermissions { get; init; }

    /// <summary>The same as the Engine needs it; made once.</summary>
    public KeyFormat Format => _format ??= new KeyFormat(new KeyFormatOptions
    {
        Environments = Environments,
        Length = Length,
        Crc32Checksum = Crc32Checksum,
        Accepts = Accepts,
        MaskHead = MaskHead,
        MaskTail = MaskTail,
    });

    /// <summary>
    /// Where an environment stands in the list, which is its number in the Engine; the name is one that was checked before.
    /// </summary>
    public int EnvironmentIndex(string name)
    {
        for (var i = 0; i < Environments.Count; i++)
        {
            if (Environments[i].Name == name)
            {
                return i;
            }
        }

        throw new InvalidDataException($"The environment {name} is not in the provider file any more.");
    }

    public KeyType? TypeNamed(string name) => Types.FirstOrDefault(type => type.Name == name);

    public bool Offers(KeyOperations operation) => (Operations & operation) == operation;
}

/// <summary>A kind of key that customers choose from.</summary>
internal sealed record KeyType(string Name, IReadOnlyList<string> Actions)
{
    /// <summary>Whether the scopes must be named when such a key is made: the default ones do not apply.</summary>
    public bool ScopesRequired { get; init; }

    /// <summary>The only scopes such a key may have; null for any.</summary>
    public IReadOnlyList<string>? Among { get; init; }
}

internal enum ExpiryRule
{
    Forbidden,
    Optional,
    Required,
}

[Flags]
internal enum KeyOperations
{
    None = 0,
    Disable = 1,
    Enable = 2,
    Regenerate = 4,
    Rotate = 8,
    Revoke = 16,
    Delete = 32,
}
