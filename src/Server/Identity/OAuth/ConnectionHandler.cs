using System.Net.Http.Headers;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OAuth;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Identity.OAuth;

/// <summary>The framework's options, with ours beside.</summary>
internal sealed class ConnectionOptions : OAuthOptions
{
    public ConnectionConfig Config { get; set; } = null!;
}

/// <summary>
/// The framework's OAuth handler for one request: it makes the state, seals it, binds it to a cookie of this browser, and asks with PKCE
/// what a code is worth. Added here is what it leaves out: the address that people come back to is ours whatever the request says, and
/// issuer, nonce and time are looked at. Made by hand, because as a scheme of the framework it would run ahead of every request.
/// </summary>
internal sealed partial class ConnectionHandler(
    IOptionsMonitor<ConnectionOptions> options, ILoggerFactory log, PublicUrl url)
    : OAuthHandler<ConnectionOptions>(options, log, UrlEncoder.Default)
{
    /// <summary>How long somebody may take at the provider.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    private const string NonceKey = "nonce";
    private const string AskedByKey = "asked_by";

    private ConnectionProof? _proof;
    private string? _address;

    private ConnectionConfig Config => Options.Config;

    private string Callback => url.To(Config.Kind.CallbackPath);

    /// <summary>Where to send the browser, which has the state's cookie from now on.</summary>
    /// <param name="askedBy">Who wants to connect it; null for a sign-in.</param>
    public async Task<string> Start(string? askedBy)
    {
        var properties = new AuthenticationProperties { ExpiresUtc = TimeProvider.GetUtcNow() + Life };
        properties.Items[NonceKey] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        if (askedBy is not null)
        {
            properties.Items[AskedByKey] = askedBy;
        }

        await ChallengeAsync(properties);
        return _address!;
    }

    /// <summary>What the provider proved of who came back by this request.</summary>
    public async Task<Outcome<ConnectionProof>> Finish()
    {
        try
        {
            var result = await HandleRemoteAuthenticateAsync();
            return result.Succeeded && _proof is not null ? _proof : Refused(result.Failure?.Message ?? "nothing came of it");
        }
        catch (AuthenticationFailureException fault)
        {
            return Refused(fault.Message);
        }
        catch (Exception fault) when (!Context.RequestAborted.IsCancellationRequested
            && fault is HttpRequestException or OperationCanceledException or JsonException or IOException or InvalidOperationException)
        {
            return new Problem(
                ProblemCode.ConnectionUnreachable,
                $"{Config.Kind.Title} does not answer as it should. Try again later, or sign in another way.");
        }
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        GenerateCorrelationId(properties);
        _address = BuildChallengeUrl(properties, Callback);
        return Task.CompletedTask;
    }

    protected override string BuildChallengeUrl(AuthenticationProperties properties, string redirectUri)
    {
        var address = base.BuildChallengeUrl(properties, redirectUri);
        return Config.Issuer is null ? address : QueryHelpers.AddQueryString(address, "nonce", properties.Items[NonceKey]!);
    }

    protected override Task<OAuthTokenResponse> ExchangeCodeAsync(OAuthCodeExchangeContext context)
    {
        if (context.Properties.ExpiresUtc is not { } ends || ends <= TimeProvider.GetUtcNow())
        {
            throw new AuthenticationFailureException("The state has ended.");
        }

        // Who may be one of several providers says which one it is (RFC 9207).
        if (Config.Issuer is { } issuer && Request.Query["iss"] is { Count: > 0 } told
            && (told.Count > 1 || !IdToken.IsIssuer(told, issuer)))
        {
            throw new AuthenticationFailureException("Another issuer answered.");
        }

        return base.ExchangeCodeAsync(new OAuthCodeExchangeContext(context.Properties, context.Code, Callback));
    }

    protected override async Task<AuthenticationTicket> CreateTicketAsync(
        ClaimsIdentity identity, AuthenticationProperties properties, OAuthTokenResponse tokens)
    {
        string? fault = null;
        var proof = Config.Issuer is null
            ? await AskApi(tokens.AccessToken!)
            : IdToken.Read(
                tokens.Response!.RootElement is { ValueKind: JsonValueKind.Object } answer ? Text(answer, "id_token") : null,
                Config, properties.Items[NonceKey] ?? "", TimeProvider.GetUtcNow(), out fault);
        if (proof is null)
        {
            throw new AuthenticationFailureException($"The id token is refused: {fault}.");
        }

        _proof = proof with { AskedBy = properties.Items.TryGetValue(AskedByKey, out var askedBy) ? askedBy : null };
        return new AuthenticationTicket(new ClaimsPrincipal(identity), properties, Scheme.Name);
    }

    /// <summary>GitHub tells who it is at one path, and at another one which addresses are confirmed.</summary>
    private async Task<ConnectionProof> AskApi(string token)
    {
        var user = await Ask("/user", token);
        var emails = await Ask("/user/emails", token);
        if (user.ValueKind != JsonValueKind.Object || !user.TryGetProperty("id", out var id) || !id.TryGetInt64(out var number)
            || emails.ValueKind != JsonValueKind.Array)
        {
            throw new JsonException("The API answered in another form.");
        }

        var primary = emails.EnumerateArray().FirstOrDefault(one => IsTrue(one, "primary"));
        var email = primary.ValueKind == JsonValueKind.Object ? Text(primary, "email") : null;
        return new ConnectionProof(
            Config.Kind, number.ToString(System.Globalization.CultureInfo.InvariantCulture), email,
            email is not null && IsTrue(primary, "verified"), Text(user, "name") ?? Text(user, "login"));
    }

    private async Task<JsonElement> Ask(string path, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Config.ApiUrl + path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Accept.ParseAdd("application/json");
        using var answer = await Backchannel.SendAsync(request, Context.RequestAborted);
        answer.EnsureSuccessStatusCode();
        return JsonElement.Parse(await answer.Content.ReadAsByteArrayAsync(Context.RequestAborted));
    }

    /// <param name="reason">For the operator, who may have set something up wrong; the public sentence is another.</param>
    private Problem Refused(string reason)
    {
        LogRefused(Logger, Config.Kind.Name, reason);
        return new Problem(ProblemCode.ConnectionRefused, Request.Query["error"] == "access_denied" ? Denied : NotProved);
    }

    private string Denied => $"You did not let {Config.Kind.Title} tell us who you are. Nothing has changed.";

    private string NotProved =>
        $"{Config.Kind.Title} did not prove who you are, or this took too long, was done twice, or was begun in another browser. "
        + "Nothing has changed; begin again.";

    [LoggerMessage(Level = LogLevel.Information, Message = "A sign-in by {Connection} was refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, string connection, string reason);

    private static bool IsTrue(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static string? Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
