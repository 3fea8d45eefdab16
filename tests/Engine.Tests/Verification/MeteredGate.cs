using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Tests.Keys;
using Tollgate.Engine.Tests.Usage;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Tests.Verification;

/// <summary>A gatekeeper with limits, a wallet and a usage buffer, and one good key.</summary>
internal sealed class MeteredGate : IDisposable
{
    public const long NowMs = Gate.NowMs;
    public const uint KeyNo = 7;
    public const long OrganizationNo = 3;

    private readonly UsageMemory _memory;
    private long _requestNo;

    public MeteredGate(
        IReadOnlyList<Limit>? limits = null,
        IReadOnlyList<long>? amounts = null,
        Money? balance = null,
        int capacity = 1024,
        int reservations = ReservationTable.ReservationsMaxDefault,
        KeyProfile? profile = null)
    {
        _memory = new UsageMemory(capacity);
        Balance = balance is { } money ? new Balance(OrganizationNo, money, Money.Zero) : null;
        var catalogue = new LimitCatalogue(limits ?? [], [new LimitPlan("free", amounts ?? [])]);
        Admission = new Admission(new LimitTable(catalogue), _memory.Buffer, new ReservationTable(reservations));
        Keeper = new Gatekeeper(new KeyFormat(Make.FormatOptions), new KeyTable(), new ProjectTable(), Admission);
        var project = new ProjectEntry(1, "prj_1", "org_1")
        {
            Version = 1, State = ProjectState.Active, OrganizationNo = OrganizationNo, Balance = Balance,
        };
        Assert.True(Keeper.Projects.TryApply(project, out uint index));
        Secret = Encoding.ASCII.GetBytes(Keeper.Format.Mint(0));
        Entry = Make.Entry(KeyNo, 1, KeyHash.Of(Secret)) with
        {
            ProjectIndex = index, Profile = profile ?? new KeyProfile { Grants = Make.ReadWrite },
        };
        Keeper.Keys.Load(Entry);
    }

    public Gatekeeper Keeper { get; }

    public Admission Admission { get; }

    public Balance? Balance { get; }

    public UsageBuffer Usage => _memory.Buffer;

    public byte[] Secret { get; }

    public KeyEntry Entry { get; private set; }

    /// <summary>The number of the last request that was made.</summary>
    public long RequestNo => Volatile.Read(ref _requestNo);

    /// <summary>All that was noted and not freed.</summary>
    public List<UsageEvent> Events
    {
        get
        {
            var events = new UsageEvent[Usage.Capacity];
            return [.. events.AsSpan(0, Usage.Read(Usage.Freed, events))];
        }
    }

    public static Limit Limit(string name, LimitCounts counts, int seconds) =>
        new() { Name = name, Counts = counts, WindowMs = seconds * 1_000L };

    public void Change(Func<KeyEntry, KeyEntry> change)
    {
        Entry = change(Entry) with { Version = Entry.Version + 1 };
        Assert.True(Keeper.Keys.Drop(Entry.KeyNo));
        Keeper.Keys.Load(Entry);
    }

    public Verdict Take(long clockMs = 0, Taking taking = Taking.Take, Requirement requirement = default, ushort model = 0)
        => Keeper.Check(new CheckRequest
        {
            Secret = Secret,
            Requirement = requirement,
            NowMs = NowMs,
            ClockMs = clockMs,
            Taking = taking,
            RequestNo = Interlocked.Increment(ref _requestNo),
            Model = model,
        });

    public Verdict Reserve(
        long clockMs = 0, int input = 0, int output = 0, Money? hold = null, Taking taking = Taking.Take, long nowMs = NowMs)
        => Keeper.Check(new CheckRequest
        {
            Secret = Secret,
            NowMs = nowMs,
            ClockMs = clockMs,
            Taking = taking,
            RequestNo = Interlocked.Increment(ref _requestNo),
            Reserves = true,
            InputTokens = input,
            OutputTokens = output,
            Hold = hold,
            Model = 5,
            PriceVersion = 2,
        });

    public SettleResult Settle(long requestNo, uint input = 0, uint output = 0, Money cost = default, long clockMs = 0)
        => Admission.Settle(
            requestNo,
            new Settlement { InputTokens = input, OutputTokens = output, Cost = cost, AtMs = NowMs + 5, ClockMs = clockMs },
            out _);

    public SettleResult Extend(long requestNo, long held, uint output = 0, long cost = 0)
        => Admission.TryExtend(requestNo, new Money(held), 0, output, new Money(cost), NowMs + 3, 0);

    public void Dispose() => _memory.Dispose();
}
