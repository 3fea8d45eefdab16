using System.Net;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Tests.Keys;
using Tollgate.Engine.Verification;

namespace Tollgate.Engine.Tests.Verification;

public sealed class GatekeeperTests
{
    [Fact]
    public void A_good_key_is_allowed_and_the_verdict_tells_everything_about_it()
    {
        var gate = new Gate();
        var requirement = new Requirement(0b0001, 0b01);
        Verdict verdict = gate.Check(requirement);
        Assert.True(verdict.IsAllowed);
        Assert.Equal(1u, verdict.Key.KeyNo);
        Assert.Equal(Make.ReadWrite, verdict.Key.Grants);
        Assert.Equal("prj_1", verdict.Project?.ProjectId);
        Assert.Equal("org_1", verdict.Project?.OrganizationId);
        Assert.Equal(long.MaxValue, verdict.Key.ExpiresAtMs);
        Assert.Equal("\"no\":1,\"version\":1", verdict.Key.FactsText());
        Assert.Equal(gate.Hash, verdict.Hash);
        Assert.Equal(requirement, verdict.Requirement);
    }

    [Fact]
    public void The_default_verdict_is_a_refusal() => Assert.False(default(Verdict).IsAllowed);

    [Fact]
    public void No_secret_and_junk_end_before_any_look_up()
    {
        var gate = new Gate();
        Assert.Equal(VerdictCode.KeyMissing, gate.Keeper.Check(new CheckRequest { NowMs = Gate.NowMs }).Code);
        byte[] spoiled = [.. gate.Secret[..^1], (byte)(gate.Secret[^1] == 'a' ? 'b' : 'a')];
        foreach (byte[] junk in (byte[][])[spoiled, [1], [0xFF, 0xFE], new byte[10_000]])
        {
            Assert.Equal(VerdictCode.KeyMalformed, gate.Keeper.Check(new CheckRequest { Secret = junk, NowMs = Gate.NowMs }).Code);
        }

        Assert.Equal(0, gate.Lookups.Finds + gate.Lookups.Unknowns);
    }

    [Fact]
    public void A_key_that_is_not_in_memory_asks_to_be_loaded_until_it_is_or_is_known_to_be_unknown()
    {
        var gate = new Gate();
        byte[] other = Encoding.ASCII.GetBytes(gate.Keeper.Format.Mint(0));
        var request = new CheckRequest { Secret = other, NowMs = Gate.NowMs };
        Verdict verdict = gate.Keeper.Check(request);
        Assert.True(verdict.IsNotLoaded);
        Assert.Equal(KeyHash.Of(other), verdict.Hash);
        gate.Keeper.Keys.EndLoadUnknown(gate.Keeper.Keys.BeginLoad(), verdict.Hash);
        Assert.Equal(VerdictCode.KeyUnknown, gate.Keeper.Check(request, verdict.Hash).Code);
        gate.Keeper.Keys.Forget(verdict.Hash);
        gate.Keeper.Keys.Load(Make.Entry(2, 1, verdict.Hash) with { ProjectIndex = gate.ProjectIndex });
        Assert.Equal(VerdictCode.Allowed, gate.Keeper.Check(request, verdict.Hash).Code);
    }

    [Theory]
    [InlineData(KeyState.Deleted, VerdictCode.KeyDeleted)]
    [InlineData(KeyState.Deleted | KeyState.Revoked | KeyState.Held, VerdictCode.KeyDeleted)]
    [InlineData(KeyState.Revoked, VerdictCode.KeyRevoked)]
    [InlineData(KeyState.Revoked | KeyState.Held, VerdictCode.KeyRevoked)]
    [InlineData(KeyState.HeldByPerson, VerdictCode.KeyDisabled)]
    [InlineData(KeyState.HeldByBalance, VerdictCode.KeyDisabled)]
    [InlineData(KeyState.HeldByLeak, VerdictCode.KeyDisabled)]
    [InlineData(KeyState.HeldByArchive, VerdictCode.KeyArchived)]
    [InlineData(KeyState.HeldByArchive | KeyState.HeldByBalance, VerdictCode.KeyArchived)]
    [InlineData(KeyState.HeldByArchive | KeyState.HeldByPerson, VerdictCode.KeyDisabled)]
    [InlineData(KeyState.HeldBySuspension, VerdictCode.KeyDisabled)]
    public void A_state_refuses_at_the_next_check(KeyState state, VerdictCode code)
    {
        var gate = new Gate();
        gate.Change(entry => entry with { State = state });
        Assert.Equal(code, gate.Check().Code);
        Assert.Equal(state & KeyState.Held, gate.Check().Key.Holds);
    }

