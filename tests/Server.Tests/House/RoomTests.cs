using System.Xml.Linq;

namespace Tollgate.Server.Tests.House;

public sealed class RoomTests
{
    [Fact]
    public void A_room_uses_only_rooms_before_it()
    {
        var files = Repository.CSharp("src/Server");
        Assert.NotEmpty(files);
        Finding.None(RoomRules.Uses(files));
    }

    [Theory]
    [InlineData("using Tollgate.Server.Keys;")]
    [InlineData("class A { Tollgate.Server.Keys.Key? _key; }")]
    [InlineData("class A { Keys.Key? _key; }")]
    public void A_use_of_a_later_room_is_found(string text)
    {
        SourceFile key = new("src/Server/Keys/Key.cs", "internal sealed record Key;");

        var finding = Assert.Single(RoomRules.Uses([key, new("src/Server/Audit/A.cs", text)]));

        Assert.Equal("src/Server/Audit/A.cs:1", finding.Place);
        Assert.Empty(RoomRules.Uses([key, new("src/Server/Surfaces/A.cs", text), new("src/Server/Keys/B.cs", text)]));
    }

    [Fact]
    public void Words_and_members_that_look_like_a_room_pass() => Assert.Empty(RoomRules.Uses(
    [
        new("src/Server/Keys/Key.cs", "internal sealed record Key;"),
        new(
            "src/Server/Audit/A.cs",
            "// see Tollgate.Server.Keys\nclass A { int B => row.Keys.Key + Keys.Count; string C => \"Tollgate.Server.Keys\"; }"),
    ]));

    [Fact]
    public void A_folder_without_a_place_in_the_order_and_a_file_without_a_room_are_found()
    {
        var attic = Assert.Single(RoomRules.Uses([new("src/Server/Attic/A.cs", "class A;")]));

        Assert.Contains("RoomRules.Order", attic.Fix, StringComparison.Ordinal);
        Assert.Single(RoomRules.Uses([new("src/Server/A.cs", "class A;")]));
        Assert.Empty(RoomRules.Uses([new("src/Server/Program.cs", "using Tollgate.Server.Hosting;")]));
    }

    [Fact]
    public void A_global_using_is_found() =>
        Assert.Single(RoomRules.Uses([new("src/Server/Keys/Usings.cs", "global using Tollgate.Server.Problems;")]));

    [Theory]
    [InlineData("src/Engine/Engine.csproj")]
    [InlineData("src/Client/Client.csproj")]
    [InlineData("src/Client.AspNetCore/Client.AspNetCore.csproj", "../Client/Client.csproj")]
    [InlineData("src/Cli/Cli.csproj", "../Client/Client.csproj")]
    [InlineData("src/Gateway/Gateway.csproj", "../Engine/Engine.csproj")]
    [InlineData("src/Server/Server.csproj", "../Engine/Engine.csproj", "../Gateway/Gateway.csproj")]
    public void Projects_see_each_other_one_way_only(string project, params string[] mayUse) =>
        Assert.Equal(mayUse, References(project, "ProjectReference"));

    [Theory]
    [InlineData("src/Engine/Engine.csproj")]
    [InlineData("src/Client/Client.csproj")]
    public void The_engine_and_the_client_stand_on_the_base_library_alone(string project) =>
        Assert.Empty(References(project, "PackageReference").Concat(References(project, "FrameworkReference")));

    [Fact]
    public void The_middleware_stands_on_the_framework_alone()
    {
        const string project = "src/Client.AspNetCore/Client.AspNetCore.csproj";

        Assert.Empty(References(project, "PackageReference"));
        Assert.Equal("Microsoft.AspNetCore.App", Assert.Single(References(project, "FrameworkReference")));
    }

    private static IEnumerable<string?> References(string project, string kind) =>
        XDocument.Parse(Repository.Text(project)).Descendants(kind).Select(reference => (string?)reference.Attribute("Include"));
}
