using Tollgate.Server.Providers.Reading;

namespace Tollgate.Server.Tests.Providers;

/// <summary>What is wrong with a file is said with its place, in words that help, and all of it at once.</summary>
public sealed class ProviderErrorsTests
{
    private static string Errors(string text, params (string, string)[] others) =>
        string.Join('\n', Given.Read(text, others).Errors).ReplaceLineEndings("\n");

    private static string Changed(string from, string to)
    {
        Assert.Contains(from, Given.Least, StringComparison.Ordinal);
        return Given.Least.Replace(from, to, StringComparison.Ordinal);
    }

    [Theory]
    // structure
    [InlineData(
        "expiry: optional",
        "expiry: optional\n  exipry: none",
        "p/acme.yaml:7:3: unknown field \"exipry\"; did you mean \"expiry\"?")]
    [InlineData(
        "expiry: optional",
        "expiry: optional\n  expiry: optional",
        "p/acme.yaml:7:3: \"expiry\" is written twice; first in line 6")]
    [InlineData("  expiry: optional\n", "", "p/acme.yaml:3:3: \"expiry\" is missing")]
    [InlineData("{ name: Acme,", "{ name: [Acme],", "p/acme.yaml:1:19: name is text of 1 to 60 characters, not a list")]
    [InlineData("{ name: Acme,", "{ name: ,", "p/acme.yaml:1:19: name is text of 1 to 60 characters, not nothing")]
    [InlineData("{ min: 1, max: 100 }", "[1, 100]", "p/acme.yaml:5:9: key name: expected a map of fields, found a list")]
    [InlineData("{ min: 1, max: 100 }", "{ min: one, max: 100 }", "p/acme.yaml:5:16: min is a whole number from 1 to 1000, not \"one\"")]
    [InlineData(
        "{ min: 1, max: 100 }",
        "{ min: 0, max: 1001 }",
        "p/acme.yaml:5:16: min is a whole number from 1 to 1000, not \"0\"\n"
        + "p/acme.yaml:5:24: max is a whole number from 1 to 1000, not \"1001\"")]
    [InlineData("{ min: 1, max: 100 }", "{ min: 9, max: 3 }", "p/acme.yaml:5:9: min 9 is more than max 3")]
    [InlineData(
        "acme.example",
        "acme.example/",
        "p/acme.yaml:1:35: \"https://api.acme.example/\" is not an http or https address without a slash at its end")]
    [InlineData(
        "ACME_API_KEY",
        "acme-key",
        "p/acme.yaml:1:75: \"acme-key\" is not the name of an environment variable, such as ACME_API_KEY")]
    // keys
    [InlineData("alphanumeric", "hex", "p/acme.yaml:3:50: alphabet is one of alphanumeric, not \"hex\"")]
    [InlineData("crc32", "crc23", "p/acme.yaml:3:74: checksum is one of crc32, none, not \"crc23\"; did you mean \"crc32\"?")]
    [InlineData("prefix: acme_", "prefix: a b", "p/acme.yaml:3:21: prefix \"a b\": letters, digits, _ and -, at most 24")]
    [InlineData("prefix: acme_,", "", "p/acme.yaml:3:11: a secret has either one prefix or environments with a prefix each")]
    [InlineData(
        "prefix: acme_",
        "environments: { live: a_, test: a_b_ }",
        "p/acme.yaml:3:45: prefix \"a_b_\" cannot be told from that of \"live\"")]
    [InlineData(
        "prefix: acme_",
        "environments: { Live: a_ }",
        "p/acme.yaml:3:29: \"Live\" is not a name for an environment: small letters, digits and _, at most 20, a letter first")]
    [InlineData(
        "shown: once",
        "shown: once, accepts: [{ prefix: acme_, length: 40, checksum: none }]",
        "p/acme.yaml:3:104: this shape cannot be told from another one")]
    [InlineData(
        "length: 40",
        "length: 29",
        "p/acme.yaml:4:9: a shown key hides 89 bits; at least 128 must stay hidden: show less or make the secret longer")]
    [InlineData(
        "[rotate, revoke]",
        "[rotate, revoke, remove]",
        "p/acme.yaml:7:32: operations are disable, enable, regenerate, rotate, revoke, delete, not \"remove\"; did you mean \"revoke\"?")]
    [InlineData("[rotate, revoke]", "[rotate, rotate]", "p/acme.yaml:7:24: \"rotate\" stands twice in operations")]
    [InlineData(
        "expiry: optional",
        "expiry: optional\n  rotation: { grace: 8d }",
        "p/acme.yaml:7:22: grace is a time such as 0s, 30m, 24h or 7d, at most 7d, not \"8d\"")]
    [InlineData(
        "expiry: optional",
        "expiry: optional\n  types: { read: { actions: [read] } }",
        "p/acme.yaml:7:30: action \"read\" is not declared: permissions has no actions")]
    [InlineData(
        "expiry: optional",
        "expiry: optional\n  types: { a: { actions: [] }, b: { actions: [], among: [file] } }",
        "p/acme.yaml:7:10: with several types, default_type says which one a key has when none is asked for\n"
        + "p/acme.yaml:7:58: scope \"file\" is not declared; did you mean \"files\"?")]
    [InlineData(
        "expiry: optional",
        "expiry: optional\n  types: { full: { actions: [] } }\n  default_type: ful",
        "p/acme.yaml:8:17: type \"ful\" is not declared; did you mean \"full\"?")]
    [InlineData(
        "expiry: optional",
        "expiry: optional\n  scopes: { default: [], exactly_one: true }",
        "p/acme.yaml:7:22: with exactly_one, default names one scope")]
    [InlineData(
        "expiry: optional",
        "expiry: optional\n  accepts_permissions: yes",
        "p/acme.yaml:7:24: accepts_permissions is true or false, not \"yes\"")]
    // permissions
    [InlineData(
        "- /v1/files/**: files",
        "- /v1/files/**: file",
        "p/acme.yaml:11:21: scope \"file\" is not declared; did you mean \"files\"?")]
    [InlineData(
        "- /v1/files/**: files",
        "- /v1/files/**: files:own",
        "p/acme.yaml:11:27: action \"own\" is not declared: permissions has no actions")]
    [InlineData(
        "- /v1/files/**: files",
        "- FETCH /v1/files: files",
        "p/acme.yaml:11:7: expected \"/path\" or \"METHOD /path\", found \"FETCH /v1/files\"; did you mean \"PATCH\"?")]
    [InlineData("- /v1/files/**: files", "- /v1/**/files: files", "p/acme.yaml:11:7: path \"/v1/**/files\": \"**\" stands only at the end")]
    [InlineData(
        "- /v1/files/**: files",
        "- /v1/{team}: files",
        "p/acme.yaml:11:7: path \"/v1/{team}\": \"{team}\" is not a segment: write a literal, {}, {project}, {organization}, "
        + "{model}, {id} or, last, **")]
    [InlineData(
        "- /v1/files/**: files",
        "- /v1/files/**: files\n    - /v1/files/**: files",
        "p/acme.yaml:12:7: route /v1/files/** is the same as /v1/files/** before it")]
    [InlineData(
        "- /v1/files/**: files",
        "- /v1/{}/a: files\n    - /v1/{project}/**: files",
        "p/acme.yaml:12:7: route /v1/{project}/** names a segment differently than /v1/{}/a does")]
    [InlineData(
        "- /v1/files/**: files",
        "- /v1/files/**",
        "p/acme.yaml:11:7: a route is one line: \"METHOD /path: scope\", not \"/v1/files/**\"")]
    [InlineData(
        "- /v1/files/**: files",
        "- /v1/files/**: [files]",
        "p/acme.yaml:11:21: a route asks for a scope, for \"any key\", or for { any: [scope, ...] }, not a list")]
    [InlineData(
        "- /v1/files/**: files",
        "- /v1/files: { any: [{ scope: files, when: body.x is full }] }",
        "p/acme.yaml:11:48: when is \"body.MEMBER is not empty\" or \"body.MEMBER is present\", not \"body.x is full\"")]
    [InlineData(
        "- /v1/files/**: files",
        "- /v1/files: { any: [{ scope: files, when: body.x is present }, { scope: files, when: body.y is present }] }",
        "p/acme.yaml:11:91: a route has one condition: this is another than the one before")]
    [InlineData("- /v1/files/**: files", "- /v1/files: { any: [] }", "p/acme.yaml:11:25: any: at least one scope")]
    [InlineData("- /v1/files/**: files", "- /**: files", "p/acme.yaml:11:7: path \"/**\" takes every path, which is the gate's own")]
    [InlineData(
        "- /v1/files/**: files",
        "- /{}/files: files",
        "p/acme.yaml:11:7: path \"/{}/files\" takes every first segment, which is the gate's own")]
    [InlineData(
        "- /v1/files/**: files",
        "- GET /api/v1/x: files",
        "p/acme.yaml:11:7: path \"/api/v1/x\" takes /api, which is the gate's own")]
    [InlineData(
        "- /v1/files/**: files",
        "- GET /llms.txt: files",
        "p/acme.yaml:11:7: path \"/llms.txt\" takes /llms.txt, which is the gate's own")]
    [InlineData(
        "- /v1/files/**: files",
        "- /HealthZ: files",
        "p/acme.yaml:11:7: path \"/HealthZ\" takes /HealthZ, which is the gate's own")]
    [InlineData(
        "- /v1/files/**: files",
        "- /openapi.json: files",
        "p/acme.yaml:11:7: path \"/openapi.json\" takes /openapi.*, which is the gate's own")]
    [InlineData(
        "{ files: Files }",
        "{ Files: Files, files: { description: F, implies: [flies] } }",
        "p/acme.yaml:9:13: \"Files\" is not a name for a scope: small letters, digits, _ . and -, at most 40, a letter first\n"
        + "p/acme.yaml:9:62: scope \"flies\" is not declared; did you mean \"files\"?")]
    [InlineData(
        "{ files: Files }",
        "{ files: Files }\n  actions: { read: [GET, FETCH], write: [GET] }",
        "p/acme.yaml:10:26: \"FETCH\" is not a method; did you mean \"PATCH\"?\np/acme.yaml:10:42: GET is \"read\" already")]
    [InlineData(
        "  expiry: optional\n",
        "  expiry: optional\n  scopes: { default: [root] }\n",
        "p/acme.yaml:7:23: scope \"root\" is not declared")]
    // errors and templates
    [InlineData("{ error: $code }", "{ error: $cod }", "p/acme.yaml:13:29: unknown placeholder \"$cod\"; did you mean \"$code\"?")]
    [InlineData(
        "{ error: $code }",
        "{ error: $key.id }",
        "p/acme.yaml:13:29: \"$key.id\" has no value here: it stands in key_view and in answers about one key")]
    [InlineData("{ error: $code }", "{ error: costs 5$ }", "p/acme.yaml:13:29: \"$\" begins a placeholder; write \"$$\" for a dollar sign")]
    [InlineData("{ error: $code }", "{ $code: error }", "p/acme.yaml:13:22: a member's name is text, not a placeholder")]
    [InlineData(
        "  default: {",
        "  invald_key: {",
        "p/acme.yaml:13:3: unknown error code \"invald_key\"; did you mean \"invalid_key\"?\n"
        + "p/acme.yaml:13:3: \"default\" is missing: the wording of every error that has none of its own")]
    [InlineData(
        "default: { body",
        "default: { status: 500, body",
        "p/acme.yaml:13:22: default stands for many errors: its status is $status, each one's own")]
    // surface, models, examples
    [InlineData(
        "permissions:\n",
        "surface: { whoami: { at: GET /me, needs: anykey, answers: { a: $secret } } }\npermissions:\n",
        "p/acme.yaml:8:42: needs is one of any key, manage_keys, manage_keys or self, not \"anykey\"; did you mean \"any key\"?\n"
        + "p/acme.yaml:8:64: \"$secret\" has no value here: it stands in the answers of create, rotate and regenerate")]
    [InlineData(
        "permissions:\n",
        "surface: { create: { at: /keys, needs: manage_keys, accepts: { label: nam }, answers: {} } }\npermissions:\n",
        "p/acme.yaml:8:26: expected \"METHOD /path\", found \"/keys\"\n"
        + "p/acme.yaml:8:62: create accepts at least the name of the key\n"
        + "p/acme.yaml:8:71: create sets name, permissions, scopes, type, expires_at, description, environment, allowed_addresses, "
        + "metadata, not \"nam\"; did you mean \"name\"?")]
    [InlineData(
        "permissions:\n",
        "surface:\n  revoke: { at: DELETE /keys, needs: manage_keys, status: 204 }\n"
        + "  list: { at: GET /keys, needs: manage_keys or self }\npermissions:\n",
        "p/acme.yaml:9:17: the path needs {id}, the key it is about\n"
        + "p/acme.yaml:10:9: \"answers\" is missing; only status 204 goes without\n"
        + "p/acme.yaml:10:9: a list needs key_view, which says how a key reads in it\n"
        + "p/acme.yaml:10:15: \"or self\" is for paths with {id}")]
    [InlineData(
        "permissions:\n",
        "surface:\n  get: { at: \"GET /keys/{id}\", needs: any key, answers: {} }\n"
        + "  whoami: { at: GET /api/me, needs: any key, answers: {}, status: 204 }\n"
        + "  delete: { at: \"GET /keys/{id}\", needs: any key, status: 204 }\npermissions:\n",
        "p/acme.yaml:10:17: path \"/api/me\" takes /api, which is the gate's own\n"
        + "p/acme.yaml:10:55: an answer with status 204 has no body\np/acme.yaml:11:17: /keys/{id} is the same as /keys/{id} before it")]
    [InlineData("permissions:\n", "models: [a, a]\npermissions:\n", "p/acme.yaml:8:13: \"a\" stands twice in models")]
    [InlineData(
        "permissions:\n",
        "examples:\n  - { name: x, send: /v1, key: { type: full, environment: liv, scopes: [fils], state: dead }, expect: { status: "
        + "99 } }\n  - { name: y, send: GET /v1, key: nobody, expect: {} }\npermissions:\n",
        "p/acme.yaml:9:22: send is \"METHOD /path\", not \"/v1\"\np/acme.yaml:9:40: type \"full\" is not declared\n"
        + "p/acme.yaml:9:59: environment \"liv\" is not declared; did you mean \"live\"?\n"
        + "p/acme.yaml:9:73: scope \"fils\" is not declared; did you mean \"files\"?\n"
        + "p/acme.yaml:9:87: state is one of active, expired, disabled, revoked, not \"dead\"\n"
        + "p/acme.yaml:9:113: status is a whole number from 100 to 599, not \"99\"\n"
        + "p/acme.yaml:10:36: key is none, root, unknown, malformed or a map of fields, not \"nobody\"\n"
        + "p/acme.yaml:10:52: \"status\" is missing")]
    public void Each_error_is_told_with_its_place(string from, string to, string expected) =>
        Assert.Equal(expected, Errors(Changed(from, to)));

