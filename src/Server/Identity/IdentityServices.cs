using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.MagicLinks;
using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Identity.Operators;
using Tollgate.Server.Identity.Passkeys;
using Tollgate.Server.Identity.Password;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity;

/// <summary>Puts the room together. Identity's manager lives for one request, since the store inside one is bound to its write.</summary>
internal static class IdentityServices
{
    public static void AddPeople(this IServiceCollection services, PeopleOptions options)
    {
        services.AddSingleton(options).AddSingleton<PublicUrl>().AddSingleton<PersonMail>();
        services.AddSingleton<IDataProtectionProvider>(found => new SealedProtection(found.GetRequiredService<Sealer>()));
        services.AddSingleton<LinkBook>().AddSingleton<SessionBook>().AddSingleton<DeviceBook>().AddSingleton<SessionCookie>();
        services.AddSingleton<DeviceCookie>().AddSingleton<HashQueue>().AddSingleton<TryThrottle>().AddSingleton<MailThrottle>();
        services.AddSingleton<SecondStepBook>().AddSingleton<SecondStepCookie>();
        services.AddSingleton<OperatorDoor>();
        services.AddScoped<PersonStore>().AddScoped<IUserStore<Person>>(found => found.GetRequiredService<PersonStore>());
        services.AddScoped<IUserValidator<Person>, PersonRules>().AddScoped<IPasswordValidator<Person>, PasswordRules>();
        services.AddSingleton<ILookupNormalizer, EmailKeys>();
        // Its hashes are PBKDF2 with SHA-512, of 128 bits of salt.
        services.Configure<PasswordHasherOptions>(hasher => hasher.IterationCount = options.HashRounds);
        services.AddIdentityCore<Person>();
        services.AddSingleton<PersonTies>();
        ConnectionBook.Add(services, options);
        services.AddScoped<ConnectionDoor>().AddScoped<SecondStepDoor>()
            .AddScoped<PasskeyCeremony>().AddScoped<PasskeyDoor>();
        services.AddScoped<SignUpDoor>().AddScoped<PasswordDoor>().AddScoped<MagicDoor>().AddScoped<LinkDoor>().AddScoped<People>();
    }
}
