using Tollgate.Server.Providers;
using Tollgate.Server.Providers.Reading;

namespace Tollgate.Server.Tests.Providers;

public sealed class ProviderDocsTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Given.Folder, "../docs/reference/provider-file.md"));

    [Fact]
    public void The_reference_names_every_field() =>
        Assert.All(
            Vocabulary.All.SelectMany(shape => shape.Fields).Distinct(), field => Assert.Contains(field, Page, StringComparison.Ordinal));

    [Fact]
    public void The_reference_names_every_placeholder() =>
        Assert.All(PlaceholderName.All, name => Assert.Contains($"`${name.Text}`", Page, StringComparison.Ordinal));

    [Fact]
    public void The_template_explains_every_line_in_about_fifty()
    {
        var lines = File.ReadAllLines(Given.Files.PathOf("template"));
        Assert.InRange(lines.Length, 30, 55);
        Assert.All(
            lines.Where(line => line.Length > 0 && !line.EndsWith(':') && line.Trim() is not "secret:"
                && !line.StartsWith("errors", StringComparison.Ordinal)).Take(20),
            line => Assert.Contains("#", line, StringComparison.Ordinal));
    }
}
