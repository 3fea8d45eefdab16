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
            var source = await gate.Send("GET", $"/docs/errors/{code.Code}.md", key: null);

            Assert.Equal((HttpStatusCode.OK, "text/html; charset=utf-8"), (page.Status, page.Headers["Content-Type"]));
            Assert.Contains($"<h1>{code.Code}</h1>", page.Text, StringComparison.Ordinal);
            Assert.Equal((HttpStatusCode.OK, "text/markdown; charset=utf-8"), (source.Status, source.Headers["Content-Type"]));
            Assert.StartsWith($"# {code.Code}\n", source.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_type_of_a_real_problem_is_the_path_of_its_page()
    {
        await using var gate = await RunningGate.Start("default");
        var refused = await gate.Send("GET", "/api/v1/organizations", key: null);

        var page = await gate.Send("GET", refused.String("type"), key: null);

        Assert.Contains($"<h1>{refused.String("code")}</h1>", page.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/docs/errors/no_such_code", 404)]
    [InlineData("/docs/errors/not_found.html", 404)]
    [InlineData("/docs/errors/not_found.md.md", 404)]
    [InlineData("/docs/errors/README", 404)]
    [InlineData("/docs/decisions/0001-one-sql-text", 404)]
    [InlineData("/docs/decisions/0001-one-sql-text.md", 404)]
    [InlineData("/docs/errors/..%2F..%2Fproviders%2Fdefault.yaml", 400)]
    [InlineData("/docs/../providers/default.yaml", 404)]
    public async Task Nothing_else_is_served(string path, int status)
    {
        await using var gate = await RunningGate.Start("default");

        var answer = await gate.Send("GET", path, key: null);

        Assert.Equal(status, (int)answer.Status);
    }
}
