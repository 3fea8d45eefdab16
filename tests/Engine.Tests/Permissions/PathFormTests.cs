using System.Text;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Tests.Fixtures;

namespace Tollgate.Engine.Tests.Permissions;

public sealed class PathFormTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/v1/models")]
    [InlineData("/v1/models/")]
    [InlineData("/v1/models/gpt-4.1:tag")]
    [InlineData("/v1/models/a%20b")]
    [InlineData("/v1/models/%C3%A9t%C3%A9")]
    [InlineData("/v1/models/été")]
    [InlineData("/v1/.well-known/...")]
    [InlineData("/v1/100%25")]
    [InlineData("/v1/a;b=c")]
    [InlineData("/v1/models?next=../..//%2e\\")]
    public void An_ordinary_path_is_canonical(string target)
    {
        Assert.True(PathForm.IsCanonical(target, encodedSlashes: false, out var length));
        Assert.Equal(target.IndexOf('?', StringComparison.Ordinal) is var query and >= 0 ? query : target.Length, length);
        Assert.True(PathForm.IsCanonical(Encoding.UTF8.GetBytes(target), encodedSlashes: false, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("v1/models")]
    [InlineData("?a=b")]
    [InlineData("*")]
    [InlineData("//v1")]
    [InlineData("/v1//models")]
    [InlineData("/v1/models//")]
    [InlineData("/v1/../admin")]
    [InlineData("/v1/..")]
    [InlineData("/..")]
    [InlineData("/./v1")]
    [InlineData("/v1/.")]
    [InlineData("/v1/..;/admin")]
    [InlineData("/v1/.;x/admin")]
    [InlineData("/v1/%2e%2e/admin")]
    [InlineData("/v1/.%2E/admin")]
    [InlineData("/v1/a%2Eb")]
    [InlineData("/v1/a%5Cb")]
    [InlineData("/v1/a%5cb")]
    [InlineData("/v1/a\\b")]
    [InlineData("/v1/a#b")]
    [InlineData("/v1/%252Fadmin")]
    [InlineData("/v1/%25252e%2525")]
    [InlineData("/v1/%255cadmin")]
    [InlineData("/v1/a%00")]
    [InlineData("/v1/a%0d%0aX")]
    [InlineData("/v1/a%7F")]
    [InlineData("/v1/a\tb")]
    [InlineData("/v1/a\u007f")]
    [InlineData("/v1/a%")]
    [InlineData("/v1/a%2")]
    [InlineData("/v1/a%zz")]
    [InlineData("/v1/a%u0041")]
    [InlineData("/v1/%ff")]
    [InlineData("/v1/%C0%AF")]
    [InlineData("/v1/%E0%80%AF")]
    [InlineData("/v1/%ED%A0%80")]
    public void A_path_that_could_mean_another_one_is_refused_with_and_without_the_flag(string target)
    {
        Assert.False(PathForm.IsCanonical(target, encodedSlashes: false, out _));
        Assert.False(PathForm.IsCanonical(target, encodedSlashes: true, out _));
        Assert.False(PathForm.IsCanonical(Encoding.UTF8.GetBytes(target), encodedSlashes: true, out _));
    }

    [Fact]
    public void Text_that_is_not_unicode_is_refused()
    {
        Assert.False(PathForm.IsCanonical([(byte)'/', 0xC0, 0xAF], encodedSlashes: false, out _));
        Assert.False(PathForm.IsCanonical("/v1/\ud800x", encodedSlashes: false, out _));
    }

    [Theory]
    [InlineData("/v1/models/org%2Fmodel", true)]
    [InlineData("/v1/models/org%2fmodel%2Ftag", true)]
    [InlineData("/v1/models/..%2Fadmin", false)]
    [InlineData("/v1/models/a%2F..%2Fadmin", false)]
    [InlineData("/v1/models/a%2F.", false)]
    [InlineData("/v1/models/%2Fadmin", false)]
    [InlineData("/v1/models/a%2F%2Fb", false)]
    [InlineData("/v1/models/a%2F", false)]
    [InlineData("/v1/models/a%2F/b", false)]
    public void An_encoded_slash_passes_under_the_flag_only_and_hides_no_dots(string target, bool underTheFlag)
    {
        Assert.False(PathForm.IsCanonical(target, encodedSlashes: false, out _));
        Assert.Equal(underTheFlag, PathForm.IsCanonical(target, encodedSlashes: true, out _));
    }

    [Fact]
    public void A_path_has_a_bound()
    {
        Assert.True(PathForm.IsCanonical("/" + new string('a', PathForm.BytesMax - 1), false, out _));
        Assert.False(PathForm.IsCanonical("/" + new string('a', PathForm.BytesMax), false, out _));
        Assert.True(PathForm.IsCanonical("/" + string.Concat(Enumerable.Repeat("%20", 2000)), false, out _));
        Assert.False(PathForm.IsCanonical("/" + string.Concat(Enumerable.Repeat("%20", 2000)) + "%FF", false, out _));
    }

    [Fact]
    public void Checking_a_path_allocates_nothing()
    {
        const string Path = "/v1/models/org%2Fmodel%20x?after=1";
        Assert.True(PathForm.IsCanonical(Path, true, out _));
        Assert.Equal(0, Allocation.LeastOf(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                PathForm.IsCanonical(Path, true, out _);
            }
        }));
    }
}
