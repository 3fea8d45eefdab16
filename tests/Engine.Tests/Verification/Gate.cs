using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Tests.Keys;
using Tollgate.Engine.Verification;

namespace Tollgate.Engine.Tests.Verification;

/// <summary>A gatekeeper with one project and one good key, which a test then spoils.</summary>
internal sealed class Gate
{
    public const long NowMs = 1_800_000_000_000;

    public Gate(KeyTableOptions? options = null)
    {
        Keeper = new Gatekeeper(new KeyFormat(Make.FormatOptions), new KeyTable(options) { Lookups = Lookups }, new ProjectTable());
        PutProject(1, ProjectState.Active);
        Secret = Encoding.ASCII.GetBytes(Keeper.Format.Mint(0));
        Hash = KeyHash.Of(Secret);
        Entry = Make.Entry(1, 1, Hash) with { ProjectIndex = ProjectIndex, Profile = new KeyProfile { Grants = Make.ReadWrite } };
        Keeper.Keys.Load(Entry);
    }

    public LookupCount Lookups { get; } = new();

    public Gatekeeper Keeper { get; }

    public uint ProjectIndex { get; private set; }

    public byte[] Secret { get; }

    public KeyHash Hash { get; }

    public KeyEntry Entry { get; private set; }

    public static ProjectEntry Project(long no, long version, ProjectState state)
        => new(no, $"prj_{no}", $"org_{no}") { Version = version, State = state };

    public void PutProject(long version, ProjectState state)
    {
        Assert.True(Keeper.Projects.TryApply(Project(1, version, state), out uint index));
        ProjectIndex = index;
    }

    /// <summary>Changes the key, one version on.</summary>
    public void Change(Func<KeyEntry, KeyEntry> change)
    {
        Entry = change(Entry) with { Version = Entry.Version + 1 };
        Assert.True(Keeper.Keys.Drop(Entry.KeyNo));
        Keeper.Keys.Load(Entry);
    }

    /// <summary>Binds the key to models, or frees it by null.</summary>
    public void Bind(params ushort[]? models)
        => Change(entry => entry with { Profile = new KeyProfile { Grants = Make.ReadWrite, Models = models } });

    public VerdictCode CheckFor(ushort model, bool named = true, Requirement requirement = default)
        => Keeper.Check(new CheckRequest
        {
            Secret = Secret, Requirement = requirement, Model = model, NamesModel = named, NowMs = NowMs,
        }).Code;

    public Verdict Check(Requirement requirement = default, bool? isConditionMet = null, long nowMs = NowMs)
        => Keeper.Check(new CheckRequest { Secret = Secret, Requirement = requirement, IsConditionMet = isConditionMet, NowMs = nowMs });
}
