using System.Net;
using System.Text;
using System.Text.Json;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Usage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Verification;

/// <summary>
/// One check that an API server asks for, read by hand from its JSON: binding it by reflection or generated code costs a fifth of the
/// whole request. Unknown and duplicate members are refused here as everywhere.
/// </summary>
internal struct VerifyCall
{
    private const int RequiresCharsMax = 200;

    /// <summary>The hash of the secret to check; null when it has no key's form, so that there is nothing to look up.</summary>
    public KeyHash? Hash { get; private set; }

    /// <summary>The secret was sent, and there is nothing in it.</summary>
    public bool IsEmpty { get; private set; }

    public Requirement Requirement { get; private set; }

    /// <summary>Method and path were given, and no route of the provider has them.</summary>
    public bool IsRouteUnknown { get; private set; }

    /// <summary>The project the key must belong to, by the call itself or by the route's path; empty = any.</summary>
    public ReadOnlyMemory<byte> Project { get; private set; }

    /// <summary>The organization that the route's path names; empty = any.</summary>
    public ReadOnlyMemory<byte> Organization { get; private set; }

    public IPAddress? Address { get; private set; }

    /// <summary>The model that the request asks for; null when none was told.</summary>
    public string? Model { get; private set; }

    /// <summary>Null when none were told.</summary>
    public TokenBounds? Tokens { get; private set; }

    /// <summary>The same, priced, once it was.</summary>
    public PricedUse Use { get; set; }

    /// <summary>The number under which the request is counted.</summary>
    public long RequestNo { get; set; }

    /// <summary>Whether the API server will tell what the request has used, so that something is set aside until then.</summary>
    public readonly bool Reserves => Model is not null || Tokens is not null;

    /// <summary>Reads one object; the reader stands on its start and is left on its end.</summary>
    public static Outcome<VerifyCall> Read(ref Utf8JsonReader json, ProviderModel provider, string at)
    {
        var call = default(VerifyCall);
        var members = default(Members);
        string? requires = null, method = null, path = null;
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return Problem.Invalid(at, "must be an object.");
        }

        while (json.Read() && json.TokenType != JsonTokenType.EndObject)
        {
            var member = MemberOf(ref json);
            if (member == Members.None)
            {
                return Problem.Invalid(at + JsonPointer.Of(JsonPointer.Short(json.GetString()!)), "is not a member of this call.");
            }

            if ((members & member) != 0)
            {
                return new Problem(ProblemCode.InvalidJson, $"The member {at}/{NameOf(member)} is given twice.");
            }

            members |= member;
            json.Read();
            if (json.TokenType == JsonTokenType.Null && member != Members.Key)
            {
                continue;
            }

            if (FaultOf(ref json, member) is { } fault)
            {
                return Problem.Invalid($"{at}/{NameOf(member)}", fault);
            }

            switch (member)
            {
                case Members.Key:
                    call.TakeSecret(ref json, provider.Keys.Format);
                    break;
                case Members.Requires:
                    requires = json.GetString();
                    break;
                case Members.Method:
                    method = json.GetString();
                    break;
                case Members.Path:
                    path = json.GetString();
                    break;
                default:
                    if (call.Take(ref json, member, at) is { } problem)
                    {
                        return problem;
                    }

                    break;
            }
        }

        if ((members & Members.Key) == 0)
        {
            return Problem.Invalid($"{at}/key", "is needed: the secret to check.");
        }