    [Fact]
    public void Lifting_one_hold_lifts_no_other()
    {
        var gate = new Gate();
        gate.Change(entry => entry with { State = KeyState.HeldByPerson | KeyState.HeldByBalance });
        gate.Change(entry => entry with { State = entry.State & ~KeyState.HeldByBalance });
        Assert.Equal(VerdictCode.KeyDisabled, gate.Check().Code);
        gate.Change(entry => entry with { State = KeyState.Active });
        Assert.True(gate.Check().IsAllowed);
    }

    [Fact]
    public void A_key_is_expired_from_the_very_millisecond_on_with_no_sweep()
    {
        var gate = new Gate();
        gate.Change(entry => entry with { ExpiresAtMs = 5_000 });
        Assert.True(gate.Check(nowMs: 4_999).IsAllowed);
        Verdict expired = gate.Check(nowMs: 5_000);
        Assert.Equal(VerdictCode.KeyExpired, expired.Code);
        Assert.Equal(5_000, expired.Key.ExpiresAtMs);
    }

    [Fact]
    public void After_a_rotation_the_old_secret_lives_for_its_grace_and_the_new_one_on()
    {
        var gate = new Gate();
        byte[] next = Encoding.ASCII.GetBytes(gate.Keeper.Format.Mint(0));
        gate.Change(entry => entry with
        {
            EndsAtMs = 5_000,
            ExpiresAtMs = 9_000,
        });
        gate.Keeper.Keys.Load(gate.Entry with { Hash = KeyHash.Of(next), EndsAtMs = long.MaxValue });
        Assert.True(gate.Check(nowMs: 4_999).IsAllowed);
        Assert.Equal(VerdictCode.KeyRetired, gate.Check(nowMs: 5_000).Code);
        Assert.Equal(VerdictCode.KeyRetired, gate.Check(nowMs: 9_000).Code);
        Assert.True(gate.Keeper.Check(new CheckRequest { Secret = next, NowMs = 8_999 }).IsAllowed);
        Assert.Equal(VerdictCode.KeyExpired, gate.Keeper.Check(new CheckRequest { Secret = next, NowMs = 9_000 }).Code);
    }

    [Theory]
    [InlineData(ProjectState.Unknown)]
    [InlineData(ProjectState.Suspended)]
    [InlineData(ProjectState.Deleted)]
    public void Suspending_or_deleting_the_organization_binds_at_the_next_check(ProjectState state)
    {
        var gate = new Gate();
        Assert.True(gate.Check().IsAllowed);
        gate.PutProject(2, state);
        Verdict verdict = gate.Check();
        Assert.Equal(VerdictCode.OrganizationSuspended, verdict.Code);
        Assert.Equal(state, verdict.Project?.State);
        gate.PutProject(3, ProjectState.Active);
        Assert.True(gate.Check().IsAllowed);
    }

    [Fact]
    public void After_a_clearing_keys_are_loaded_anew_and_a_left_over_index_lets_nobody_in()
    {
        var gate = new Gate();
        uint leftOver = gate.ProjectIndex;
        gate.Keeper.Clear();
        Assert.True(gate.Check().IsNotLoaded);
        gate.PutProject(1, ProjectState.Active);
        gate.Keeper.Keys.Load(gate.Entry with { ProjectIndex = leftOver });
        Assert.True(gate.Check().IsNotLoaded);
        gate.Keeper.Keys.Load(gate.Entry with { ProjectIndex = gate.ProjectIndex });
        Assert.True(gate.Check().IsAllowed);
    }

