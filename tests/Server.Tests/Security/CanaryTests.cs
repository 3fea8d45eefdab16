using System.Net;
using System.Text;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Tests.Telemetry;

namespace Tollgate.Server.Tests.Security;

/// <summary>
/// Keys sent everywhere a careless client may put them come out nowhere: not in the log, the audit, metrics, traces or an answer.
/// </summary>
public sealed class CanaryTests
{
    [Theory]
    [InlineData("default")]
    [InlineData("tensorone")]
    public async Task Keys_sent_through_every_route_in_every_place_are_in_no_log_audit_row_metric_span_or_answer(string provider)
    {
        await using var collector = await Collector.Start();
        await using var gate = await RunningGate.Start(provider, new GateOptions
        {
            LogLevel = "trace", OtlpEndpoint = collector.Address, OtlpTraces = 1, OtlpIntervalSeconds = 1, OtlpHttpMetrics = "on",
        });
        var log = LogCapture.Of(gate);
        var model = gate.Services.GetRequiredService<ProviderModel>();
        var (id, good) = await gate.NewPair("\"name\":\"Canary\",\"rights\":[\"keys:manage\",\"keys:read\",\"verify\",\"audit:read\"]");
        var unknown = model.Keys.Format.Mint(0);
        string[] canaries = [good, unknown, unknown[..^1] + (unknown[^1] == 'a' ? 'b' : 'a'), new string('q', 300) + unknown];
        var answers = new StringBuilder();
        var sent = 0;
        foreach (var (method, path) in Places(gate, model))
        {
            foreach (var canary in canaries)
            {
                foreach (var request in Requests(method, path, id, canary, good))
                {
                    using (request)
                    {
                        using var response = await gate.Http.SendAsync(request);
                        Assert.True((int)response.StatusCode < 500, $"{method} {request.RequestUri}: {response.StatusCode}");
                        answers.Append(response.Headers).Append(await response.Content.ReadAsStringAsync()).Append('\n');
                        sent++;
                    }
                }
            }
        }

        Assert.True(sent > 500, $"only {sent} requests");
        var metrics = (await gate.Send("GET", "/metrics", RunningGate.RootKey)).Has(HttpStatusCode.OK).Text;
        await collector.Until(got => got.Spans.Count() > 200 && Collector.Names(got.Metrics, 1).Contains("http.server.request.duration"));
        foreach (var canary in new[] { good, unknown })
        {
            // Masks show the first and the last few characters; the rest is nobody's.
            var hidden = canary[model.Keys.MaskHead..^model.Keys.MaskTail];
            Assert.DoesNotContain(log.Lines, line => line.Contains(hidden[..12], StringComparison.Ordinal));
            Assert.DoesNotContain(log.Lines, line => line.Contains(hidden[^12..], StringComparison.Ordinal));
            Assert.DoesNotContain(log.Written, line => line.Contains(hidden[..12], StringComparison.Ordinal));
            Assert.DoesNotContain(log.Written, line => line.Contains(hidden[^12..], StringComparison.Ordinal));
            Assert.DoesNotContain(hidden[..12], metrics + collector.Bytes, StringComparison.Ordinal);
            Assert.DoesNotContain(hidden[^12..], metrics + collector.Bytes, StringComparison.Ordinal);
            Assert.DoesNotContain(hidden, answers.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain(hidden[^12..], await Audit(gate), StringComparison.Ordinal);
        }

        Assert.Contains(log.Lines, line => line.Contains("A key was sent in a URL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_key_that_is_logged_all_the_same_is_not_written_whatever_it_stands_in()
    {
        await using var gate = await RunningGate.Start("default", logLevel: "trace");
        var log = LogCapture.Of(gate);
        var key = gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);
        var logger = gate.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Careless");
        foreach (var secret in new[] { key, key[..^1], RunningGate.RootKey, "tollgate_root_" + new string('7', 43) })
        {
            var nested = new InvalidOperationException($"outer {secret}", new FormatException($"inner /x?k={secret}"));
#pragma warning disable CA1848, CA2254, CA1873 // what a careless hand would write
            logger.LogWarning(nested, $"Read {{Key}} from {{Url}}; {secret}", secret, $"https://x/?key={Uri.EscapeDataString(secret)}");
            logger.LogInformation("{Body}", $"{{\"key\":\"{secret}\"}}");
#pragma warning restore CA1848, CA2254, CA1873
            Assert.Equal(2, log.Lines.Count(line => line.Contains(secret[14..26], StringComparison.Ordinal)));
            Assert.DoesNotContain(log.Written, line => line.Contains(secret[14..26], StringComparison.Ordinal));
            Assert.DoesNotContain(log.Written, line => line.Contains(secret[^16..^5], StringComparison.Ordinal));
            log.Lines.Clear();
        }

        Assert.Equal(8, log.Written.Count(line => line.Contains("Careless", StringComparison.Ordinal)));
        var told = Exposition.Parse((await gate.Send("GET", "/metrics", RunningGate.RootKey)).Text);
        Assert.True(told.Value("tollgate_log_redactions_total") >= 8);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task The_output_of_the_program_holds_no_key_in_either_format(string format)
    {
        var folder = Directory.CreateTempSubdirectory("tollgate-canary-");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "tollgate.yaml"), $"log_level: trace\nlog_format: {format}\n");
        var key = ProviderFiles.Shipped.Load("default").Model!.Keys.Format.Mint(0);
        await using (var gate = await ServedGate.Start(folder.FullName, rootKey: RunningGate.RootKey))
        {
            using var http = new HttpClient { BaseAddress = new Uri(gate.Address) };
            http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {key}");
            foreach (var path in new[] { $"/v1/models?key={key}", $"/v1/models/{key}", $"/api/v1/keys/{key}", "/api/v1/projects" })
            {
                Assert.InRange((int)(await http.GetAsync(path)).StatusCode, 400, 499);
            }

            await RawCall.Send(gate.Address, $"GET /{key} HTTP/1.1\r\nHost: {key}\r\n{key}\r\n\r\n");
            while (!gate.Said.Contains("A key was sent in a URL", StringComparison.Ordinal))
            {
                await Task.Delay(20);
            }

            Assert.Equal(format == "json", gate.Said.Contains("{\"time\":\"", StringComparison.Ordinal));
            Assert.DoesNotContain(key[10..22], gate.Said, StringComparison.Ordinal);
            Assert.DoesNotContain(RunningGate.RootKey, gate.Said, StringComparison.Ordinal);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_fault_behind_a_request_is_logged_without_the_key_that_made_it()
    {
        var gate = await RunningGate.Start("default", logLevel: "trace");
        var log = LogCapture.Of(gate);
        var secret = gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);
        await gate.Database.DisposeAsync();
        var answers = new[]
        {
            await gate.Send("GET", "/v1/models", secret),
            await gate.Send("GET", $"/api/v1/projects/{gate.ProjectId}", secret),
            await gate.Verify(secret),
            await gate.Create($"\"name\":\"{secret}\""),
        };
        Assert.All(answers, answer => Assert.InRange((int)answer.Status, 500, 503));
        Assert.All(answers, answer => Assert.DoesNotContain("Exception", answer.Text, StringComparison.Ordinal));
        Assert.All(answers, answer => Assert.DoesNotContain(secret, answer.Text, StringComparison.Ordinal));
        Assert.Contains(log.Lines, line => line.Contains("Exception", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Contains(secret[10..22], StringComparison.Ordinal));
        Assert.DoesNotContain(log.Written, line => line.Contains(secret[10..22], StringComparison.Ordinal));
        await gate.DisposeAsync();
    }

    [Fact]
    public async Task A_secret_is_in_the_answer_that_makes_it_and_in_no_other()
    {
        await using var gate = await RunningGate.Start("default");
        var manager = await gate.NewSecret("\"name\":\"Manager\",\"rights\":[\"keys:manage\",\"keys:read\",\"audit:read\",\"verify\"]");
        var made = (await gate.Create("\"name\":\"Once\"")).Has(HttpStatusCode.Created);
        var (id, secret) = (made.String("id"), made.String("secret"));
        Assert.Equal("no-store", made.Headers["Cache-Control"]);
        foreach (var caller in new[] { RunningGate.RootKey, manager, secret })
        {
            foreach (var path in new[]
            {
                $"/api/v1/keys/{id}", $"/api/v1/projects/{gate.ProjectId}/keys", $"/api/v1/projects/{gate.ProjectId}", "/api/v1/audit",
                "/v1/me", "/v1/api-keys", $"/v1/api-keys/{id}", "/v1/models", "/openapi.json",
            })
            {
                var answer = await gate.Send("GET", path, caller);
                Assert.DoesNotContain(secret[10..^4], answer.Text, StringComparison.Ordinal);
            }

            (await gate.Act(id, "reveal", null, caller)).Has(HttpStatusCode.Forbidden, "not_revealable");
            Assert.DoesNotContain(secret[10..^4], (await gate.Act(id, "disable", null, caller)).Text, StringComparison.Ordinal);
            await gate.Act(id, "enable");
        }
    }

    private static IEnumerable<(string Method, string Path)> Places(RunningGate gate, ProviderModel model)
    {
        foreach (var endpoint in gate.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            var method = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods[0] ?? "GET";
            if (endpoint.RoutePattern.RawText!.StartsWith("/api/", StringComparison.Ordinal) && method != "DELETE")
            {
                yield return (method, endpoint.RoutePattern.RawText);
            }
        }

        foreach (var route in model.Surface.Routes.Where(route => route.Method != Engine.Permissions.Methods.Delete))
        {
            yield return (route.Method.ToString().ToUpperInvariant(), route.Pattern.Text);
        }

        foreach (var route in model.Routes.Routes.Take(8))
        {
            yield return ("POST", route.Pattern.Text.Replace("**", "x", StringComparison.Ordinal));
            yield return ("GET", route.Pattern.Text.Replace("**", "x", StringComparison.Ordinal));
        }
    }

    private static IEnumerable<HttpRequestMessage> Requests(string method, string path, string id, string canary, string good)
    {
        // An id that is none, so that nothing is changed and the canary stays a good key to the end.
        var plain = path.Replace("{id}", id[..^1] + "_", StringComparison.Ordinal).Replace("{model}", "m", StringComparison.Ordinal);
        yield return New(plain, canary, null);
        if (canary.Length < 256)
        {
            // What is longer than any key can be is not looked for in a URL.
            yield return New($"{plain}?key={canary}", good, null);
            yield return New($"{plain}?x=%22{canary}%22", RunningGate.RootKey, null);
            yield return New(path.Contains('{', StringComparison.Ordinal) ? With(path, canary) : $"{plain}/{canary}", good, null);
        }

        if (method is not "GET")
        {
            yield return New(plain, RunningGate.RootKey, $"{{\"key\":\"{canary}\"");
            yield return New(plain, RunningGate.RootKey, $"{{\"{canary}\":1}}");
            yield return New(plain, RunningGate.RootKey, $"{{\"name\":[\"{canary}\"],\"key\":[\"{canary}\"],\"checks\":[\"{canary}\"]}}");
            yield return New(plain, RunningGate.RootKey, $"{{\"expires_at\":\"{canary}\",\"requires\":\"{canary}\",\"key\":\"x\"}}");
            yield return New(plain, RunningGate.RootKey, $"{{\"scopes\":[\"{canary}\"],\"name\":\"x\"}}");
            yield return New(plain, RunningGate.RootKey, $"{canary}");
            yield return New(plain, RunningGate.RootKey, $"{{\"key\":\"{canary}\"}}");
        }

        HttpRequestMessage New(string target, string key, string? body)
        {
            var request = new HttpRequestMessage(new HttpMethod(method), target);
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
            request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
            return request;
        }
    }

    private static string With(string path, string canary) =>
        path.Replace("{id}", canary, StringComparison.Ordinal).Replace("{model}", canary, StringComparison.Ordinal);

    private static async Task<string> Audit(RunningGate gate)
    {
        var text = new StringBuilder();
        string? cursor = null;
        do
        {
            var page = await gate.Send("GET", $"/api/v1/audit?limit=100{(cursor is null ? "" : $"&cursor={cursor}")}", RunningGate.RootKey);
            text.Append(page.Has(HttpStatusCode.OK).Text);
            cursor = page.Json.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        return text.ToString();
    }
}
