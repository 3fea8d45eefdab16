using System.Net;
using Tollgate.Server.Problems;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Docs;

public sealed class ErrorPageTests
{
    [Fact]
    public async Task The_type_of_every_problem_leads_to_its_page()
    {
        await using var gate = await RunningGate.Start("default");
        foreach (var code in ProblemCode.All)
        {
            var page = await gate.Send("GET", $"/docs/errors/{code.Code}", key: null);

            Assert.Equal((HttpStatusCode.OK, "text/markdown; charset=utf-8"), (page.Status, page.Headers["Content-Type"]));
            Assert.StartsWith($"# {code.Code}\n", page.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_type_of_a_real_problem_is_the_path_of_its_page()
    {
        await using var gate = await RunningGate.Start("default");
        var refused = await gate.Send("GET", "/api/v1/organizations", key: null);

        var page = await gate.Send("GET", refused.String("type"), key: null);

        Assert.StartsWith($"# {refused.String("code")}\n", page.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/docs/errors/no_such_code", 404)]
    [InlineData("/docs/errors/not_found.md", 404)]
    [InlineData("/docs/errors/README", 404)]
    [InlineData("/docs/errors/..%2F..%2Fproviders%2Fdefault.yaml", 400)]
    public async Task Nothing_else_is_served(string path, int status)
    {
        await using var gate = await RunningGate.Start("default");

        var answer = await gate.Send("GET", path, key: null);

        Assert.Equal(status, (int)answer.Status);
    }
}
