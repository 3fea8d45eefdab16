using Tollgate.Engine.Permissions;
using Tollgate.Server.Identity;
using Tollgate.Server.Keys;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.Keys;

/// <summary>
/// Lines to paste that make one request of the provider's API with a key. On a gate that runs on the machine itself they go to that gate:
/// the key is good nowhere else.
/// </summary>
internal sealed class SnippetMaker(ProviderModel provider, PublicUrl url)
{
    private const string Chat = "/chat/completions";

    /// <summary>Where customers send requests.</summary>
    public string BaseUrl => url.IsSecure ? provider.BaseUrl.TrimEnd('/') : url.Text + BasePath;

    /// <summary>Where chats with a model are sent; null where the provider has none.</summary>
    public string? ChatPath => Takes("POST", BasePath + Chat) ? BasePath + Chat : null;

    private string BasePath => new Uri(provider.BaseUrl).AbsolutePath.TrimEnd('/');

    /// <param name="key">What it may do decides what is shown.</param>
    /// <param name="secret">What stands for the key, such as the secret itself.</param>
    public IReadOnlyList<Snippet> Of(Key key, string secret)
    {
        // A model is named by who made the key, who may be somebody else than who pastes the lines into a shell.
        var model = (key.Models ?? []).Concat(provider.Models.Select(offer => offer.Id)).FirstOrDefault(IsPlain);
        return model is not null && ChatPath is not null ? OfChat(secret, model) : OfGet(secret, PathFor(key));
    }

    private static bool IsPlain(string model) =>
        model.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or ':' or '/' or '@');

    private bool Takes(string method, string path) => provider.Routes.Match(method, path).Kind == RouteMatchKind.Found;

    /// <summary>A request that the key may make: of a route without parameters, else who it is.</summary>
    private string PathFor(Key key)
    {
        var grants = provider.GrantsOf(key.Permissions, key.Scopes);
        var route = provider.Routes.Routes.FirstOrDefault(rule =>
            rule.Method is Methods.None or Methods.Get
            && rule.Pattern.Segments.All(segment => segment.Kind == SegmentKind.Literal)
            && (!rule.Requirement.NeedsScope || (rule.Requirement.AnyScope & grants.Scopes) != 0));
        var path = route is not null ? route.Pattern.IsOpen ? route.Pattern.Text[..^"/**".Length] : route.Pattern.Text
            : provider.Surface.Routes.FirstOrDefault(place => place.Operation == SurfaceOperation.Whoami)?.Pattern.Text ?? BasePath;
        return (url.IsSecure ? new Uri(provider.BaseUrl).GetLeftPart(UriPartial.Authority) : url.Text) + path;
    }

    private Snippet[] OfChat(string secret, string model) =>
    [
        new("curl", $$"""
            curl {{BaseUrl}}{{Chat}} \
              -H "Authorization: Bearer {{secret}}" \
              -H "Content-Type: application/json" \
              -d '{"model": "{{model}}", "messages": [{"role": "user", "content": "Hello"}]}'
            """),
        new("Python", $$"""
            from openai import OpenAI

            client = OpenAI(base_url="{{BaseUrl}}", api_key="{{secret}}")
            answer = client.chat.completions.create(
                model="{{model}}", messages=[{"role": "user", "content": "Hello"}])
            print(answer.choices[0].message.content)
            """),
        new("JavaScript", $$"""
            import OpenAI from "openai";

            const client = new OpenAI({ baseURL: "{{BaseUrl}}", apiKey: "{{secret}}" });
            const answer = await client.chat.completions.create({
              model: "{{model}}", messages: [{ role: "user", content: "Hello" }] });
            console.log(answer.choices[0].message.content);
            """),
        new("C#", $$"""
            using OpenAI;
            using OpenAI.Chat;

            var client = new ChatClient("{{model}}", new("{{secret}}"),
                new OpenAIClientOptions { Endpoint = new Uri("{{BaseUrl}}") });
            Console.WriteLine(client.CompleteChat("Hello").Value.Content[0].Text);
            """),
    ];

    private static Snippet[] OfGet(string secret, string address) =>
    [
        new("curl", $"""
            curl {address} \
              -H "Authorization: Bearer {secret}"
            """),
        new("Python", $$"""
            import urllib.request

            request = urllib.request.Request("{{address}}", headers={"Authorization": "Bearer {{secret}}"})
            print(urllib.request.urlopen(request).read().decode())
            """),
        new("JavaScript", $$"""
            const answer = await fetch("{{address}}", {
              headers: { Authorization: "Bearer {{secret}}" } });
            console.log(await answer.text());
            """),
        new("C#", $"""
            using var http = new HttpClient();
            http.DefaultRequestHeaders.Authorization = new("Bearer", "{secret}");
            Console.WriteLine(await http.GetStringAsync("{address}"));
            """),
    ];
}
