using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Usage;

namespace Tollgate.Engine.Verification;

/// <summary>One request on its way through step 5: who pays, what bounds it, and where the answer goes.</summary>
internal readonly ref struct Intake(ProjectEntry project, ref TakenAmounts taken, ref Verdict verdict)
{
    public readonly ref TakenAmounts Taken = ref taken;

    public readonly ref Verdict Verdict = ref verdict;

    public ProjectEntry Project { get; } = project;

    /// <summary>Makes an empty place the reservation of this request.</summary>
    public void Fill(ref Reservation open, in CheckRequest request, long clockMs, int lasting)
    {
        open.RequestNo = request.RequestNo;
        open.KeyNo = Verdict.KeyNo;
        open.OrganizationNo = (uint)Project.OrganizationNo;
        (open.AdmittedAtMs, open.TouchedMs, open.ClockMs) = (request.NowMs, clockMs, clockMs);
        (open.Model, open.PriceVersion) = (request.Model, request.PriceVersion);
        (open.InputTokens, open.OutputTokens) = ((uint)request.InputTokens, (uint)request.OutputTokens);
        open.MarkedInputTokens = open.InputTokens;
        (open.Held, open.Balance) = (Verdict.Held, Project.Balance);
        int limits = Taken.Bits;
        (open.Limits, open.LastingLimits) = ((ushort)limits, (ushort)(limits & lasting));
        for (int i = 0; i < Taken.Count; i++)
        {
            open.Booked.Add(Taken[i].Limit, Taken[i].Amount);
        }
    }
}
