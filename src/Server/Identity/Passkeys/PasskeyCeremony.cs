using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Passkeys;

/// <summary>What a page asks a device, and the state by which the answer is looked at: sealed, it goes along with the page.</summary>
/// <param name="Options">For the browser, as JSON.</param>
/// <param name="State">For us.</param>
internal sealed record PasskeyQuestion(string Options, string State);

/// <summary>
/// The framework's handler of passkeys, for our address and no other. The device must know its owner, by a finger or a PIN: so a passkey
/// stands for both steps of a sign-in.
/// </summary>
internal sealed class PasskeyCeremony(UserManager<Person> users, PublicUrl url, Sealer sealer, TimeProvider time)
{
    private const string MakePurpose = "passkey to make";
    private const string UsePurpose = "passkey to use";
    private const string Required = "required";

    /// <summary>How long a page may stand open before its button is pressed.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>Browsers make passkeys for names, not for numbers.</summary>
    public bool IsPossible => Address.HostNameType == UriHostNameType.Dns;

    private Uri Address => new(url.Text);

    public async Task<PasskeyQuestion> AskToMake(Person person, HttpContext http)
    {
        var made = await Handler().MakeCreationOptionsAsync(
            new PasskeyUserEntity { Id = person.Id, Name = person.Email ?? person.Name, DisplayName = person.Name }, http);
        return new PasskeyQuestion(made.CreationOptionsJson, Seal(MakePurpose, person.Id, made.AttestationState!));
    }

    /// <summary>The passkey that was made; null when the answer is not one to our question to this person.</summary>
    public async Task<UserPasskeyInfo?> Made(Person person, HttpContext http, string state, string answer)
    {
        if (Open(MakePurpose, person.Id, state) is not { } opened)
        {
            return null;
        }

        var result = await Handler().PerformAttestationAsync(
            new PasskeyAttestationContext { HttpContext = http, CredentialJson = answer, AttestationState = opened.State });
        return result.Succeeded && result.UserEntity.Id == person.Id ? result.Passkey : null;
    }

    /// <summary>Of nobody in particular: the device says whose passkey it has.</summary>
    public async Task<PasskeyQuestion> AskToUse(HttpContext http)
    {
        var made = await Handler().MakeRequestOptionsAsync(null, http);
        return new PasskeyQuestion(made.RequestOptionsJson, Seal(UsePurpose, "", made.AssertionState!));
    }

    /// <summary>Who has answered, by which passkey, and the question, which is good once; null when it proves nothing.</summary>
    public async Task<(Person Person, UserPasskeyInfo Passkey, byte[] Question)?> Used(HttpContext http, string state, string answer)
    {
        if (Open(UsePurpose, "", state) is not { } opened)
        {
            return null;
        }

        var result = await Handler().PerformAssertionAsync(
            new PasskeyAssertionContext { HttpContext = http, CredentialJson = answer, AssertionState = opened.State });
        return result.Succeeded ? (result.User, result.Passkey, opened.Plain) : null;
    }

    private PasskeyHandler<Person> Handler() => new(users, Options.Create(new IdentityPasskeyOptions
    {
        ServerDomain = Address.Host,
        UserVerificationRequirement = Required,
        ResidentKeyRequirement = Required,
        AttestationConveyancePreference = "none",
        AuthenticatorTimeout = Life,
        ValidateOrigin = context => ValueTask.FromResult(
            !context.CrossOrigin && context.Origin == Address.GetLeftPart(UriPartial.Authority)),
    }));

    private string Seal(string purpose, string owner, string state)
    {
        var plain = new byte[8 + Encoding.UTF8.GetByteCount(state)];
        BinaryPrimitives.WriteInt64BigEndian(plain, (time.GetUtcNow() + Life).ToUnixTimeMilliseconds());
        Encoding.UTF8.GetBytes(state, plain.AsSpan(8));
        return Base64Url.EncodeToString(sealer.Seal(purpose, plain, Encoding.ASCII.GetBytes(owner)));
    }

    private (byte[] Plain, string State)? Open(string purpose, string owner, string carried)
    {
        var bytes = new byte[Base64Url.GetMaxDecodedLength(carried.Length)];
        return Base64Url.IsValid(carried) && Base64Url.TryDecodeFromChars(carried, bytes, out var length)
            && sealer.TryOpen(purpose, bytes.AsSpan(0, length), Encoding.ASCII.GetBytes(owner), out var plain)
            && BinaryPrimitives.ReadInt64BigEndian(plain) > time.GetUtcNow().ToUnixTimeMilliseconds()
                ? (plain, Encoding.UTF8.GetString(plain.AsSpan(8)))
                : null;
    }
}
