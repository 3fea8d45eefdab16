using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Keys.Import;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Keys.Import;

/// <summary>A bad row is refused with its reason and stores nothing; the good ones around it come in.</summary>
public sealed class RefusedRowTests(ImportGates gates) : IClassFixture<ImportGates>
{
    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_line_that_cannot_be_read_takes_no_other_with_it(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var good = Imports.Row().ToJsonString();
        byte[] latin = [.. "{\"external_id\":\""u8, 0xE9, .. "\"}"u8];
        byte[][] lines =
        [
            Encoding.UTF8.GetBytes(good), "{\"external_id\":\"x\","u8.ToArray(), latin, "[]"u8.ToArray(), "null"u8.ToArray(), [],
            "{\"external_id\":\"x\",\"external_id\":\"y\"}"u8.ToArray(), "{\"external_id\":\"x\",\"secrets\":1}"u8.ToArray(),
            "{\"external_id\":7}"u8.ToArray(), "{\"external_id\":\"\\u0000\"}"u8.ToArray(), "  "u8.ToArray(),
            Encoding.UTF8.GetBytes(Imports.Row().ToJsonString() + "\r"),
        ];

        var answer = await Send(gate, [.. lines.SelectMany(line => (byte[])[.. line, (byte)'\n'])]);

        Assert.Equal(
            [
                "created", "invalid_json", "invalid_json", "invalid_json", "invalid_json", "invalid_json", "validation_failed",
                "validation_failed", "validation_failed", "created",
            ],
            answer.Outcomes());
        Assert.Equal([1, 2, 3, 4, 5, 7, 8, 9, 10, 12], answer.Results().Select(row => row.GetProperty("line").GetInt32()));
        Assert.StartsWith("The line is not valid JSON at byte 19", answer.Detail(1), StringComparison.Ordinal);
        Assert.Equal("The line is not valid UTF-8.", answer.Detail(2));
        Assert.Equal("The member /external_id is given twice.", answer.Detail(5));
        Assert.Contains("secrets: is not a member of this call. Known are external_id,", answer.Detail(6), StringComparison.Ordinal);
    }

