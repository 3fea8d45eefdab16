using System.Text;
using System.Text.Json;
using Tollgate.Engine.Keys;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Keys;

/// <summary>
/// Reads what a caller asks of a key against the provider file's rules. Every fault is collected, so that one answer names them all.
/// Whether the caller may have such a key is <see cref="Width"/>'s to say.
/// </summary>
internal sealed class TermsReader(ProviderModel provider)
{
    public const int DescriptionMax = 500;
    public const int MetadataBytesMax = 4_096;
    public const int MetadataDepthMax = 8;
    public const int AddressesMax = 64;

    private readonly KeyRules _rules = provider.Keys;

    public Outcome<KeyTerms> Read(CreateKey asked, Caller caller, Plan plan, long nowMs)
    {
        var faults = new List<FieldError>();
        var terms = ReadNew(asked, caller, plan, nowMs, faults);
        return faults.Count == 0 ? terms : Problem.Invalid(faults);
    }

    /// <summary>The same with the faults collected by the caller; an expiry must come after the given time.</summary>
    public KeyTerms ReadNew(CreateKey asked, Caller caller, Plan plan, long expiresAfterMs, List<FieldError> faults)
    {
        var type = ReadType(asked.Type, asked.Permissions, faults);
        return new KeyTerms
        {
            Name = ReadName(asked.Name, faults),
            Environment = ReadEnvironment(asked.Environment ?? caller.Environment, faults),
            Type = type.Name,
            Description = ReadDescription(asked.Description, faults),
            Permissions = ReadPermissions(asked.Permissions, type, faults),
            Scopes = ReadScopes(asked.Scopes, type, faults),
            Rights = ReadRights(asked.Rights, faults),
            AllowedAddresses = ReadAddresses(asked.AllowedAddresses, faults),
            Limits = KeyLimits.Read(asked.Limits, KeyLimits.None, provider, plan, faults),
            Models = KeyModels.Read(asked.Models, provider, faults),
            Metadata = ReadMetadata(asked.Metadata, faults),
            ExpiresAtMs = ReadExpiry(asked.ExpiresAt, expiresAfterMs, faults),
        };
    }

    /// <summary>The same for a change: only what was given is read, the rest stays.</summary>
    public Outcome<KeyTerms> Read(Key key, ChangeKey asked, Plan plan, long nowMs)
    {
        var faults = new List<FieldError>();
        foreach (var (pointer, isNull) in new[]
        {
            ("/name", asked.Name is null), ("/permissions", asked.Permissions is null), ("/scopes", asked.Scopes is null),
            ("/rights", asked.Rights is null), ("/allowed_addresses", asked.AllowedAddresses is null),
            ("/metadata", asked.Metadata is null or { ValueKind: JsonValueKind.Null }),
        })
        {
            if (asked.Has(pointer) && isNull)
            {
                faults.Add(new(pointer, "must not be null; leave the member out to keep it as it is."));
            }
        }

        var type = _rules.TypeNamed(key.Type) ?? _rules.DefaultType;
        var before = KeyTerms.Of(key);
        var terms = faults.Count > 0 ? before : before with
        {
            Name = asked.Has("/name") ? ReadName(asked.Name, faults) : before.Name,
            Description = asked.Has("/description") ? ReadDescription(asked.Description, faults) : before.Description,
            Permissions = asked.Has("/permissions") ? ReadPermissions(asked.Permissions, type, faults) : before.Permissions,
            Scopes = asked.Has("/scopes") ? ReadScopes(asked.Scopes, type, faults) : before.Scopes,
            Rights = asked.Has("/rights") ? ReadRights(asked.Rights, faults) : before.Rights,
            AllowedAddresses = asked.Has("/allowed_addresses")
                ? ReadAddresses(asked.AllowedAddresses, faults)
                : before.AllowedAddresses,
            Limits = asked.Has("/limits") ? KeyLimits.Read(asked.Limits, before.Limits, provider, plan, faults) : before.Limits,
            Models = asked.Has("/models") ? KeyModels.Read(asked.Models, provider, faults) : before.Models,
            Metadata = asked.Has("/metadata") ? ReadMetadata(asked.Metadata, faults) : before.Metadata,
            ExpiresAtMs = asked.Has("/expires_at") ? ReadExpiry(asked.ExpiresAt, nowMs, faults) : before.ExpiresAtMs,
        };
        return faults.Count == 0 ? terms : Problem.Invalid(faults);
    }

    /// <summary>An expiry on its own, as a rotation of an expired key brings it.</summary>
    public Outcome<long?> ReadExpiry(DateTimeOffset? asked, long nowMs)
    {
        var faults = new List<FieldError>();
        var expiry = ReadExpiry(asked, nowMs, faults);
        return faults.Count == 0 ? expiry : Problem.Invalid(faults);
    }

    private static string? ReadDescription(string? asked, List<FieldError> faults)
    {
        if (asked is not null && (asked.Length > DescriptionMax || asked.Any(c => char.IsControl(c) && c is not ('\n' or '\t'))))
        {
            faults.Add(new("/description", $"must have at most {DescriptionMax} characters and no control characters."));
        }

        return asked;
    }

    private static IReadOnlyList<string> ReadRights(IReadOnlyList<string>? asked, List<FieldError> faults) =>
        ReadNames(asked ?? [], "/rights", RightNames.IsKnown, $"must be among {string.Join(", ", RightNames.All)}.", faults);

