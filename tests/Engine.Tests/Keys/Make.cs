using System.Buffers.Binary;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;

namespace Tollgate.Engine.Tests.Keys;

/// <summary>Keys and tables for tests, from small numbers.</summary>
internal static class Make
{
    public static KeyHash Hash(long seed)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, seed);
        return KeyHash.Of(bytes);
    }

    public static KeyEntry Entry(uint keyNo, long version = 1, KeyHash? hash = null) => new()
    {
        KeyNo = keyNo,
        Version = version,
        ProjectIndex = 0,
        Hash = hash ?? Hash(keyNo),
        Facts = Encoding.UTF8.GetBytes($"\"no\":{keyNo},\"version\":{version}"),
    };

    public static void Load(this KeyTable table, KeyEntry entry) => Assert.True(table.EndLoad(table.BeginLoad(), entry));

    public static string FactsText(this KeyEntryView view) => Encoding.UTF8.GetString(view.Facts.Span);

    public static KeyFormatOptions FormatOptions { get; } = new()
    {
        Environments = [new KeyEnvironment("live", "tg_live_"), new KeyEnvironment("test", "tg_test_")],
        Length = 36,
        Crc32Checksum = true,
        MaskHead = 11,
        MaskTail = 4,
    };

    public static Grants ReadWrite { get; } = new(Scopes: 0b0101, Actions: 0b11);
}
