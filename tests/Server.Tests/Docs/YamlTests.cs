using System.Text.Json.Nodes;
using Tollgate.Server.Docs;
using YamlDotNet.RepresentationModel;

namespace Tollgate.Server.Tests.Docs;

public sealed class YamlTests
{
    [Theory]
    [InlineData("""{"a":{"b":[1,{"c":true,"d":null},[2.5,"x"]],"e":{},"f":[]}}""")]
    [InlineData("""{"on":"no","404":"404","y":"2026-01-02","null":"~","$ref":"#/a","x-b":"a: b # c","":"- d","ÿ é":"…\n\t\"\\\u0001"}""")]
    public void What_is_written_is_read_as_the_same(string json)
    {
        var root = JsonNode.Parse(json)!;

        Assert.Equal(root.ToJsonString(), Read(Yaml.Write(root)).ToJsonString());
    }

    [Fact]
    public void Names_that_a_reader_could_take_for_something_else_are_quoted()
    {
        var yaml = Yaml.Write(new JsonObject { ["no"] = 1, ["200"] = 2, ["name"] = 3, ["$ref"] = 4, ["/v1"] = 5 });

        Assert.Equal(["\"no\": 1", "\"200\": 2", "name: 3", "$ref: 4", "\"/v1\": 5"], yaml.TrimEnd().Split('\n'));
    }

    /// <summary>As a YAML reader sees it: quoted is text, plain is a number, true, false or null.</summary>
    internal static JsonNode Read(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return Node(stream.Documents.Single().RootNode)!;
    }

    private static JsonNode? Node(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(member =>
            KeyValuePair.Create(((YamlScalarNode)member.Key).Value!, Node(member.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(Node)]),
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain } plain => JsonNode.Parse(plain.Value!),
        YamlScalarNode text => JsonValue.Create(text.Value),
        _ => throw new InvalidDataException($"{node} is no JSON."),
    };
}
