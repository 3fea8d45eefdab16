using System.Net;
using System.Text.RegularExpressions;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Identity;

/// <summary>Somebody at a browser without script: a jar of cookies, pages, and forms that are sent with all their fields.</summary>
internal sealed class Browser : IDisposable
{
    private readonly HttpClient _http;

    public Browser(RunningGate gate, string? address = null)
    {
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = Jar })
        {
            BaseAddress = new Uri(gate.Address),
        };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("Test-Browser/1");
        if (address is not null)
        {
            _http.DefaultRequestHeaders.Add("X-Forwarded-For", address);
        }
    }

    public CookieContainer Jar { get; } = new();

    /// <summary>Sent with every request from then on.</summary>
    public System.Net.Http.Headers.HttpRequestHeaders Headers => _http.DefaultRequestHeaders;

    public string? Session => Jar.GetCookies(_http.BaseAddress!)["tollgate"]?.Value;

    public bool IsSignedIn => Session is { Length: > 0 };

    public async Task<Page> Get(string path) => await Page.Of(await _http.GetAsync(InSite(path)));

    /// <summary>Fills in a page's form and sends it: the fields that are hidden in it go along.</summary>
    public async Task<Page> Send(Page page, string action, params (string Name, string Value)[] fields) =>
        await Post(action, [.. page.Hidden(action), .. fields]);

    /// <summary>Opens a page and sends its form.</summary>
    public async Task<Page> Fill(string path, params (string Name, string Value)[] fields) =>
        await Send(await Get(path), path.Split('?')[0], fields);

    public async Task<Page> Post(string path, params (string Name, string Value)[] fields)
    {
        using var content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        return await Page.Of(await _http.PostAsync(InSite(path), content));
    }

    /// <summary>Opens a link and presses the button that it shows, with what is to be typed first.</summary>
    public async Task<Page> Press(string link, params (string Name, string Value)[] fields)
    {
        var page = await Get(link);
        Assert.True(page.Status == 200, page.ToString());
        return await Send(page, page.Action, fields);
    }

    /// <summary>Opens the link of a sign-up and types its password.</summary>
    public Task<Page> Confirm(string link, string password = PeoplePlace.Password) => Press(link, ("password", password));

    public Task<Page> SignIn(string email, string password) => Fill("/sign-in", ("email", email), ("password", password));

    public Task<Page> SignUp(string email, string password, string name = "Some One") =>
        Fill("/sign-up", ("name", name), ("email", email), ("password", password));

    public void Dispose() => _http.Dispose();

    /// <summary>A link of a mail names the host that people reach; the test reaches the gate where it listens.</summary>
    private static string InSite(string path) => path.StartsWith('/') ? path : new Uri(path).PathAndQuery;
}

/// <summary>What came back: a page, or where to go.</summary>
internal sealed partial record Page(int Status, string Text, string? Location, IReadOnlyList<string> SetCookies, HttpResponseMessage Answer)
{
    /// <summary>Of its first form.</summary>
    public string Action => WebUtility.HtmlDecode(FormStart().Match(Text).Groups["action"].Value);

    /// <summary>Without what is new on every page: the tokens of its forms.</summary>
    public string Plain => Token().Replace(Text, "token");

    public static async Task<Page> Of(HttpResponseMessage answer) => new(
        (int)answer.StatusCode,
        await answer.Content.ReadAsStringAsync(),
        answer.Headers.Location?.OriginalString,
        answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? [.. cookies] : [],
        answer);

    /// <summary>The hidden fields of the first form with this action.</summary>
    public IEnumerable<(string Name, string Value)> Hidden(string action)
    {
        var form = Text.Split("<form ").FirstOrDefault(part => part.Contains($"action=\"{action}\"", StringComparison.Ordinal));
        Assert.True(form is not null, $"No form for {action} in {this}");
        return HiddenField().Matches(form.Split("</form>")[0])
            .Select(field => (field.Groups["name"].Value, WebUtility.HtmlDecode(field.Groups["value"].Value)));
    }

    public override string ToString() => $"{Status} {Location} {Text}";

    [GeneratedRegex("<form [^>]*action=\"(?<action>[^\"]*)\"")]
    private static partial Regex FormStart();

    [GeneratedRegex("<input type=\"hidden\" name=\"(?<name>[^\"]*)\" value=\"(?<value>[^\"]*)\"")]
    private static partial Regex HiddenField();

    [GeneratedRegex("(?<=name=\"form_token\" value=\")[^\"]*")]
    private static partial Regex Token();
}