    [Fact]
    public void All_errors_of_a_file_are_told_at_once()
    {
        var text = Given.Least
            .Replace("name: Acme", "nam: Acme", StringComparison.Ordinal)
            .Replace("crc32", "md5", StringComparison.Ordinal)
            .Replace("**: files", "**: file", StringComparison.Ordinal)
            .Replace("$code", "$cod", StringComparison.Ordinal);
        Assert.Equal(
            """
            p/acme.yaml:1:11: "name" is missing
            p/acme.yaml:1:13: unknown field "nam"; did you mean "name"?
            p/acme.yaml:3:74: checksum is one of crc32, none, not "md5"
            p/acme.yaml:11:21: scope "file" is not declared; did you mean "files"?
            p/acme.yaml:13:29: unknown placeholder "$cod"; did you mean "$code"?
            """.ReplaceLineEndings("\n"),
            Errors(text));
    }

    [Theory]
    [InlineData("", "p/acme.yaml:1:1: the file is empty")]
    [InlineData("- a", "p/acme.yaml:1:1: a provider file: expected a map of fields, found a list")]
    [InlineData("a: b\n---\nc: d", "p/acme.yaml:2:1: a provider file is one document")]
    [InlineData("a: \"b", "p/acme.yaml:1:4: not valid YAML: While scanning a quoted scalar, found unexpected end of stream.")]
    [InlineData("[a]: b", "p/acme.yaml:1:1: a name is text, not a list")]
    public void A_file_that_is_no_map_is_told_so(string text, string expected) =>
        Assert.Contains(expected, Errors(text), StringComparison.Ordinal);