    public static TheoryData<string, string?> Faults => new()
    {
        { "external_id", null }, { "external_id", "" }, { "external_id", " " }, { "external_id", "a\tb" },
        { "external_id", new string('x', 201) }, { "name", null }, { "name", "" }, { "name", new string('x', 101) },
        { "environment", "nowhere" }, { "type", "nothing" }, { "description", new string('x', 501) }, { "secret", null }, { "secret", "" },
        { "secret", "sk-short" }, { "secret", "sk-with a space in the " }, { "secret", "sk-äbcdefghijklmnopqrstu" },
        { "secret", "pk-abcdefghijklmnopqrstuv" }, { "secret", "acme_live_" + new string('a', 40) },
        { "secret", new string('x', 1_000) }, { "created_at", "2999-01-01T00:00:00Z" }, { "created_at", "1969-12-31T23:59:59Z" },
        { "created_at", "yesterday" }, { "start", "sk-" }, { "end", "abcd" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_value_that_is_not_allowed_refuses_its_row_and_names_the_member(string member, string? value)
    {
        var gate = await gates.Sqlite();
        var before = await gate.Rows();

        var answer = await gate.Import(Imports.Row(null, null, (member, value)));

        Assert.Equal(["validation_failed"], answer.Outcomes());
        var errors = answer.Results()[0].GetProperty("error").GetProperty("errors").EnumerateArray();
        Assert.Equal(["/" + member], errors.Select(error => error.GetProperty("pointer").GetString()));
        Assert.Equal(before, await gate.Rows());
    }

    [Fact]
    public async Task A_hash_is_sixty_four_hexadecimal_digits_or_padded_base64()
    {
        var gate = await gates.Sqlite();
        var secret = Imports.Foreign();
        var (hex, base64) = (Imports.Hex(secret), Imports.Base64(secret));
        var loose = base64[..^2] + (char)(base64[^2] == 'z' ? 'y' : base64[^2] + 1) + "=";
        string[] broken = ["", hex[1..], hex + "0", new string('g', 64), base64[..^1], base64.Replace('=', ' '), loose, "sha256:" + hex];

        var answer = await gate.Import([.. broken.Select(hash => Imports.Hashed(hash)), Imports.Row(secret, null, ("secret_sha256", hex))]);

        Assert.Equal(Enumerable.Repeat("validation_failed", broken.Length + 1), answer.Outcomes());
        Assert.Contains("secret: either this or secret_sha256 is needed", answer.Detail(broken.Length), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_told_of_a_hashed_secret_has_bounds_and_must_begin_a_shape_that_is_known()
    {
        var gate = await gates.Sqlite();
        var known = "legacy_".PadRight(47, 'x');

        var answer = await gate.Import(
            Imports.Hashed(Imports.Hex("1"), null, ("start", "pk-")),
            Imports.Hashed(Imports.Hex("2"), null, ("start", known + "x")),
            Imports.Hashed(Imports.Hex("3"), null, ("start", new string('s', 65))),
            Imports.Hashed(Imports.Hex("4"), null, ("end", new string('s', 65))),
            Imports.Hashed(Imports.Hex("5"), null, ("end", "a b")),
            Imports.Hashed(Imports.Hex("6"), null, ("start", "")),
            Imports.Hashed(Imports.Hex(Imports.NewId()), null, ("start", known), ("end", new string('s', 64))));

        Assert.Equal([.. Enumerable.Repeat("validation_failed", 6), "created"], answer.Outcomes());
        Assert.Contains("keys.secret.accepts", answer.Detail(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_of_our_own_says_its_environment_and_a_wrong_checksum_makes_it_none()
    {
        var gate = await gates.Sqlite();
        var own = gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);
        var broken = own[..^1] + (own[^1] == 'a' ? 'b' : 'a');

        var answer = await gate.Import(Imports.Row(broken), Imports.Row(own, null, ("environment", "test")));

        Assert.Equal(["validation_failed", "validation_failed"], answer.Outcomes());
        Assert.Contains("environment: must be live", answer.Detail(1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_wrong_with_a_row_is_told_at_once_and_its_secret_never()
    {
        var gate = await gates.Sqlite();
        var secret = "wrong_" + Imports.NewId();

        var answer = await gate.Import(
            Imports.Row(secret, secret, ("name", ""), ("scopes", new JsonArray("nothing"))), Imports.Row(secret, null, ("type", secret)));

        var pointers = answer.Results()[0].GetProperty("error").GetProperty("errors").EnumerateArray()
            .Select(error => error.GetProperty("pointer").GetString());
        Assert.Equal(["/external_id", "/name", "/scopes/0", "/secret"], pointers.Order());
        Assert.Null(answer.Results()[0].GetProperty("external_id").GetString());
        Assert.DoesNotContain(secret, answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_row_goes_into_a_project_that_is_there_and_open(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var suspended = await gate.NewProject();
        var organization = (await gate.Send("GET", $"/api/v1/projects/{suspended}", RunningGate.RootKey)).String("organization_id");
        var known = Imports.Row(null, null, ("project_id", suspended));
        await gate.Import(known);
        await gate.Send("PATCH", $"/api/v1/organizations/{organization}", RunningGate.RootKey, "{\"status\":\"suspended\"}");
        var gone = await gate.NewProject();
        await gate.Send("DELETE", $"/api/v1/projects/{gone}", RunningGate.RootKey);
        var body = Imports.Text(
            Imports.Row(null, null, ("project_id", suspended)),
            known,
            Imports.Row(null, null, ("project_id", gone)),
            Imports.Row(null, null, ("project_id", "prj_0000000000000000000000")),
            Imports.Row(null, null, ("project_id", "x")),
            Imports.Row(null, null, ("project_id", gate.ProjectId)),
            Imports.Row());

        Assert.Equal(
            ["conflict", "unchanged", "not_found", "not_found", "not_found", "created", "validation_failed"],
            (await gate.Import(body, "")).Outcomes());
    }

    [Theory]
    [InlineData(1_000, true)]
    [InlineData(1_001, false)]
    public async Task A_call_has_at_most_a_thousand_rows(int rows, bool good)
    {
        var gate = await gates.Sqlite();
        var before = await gate.Rows();

        var answer = await gate.Import([.. Enumerable.Range(0, rows).Select(_ => Imports.Row())]);

        if (good)
        {
            Assert.Equal(rows, answer.Json.GetProperty("created").GetInt32());
            return;
        }

        answer.Has(HttpStatusCode.RequestEntityTooLarge, "body_too_large");
        Assert.Equal(before, await gate.Rows());
    }

    [Fact]
    public async Task A_line_and_a_body_have_at_most_so_many_bytes()
    {
        var gate = await gates.Sqlite();
        var row = Imports.Row().ToJsonString();
        var fits = row.Insert(1, new string(' ', ImportLines.LineBytesMax - row.Length));
        var longer = Imports.Row().ToJsonString() is var other
            ? other.Insert(1, new string(' ', ImportLines.LineBytesMax - other.Length + 1))
            : "";
        Assert.Equal(["created", "body_too_large"], (await gate.Import($"{fits}\n{longer}")).Outcomes());

        var full = Imports.Row().ToJsonString();
        full += new string('\n', ImportLines.BytesMax - full.Length);
        Assert.Equal(["created"], (await gate.Import(full)).Outcomes());
        // Announced only: who sends it too may find the connection closed before he hears why.
        var refused = await RawCall.Send(
            gate.Address,
            $"POST /api/v1/import HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {Imports.Lines}\r\n"
            + $"Authorization: Bearer {RunningGate.RootKey}\r\nContent-Length: {ImportLines.BytesMax + 1}\r\n\r\n");
        Assert.True(refused.Status == 413, refused.Text);
        Assert.Contains("body_too_large", refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_without_rows_or_of_another_type_is_refused()
    {
        var gate = await gates.Sqlite();
        (await gate.Import("")).Has(HttpStatusCode.BadRequest, "invalid_json");
        (await gate.Import(" \n\r\n")).Has(HttpStatusCode.BadRequest, "invalid_json");
        (await gate.Send("POST", "/api/v1/import", RunningGate.RootKey, "{}"))
            .Has(HttpStatusCode.UnsupportedMediaType, "unsupported_media_type");
    }

    [Fact]
    public async Task Only_the_operator_imports()
    {
        var gate = await gates.Sqlite();
        var manager = await gate.NewSecret("\"name\":\"Manager\",\"rights\":[\"keys:manage\"]");
        var before = await gate.Rows();

        var answer = await gate.Send(
            "POST", $"/api/v1/import?project={gate.ProjectId}", manager, Imports.Text(Imports.Row()), ("Content-Type", Imports.Lines));

        answer.Has(HttpStatusCode.Forbidden, "operator_only");
        Assert.Equal(before, await gate.Rows());
    }

    private static async Task<Answer> Send(RunningGate gate, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", Imports.Lines);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/import?project={gate.ProjectId}") { Content = content };
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {RunningGate.RootKey}");
        using var response = await gate.Http.SendAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(), new Dictionary<string, string>());
    }
}
