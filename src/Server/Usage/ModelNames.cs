using System.Collections.Concurrent;
using Tollgate.Engine.Keys;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Usage;

/// <summary>
/// The numbers that the database gives models, once and for good: those of the provider file at the start, others when they are first asked
/// for. A hot path asks <see cref="TryFind"/>, which waits for nothing.
/// </summary>
internal sealed class ModelNames(Database database)
{
    /// <summary>Models there can be; one more is counted without its name.</summary>
    public const int Max = 10_000;

    /// <summary>So many of these may requests alone name; the others are left to those who offer models and bind keys to them.</summary>
    public const int AskedMax = Max / 2;

    public const int NameCharsMax = 200;

    /// <summary>Stands for no model, and for those beyond the bound.</summary>
    public const ushort None = 0;

    private readonly ConcurrentDictionary<string, ushort> _numbers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ushort, string> _names = new();

    /// <summary>At the start: reads what is there, and gives the models on offer their numbers.</summary>
    public async Task Load(IEnumerable<string> offered, CancellationToken cancel = default)
    {
        foreach (var (number, name) in await database.Read(UsageSql.Models, cancel))
        {
            Keep(checked((ushort)number), name);
        }

        foreach (var name in offered)
        {
            if (!TryFind(name, out _))
            {
                _ = (await Learn(name, cancel)).Value;
            }
        }
    }

    /// <summary>The number of a model that has one.</summary>
    public bool TryFind(string name, out ushort number) => _numbers.TryGetValue(name, out number);

    /// <summary>The name a number was given to; null for one that was not given.</summary>
    public string? NameOf(ushort number) => _names.GetValueOrDefault(number);

    /// <summary>The same for a model that somebody asks for, which nobody here may ever have heard of.</summary>
    public async ValueTask<Outcome<ushort>> LearnAsked(string name) =>
        TryFind(name, out var known) ? known : _numbers.Count >= AskedMax ? None : await Learn(name);

    /// <summary>The number of a model, given now when it has none; <see cref="None"/> when there are too many.</summary>
    public async Task<Outcome<ushort>> Learn(string name, CancellationToken cancel = default)
    {
        if (TryFind(name, out var known))
        {
            return known;
        }

        if (name.Length is 0 or > NameCharsMax || name.Contains('\0', StringComparison.Ordinal))
        {
            return Problem.Invalid("/model", $"must have 1 to {NameCharsMax} characters and no U+0000.");
        }

        return _numbers.Count >= Max ? None : await database.Write<ushort>(async scope => await Learn(scope, name), cancel);
    }

    /// <summary>The same within another write, for a name that was looked at already. Memory knows it once that is committed.</summary>
    public async Task<ushort> Learn(WriteScope scope, string name)
    {
        if (TryFind(name, out var known))
        {
            return known;
        }

        var number = await UsageSql.FindModel(scope, name) ?? 0;
        if (number == 0 && _numbers.Count < Max)
        {
            number = await scope.NextNumber("model");
            if (number > Max)
            {
                // One write can name more than there is room for: memory counts only what was committed.
                return None;
            }

            await UsageSql.InsertModel(scope, number, name);
        }

        if (number > 0)
        {
            scope.AfterCommit(() => Keep(checked((ushort)number), name));
        }

        return checked((ushort)number);
    }

    /// <summary>Whether a key may be used for a model: one without a number is on no list.</summary>
    public bool MayUse(KeyProfile profile, string name) => profile.MayUse(TryFind(name, out var number) ? number : None);

    /// <summary>The only models that keys of a profile may be used for, in their order; null for every model.</summary>
    public IReadOnlyList<string>? NamesOf(KeyProfile profile) =>
        profile.Models is { } numbers ? [.. numbers.Select(NameOf).OfType<string>()] : null;

    private void Keep(ushort number, string name) => (_numbers[name], _names[number]) = (number, name);
}
