using Tollgate.Gateway.Upstreams;

namespace Tollgate.Server.Tests.Upstreams;

/// <summary>The path that an upstream is asked for.</summary>
public sealed class UpstreamTargetTests
{
    [Theory]
    [InlineData("http://h:9000/v1", "/v1/chat/completions", "http://h:9000/v1/chat/completions")]
    [InlineData("http://h:9000/v1/", "/v1/chat/completions", "http://h:9000/v1/chat/completions")]
    [InlineData("https://h/openai/v1", "/v1/x", "https://h/openai/v1/x")]
    [InlineData("http://h/v1", "/documents/v2/files", "http://h/v1/documents/v2/files")]
    [InlineData("http://h", "/v2/x", "http://h/v2/x")]
    [InlineData("http://h/a/b", "/a/b/c", "http://h/a/b/c")]
    [InlineData("http://h/b/a/b", "/b/c", "http://h/b/a/b/c")]
    [InlineData("http://h/v1", "/v1", "http://h/v1")]
    [InlineData("http://h/v1", "/v12/x", "http://h/v1/v12/x")]
    [InlineData("http://h/av1", "/v1/x", "http://h/av1/v1/x")]
    public void A_tail_that_both_have_is_said_once(string url, string path, string target) =>
        Assert.Equal(target, new UpstreamTarget(new Uri(url)).Of(path, "").OriginalString);

    [Theory]
    [InlineData("/v1/models/org%2Fmodel:tag", "")]
    [InlineData("/a/%7Euser/%61", "?q=%2e%2E&b=a+b%20c&&x=%zz")]
    [InlineData("/a/b;c=1/~x'()*!", "?a[]=1&b={}|^`\\\"<>#x")]
    [InlineData("/a/./b/../c", "")]
    public void What_came_goes_on_as_it_came(string path, string query) =>
        Assert.Equal(path + query, new UpstreamTarget(new Uri("http://h/")).Of(path, query).PathAndQuery);

    [Fact]
    public void What_would_end_the_request_line_is_escaped() => Assert.Equal(
        "/a%20b%0D%0AX:%201/%C3%A9?q=%C3%A9", new UpstreamTarget(new Uri("http://h/")).Of("/a b\r\nX: 1/é", "?q=é").PathAndQuery);
}