    [Fact]
    public void Anchors_aliases_and_tags_are_refused() =>
        Assert.Equal(
            "p/acme.yaml:4:9: anchors, aliases and tags are not used in provider files\n"
            + "p/acme.yaml:5:9: anchors, aliases and tags are not used in provider files\n"
            + "p/acme.yaml:6:11: anchors, aliases and tags are not used in provider files",
            string.Join('\n', Errors(Given.Least
                .Replace("mask: {", "mask: &m {", StringComparison.Ordinal)
                .Replace("name: { min: 1, max: 100 }", "name: *m", StringComparison.Ordinal)
                .Replace("expiry: optional", "expiry: !!str optional", StringComparison.Ordinal))
                .Split('\n').Where(error => error.Contains("anchors", StringComparison.Ordinal))));

    [Fact]
    public void A_bomb_of_aliases_ends_at_once() =>
        Assert.NotEmpty(Errors("a: &a [x,x]\n" + string.Concat(Enumerable.Range(0, 60).Select(i => $"b{i}: &b{i} [*a,*a]\n"))));

    [Theory]
    [InlineData(YamlTree.DepthMax, false)]
    [InlineData(YamlTree.DepthMax + 1, true)]
    [InlineData(50_000, true)]
    public void Nesting_has_a_bound(int depth, bool refused) =>
        Assert.Equal(
            refused,
            Errors("a: " + new string('[', depth - 1) + new string(']', depth - 1))
                .Contains($"nested more than {YamlTree.DepthMax} deep", StringComparison.Ordinal));

