using System.Security.Cryptography;
using System.Text;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Links;

/// <summary>
/// Makes links and takes them back. A link is used in the write of what it is good for, and writes run one after another: of fifty who use
/// one at once, one finds it.
/// </summary>
internal sealed class LinkBook(Database database, Pepper pepper)
{
    /// <summary>The secret of a new link, which is in no other place.</summary>
    public Task<string> Make(WriteScope scope, LinkKind kind, Person person, string? email = null) =>
        Keep(scope, kind, new Link { PersonNo = person.PersonNo, Email = email });

    /// <summary>The same of a sign-up, which is kept in its link until the link is used.</summary>
    public Task<string> MakeSignUp(WriteScope scope, EmailAddress email, string name, string passwordHash) => Keep(
        scope, LinkKind.Verify, new Link { Email = email.Text, EmailKey = email.Key, Name = name, PasswordHash = passwordHash });

    /// <summary>The same of a sign-in that waits for its second step.</summary>
    public Task<string> MakeSecond(WriteScope scope, Person person, string method) =>
        Keep(scope, LinkKind.Second, new Link { PersonNo = person.PersonNo, Method = method });

    /// <summary>The work of the same for nobody: a row whose secret nobody is told.</summary>
    public Task MakeBlank(WriteScope scope, LinkKind kind) => Keep(scope, kind, new Link());

    /// <summary>Whether a link can still be used; looking uses nothing up.</summary>
    public async Task<bool> IsGood(LinkKind kind, string? secret, CancellationToken cancel) =>
        await Peek(kind, secret, cancel) is not null;

    /// <summary>The link that can still be used; looking uses nothing up.</summary>
    public async Task<Link?> Peek(LinkKind kind, string? secret, CancellationToken cancel = default) => SecretText.IsOne(secret)
        ? await database.Read(
            connection => LinkSql.Find(connection, kind.Name, HashOf(secret!), database.Time.GetUtcNow().ToUnixTimeMilliseconds()),
            cancel)
        : null;

    /// <summary>Uses a link up; null when it was none, is used, or is past its time.</summary>
    public async Task<Link?> Take(WriteScope scope, LinkKind kind, string? secret) =>
        SecretText.IsOne(secret) ? await LinkSql.Take(scope, kind.Name, HashOf(secret!)) : null;

    /// <summary>Notes that a question was answered; false when it was before. It is kept for as long as any question is good.</summary>
    public async Task<bool> Spend(WriteScope scope, byte[] question)
    {
        await LinkSql.Purge(scope);
        var spent = new Link
        {
            LinkNo = await scope.NextNumber("link"), Kind = LinkKind.Spent.Name, EndsAtMs = scope.NowMs + LinkKind.Spent.LifeMs,
        };
        return await LinkSql.Insert(scope, spent, pepper.HashSecret(SHA256.HashData(question))) == 1;
    }

    /// <summary>Whose link it is; null for nobody's.</summary>
    public static Task<Person?> Owner(WriteScope scope, Link link) => link.PersonNo is { } personNo
        ? PersonSql.Find(scope.Connection, scope.Transaction, personNo)
        : Task.FromResult<Person?>(null);

    /// <summary>After a change of password or address no link from before is good.</summary>
    public static Task EndAll(WriteScope scope, Person person) => LinkSql.EndAll(scope, person.PersonNo);

    /// <summary>Once an address is somebody's, nobody signs up with it any more.</summary>
    public static Task EndSignUps(WriteScope scope, EmailAddress email) => LinkSql.EndSignUps(scope, email.Key);

    private async Task<string> Keep(WriteScope scope, LinkKind kind, Link link)
    {
        var secret = SecretText.New();
        await LinkSql.Purge(scope);
        await LinkSql.Insert(
            scope,
            link with { LinkNo = await scope.NextNumber("link"), Kind = kind.Name, EndsAtMs = scope.NowMs + kind.LifeMs },
            HashOf(secret));
        Failpoint.Pass("link.row");
        return secret;
    }

    private byte[] HashOf(string secret) => pepper.HashSecret(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));
}
