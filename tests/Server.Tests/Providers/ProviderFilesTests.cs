using Tollgate.Server.Providers;

namespace Tollgate.Server.Tests.Providers;

public sealed class ProviderFilesTests
{
    public static TheoryData<string> Names => [.. Given.Names];

    [Fact]
    public void The_folder_holds_the_five_companies_the_base_the_default_and_the_template() =>
        Assert.Equal(["default", "openai", "template", "tensoras", "tensorlake", "tensorone", "tensorpool", "tensorx"], Given.Names);

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_provider_file_loads_without_an_error(string name)
    {
        var load = Given.Files.Load(name);
        Assert.Empty(load.Errors);
        Assert.Equal(name, load.Model!.Name);
        Assert.NotEmpty(load.Model.Examples);
    }

    [Fact]
    public void A_provider_is_found_by_name_and_by_path()
    {
        Assert.Equal("TensorOne", Given.Files.Load("tensorone").Model!.DisplayName);
        Assert.Equal("TensorOne", Given.Files.Load(Path.Combine(Given.Folder, "tensorone.yaml")).Model!.DisplayName);
    }

    [Fact]
    public void A_name_that_is_none_is_answered_with_those_there_are()
    {
        var error = Assert.Single(new ProviderFiles(Given.Folder).Load("tensrone").Errors);
        Assert.Equal(
            $"there is no provider file \"tensrone\"; did you mean \"tensorone\"? There are {string.Join(", ", Given.Names)}.",
            error.ToString());
        Assert.StartsWith(
            "there is no provider file \"quite/elsewhere.yaml\". There are default, ",
            Assert.Single(Given.Files.Load("quite/elsewhere.yaml").Errors).ToString(), StringComparison.Ordinal);
        Assert.Null(new ProviderFiles("/nowhere").Load("x").Model);
    }
}
