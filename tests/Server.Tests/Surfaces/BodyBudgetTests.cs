using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Server.Problems;
using Tollgate.Server.Surfaces;

namespace Tollgate.Server.Tests.Surfaces;

public sealed class BodyBudgetTests
{
    [Fact]
    public async Task Bodies_that_are_held_have_a_bound_together_and_give_back_what_they_took()
    {
        var budget = new BodyBudget(250_000);
        var (first, firstEnd) = await Read(budget, 100_000);
        var (second, secondEnd) = await Read(budget, 140_000);
        Assert.Equal((100_000, 140_000, 240_000L), (first.Value.Length, second.Value.Length, budget.Held));
        Assert.Equal(60_000, (await Read(budget, 60_000)).Body.Value.Length);

        var (third, thirdEnd) = await Read(budget, 70_000);
        Assert.Equal(ProblemCode.Unavailable, third.Problem!.Code);
        thirdEnd();
        Assert.Equal(240_000, budget.Held);
        firstEnd();
        Assert.Equal(70_000, (await Read(budget, 70_000)).Body.Value.Length);
        secondEnd();
        Assert.Equal(70_000, budget.Held);
    }

    private static async Task<(Outcome<ReadOnlyMemory<byte>> Body, Action End)> Read(BodyBudget budget, int bytes)
    {
        var ends = new List<IDisposable>();
        var http = new DefaultHttpContext();
        http.Features.Set<IHttpResponseFeature>(new Ending(ends));
        http.Request.Body = new MemoryStream(Encoding.ASCII.GetBytes(new string('x', bytes)));
        return (await CallBody.Read(http, 1_000_000, budget), () => ends.ForEach(end => end.Dispose()));
    }

    private sealed class Ending(List<IDisposable> ends) : HttpResponseFeature
    {
        public override void OnCompleted(Func<object, Task> callback, object state)
        {
            if (state is IDisposable end)
            {
                ends.Add(end);
            }
        }
    }
}