        return call.Aim(requires, method, path, provider, at);
    }

    /// <summary>A member that stands for itself.</summary>
    private Problem? Take(ref Utf8JsonReader json, Members member, string at)
    {
        switch (member)
        {
            case Members.Model when json.GetString()!.Length > ModelNames.NameCharsMax:
                return Problem.Invalid($"{at}/model", $"must have at most {ModelNames.NameCharsMax} characters.");
            case Members.Model:
                Model = json.GetString();
                return null;
            case Members.Tokens:
                if (!TokenBounds.Read(ref json, $"{at}/tokens").TryGet(out var tokens, out var problem))
                {
                    return problem;
                }

                Tokens = tokens;
                return null;
            case Members.Project:
                Project = Encoding.UTF8.GetBytes(json.GetString()!);
                return null;
            default:
                Address = IPAddress.TryParse(json.GetString(), out var address) ? address : null;
                return Address is null ? Problem.Invalid($"{at}/address", "must be an IPv4 or IPv6 address.") : null;
        }
    }

    /// <summary>An empty text is not taken for a member left out: that would ask for less than the caller meant to.</summary>
    private static string? FaultOf(ref Utf8JsonReader json, Members member) =>
        member == Members.Tokens ? (json.TokenType == JsonTokenType.StartObject ? null : "must be an object.")
        : json.TokenType != JsonTokenType.String ? "must be a string."
        : member != Members.Key && json.ValueTextEquals(""u8) ? "must not be empty; leave it out to ask for nothing here."
        : null;

    /// <summary>Turns <c>requires</c>, or method and path, into what the key must have.</summary>
    private Outcome<VerifyCall> Aim(string? requires, string? method, string? path, ProviderModel provider, string at)
    {
        if (requires is not null && (method ?? path) is not null)
        {
            return Problem.Invalid($"{at}/requires", "cannot be combined with method and path; send one or the other.");
        }

        if (method is null != path is null)
        {
            return Problem.Invalid(method is null ? $"{at}/method" : $"{at}/path", "is needed: method and path go together.");
        }

        if (requires is not null)
        {
            if (requires.Length > RequiresCharsMax || !provider.Scopes.TryParseRequirement(requires, out var requirement))
            {
                return Problem.Invalid(
                    $"{at}/requires",
                    $"must be a declared scope, or scope:action. Declared are "
                    + $"{string.Join(", ", provider.Scopes.Scopes.Select(scope => scope.Name))}.");
            }

            Requirement = requirement;
        }

        if (method is not null && path is not null)
        {
            if (!PathForm.IsCanonical(path, encodedSlashes: true, out var length))
            {
                return Problem.Invalid($"{at}/path", "must be a path in its canonical form, such as /v1/models.");
            }

            var bare = path.AsSpan(0, length);
            var match = provider.Routes.Match(method, bare);
            IsRouteUnknown = match.Kind != RouteMatchKind.Found;
            Requirement = match.Requirement;
            Organization = Bytes(match.Organization.Of(bare));
            var named = Bytes(match.Project.Of(bare));
            if (named.Length > 0 && !Project.IsEmpty && !Project.Span.SequenceEqual(named))
            {
                return Problem.Invalid($"{at}/project", "names another project than the path does.");
            }

            Project = named.Length > 0 ? named : Project;
        }

        return this;
    }

    private static byte[] Bytes(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    /// <summary>Hashed where it lies: the body goes back to the connection, and nothing of the secret is kept.</summary>
    private void TakeSecret(ref Utf8JsonReader json, KeyFormat format)
    {
        IsEmpty = json.ValueSpan.IsEmpty;
        if (!json.ValueIsEscaped)
        {
            Hash = HashOf(json.ValueSpan, format);
            if (Hash is null && !Ascii.IsValid(json.ValueSpan))
            {
                // No key; what is not even Unicode throws, as in every other member.
                _ = json.GetString();
            }
        }
        else if (json.ValueSpan.Length <= Credential.SecretBytesMax * 6)
        {
            Span<byte> plain = stackalloc byte[Credential.SecretBytesMax * 6];
            Hash = HashOf(plain[..json.CopyString(plain)], format);
        }
        else
        {
            // Too long for any key, and still refused as no text when it is none.
            _ = json.GetString();
        }
    }

    private static KeyHash? HashOf(ReadOnlySpan<byte> secret, KeyFormat format) =>
        secret.Length <= Credential.SecretBytesMax && format.TryParse(secret, out _) ? KeyHash.Of(secret) : null;

    private static Members MemberOf(ref Utf8JsonReader json) =>
        json.ValueTextEquals("key"u8) ? Members.Key
        : json.ValueTextEquals("requires"u8) ? Members.Requires
        : json.ValueTextEquals("method"u8) ? Members.Method
        : json.ValueTextEquals("path"u8) ? Members.Path
        : json.ValueTextEquals("project"u8) ? Members.Project
        : json.ValueTextEquals("address"u8) ? Members.Address
        : json.ValueTextEquals("model"u8) ? Members.Model
        : json.ValueTextEquals("tokens"u8) ? Members.Tokens
        : Members.None;

    private static string NameOf(Members member) => member.ToString().ToLowerInvariant();

    [Flags]
    private enum Members
    {
        None = 0,
        Key = 1,
        Requires = 2,
        Method = 4,
        Path = 8,
        Project = 16,
        Address = 32,
        Model = 64,
        Tokens = 128,
    }
}
