using System.Text.Json;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Tests.Providers;

public sealed class ConditionTests
{
    [Theory]
    [InlineData("""{"a":["kb"]}""", true, true)]
    [InlineData("""{"a":"kb"}""", true, true)]
    [InlineData("""{"a":{"b":1}}""", true, true)]
    [InlineData("""{"a":[]}""", false, true)]
    [InlineData("""{"a":[null,""]}""", false, true)]
    [InlineData("""{"a":["","kb"]}""", true, true)]
    [InlineData("""{"a":""}""", false, true)]
    [InlineData("""{"a":{}}""", false, true)]
    [InlineData("""{"a":0}""", false, true)]
    [InlineData("""{"a":false}""", false, true)]
    [InlineData("""{"a":null}""", false, false)]
    [InlineData("""{"b":["kb"]}""", false, false)]
    [InlineData("""{"A":["kb"]}""", false, false)]
    [InlineData("""{"a":["kb"],"a":["kb"]}""", false, false)]
    [InlineData("""["a"]""", false, false)]
    [InlineData("null", false, false)]
    public void It_holds_only_when_the_member_is_there_once_and_says_something(string json, bool notEmpty, bool present)
    {
        using var body = JsonDocument.Parse(json);
        Assert.Equal(notEmpty, Condition.TryParse("body.a is not empty")!.Holds(body.RootElement));
        Assert.Equal(present, Condition.TryParse("body.a is present")!.Holds(body.RootElement));
    }

    [Theory]
    [InlineData("""{"a":{"b":[1]}}""", true)]
    [InlineData("""{"a":{"b":[1],"b":[2]}}""", false)]
    [InlineData("""{"a":[{"b":[1]}]}""", false)]
    public void A_path_leads_through_objects(string json, bool holds)
    {
        using var body = JsonDocument.Parse(json);
        var condition = Condition.TryParse("body.a.b is not empty")!;
        Assert.Equal(holds, condition.Holds(body.RootElement));
        Assert.Equal("a", condition.TopLevelMember);
    }

    [Fact]
    public void No_body_does_not_hold() => Assert.False(Condition.TryParse("body.a is present")!.Holds(default));

    [Theory]
    [InlineData("a is present")]
    [InlineData("body is present")]
    [InlineData("body. is present")]
    [InlineData("body.a[0] is present")]
    [InlineData("body.a is present\n")]
    [InlineData("body.a is  present")]
    [InlineData("body.a is empty")]
    public void Anything_else_is_no_condition(string text) => Assert.Null(Condition.TryParse(text));
}