    [Fact]
    public void An_address_rule_lets_its_networks_in_and_nobody_from_nowhere()
    {
        var gate = new Gate();
        Assert.True(AddressRule.TryParse(["10.0.0.0/8", "2001:db8::/32"], out AddressRule? rule, out _));
        gate.Change(entry => entry with { Addresses = rule });
        Assert.Equal(VerdictCode.Allowed, From("10.1.2.3"));
        Assert.Equal(VerdictCode.Allowed, From("::ffff:10.1.2.3"));
        Assert.Equal(VerdictCode.Allowed, From("2001:db8::5"));
        Assert.Equal(VerdictCode.AddressRefused, From("192.0.2.1"));
        Assert.Equal(VerdictCode.AddressRefused, gate.Check().Code);
        Assert.Equal("\"no\":1,\"version\":1", gate.Check().Key.FactsText());
        gate.Change(entry => entry with { Addresses = null });
        Assert.Equal(VerdictCode.Allowed, From("192.0.2.1"));

        VerdictCode From(string address)
            => gate.Keeper.Check(new CheckRequest { Secret = gate.Secret, Address = IPAddress.Parse(address), NowMs = Gate.NowMs }).Code;
    }

    [Theory]
    [InlineData("prj_1", VerdictCode.Allowed)]
    [InlineData("prj_2", VerdictCode.ProjectMismatch)]
    [InlineData("prj_", VerdictCode.ProjectMismatch)]
    [InlineData("PRJ_1", VerdictCode.ProjectMismatch)]
    [InlineData("", VerdictCode.ProjectMismatch)]
    public void A_key_works_in_its_own_project_only_and_an_empty_name_is_nobodys(string project, VerdictCode code)
    {
        var gate = new Gate();
        byte[] id = Encoding.UTF8.GetBytes(project);
        Assert.Equal(code, gate.Keeper.Check(new CheckRequest { Secret = gate.Secret, ProjectId = id, NowMs = Gate.NowMs }).Code);
        byte[] organization = Encoding.UTF8.GetBytes(project.Replace("prj", "org", StringComparison.Ordinal));
        var request = new CheckRequest { Secret = gate.Secret, OrganizationId = organization, NowMs = Gate.NowMs };
        Assert.Equal(code, gate.Keeper.Check(request).Code);
    }

    [Theory]
    [InlineData(0b0001, 0b01, 0, null, VerdictCode.Allowed)]
    [InlineData(0b0110, 0b11, 0, null, VerdictCode.Allowed)]
    [InlineData(0b0010, 0b01, 0, null, VerdictCode.ScopeMissing)]
    [InlineData(0b0001, 0b100, 0, null, VerdictCode.ActionMissing)]
    [InlineData(0b0010, 0b101, 0, null, VerdictCode.ActionMissing)]
    [InlineData(0, 0b01, 0, null, VerdictCode.Allowed)]
    [InlineData(0b0010, 0b01, 0b0100, null, VerdictCode.BodyCondition)]
    [InlineData(0b0010, 0b01, 0b0100, false, VerdictCode.BodyCondition)]
    [InlineData(0b0010, 0b01, 0b0100, true, VerdictCode.Allowed)]
    [InlineData(0, 0b01, 0b0100, null, VerdictCode.BodyCondition)]
    [InlineData(0b0010, 0b01, 0b1000, true, VerdictCode.ScopeMissing)]
    [InlineData(0b0001, 0b01, 0b0100, false, VerdictCode.Allowed)]
    public void Permission_is_any_scope_and_every_action_or_a_condition_that_was_seen_to_hold(
        int any, int actions, int conditional, bool? isConditionMet, VerdictCode code)
    {
        var gate = new Gate();
        Assert.Equal(code, gate.Check(new Requirement((ulong)any, (byte)actions, (ulong)conditional, 1), isConditionMet).Code);
    }

