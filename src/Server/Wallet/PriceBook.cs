using System.Collections.Concurrent;
using System.Globalization;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Audit;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Wallet;

/// <summary>
/// What models cost now, and what they cost when a request was admitted: a changed file takes effect with a start, under a new version, and
/// every settlement is priced by the version that its request was admitted under.
/// </summary>
internal sealed class PriceBook(ProviderModel provider, Database database)
{
    /// <summary>Requests name the version in two bytes.</summary>
    public const long VersionsMax = ushort.MaxValue;

    /// <summary>The newest so many are kept in memory; what is older is read when somebody asks, and kept from then on.</summary>
    public const int KeptMax = 64;

    private readonly Dictionary<string, ModelOffer> _offers = provider.Models.ToDictionary(model => model.Id, StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ushort, PriceList> _lists = new();
    private volatile PriceList _now = PriceList.None;

    /// <summary>The version of today's prices; 0 where no model ever had one.</summary>
    public ushort Version => _now.Version;

    /// <summary>At start: today's prices, under the version they have or a new one.</summary>
    /// <exception cref="StorageException">There is no version left.</exception>
    public async Task Open(CancellationToken cancel = default)
    {
        var content = PriceList.ContentOf(provider);
        var newest = await database.Read(connection => PriceSql.Newest(connection, KeptMax), cancel);
        var last = newest.Count > 0 ? newest[0] : new PriceRow();
        if (last.Content != content)
        {
            last = new PriceRow { Version = last.Version + 1, Content = content };
            await Begin(last);
        }

        foreach (var row in newest)
        {
            _lists[checked((ushort)row.Version)] = PriceList.Read(row.Version, row.Content);
        }

        _now = PriceList.Read(last.Version, last.Content);
        _lists[_now.Version] = _now;
    }

    /// <summary>
    /// A model as it is offered and priced now. Where requests are paid from a wallet, one that is not offered, or has no price, is
    /// refused; elsewhere it may be unknown, and costs nothing that anybody could name.
    /// </summary>
    public Outcome<PricedModel> Find(string model)
    {
        var (offer, price) = (_offers.GetValueOrDefault(model), _now.Of(model));
        return provider.Wallet is not null && (offer is null || price is null)
            ? Problem.Of(ProblemCode.ModelUnknown)
            : new PricedModel(offer, _now.Version, price);
    }

    /// <summary>What a model costs now, and by which version of the price list.</summary>
    public (ushort Version, ModelPrice? Price) Of(string model) => (_now.Version, _now.Of(model));

    /// <summary>What a model cost by an earlier version. Waits only where that one is older than <see cref="KeptMax"/> changes.</summary>
    public ValueTask<ModelPrice?> At(ushort version, string model) =>
        _lists.TryGetValue(version, out var list) ? new(list.Of(model)) : new(Fetch(version, model));

    private async Task<ModelPrice?> Fetch(ushort version, string model)
    {
        if (await database.Read(connection => PriceSql.Find(connection, version)) is not { } row)
        {
            return null;
        }

        var list = PriceList.Read(row.Version, row.Content);
        _lists[version] = list;
        return list.Of(model);
    }

    private async Task Begin(PriceRow list)
    {
        if (list.Version > VersionsMax)
        {
            throw new StorageException(
                $"The prices of {provider.Name} have changed {VersionsMax} times, which is as often as they can be told apart.");
        }

        var written = await database.Write<bool>(async scope =>
        {
            await PriceSql.Insert(scope, list);
            await AuditLog.Append(scope, new AuditEntry
            {
                Action = "prices.change",
                TargetType = "prices",
                TargetId = list.Version.ToString(CultureInfo.InvariantCulture),
                After = list.Content.Length == 0 ? null : list.Content,
            });
            return true;
        });
        _ = written.Value;
    }
}

/// <summary>A model with what it costs by one version of the price list. Where a wallet applies neither is null.</summary>
internal readonly record struct PricedModel(ModelOffer? Offer, ushort Version, ModelPrice? Price);
