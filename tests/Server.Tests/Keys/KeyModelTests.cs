using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Keys;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Keys.Import;
using Tollgate.Server.Tests.Operating;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Tests.Keys;

/// <summary>Keys that may be used for some models only.</summary>
public sealed class KeyModelTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_key_keeps_its_models_in_order_through_changes_and_a_restart_and_the_check_holds_it_to_them(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres, more: "");
        string id, secret;
        await using (var gate = await provider.Start())
        {
            var made = (await gate.Create("\"name\":\"Some\",\"models\":[\"b/large:free\",\"a\"]")).Has(HttpStatusCode.Created);
            (id, secret) = (made.String("id"), made.String("secret"));
            Assert.Equal("[\"b/large:free\",\"a\"]", Models(made));
            Assert.Equal(["allowed", "allowed", "model_refused"], await Codes(gate, secret, "a", "b/large:free", "A"));
            Assert.Equal("[\"b/large:free\",\"a\"]", Models(await gate.Send("GET", $"/api/v1/keys/{id}", RunningGate.RootKey)));
            var listed = await gate.Send("GET", $"/api/v1/projects/{gate.ProjectId}/keys", RunningGate.RootKey);
            Assert.Contains("\"models\":[\"b/large:free\",\"a\"]", listed.Text, StringComparison.Ordinal);

            // The list is replaced whole; what is not mentioned stays.
            Assert.Equal("[\"c\",\"a\"]", Models(await Patch(gate, id, "{\"models\":[\"c\",\"a\"]}")));
            Assert.Equal("[\"c\",\"a\"]", Models(await Patch(gate, id, "{\"name\":\"Renamed\"}")));
            Assert.Equal("[\"c\",\"a\"]", Models(await gate.Act(id, "rotate", "{\"grace_seconds\":600}")));
            Assert.Equal(["model_refused", "allowed", "allowed"], await Codes(gate, secret, "b/large:free", "c", "a"));
            var audit = (await gate.Send("GET", $"/api/v1/audit?target_id={id}&action=key.change", RunningGate.RootKey))
                .Json.GetProperty("data").EnumerateArray().Last();
            Assert.Equal("[\"b/large:free\",\"a\"]", audit.GetProperty("before").GetProperty("models").GetRawText());
            Assert.Equal("[\"c\",\"a\"]", audit.GetProperty("after").GetProperty("models").GetRawText());
        }

        await using (var gate = await provider.Start())
        {
            Assert.Equal(["model_refused", "allowed", "allowed"], await Codes(gate, secret, "b/large:free", "c", "a"));
            Assert.Equal("null", Models(await Patch(gate, id, "{\"models\":null}")));
            Assert.Equal(["allowed", "allowed"], await Codes(gate, secret, "b/large:free", "never heard of"));
        }
    }

    [Theory]
    [InlineData("[]", "/models", "at least one model")]
    [InlineData("[\"a\",\"\"]", "/models/1", "1 to 200 characters")]
    [InlineData("[null]", "/models/0", "1 to 200 characters")]
    [InlineData("[\"a\",\"b\",\"a\"]", "/models/2", "named twice")]
    [InlineData("[\"a\\tb\"]", "/models/0", "control characters")]
    [InlineData("[7]", "/models/0", "a string")]
    [InlineData("\"a\"", "/models", "an array")]
    [InlineData("{}", "/models", "an array")]
    public async Task What_is_no_list_of_models_is_refused_and_nothing_is_stored(string models, string pointer, string expected)
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres, more: "");
        await using var gate = await provider.Start();
        var (id, _) = await gate.NewPair("\"name\":\"Some\",\"models\":[\"a\"]");
        await Refused(gate, id, models, pointer, expected);
    }

    [Fact]
    public async Task A_hundred_models_of_two_hundred_characters_are_taken_and_one_more_of_either_is_not()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres, more: "");
        await using var gate = await provider.Start();
        string[] names = [.. Enumerable.Range(0, KeyModels.Max).Select(i => $"{i}".PadRight(KeyModels.NameCharsMax, 'é'))];
        var (id, secret) = await gate.NewPair($"\"name\":\"Many\",\"models\":{List(names)}");
        Assert.Equal(["allowed", "allowed", "model_refused"], await Codes(gate, secret, names[0], names[^1], "a"));
        var told = (await gate.Verify(secret)).Json.GetProperty("key").GetProperty("models");
        Assert.Equal(names, told.EnumerateArray().Select(name => name.GetString()));

        await Refused(gate, id, List([.. names, "a"]), "/models", "at most 100");
        await Refused(gate, id, List(names[0] + "x"), "/models/0", "1 to 200 characters");
    }

    [Fact]
    public async Task Where_requests_are_paid_for_only_what_is_offered_can_be_named()
    {
        await using var gate = await RunningGate.Start("tensorx");
        var (id, secret) = await gate.NewPair("\"name\":\"Some\",\"models\":[\"qwen3-235b\"]");
        await Refused(gate, id, "[\"gpt-17\"]", "/models/0", "is not offered");
        await Refused(gate, id, "[\"qwen3-235b\",\"QWEN3-235b\"]", "/models/1", "is not offered");
        const string Tokens = ",\"tokens\":{\"input\":1,\"max_output\":1}";
        Assert.Equal("allowed", await gate.CodeOf(secret, $",\"model\":\"qwen3-235b\"{Tokens}"));
    }

    [Fact]
    public async Task Null_on_creation_is_every_model()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres, more: "");
        await using var gate = await provider.Start();
        var made = (await gate.Create("\"name\":\"All\",\"models\":null")).Has(HttpStatusCode.Created);
        Assert.Equal("null", Models(made));
        Assert.Equal(["allowed"], await Codes(gate, made.String("secret"), "any"));
        Assert.False((await gate.Verify(made.String("secret"))).Json.GetProperty("key").TryGetProperty("models", out _));
    }

    [Fact]
    public async Task A_key_makes_and_renews_none_for_a_model_it_may_not_use_and_widens_none()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres, more: "");
        await using var gate = await provider.Start();
        var (self, manager) = await gate.NewPair("\"name\":\"Manager\",\"rights\":[\"keys:manage\"],\"models\":[\"a\",\"b\"]");
        var (wide, _) = await gate.NewPair("\"name\":\"Wide\",\"models\":[\"a\",\"c\"]");
        var (free, _) = await gate.NewPair("\"name\":\"Free\"");
        var rows = await gate.Rows();
        foreach (var models in new[] { "[\"c\"]", "[\"a\",\"b\",\"c\"]", "[\"A\"]", "null" })
        {
            var refused = (await gate.Create($"\"name\":\"No\",\"models\":{models}", manager))
                .Has(HttpStatusCode.Forbidden, "wider_than_caller");
            Assert.Contains("bound to models", refused.String("detail"), StringComparison.Ordinal);
            (await Patch(gate, self, $"{{\"models\":{models}}}", manager)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        }

        (await gate.Create("\"name\":\"No\"", manager)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        foreach (var id in new[] { wide, free })
        {
            (await gate.Act(id, "regenerate", null, manager)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
        }

        Assert.Equal(rows, await gate.Rows());
        (await gate.Create("\"name\":\"Yes\",\"models\":[\"b\"]", manager)).Has(HttpStatusCode.Created);
        (await gate.Create("\"name\":\"Yes\",\"models\":[\"b\",\"a\"]", manager)).Has(HttpStatusCode.Created);
        Assert.Equal("[\"b\"]", Models(await Patch(gate, self, "{\"models\":[\"b\"]}", manager)));
        (await Patch(gate, self, "{\"models\":[\"a\",\"b\"]}", manager)).Has(HttpStatusCode.Forbidden, "wider_than_caller");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_key_comes_in_with_its_models_and_a_row_that_names_none_is_refused_alone(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres, more: "");
        await using var gate = await provider.Start();
        string[] hashes = [.. Enumerable.Range(0, 4).Select(i => Imports.Hex($"secret {i}"))];
        JsonObject[] rows =
        [
            Imports.Hashed(hashes[0], "0", ("models", new JsonArray("b", "a"))),
            Imports.Hashed(hashes[1], "1", ("models", new JsonArray())),
            Imports.Hashed(hashes[2], "2", ("models", new JsonArray("a", "d"))), Imports.Hashed(hashes[3], "3"),
        ];
        await gate.Import(Imports.Text(rows), $"?project={gate.ProjectId}&dry_run=true");
        Assert.False(gate.Services.GetRequiredService<ModelNames>().TryFind("b", out _));

        var answer = await gate.Import(rows);

        Assert.Equal(["created", "validation_failed", "created", "created"], answer.Outcomes());
        Assert.Equal("/models", answer.Results()[1].GetProperty("error").GetProperty("errors")[0].GetProperty("pointer").GetString());
        Assert.Equal(
            ["[\"b\",\"a\"]", "[\"a\",\"d\"]", "null"],
            [await ModelsOf(gate, answer.IdOf(0)), await ModelsOf(gate, answer.IdOf(2)), await ModelsOf(gate, answer.IdOf(3))]);
        Assert.All(["a", "b", "d"], name => Assert.True(gate.Services.GetRequiredService<ModelNames>().TryFind(name, out _), name));
        Assert.Equal(["unchanged", "validation_failed", "unchanged", "unchanged"], (await gate.Import(rows)).Outcomes());
        rows[0]["models"] = new JsonArray("b");
        Assert.Equal(["external_id_taken"], (await gate.Import(rows[0])).Outcomes());
    }

    [Fact]
    public async Task A_model_that_can_have_no_number_is_refused_wherever_a_key_is_bound_to_it()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres, more: "");
        await using (var gate = await provider.Start())
        {
            var many = $"[{string.Join(',', Enumerable.Range(1, ModelNames.Max - 1))}]";
            Assert.Equal(ModelNames.Max - 1, (await gate.Database.Write<int>(async scope => await scope.Execute(
                "INSERT INTO models (model_no, name) SELECT value, 'model ' || value FROM json_each(@many)", new { many }))).Value);
            await gate.Write($"INSERT INTO counters (name, value) VALUES ('model', {ModelNames.Max - 1})");
        }

        await using var again = await provider.Start();
        var (id, secret) = await again.NewPair("\"name\":\"Last\",\"models\":[\"model 5\"]");
        await Refused(again, id, "[\"model 5\",\"a last one\",\"and another\"]", "/models/2", "as many models");
        // What was refused left no number behind, so one more can still be had.
        Assert.Equal("[\"a last one\"]", Models(await Patch(again, id, "{\"models\":[\"a last one\"]}")));
        await Refused(again, id, "[\"and another\"]", "/models/0", "as many models");
        Assert.Equal(["allowed", "model_refused"], await Codes(again, secret, "a last one", "and another"));
        JsonObject[] rows = [.. new[] { "and another", "and another", "a last one" }.Select(
            (name, i) => Imports.Hashed(Imports.Hex($"secret {i}"), $"{i}", ("models", new JsonArray(name))))];
        Assert.Equal(["validation_failed", "validation_failed", "created"], (await again.Import(rows)).Outcomes());
    }

    /// <summary>As it is, for escaped it would be too large for a body.</summary>
    private static string List(params string[] names) => $"[\"{string.Join("\",\"", names)}\"]";

    private static string Models(Answer answer) => answer.Json.GetProperty("models").GetRawText();

    private static async Task<string> ModelsOf(RunningGate gate, string id) =>
        Models(await gate.Send("GET", $"/api/v1/keys/{id}", RunningGate.RootKey));

    private static Task<Answer> Patch(RunningGate gate, string id, string body, string? key = null) =>
        gate.Send("PATCH", $"/api/v1/keys/{id}", key ?? RunningGate.RootKey, body);

    /// <summary>What the check says of each model, the key asked about none ahead of them, so that it is in memory.</summary>
    private static async Task<string[]> Codes(RunningGate gate, string secret, params string[] models)
    {
        Assert.Equal("allowed", await gate.CodeOf(secret));
        var codes = new string[models.Length];
        for (var i = 0; i < codes.Length; i++)
        {
            codes[i] = await gate.CodeOf(secret, $",\"model\":{JsonSerializer.Serialize(models[i])}");
        }

        return codes;
    }

    /// <summary>On creation and on a change alike, with nothing stored.</summary>
    private static async Task Refused(RunningGate gate, string id, string models, string pointer, string expected)
    {
        var rows = await gate.Rows();
        Answer[] answers =
        [
            await gate.Create($"\"name\":\"Refused\",\"models\":{models}"), await Patch(gate, id, $"{{\"models\":{models}}}"),
        ];
        foreach (var refused in answers)
        {
            refused.Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
            Assert.Equal(pointer, refused.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
            Assert.Contains(expected, refused.String("detail"), StringComparison.Ordinal);
        }

        Assert.Equal(rows, await gate.Rows());
    }
}
