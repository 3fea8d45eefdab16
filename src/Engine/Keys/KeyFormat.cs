using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Engine.Keys;

/// <summary>
/// Tells a secret from junk without a look-up, and makes new secrets. Immutable; safe from every thread.
/// A text that fits several shapes has the one with the longest prefix.
/// </summary>
public sealed class KeyFormat
{
    private const int Checksum = KeyFormatOptions.ChecksumLength;
    private const int ForeignBitsPerCharacter = 4;

    private static readonly SearchValues<byte> Base62Bytes = SearchValues.Create([.. Encoding.ASCII.GetBytes(Base62.Digits)]);
    private readonly KeyFormatOptions _options;
    private readonly Shape[] _shapes;

    /// <exception cref="ArgumentException">
    /// The options have errors; <see cref="KeyFormatOptions.Validate"/> tells them beforehand.
    /// </exception>
    public KeyFormat(KeyFormatOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        IReadOnlyList<string> errors = options.Validate();
        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join("; ", errors), nameof(options));
        }

        _options = options;
        _shapes = [.. ShapesOf(options).OrderByDescending(shape => shape.Prefix.Length)];
        LengthMin = _shapes.Min(shape => shape.Total);
        LengthMax = _shapes.Max(shape => shape.Total);
    }

    /// <summary>Bytes of the shortest secret that can be good.</summary>
    public int LengthMin { get; }

    /// <summary>Bytes of the longest; anything longer is refused unread.</summary>
    public int LengthMax { get; }

    public IReadOnlyList<KeyEnvironment> Environments => _options.Environments;

    /// <summary>Shape, alphabet and checksum of a secret in UTF-8. Says nothing about whether such a key exists.</summary>
    public bool TryParse(ReadOnlySpan<byte> secret, out KeyShape shape)
    {
        foreach (Shape candidate in _shapes)
        {
            if (secret.Length == candidate.Total && secret.StartsWith(candidate.Prefix))
            {
                ReadOnlySpan<byte> rest = secret[candidate.Prefix.Length..];
                if (!rest.ContainsAnyExcept(candidate.Alphabet) && (!candidate.HasChecksum || ChecksumAgrees(secret)))
                {
                    shape = candidate.Found;
                    return true;
                }
            }
        }

        shape = default;
        return false;
    }

    /// <summary>A new secret of an environment, from the system's cryptographic generator.</summary>
    public string Mint(int environment)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(environment);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(environment, _options.Environments.Count);
        Span<byte> bytes = stackalloc byte[KeyFormatOptions.PrefixMax + KeyFormatOptions.LengthMax];
        while (true)
        {
            string secret = Draw(_options.Environments[environment].Prefix);
            int length = Encoding.ASCII.GetBytes(secret, bytes);

            // Where prefixes are made of the alphabet's own characters, a secret may happen to read as another environment's: draw again.
            if (TryParse(bytes[..length], out KeyShape shape) && shape == KeyShape.Own(environment))
            {
                return secret;
            }
        }
    }

    /// <summary>
    /// What may be shown of a secret, as the provider wants it; less of a foreign one that would not keep 128 bits hidden.
    /// </summary>
    public string Mask(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        Shape? foreign = _shapes.FirstOrDefault(shape => shape.Found.IsForeign && shape.IsOf(secret));
        return foreign is not null && TryParse(Encoding.ASCII.GetBytes(secret), out KeyShape found) && found == foreign.Found
            ? Mask(secret, foreign.Head, foreign.Tail)
            : Mask(secret, _options.MaskHead, _options.MaskTail);
    }

    /// <summary>
    /// The mask of a secret of which only the first and last characters are known, or none: of all the shapes it can have, the one that
    /// may show least decides. False when no shape begins like this, so that such a secret would never be let in.
    /// </summary>
    public bool TryMask(string start, string end, out string mask)
    {
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(end);
        List<Shape> possible = [.. _shapes.Where(shape => shape.MayBegin(start))];
        mask = "";
        if (possible.Count == 0)
        {
            return false;
        }

        int head = Math.Min(start.Length, possible.Min(shape => shape.Head));
        int tail = Math.Min(end.Length, possible.Min(shape => shape.Tail));
        mask = string.Concat(start.AsSpan(0, head), "...", end.AsSpan(end.Length - tail));
        return true;
    }

    /// <summary>
    /// The first <paramref name="head"/> characters, three dots, the last <paramref name="tail"/>. Never the whole secret.
    /// </summary>
    public static string Mask(string secret, int head, int tail)
    {
        ArgumentNullException.ThrowIfNull(secret);
        ArgumentOutOfRangeException.ThrowIfNegative(head);
        ArgumentOutOfRangeException.ThrowIfNegative(tail);
        return head >= secret.Length || tail >= secret.Length - head
            ? "..."
            : string.Concat(secret.AsSpan(0, head), "...", secret.AsSpan(secret.Length - tail));
    }

    private string Draw(string prefix)
    {
        int random = _options.Length - (_options.Crc32Checksum ? Checksum : 0);
        string body = prefix + RandomNumberGenerator.GetString(Base62.Digits, random);
        if (!_options.Crc32Checksum)
        {
            return body;
        }

        Span<char> digits = stackalloc char[Checksum];
        Base62.Write(Crc32.Of(Encoding.ASCII.GetBytes(body)), digits);
        return string.Concat(body, digits);
    }

    private static bool ChecksumAgrees(ReadOnlySpan<byte> secret)
        => Base62.Read(secret[^Checksum..]) == Crc32.Of(secret[..^Checksum]);

    private static IEnumerable<Shape> ShapesOf(KeyFormatOptions options)
    {
        for (int i = 0; i < options.Environments.Count; i++)
        {
            byte[] prefix = Encoding.ASCII.GetBytes(options.Environments[i].Prefix);
            yield return new Shape(prefix, prefix.Length + options.Length, options.Crc32Checksum, Base62Bytes, KeyShape.Own(i))
            {
                Head = options.MaskHead,
                Tail = options.MaskTail,
            };
        }

        for (int i = 0; i < options.Accepts.Count; i++)
        {
            byte[] prefix = Encoding.ASCII.GetBytes(options.Accepts[i].Prefix);
            int total = prefix.Length + options.Accepts[i].Length;
            // Nobody says what a foreign secret is made of; were it hexadecimal, 32 characters would hold the 128 bits.
            int shown = Math.Max(0, options.Accepts[i].Length - (KeyFormatOptions.HiddenBitsMin / ForeignBitsPerCharacter));
            int tail = Math.Min(options.MaskTail, shown);
            yield return new Shape(prefix, total, false, KeyFormatOptions.HeaderCharacters, KeyShape.Foreign(i))
            {
                Head = Math.Min(options.MaskHead, prefix.Length + shown - tail),
                Tail = tail,
            };
        }
    }

    private sealed record Shape(byte[] Prefix, int Total, bool HasChecksum, SearchValues<byte> Alphabet, KeyShape Found)
    {
        /// <summary>How many characters a mask may show from the start, the prefix among them.</summary>
        public required int Head { get; init; }

        /// <summary>How many from the end.</summary>
        public required int Tail { get; init; }

        public bool IsOf(string secret) => secret.Length == Total && MayBegin(secret);

        /// <summary>Whether a secret of this shape can begin like this; what is shorter than the prefix must be a part of it.</summary>
        public bool MayBegin(string start)
        {
            for (int i = 0; i < Math.Min(start.Length, Prefix.Length); i++)
            {
                if (start[i] != Prefix[i])
                {
                    return false;
                }
            }

            return start.Length <= Total;
        }
    }
}

/// <summary>
/// Which of a format's shapes a secret has. <see cref="Index"/> numbers the environments, or, for a foreign one, the accepted formats.
/// The default reads as the first environment and means nothing when parsing failed.
/// </summary>
public readonly record struct KeyShape(byte Index, bool IsForeign)
{
    internal static KeyShape Own(int environment) => new((byte)environment, false);

    internal static KeyShape Foreign(int format) => new((byte)format, true);
}
