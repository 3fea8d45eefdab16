using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Server.Storage;

/// <summary>
/// 32 random bytes kept in a file outside the database: who steals the database alone cannot confirm a key with it. Made on the
/// first start; afterwards the database holds a check value, so that it never runs without its pepper or with another's.
/// </summary>
internal sealed class Pepper
{
    public const int Bytes = 32;
    public const string DefaultFile = "pepper";

    /// <summary>The setting that holds what only the database's own pepper gives.</summary>
    public const string CheckName = "pepper_check";
    private const string LinePrefix = "1:";

    /// <summary>One a thread, keyed once: keying it anew costs more than the hash. A process has one pepper; tests have several.</summary>
    [ThreadStatic]
    private static (Pepper Owner, IncrementalHash Hash) _keyed;

    private readonly byte[] _secret;

    private Pepper(byte[] secret) => _secret = secret;

    /// <summary>Reads the pepper that belongs to the database, or makes one for a database that has none yet.</summary>
    /// <exception cref="StorageException">It is missing, damaged, or another database's.</exception>
    public static async Task<Pepper> Open(string file, Database database, CancellationToken cancel = default)
    {
        var check = (await database.Settings(cancel)).GetValueOrDefault(CheckName);
        if (check is not null && !File.Exists(file))
        {
            throw new StorageException(
                $"The pepper file {file} is missing, and this database cannot check a key without it: put the file back from a backup.");
        }

        var pepper = new Pepper(ReadOrCreate(file));
        if (check is null)
        {
            await pepper.Adopt(database, cancel);
            return pepper;
        }

        return pepper.Matches(check)
            ? pepper
            : throw new StorageException($"The pepper file {file} is not the one this database was made with: put that one back.");
    }

    /// <summary>HMAC-SHA256 under the pepper of a secret's SHA-256: what the database keeps of a key.</summary>
    public byte[] HashSecret(ReadOnlySpan<byte> secretSha256)
    {
        var hash = new byte[Bytes];
        HashSecret(secretSha256, hash);
        return hash;
    }

    /// <inheritdoc cref="HashSecret(ReadOnlySpan{byte})"/>
    public void HashSecret(ReadOnlySpan<byte> secretSha256, Span<byte> destination)
    {
        if (secretSha256.Length != Bytes)
        {
            throw new ArgumentException("A SHA-256 has 32 bytes.", nameof(secretSha256));
        }

        if (!ReferenceEquals(_keyed.Owner, this))
        {
            _keyed.Hash?.Dispose();
            _keyed = (this, IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _secret));
        }

        _keyed.Hash!.AppendData(secretSha256);
        _keyed.Hash.GetHashAndReset(destination);
    }

    /// <summary>A key of 32 bytes for one purpose; nothing about the pepper or another purpose's key follows from it.</summary>
    public byte[] DeriveKey(string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, Bytes, info: Encoding.UTF8.GetBytes("tollgate " + purpose));

    public override string ToString() => "Pepper (redacted)";

    /// <summary>Reads a pepper file that must be there and belong to the data.</summary>
    /// <exception cref="StorageException">It is missing, damaged, or another database's.</exception>
    public static Pepper Matching(string file, string check)
    {
        if (!File.Exists(file))
        {
            throw new StorageException(
                $"The pepper file {file} is missing, and no key of this data can be checked without it: put the file back from a backup.");
        }

        var pepper = new Pepper(ReadOrCreate(file));
        return pepper.Matches(check)
            ? pepper
            : throw new StorageException($"The pepper file {file} is not the one this data was made with: put that one back.");
    }

    private bool Matches(string check) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(check), Encoding.ASCII.GetBytes(CheckValue()));

    private string CheckValue() => LinePrefix + Convert.ToBase64String(DeriveKey("pepper check"));

    private async Task Adopt(Database database, CancellationToken cancel)
    {
        var adopted = await database.Write<string>(
            async scope =>
            {
                await scope.SetSetting(CheckName, CheckValue());
                return CheckName;
            },
            cancel);
        if (adopted.Problem is { } problem)
        {
            throw new StorageException($"The pepper could not be tied to the database: {problem.Detail}");
        }
    }

    private static byte[] ReadOrCreate(string file)
    {
        try
        {
            return File.Exists(file) ? Read(file) : Create(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"The pepper file {file} cannot be read or made: {error.Message}", error);
        }
    }

    private static byte[] Read(string file)
    {
        var line = File.ReadAllText(file).TrimEnd('\r', '\n');
        var secret = new byte[Bytes];
        return line.StartsWith(LinePrefix, StringComparison.Ordinal)
            && Convert.TryFromBase64String(line[LinePrefix.Length..], secret, out var length)
            && length == Bytes
            && line[LinePrefix.Length..] == Convert.ToBase64String(secret)
                ? secret
                : throw new StorageException($"The pepper file {file} is damaged: it must hold the one line 1:<44 characters of base64>.");
    }

    /// <summary>Written beside and renamed, so that a crash leaves the whole file or none. An existing file is never replaced.</summary>
    private static byte[] Create(string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        OwnerOnly.CreateFolder(folder);
        var secret = RandomNumberGenerator.GetBytes(Bytes);
        var beside = file + ".new";
        File.Delete(beside);
        using (var stream = OwnerOnly.Open(beside, FileMode.CreateNew, FileShare.None))
        {
            stream.Write(Encoding.ASCII.GetBytes($"{LinePrefix}{Convert.ToBase64String(secret)}\n"));
            DiskSync.File(stream);
        }

        File.Move(beside, file, overwrite: false);
        DiskSync.Folder(folder);
        return Read(file);
    }
}
