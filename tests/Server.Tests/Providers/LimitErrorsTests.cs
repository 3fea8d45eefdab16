using Tollgate.Engine.Limits;
using Tollgate.Server.Providers.Reading;

namespace Tollgate.Server.Tests.Providers;

/// <summary>
/// What is wrong with limits, plans, quotas, wallet, models and headers is said with its place, and nothing of it is taken.
/// </summary>
public sealed class LimitErrorsTests
{
    private const string Rpm = "limits: [{ name: rpm, counts: requests, per: 1m, amount: 60 }]\n";

    /// <summary>The file that is wrong begins with the text; all else in it is good.</summary>
    private static string Errors(string text) =>
        string.Join('\n', Given.Read(text + "\n" + Permissions).Errors).ReplaceLineEndings("\n");

    private static string Permissions { get; } = Given.Least
        .Replace("{ files: Files }", "{ files: Files, ai: AI, read: Readers }\n  actions: { read: [GET], write: [POST, DELETE] }",
            StringComparison.Ordinal)
        .Replace("- /v1/files/**: files", "- /v1/files/**: files\n    - /v1/ai: any key\n    - /v1/kb/**: files", StringComparison.Ordinal);

    [Theory]
    [InlineData(
        "limits: [{ name: rpm, counts: request, per: 1m, amount: 1 }]",
        "1:31: counts is one of requests, tokens, input_tokens, output_tokens, concurrent_requests, not \"request\"; "
        + "did you mean \"requests\"?")]
    [InlineData("limits: [{ counts: requests, per: 1m, amount: 1 }]", "1:10: \"name\" is missing")]
    [InlineData("limits: [{ name: rpm, counts: requests, amount: 1 }]", "1:10: \"per\" is missing: the window in which is counted")]
    [InlineData(
        "limits: [{ name: cc, counts: concurrent_requests, per: 1m, amount: 1 }]",
        "1:56: concurrent_requests are those under way at a time: per does not belong here")]
    [InlineData(
        "limits: [{ name: RPM, counts: requests, per: 1m, amount: 1 }]",
        "1:18: \"RPM\" is not a name: small letters, digits and _, at most 40, a letter first")]
    [InlineData(
        "limits:\n  - { name: a, counts: requests, per: 1m, amount: 1 }\n  - { name: a, counts: tokens, per: 1m, amount: 1 }",
        "3:13: \"a\" is the name of another limit or quota")]
    [InlineData("limits: { rpm: 60 }", "1:9: limits is a list, not a map")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: 0s, amount: 1 }]",
        "1:46: per is a time such as 1m, 1h or 24h, from 1s to 31d, not \"0s\"")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: 32d, amount: 1 }]",
        "1:46: per is a time such as 1m, 1h or 24h, from 1s to 31d, not \"32d\"")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: minute, amount: 1 }]",
        "1:46: per is a time such as 1m, 1h or 24h, from 1s to 31d, not \"minute\"")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: 1m, amount: -1 }]",
        "1:58: amount is a whole number from 1 to 1000000000, not \"-1\"")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: 1m, amount: 1.5 }]",
        "1:58: amount is a whole number from 1 to 1000000000, not \"1.5\"")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: 1m, amount: 0 }]",
        "1:58: amount is a whole number from 1 to 1000000000, not \"0\"")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: 1m, amount: 1000000001 }]",
        "1:58: amount is a whole number from 1 to 1000000000, not \"1000000001\"")]
    [InlineData("limits: [{ name: rpm, counts: requests, per: 1m }]", "1:10: \"amount\" is missing: there are no plans to say it")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: 1m, amount: 1, where: wrote }]",
        "1:68: \"wrote\" is no action and no scope; did you mean \"write\"?")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: 1m, amount: 1, where: [write, read] }]",
        "1:76: \"read\" is an action and a scope: a limit cannot tell which is meant")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: 1m, amount: 1, except: write }]",
        "1:69: except names scopes, and \"write\" is an action: name the other actions in where")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: 1m, amount: 1, except: a }]",
        "1:69: scope \"a\" is not declared; did you mean \"ai\"?")]
    [InlineData(
        "limits: [{ name: rpm, counts: requests, per: 1m, amount: 1, where: [write, ai], except: [files, ai] }]",
        "1:89: except takes away every scope of where: the limit would count nothing")]
    public void A_wrong_limit_is_told(string text, string expected) => Assert.Equal("p/acme.yaml:" + expected, Errors(text));

    [Theory]
    [InlineData("plans: { free: { rpm: -5 } }", "2:23: rpm is a whole number from 1 to 1000000000, or unlimited, not \"-5\"")]
    [InlineData("plans: { free: { rpm: 0 } }", "2:23: rpm is a whole number from 1 to 1000000000, or unlimited, not \"0\"")]
    [InlineData("plans: { free: { rpm: 2.5 } }", "2:23: rpm is a whole number from 1 to 1000000000, or unlimited, not \"2.5\"")]
    [InlineData("plans: { free: { rpm: \"5\" } }", "2:23: rpm is a whole number from 1 to 1000000000, or unlimited, not \"5\"")]
    [InlineData("plans: { free: { rpm: 9e9 } }", "2:23: rpm is a whole number from 1 to 1000000000, or unlimited, not \"9e9\"")]
    [InlineData(
        "plans: { free: { rpm: 1000000001 } }",
        "2:23: rpm is a whole number from 1 to 1000000000, or unlimited, not \"1000000001\"")]
    [InlineData(
        "plans: { free: { rpm: 99999999999999999999 } }",
        "2:23: rpm is a whole number from 1 to 1000000000, or unlimited, not \"99999999999999999999\"")]
    [InlineData("plans: { free: { rpn: 5 } }", "2:18: there is no limit and no quota \"rpn\"; did you mean \"rpm\"?")]
    [InlineData(
        "plans: { Free: {} }", "2:10: \"Free\" is not a name for a plan: small letters, digits, _ and -, at most 40, a letter first")]
    [InlineData("plans: {}", "2:8: a provider has 1 to 32 plans, not 0")]
    [InlineData("plans: { free: 60 }", "2:16: plan free: expected a map of fields, found \"60\"")]
    [InlineData("plans: [free]", "2:8: plans: expected a map of fields, found a list")]
    [InlineData("quotas: [{ name: rpm, amount: 1 }]", "2:18: \"rpm\" is the name of another limit or quota")]
    [InlineData("quotas: [{ name: kb }]", "2:10: \"amount\" is missing: there are no plans to say it")]
    [InlineData("quotas: [{ name: kb, amount: -1 }]", "2:30: amount is a whole number from 0 to 1000000000, not \"-1\"")]
    [InlineData(
        "quotas: [{ name: kb }]\nplans: { free: { rpm: 1 }, pro: { kb: -1 } }",
        "3:10: plan \"free\" says no amount of \"kb\", which has none of its own\n"
        + "p/acme.yaml:3:39: kb is a whole number from 0 to 1000000000, or unlimited, not \"-1\"")]
    [InlineData(
        "quotas: [{ name: kb, amount: 1, made_by: POST /v1/kb }]",
        "2:10: made_by and deleted_by belong together: counted one way only, a quota would be wrong for good")]
    [InlineData(
        "quotas: [{ name: kb, amount: 1, made_by: POST /v1/fils, deleted_by: \"DELETE /v1/kb/{}\" }]",
        "2:42: no route takes POST /v1/fils; did you mean \"/v1/files/**\"?")]
    [InlineData(
        "quotas: [{ name: kb, amount: 1, made_by: /v1/kb, deleted_by: \"DELETE /v1/kb/{}\" }]",
        "2:42: expected \"METHOD /path\", found \"/v1/kb\"")]
    [InlineData(
        "quotas: [{ name: kb, amount: 1, made_by: GET /v1/kb, deleted_by: DELETE /v1/kb/** }]",
        "2:42: a quota counts what a method changes, not GET\np/acme.yaml:2:66: a quota counts at one path: no **")]
    [InlineData(
        "quotas: [{ name: kb, amount: 1, made_by: POST /v1/kb, deleted_by: POST /v1/kb }]",
        "2:67: /v1/kb is the same as /v1/kb before it")]
    public void A_wrong_plan_or_quota_is_told(string text, string expected) =>
        Assert.Equal("p/acme.yaml:" + expected, Errors(Rpm + text));

    [Theory]
    [InlineData("key_operations: { amount: 0, per: 1h }", "1:27: amount is a whole number from 1 to 1000000, not \"0\"")]
    [InlineData("key_operations: { amount: 15 }", "1:17: \"per\" is missing")]
    [InlineData("key_operations: 15", "1:17: key operations: expected a map of fields, found \"15\"")]
    [InlineData("wallet: {}", "1:9: \"currency\" is missing")]
    [InlineData("wallet: { currency: dollar }", "1:21: \"dollar\" is not a currency as ISO 4217 writes it, such as USD")]
    [InlineData(
        "wallet: { currency: USD, disable_at: 0.05 }",
        "1:38: disable_at is an amount in quotes from \"0\" to \"1000000.00\" with at most 6 decimals, not \"0.05\": put it in quotes")]
    [InlineData(
        "wallet: { currency: USD, disable_at: \"-0.05\" }",
        "1:38: disable_at is an amount in quotes from \"0\" to \"1000000.00\" with at most 6 decimals, not \"-0.05\"")]
    [InlineData(
        "wallet: { currency: USD, to_create_above: \"0.0000001\" }",
        "1:43: to_create_above is an amount in quotes from \"0\" to \"1000000.00\" with at most 6 decimals, not \"0.0000001\"")]
    [InlineData(
        "wallet: { currency: USD, low_at: \"1000000.01\" }",
        "1:34: low_at is an amount in quotes from \"0\" to \"1000000.00\" with at most 6 decimals, not \"1000000.01\"")]
    [InlineData(
        "wallet: { currency: USD, low_at: [1] }",
        "1:34: low_at is an amount in quotes from \"0\" to \"1000000.00\" with at most 6 decimals, not a list")]
    [InlineData(
        "wallet: { currency: USD, low_at: \"1\", disable_at: \"2\" }",
        "1:34: low_at 1.00 is below disable_at 2.00: the owner would be told too late")]
    [InlineData("wallet: { currency: USD, top_up_url: pay }", "1:38: \"pay\" is not an http or https address")]
    [InlineData("wallet: { currency: USD, mode: step }", "1:32: mode is one of strict, extend, not \"step\"")]
    [InlineData(
        "wallet: { currency: USD, mode: extend, step_tokens: 0 }",
        "1:53: step_tokens is a whole number from 1 to 100000, not \"0\"")]
    [InlineData(
        "wallet: { currency: USD, mode: extend, step_tokens: 100001 }",
        "1:53: step_tokens is a whole number from 1 to 100000, not \"100001\"")]
    [InlineData(
        "wallet: { currency: USD, step_tokens: 9 }", "1:39: step_tokens is of mode extend: otherwise all is held at once")]
    [InlineData(
        "models: [{ id: a, cached_input: \"1\" }]", "1:33: cached_input is a price beside input and output")]
    [InlineData(
        "models: [{ id: a, reasoning: \"1\" }]", "1:30: reasoning is a price beside input and output")]
    [InlineData(
        "models: [{ id: a, input: \"1\", output: \"1\", reasoning: 1 }]",
        "1:55: reasoning is an amount in quotes from \"0\" to \"1000000.00\" with at most 6 decimals, not \"1\": put it in quotes")]
    [InlineData("models: [{ input: \"1\", output: \"1\" }]", "1:10: \"id\" is missing")]
    [InlineData("models: [a, { id: a }]", "1:19: \"a\" stands twice in models")]
    [InlineData("models: [{ id: a, input: \"1\" }]", "1:10: a model has a price for input and one for output, or none")]
    [InlineData(
        "models: [{ id: a, input: 1, output: \"-1\" }]",
        "1:26: input is an amount in quotes from \"0\" to \"1000000.00\" with at most 6 decimals, not \"1\": put it in quotes\n"
        + "p/acme.yaml:1:37: output is an amount in quotes from \"0\" to \"1000000.00\" with at most 6 decimals, not \"-1\"")]
    [InlineData(
        "models: [{ id: a, input: \"1000000.01\", output: \"1000000\" }]",
        "1:26: input is an amount in quotes from \"0\" to \"1000000.00\" with at most 6 decimals, not \"1000000.01\"")]
    [InlineData("models: [{ id: a, max_output: 10000001 }]", "1:31: max_output is a whole number from 1 to 10000000, not \"10000001\"")]
    [InlineData(
        "models: [{ id: a, default_output: 9, max_output: 8 }]", "1:35: default_output 9 is more than max_output 8")]
    [InlineData("models: [[a]]", "1:10: models is text of 1 to 200 characters, not a list")]
    public void A_wrong_wallet_price_or_key_operation_is_told(string text, string expected) =>
        Assert.Equal("p/acme.yaml:" + expected, Errors(text));

    [Theory]
    [InlineData("X R: $limit", "2:26: \"X R\" is not the name of a header: letters, digits, - and _, at most 64")]
    [InlineData("Retry-After: $limit", "2:26: \"Retry-After\" is a header that HTTP or the gate writes itself")]
    [InlineData("Content-Whatever: $limit", "2:26: \"Content-Whatever\" is a header that HTTP or the gate writes itself")]
    [InlineData("x-tollgate-key-id: $limit", "2:26: \"x-tollgate-key-id\" is a header that HTTP or the gate writes itself")]
    [InlineData("X-A: a, x-a: b", "2:34: \"x-a\" is written twice: headers are the same in any case")]
    [InlineData("X-A: \"ä\"", "2:31: a header is 1 to 120 characters of ASCII, without spaces around them, not \"ä\"")]
    [InlineData("X-A: \"a\\r\\nSet-Cookie: b\"", "2:31: a header is 1 to 120 characters of ASCII, without spaces around them, not "
        + "\"a\r\nSet-Cookie: b\"")]
    [InlineData("X-A: \" a\"", "2:31: a header is 1 to 120 characters of ASCII, without spaces around them, not \" a\"")]
    [InlineData("X-A: [a]", "2:31: a header is 1 to 120 characters of ASCII, without spaces around them, not a list")]
    [InlineData(
        "X-A: $remainin",
        "2:31: \"remainin\" is nothing that a limit tells: limit, remaining, reset_unix, reset_seconds, reset_duration, window_seconds, "
        + "name; did you mean \"remaining\"?")]
    [InlineData(
        "X-A: $token.limit",
        "2:31: \"$token.\" speaks of no limit: requests, tokens, input_tokens, output_tokens, concurrent_requests, limits.NAME; "
        + "did you mean \"tokens\"?")]
    [InlineData("X-A: $limits.rpn.limit", "2:31: there is no limit \"rpn\"; did you mean \"rpm\"?")]
    [InlineData("X-A: 5$", "2:31: \"$\" begins a placeholder; write \"$$\" for a dollar sign")]
    public void A_wrong_header_is_told(string header, string expected) => Assert.Equal(
        "p/acme.yaml:" + expected.ReplaceLineEndings("\n"), Errors(Rpm + "headers: { rate_limit: { " + header + " } }"));

    [Theory]
    [InlineData("headers: { Location: a }", "1:1: \"Location\" is a header that HTTP or the gate writes itself")]
    [InlineData("headers: { X-A: }", "X-A is 1 to 200 characters of ASCII, without spaces around them, not nothing")]
    [InlineData("headers: [X-A]", "headers: expected a map of fields, found a list")]
    public void A_wrong_header_of_an_error_is_told(string headers, string expected) => Assert.EndsWith(
        expected[(expected.IndexOf("1:1: ", StringComparison.Ordinal) is 0 ? 5 : 0)..],
        string.Join('\n', Given.Read(Given.Least + "\n  conflict: { body: 1, " + headers + " }").Errors),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("limits", "name: l#, counts: requests, per: 1m, amount: 1, where: [write], except: [ai]", LimitSection.LimitsMax)]
    [InlineData("quotas", "name: q#, amount: 1", QuotaSection.QuotasMax)]
    [InlineData("models", "id: m#", ModelSection.ModelsMax)]
    public void A_list_has_a_bound(string section, string item, int max)
    {
        string With(int count) => Errors(section + ":\n" + string.Concat(Enumerable.Range(0, count)
            .Select(i => $"  - {{ {item.Replace("#", $"{i}", StringComparison.Ordinal)} }}\n")));
        var over = $"p/acme.yaml:2:3: {section} has at most {max} entries, not {max + 1}";
        Assert.DoesNotContain("entries", With(max), StringComparison.Ordinal);
        Assert.Contains(over, With(max + 1), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1", "")]
    [InlineData("1000", "")]
    [InlineData("0", "p/acme.yaml:1:48: times is a whole number from 1 to 1000, not \"0\"")]
    [InlineData("1001", "p/acme.yaml:1:48: times is a whole number from 1 to 1000, not \"1001\"")]
    public void An_example_is_sent_once_to_a_thousand_times(string times, string expected) =>
        Assert.Equal(expected, Errors($"examples: [{{ name: x, send: GET /v1/ai, times: {times}, expect: {{ status: 200 }} }}]"));

    [Fact]
    public void Headers_and_plans_have_bounds()
    {
        static string Many(string form, int count) =>
            string.Join(", ", Enumerable.Range(0, count).Select(i => form.Replace("#", $"{i}", StringComparison.Ordinal)));

        Assert.Equal("", Errors("headers: { rate_limit: { " + Many("X-#: $limit", HeaderSection.HeadersMax) + " } }"));
        Assert.Equal(
            "p/acme.yaml:1:24: rate_limit has at most 16 headers, not 17",
            Errors("headers: { rate_limit: { " + Many("X-#: $limit", HeaderSection.HeadersMax + 1) + " } }"));
        Assert.Equal("", Errors("plans: { " + Many("p#: {}", PlanSection.PlansMax) + " }"));
        Assert.Equal(
            "p/acme.yaml:1:8: a provider has 1 to 32 plans, not 33", Errors("plans: { " + Many("p#: {}", PlanSection.PlansMax + 1) + " }"));
        Assert.Equal("", Errors("headers: { rate_limit: { X-A: " + new string('a', 120) + " } }"));
        Assert.Contains("1 to 120", Errors("headers: { rate_limit: { X-A: " + new string('a', 121) + " } }"), StringComparison.Ordinal);
    }

    [Fact]
    public void As_many_limits_count_a_request_as_a_verdict_can_tell_and_not_one_more()
    {
        static string Some(int count, string more) => string.Concat(Enumerable.Range(0, count)
            .Select(i => $"  - {{ name: l{count}{i}, counts: requests, per: 1m, amount: 1{more} }}\n"));

        Assert.Equal("", Errors("limits:\n" + Some(LimitStates.Max, "")));
        Assert.Equal(
            "p/acme.yaml:8:5: 7 limits count a request that needs files:read; at most 6 may count one",
            Errors("limits:\n" + Some(LimitStates.Max + 1, "")));
        // Seven in all, of which no request meets more than six.
        Assert.Equal("", Errors("limits:\n" + Some(5, ", where: write") + Some(1, ", where: ai")
            + "  - { name: other, counts: requests, per: 1m, amount: 1, where: files }"));
    }
}
