using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Hosting;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Tests.Telemetry;

/// <summary>The metrics and the front each know which paths are ours: they must know the same.</summary>
public sealed partial class RequestClassTests
{
    /// <summary>Paths without an endpoint, and some that only begin like ours.</summary>
    private static readonly string[] Others =
    [
        MetricsPage.Path, AuthorizeDoor.Path, AuthorizeDoor.Path + "/v1/models", AuthorizeDoor.Path + "d", VerifyEndpoints.Path + "/",
        VerifyEndpoints.Path + "d", "/", "/api", "/api/", "/apis", "/api/v2/x", "/docs", "/docs/", "/docsx", "/docs.md", "/llms.txt",
        "/llms.txt/", "/healthz/", "/readyzz",
        "/metrics/", "/mail/", "/mails", "/openapi.json", "/openapi.yaml", "/openapi.yml", "/v1/models", "/API/v1/verify",
        "/sign-in/", "/sign-in/once", "/sign-in/once/x", "/sign-ins", "/verify/x", "/account",
        "/account/", "/accounts", "/assets", "/Sign-In",
    ];

    [Fact]
    public async Task A_path_is_counted_as_the_providers_exactly_when_the_front_takes_it_for_the_providers()
    {
        await using var gate = await RunningGate.Start("default");
        // The root is the provider's, but for who is signed in: a path alone does not tell.
        var mapped = gate.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(endpoint => Parameter().Replace("/" + endpoint.RoutePattern.RawText!.TrimStart('/'), "x")).Distinct()
            .Where(path => path != "/").ToList();

        Assert.True(mapped.Count > 20);
        Assert.All(mapped, path => Assert.True(Front.IsOurs(path), path));
        Assert.All(mapped.Concat(Others), path =>
        {
            var kind = RequestMeter.ClassOf(path);
            Assert.Equal((path, Front.IsOurs(path) || AuthorizeDoor.IsAt(path)), (path, kind != RequestClass.Provider));
            Assert.Equal((path, AuthorizeDoor.IsAt(path)), (path, kind == RequestClass.Authorize));
            Assert.Equal(
                (path, path == VerifyEndpoints.Path || path.StartsWith(VerifyEndpoints.Path + "/", StringComparison.Ordinal)),
                (path, kind == RequestClass.Verify));
        });
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