    private static IReadOnlyList<string> ReadAddresses(IReadOnlyList<string>? asked, List<FieldError> faults)
    {
        if (asked is null or [])
        {
            return [];
        }

        if (asked.Count > AddressesMax)
        {
            faults.Add(new("/allowed_addresses", $"may hold at most {AddressesMax} ranges."));
        }
        else if (asked.Any(range => range is null))
        {
            faults.Add(new("/allowed_addresses", "must hold no null."));
        }
        else if (!AddressRule.TryParse(asked, out _, out var errors))
        {
            faults.AddRange(errors.Select(error => new FieldError("/allowed_addresses", error)));
        }

        return asked;
    }

    private static string ReadMetadata(JsonElement? asked, List<FieldError> faults)
    {
        if (asked is null or { ValueKind: JsonValueKind.Null })
        {
            return "{}";
        }

        var text = asked.Value.GetRawText();
        if (asked.Value.ValueKind != JsonValueKind.Object
            || Encoding.UTF8.GetByteCount(text) > MetadataBytesMax
            || Depth(asked.Value) > MetadataDepthMax)
        {
            faults.Add(new(
                "/metadata",
                $"must be a JSON object of at most {MetadataBytesMax} bytes, nested at most {MetadataDepthMax} levels deep."));
        }

        return text;
    }

    private static int Depth(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => 1 + element.EnumerateObject().Select(member => Depth(member.Value)).DefaultIfEmpty().Max(),
        JsonValueKind.Array => 1 + element.EnumerateArray().Select(Depth).DefaultIfEmpty().Max(),
        _ => 0,
    };

    private static IReadOnlyList<string> ReadNames(
        IReadOnlyList<string> asked, string pointer, Func<string, bool> isKnown, string expected, List<FieldError> faults)
    {
        for (var i = 0; i < asked.Count; i++)
        {
            if (asked[i] is null || !isKnown(asked[i]))
            {
                faults.Add(new($"{pointer}/{i}", expected));
            }
            else if (asked.Take(i).Contains(asked[i], StringComparer.Ordinal))
            {
                faults.Add(new($"{pointer}/{i}", "must not be named twice."));
            }
        }

        return asked;
    }

    private string ReadName(string? asked, List<FieldError> faults)
    {
        var runes = asked?.EnumerateRunes().Count() ?? 0;
        if (string.IsNullOrWhiteSpace(asked) || runes < _rules.NameMin || runes > _rules.NameMax || asked.Any(char.IsControl))
        {
            faults.Add(new("/name", $"must have {_rules.NameMin} to {_rules.NameMax} characters, none of them a control character."));
        }

        return asked ?? "";
    }

    private string ReadEnvironment(string? asked, List<FieldError> faults)
    {
        var environment = asked ?? _rules.Environments[0].Name;
        if (_rules.Environments.All(known => known.Name != environment))
        {
            faults.Add(new("/environment", $"must be among {string.Join(", ", _rules.Environments.Select(e => e.Name))}."));
        }

        return environment;
    }

    /// <summary>The type asked for; without one, the type that has just the permissions asked for; else the default.</summary>
    private KeyType ReadType(string? asked, IReadOnlyList<string>? permissions, List<FieldError> faults)
    {
        if (asked is null)
        {
            return permissions is null
                ? _rules.DefaultType
                : _rules.Types.FirstOrDefault(known => !known.ScopesRequired && known.Actions.ToHashSet().SetEquals(permissions))
                    ?? _rules.DefaultType;
        }

        var type = _rules.TypeNamed(asked);
        if (type is null)
        {
            faults.Add(new("/type", $"must be among {string.Join(", ", _rules.Types.Select(t => t.Name))}."));
        }

        return type ?? _rules.DefaultType;
    }

    private IReadOnlyList<string> ReadPermissions(IReadOnlyList<string>? asked, KeyType type, List<FieldError> faults)
    {
        if (asked is null)
        {
            return type.Actions;
        }

        var allowed = string.Join(", ", type.Actions);
        if (!_rules.AcceptsPermissions)
        {
            faults.Add(new("/permissions", $"are not chosen one by one with this provider; a {type.Name} key has {allowed}."));
        }
        else if (asked.Count == 0)
        {
            faults.Add(new("/permissions", $"must name at least one of {allowed}."));
        }

        return ReadNames(asked, "/permissions", type.Actions.Contains, $"must be among {allowed} for a {type.Name} key.", faults);
    }

    private IReadOnlyList<string> ReadScopes(IReadOnlyList<string>? asked, KeyType type, List<FieldError> faults)
    {
        var grantable = type.Among ?? [.. provider.Scopes.Scopes.Where(scope => scope.Grantable).Select(scope => scope.Name)];
        if (type.ScopesRequired && asked is null or [])
        {
            faults.Add(new("/scopes", $"must name at least one of {string.Join(", ", grantable)}."));
            return [];
        }

        if (asked is null)
        {
            return _rules.DefaultScopes;
        }

        if (_rules.ExactlyOneScope && asked.Count != 1)
        {
            faults.Add(new("/scopes", $"must name exactly one of {string.Join(", ", grantable)}."));
            return asked;
        }

        return ReadNames(asked, "/scopes", grantable.Contains, $"must be among {string.Join(", ", grantable)}.", faults);
    }

    private long? ReadExpiry(DateTimeOffset? asked, long nowMs, List<FieldError> faults)
    {
        var expected = (_rules.Expiry, asked) switch
        {
            (ExpiryRule.Forbidden, not null) => "is not offered: keys of this provider have no expiry date.",
            (ExpiryRule.Required, null) => "is needed: every key of this provider has an expiry date.",
            (_, { } time) when time.ToUnixTimeMilliseconds() <= nowMs => "must lie in the future.",
            _ => null,
        };
        if (expected is not null)
        {
            faults.Add(new("/expires_at", expected));
        }

        return asked?.ToUnixTimeMilliseconds();
    }
}
