using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Sessions;

/// <summary>
/// Knows on which devices a person has signed in, and sends a mail when it was another one. A device is what its browser says of itself,
/// without the numbers, which change every few weeks; kept as a hash.
/// </summary>
internal sealed partial class DeviceBook(Pepper pepper, PersonMail mail)
{
    /// <summary>Those seen last stay known.</summary>
    public const int PerPersonMax = 20;

    public async Task Note(WriteScope scope, Person person, Visit visit)
    {
        var hash = pepper.HashSecret(SHA256.HashData(Encoding.UTF8.GetBytes(Numbers().Replace(visit.Device, ""))));
        if (await DeviceSql.Seen(scope, person.PersonNo, hash) > 0)
        {
            return;
        }

        // Of the very first nobody needs to be told.
        if (await DeviceSql.Count(scope, person.PersonNo) > 0)
        {
            await mail.SignedIn(scope, person, visit);
        }

        await DeviceSql.Insert(scope, person.PersonNo, hash);
        await DeviceSql.Trim(scope, person.PersonNo, PerPersonMax);
    }

    /// <summary>Together with the person.</summary>
    public static Task Forget(WriteScope scope, Person person) => DeviceSql.Trim(scope, person.PersonNo, 0);

    [GeneratedRegex("[0-9.]+")]
    private static partial Regex Numbers();
}