    [Fact]
    public void A_key_that_is_bound_to_models_is_refused_for_every_other_and_for_one_without_a_number()
    {
        var gate = new Gate();
        Assert.Equal(VerdictCode.Allowed, gate.CheckFor(7));
        Assert.Equal(VerdictCode.Allowed, gate.CheckFor(0));
        gate.Bind(7, 65_535);
        Assert.Equal(VerdictCode.Allowed, gate.CheckFor(7));
        Assert.Equal(VerdictCode.Allowed, gate.CheckFor(65_535));
        Assert.Equal(VerdictCode.ModelRefused, gate.CheckFor(6));
        Assert.Equal(VerdictCode.ModelRefused, gate.CheckFor(0));
        // A number alone names a model too; a request that names none is not asked for one.
        Assert.Equal(VerdictCode.ModelRefused, gate.CheckFor(6, named: false));
        Assert.Equal(VerdictCode.Allowed, gate.CheckFor(0, named: false));
        gate.Bind(null);
        Assert.Equal(VerdictCode.Allowed, gate.CheckFor(6));
    }

    [Fact]
    public void A_list_of_models_without_numbers_lets_none_through()
    {
        var gate = new Gate();
        foreach (ushort[] none in (ushort[][])[[], [0]])
        {
            gate.Bind(none);
            Assert.Equal(VerdictCode.ModelRefused, gate.CheckFor(0));
            Assert.Equal(VerdictCode.ModelRefused, gate.CheckFor(1));
            Assert.Equal(VerdictCode.Allowed, gate.CheckFor(0, named: false));
        }
    }

    [Fact]
    public void What_permission_is_lacking_is_told_ahead_of_the_model_and_the_model_ahead_of_limits()
    {
        var gate = new Gate();
        gate.Bind(7);
        Assert.Equal(VerdictCode.ScopeMissing, gate.CheckFor(6, requirement: new Requirement(0b0010, 0b01)));
        Assert.Equal(VerdictCode.ModelRefused, gate.CheckFor(6, requirement: new Requirement(0b0001, 0b01)));
        var own = new KeyProfile { Grants = Make.ReadWrite, Models = [7] };
        using var metered = new MeteredGate([MeteredGate.Limit("rpm", LimitCounts.Requests, 60)], [1], profile: own);
        Assert.Equal(VerdictCode.ModelRefused, metered.Take(model: 6).Code);
        Assert.Equal(VerdictCode.Allowed, metered.Take(model: 7).Code);
        Assert.Equal(VerdictCode.RateLimited, metered.Take(model: 7).Code);
        Assert.Equal(VerdictCode.ModelRefused, metered.Take(model: 6).Code);
        Assert.Equal([(23, 6), (0, 7), (18, 7), (23, 6)], metered.Events.Select(e => ((int)e.Code, (int)e.Model)));
    }

    [Fact]
    public void Profiles_that_differ_in_their_models_alone_are_kept_apart_and_equal_ones_once()
    {
        KeyProfile[] profiles = [.. ((ushort[]?[])[null, [], [1], [2], [1, 2], [2, 1]])
            .Select(models => new KeyProfile { Grants = Make.ReadWrite, Models = models })];
        Assert.All(profiles, profile => Assert.Single(profiles, profile.Equals));
        var again = new KeyProfile { Grants = Make.ReadWrite, Models = [1, 2] };
        Assert.Equal(profiles[4], again);
        Assert.Equal(profiles[4].GetHashCode(), again.GetHashCode());
    }

    [Fact]
    public void An_unknown_route_refuses_a_good_key_and_a_bad_key_is_refused_for_being_bad()
    {
        var gate = new Gate();
        Assert.Equal(VerdictCode.RouteUnknown, Check());
        gate.Change(entry => entry with { State = KeyState.Revoked });
        Assert.Equal(VerdictCode.KeyRevoked, Check());

        VerdictCode Check() => gate.Keeper.Check(new CheckRequest { Secret = gate.Secret, IsRouteUnknown = true, NowMs = Gate.NowMs }).Code;
    }