    [Fact]
    public void Size_has_bounds()
    {
        Assert.DoesNotContain("KiB", Errors("#" + new string('x', YamlTree.BytesMax - 1)), StringComparison.Ordinal);
        Assert.Equal("p/acme.yaml:1:1: the file is larger than 256 KiB", Errors("#" + new string('x', YamlTree.BytesMax)));
        Assert.Contains("more than 20000 values", Errors("a: [" + string.Concat(Enumerable.Repeat("x,", YamlTree.NodesMax)) + "]"),
            StringComparison.Ordinal);
        Assert.Equal(ErrorList.ErrorsMax, Given.Read(string.Concat(Enumerable.Range(0, 500).Select(i => $"x{i}: 1\n"))).Errors.Count);
    }

    [Fact]
    public void A_file_that_is_not_utf8_is_told_so() =>
        Assert.Equal("p/a.yaml:1:1: the file is not UTF-8",
            Assert.Single(ProviderReader.Read("p/a.yaml", _ => [0x61, 0xFF]).Errors).ToString());

    [Fact]
    public void A_file_may_extend_another_and_errors_name_the_file_they_are_in()
    {
        var parent = Changed("expiry: optional", "expiry: sometimes");
        Assert.Equal("p/base.yaml:6:11: expiry is one of forbidden, optional, required, not \"sometimes\"",
            Errors("extend: base", ("base", parent)));
        Assert.Equal("", Errors("extend: base\nkeys: { expiry: required }", ("base", parent)));
    }

    [Fact]
    public void Extending_replaces_a_field_whole_and_inherits_the_rest()
    {
        var model = Given.Model("extend: base\nprovider: { name: Mine }\nerrors: { invalid_key: { body: { own: 1 } } }",
            ("base", Given.Least));
        Assert.Equal(("Mine", "https://api.acme.example", "acme"), (model.DisplayName, model.BaseUrl, model.Name));
        Assert.Equal(9, model.Keys.MaskHead);
        Assert.Single(model.Routes.Routes);
    }

    [Theory]
    [InlineData("extend: acme", "p/acme.yaml:1:9: the file extends itself")]
    [InlineData("extend: gone", "p/acme.yaml:1:9: there is no p/gone.yaml to extend")]
    [InlineData("extend: ../secret", "p/acme.yaml:1:9: extend names a file of the same folder, without its ending")]
    [InlineData("extend: [base]", "p/acme.yaml:1:9: extend is text of 1 to 40 characters, not a list")]
    [InlineData("extend: ring", "p/ring.yaml:1:9: the file extends itself")]
    public void Extending_in_a_circle_or_elsewhere_is_refused(string text, string expected) =>
        Assert.StartsWith(expected, Errors(text, ("ring", "extend: acme")), StringComparison.Ordinal);
}
