using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Identity.Passkeys;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity;

/// <summary>
/// What Identity's managers read people from and write them to. One a request. Inside <see cref="Within"/> all of it happens in that
/// write; outside, reads go to the database and a change is a write of its own.
/// </summary>
internal sealed class PersonStore(Database database)
    : IUserPasswordStore<Person>, IUserEmailStore<Person>, IUserSecurityStampStore<Person>, IUserPasskeyStore<Person>
{
    private WriteScope? _scope;

    /// <summary>Until what it returns is disposed, the managers of this request work inside this write.</summary>
    public IDisposable Within(WriteScope scope)
    {
        _scope = scope;
        return new Turn(this);
    }

    public async Task<IdentityResult> CreateAsync(Person user, CancellationToken cancellationToken)
    {
        var scope = _scope ?? throw new InvalidOperationException("A person is made together with an organization, inside a write.");
        user.PersonNo = await scope.NextNumber("person");
        user.RowVersion = 1;
        await PersonSql.Insert(scope, user);
        return IdentityResult.Success;
    }

    public async Task<IdentityResult> UpdateAsync(Person user, CancellationToken cancellationToken)
    {
        var isDone = _scope is { } scope
            ? await Update(scope, user)
            : (await database.Write<bool>(async own => await Update(own, user), cancellationToken)) is { IsOk: true, Value: true };
        return isDone ? IdentityResult.Success : IdentityResult.Failed(new IdentityErrorDescriber().ConcurrencyFailure());
    }

    /// <summary>A person's row stays, without what it told of the person: <see cref="People.Delete"/>.</summary>
    public Task<IdentityResult> DeleteAsync(Person user, CancellationToken cancellationToken) =>
        throw new NotSupportedException("People are deleted by their own door.");

    public Task<Person?> FindByIdAsync(string userId, CancellationToken cancellationToken) => Read(
        scope => PersonSql.Find(scope.Connection, scope.Transaction, userId),
        () => database.Read(connection => PersonSql.Find(connection, null, userId), cancellationToken));

    /// <summary>A person's name to Identity is its id.</summary>
    public Task<Person?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) =>
        FindByIdAsync(normalizedUserName, cancellationToken);

    public Task<Person?> FindByEmailAsync(string normalizedEmail, CancellationToken cancellationToken) => Read(
        scope => PersonSql.FindByEmail(scope.Connection, scope.Transaction, normalizedEmail),
        () => database.Read(connection => PersonSql.FindByEmail(connection, null, normalizedEmail), cancellationToken));

    public Task<string> GetUserIdAsync(Person user, CancellationToken cancellationToken) => Task.FromResult(user.Id);

    public Task<string?> GetUserNameAsync(Person user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Id);

    public Task SetUserNameAsync(Person user, string? userName, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<string?> GetNormalizedUserNameAsync(Person user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Id);

    public Task SetNormalizedUserNameAsync(Person user, string? normalizedName, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<string?> GetPasswordHashAsync(Person user, CancellationToken cancellationToken) => Task.FromResult(user.PasswordHash);

    public Task<bool> HasPasswordAsync(Person user, CancellationToken cancellationToken) => Task.FromResult(user.PasswordHash is not null);

    public Task SetPasswordHashAsync(Person user, string? passwordHash, CancellationToken cancellationToken) =>
        Set(() => user.PasswordHash = passwordHash);

    public Task<string?> GetEmailAsync(Person user, CancellationToken cancellationToken) => Task.FromResult(user.Email);

    public Task SetEmailAsync(Person user, string? email, CancellationToken cancellationToken) => Set(() => user.Email = email);

    public Task<string?> GetNormalizedEmailAsync(Person user, CancellationToken cancellationToken) => Task.FromResult(user.EmailKey);

    public Task SetNormalizedEmailAsync(Person user, string? normalizedEmail, CancellationToken cancellationToken) =>
        Set(() => user.EmailKey = normalizedEmail);

    public Task<bool> GetEmailConfirmedAsync(Person user, CancellationToken cancellationToken) =>
        Task.FromResult(user.VerifiedAtMs is not null);

    public Task SetEmailConfirmedAsync(Person user, bool confirmed, CancellationToken cancellationToken) =>
        Set(() => user.VerifiedAtMs = confirmed ? user.VerifiedAtMs ?? NowMs : null);

    public Task<string?> GetSecurityStampAsync(Person user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Stamp);

    public Task SetSecurityStampAsync(Person user, string stamp, CancellationToken cancellationToken) => Set(() => user.Stamp = stamp);

    /// <summary>Passkeys are made, used and removed by <see cref="PasskeyDoor"/>, each in the write of what it is good for.</summary>
    public Task AddOrUpdatePasskeyAsync(Person user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw OwnDoor;

    public Task RemovePasskeyAsync(Person user, byte[] credentialId, CancellationToken cancellationToken) => throw OwnDoor;

    public async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(Person user, CancellationToken cancellationToken) =>
    [
        .. (await Read(
            scope => PasskeySql.List(scope.Connection, scope.Transaction, user.PersonNo),
            () => database.Read(connection => PasskeySql.List(connection, null, user.PersonNo), cancellationToken)))
            .Select(passkey => passkey.ToInfo()),
    ];

    public async Task<Person?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        await Find(credentialId, cancellationToken) is not { } passkey ? null : await Read(
            scope => PersonSql.Find(scope.Connection, scope.Transaction, passkey.PersonNo),
            () => database.Read(connection => PersonSql.Find(connection, null, passkey.PersonNo), cancellationToken));

    public async Task<UserPasskeyInfo?> FindPasskeyAsync(Person user, byte[] credentialId, CancellationToken cancellationToken) =>
        await Find(credentialId, cancellationToken) is { } passkey && passkey.PersonNo == user.PersonNo ? passkey.ToInfo() : null;

    public void Dispose()
    {
        // The database is not the store's to close.
    }

    private static NotSupportedException OwnDoor => new("Passkeys have a door of their own.");

    private long NowMs => _scope?.NowMs ?? database.Time.GetUtcNow().ToUnixTimeMilliseconds();

    private static async Task<bool> Update(WriteScope scope, Person person)
    {
        if (await PersonSql.Update(scope, person) != 1)
        {
            return false;
        }

        person.RowVersion++;
        return true;
    }

    private static Task Set(Action set)
    {
        set();
        return Task.CompletedTask;
    }

    private Task<Passkey?> Find(byte[] credentialId, CancellationToken cancel) => Read(
        scope => PasskeySql.Find(scope.Connection, scope.Transaction, credentialId),
        () => database.Read(connection => PasskeySql.Find(connection, null, credentialId), cancel));

    private Task<T> Read<T>(Func<WriteScope, Task<T>> within, Func<Task<T>> outside) =>
        _scope is { } scope ? within(scope) : outside();

    private sealed class Turn(PersonStore store) : IDisposable
    {
        public void Dispose() => store._scope = null;
    }
}