    /// <summary>Every cause at once, taken away one by one from the first: each time the next in the enum's order is told.</summary>
    [Fact]
    public void The_first_cause_in_the_documented_order_is_the_one_that_is_told()
    {
        var gate = new Gate();
        Assert.True(AddressRule.TryParse(["10.0.0.0/8"], out AddressRule? rule, out _));
        gate.PutProject(2, ProjectState.Suspended);
        gate.Change(entry => entry with
        {
            State = KeyState.Deleted | KeyState.Revoked | KeyState.HeldByPerson,
            EndsAtMs = 10,
            ExpiresAtMs = 20,
            Addresses = rule,
        });
        var seen = new List<VerdictCode> { Check(40) };
        gate.Change(entry => entry with { State = entry.State & ~KeyState.Deleted });
        seen.Add(Check(40));
        gate.Change(entry => entry with { State = entry.State & ~KeyState.Revoked });
        seen.Add(Check(40));
        gate.Change(entry => entry with { EndsAtMs = long.MaxValue });
        seen.Add(Check(40));
        gate.Change(entry => entry with { ExpiresAtMs = long.MaxValue });
        seen.Add(Check(40));
        gate.Change(entry => entry with { State = KeyState.Active });
        seen.Add(Check(40));
        gate.PutProject(3, ProjectState.Active);
        seen.Add(Check(40));
        gate.Change(entry => entry with { Addresses = null });
        seen.Add(Check(40));
        Assert.Equal(
            [
                VerdictCode.KeyDeleted, VerdictCode.KeyRevoked, VerdictCode.KeyRetired, VerdictCode.KeyExpired, VerdictCode.KeyDisabled,
                VerdictCode.OrganizationSuspended, VerdictCode.AddressRefused, VerdictCode.ProjectMismatch,
            ],
            seen);
        Assert.Equal(seen.Order(), seen);

        VerdictCode Check(long nowMs) => gate.Keeper.Check(new CheckRequest
        {
            Secret = gate.Secret,
            ProjectId = "prj_other"u8,
            Requirement = new Requirement(0b1000, 0b100),
            NowMs = nowMs,
        }).Code;
    }

    [Fact]
    public void Unknown_revoked_deleted_held_expired_and_suspended_keys_cost_the_same_look_ups()
    {
        var gate = new Gate();
        byte[] unknown = Encoding.ASCII.GetBytes(gate.Keeper.Format.Mint(0));
        gate.Keeper.Keys.EndLoadUnknown(gate.Keeper.Keys.BeginLoad(), KeyHash.Of(unknown));
        var work = new List<(int, int)> { WorkOf(unknown, VerdictCode.KeyUnknown) };
        gate.Change(entry => entry with { State = KeyState.HeldByPerson });
        work.Add(WorkOf(gate.Secret, VerdictCode.KeyDisabled));
        gate.Change(entry => entry with { State = KeyState.Active, ExpiresAtMs = 1 });
        work.Add(WorkOf(gate.Secret, VerdictCode.KeyExpired));
        gate.Change(entry => entry with { State = KeyState.Revoked });
        work.Add(WorkOf(gate.Secret, VerdictCode.KeyRevoked));
        gate.Change(entry => entry with { State = KeyState.Deleted });
        work.Add(WorkOf(gate.Secret, VerdictCode.KeyDeleted));
        gate.Change(entry => entry with { State = KeyState.Active, ExpiresAtMs = long.MaxValue });
        gate.PutProject(2, ProjectState.Suspended);
        work.Add(WorkOf(gate.Secret, VerdictCode.OrganizationSuspended));
        Assert.All(work, each => Assert.Equal((1, 1), each));

        (int, int) WorkOf(byte[] secret, VerdictCode code)
        {
            (int finds, int unknowns) = (gate.Lookups.Finds, gate.Lookups.Unknowns);
            Assert.Equal(code, gate.Keeper.Check(new CheckRequest { Secret = secret, NowMs = Gate.NowMs }).Code);
            return (gate.Lookups.Finds - finds, gate.Lookups.Unknowns - unknowns);
        }
    }
}
