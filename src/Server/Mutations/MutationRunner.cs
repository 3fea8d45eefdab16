using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Mutations;

/// <summary>
/// The one way in which an HTTP call changes something: a transaction on behalf of its caller, once per <c>Idempotency-Key</c>. The
/// answer is kept, sealed, in the transaction of the change itself, so a crash leaves both or neither.
/// </summary>
internal sealed partial class MutationRunner(Database database, Pepper pepper, Sealer sealer)
{
    public const string Header = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";

    public const int HeaderCharsMax = 255;
    private const int UserAgentCharsMax = 256;

    private readonly byte[] _idKey = pepper.DeriveKey("idempotency ids");

    /// <summary>Those running now, so that a duplicate is told to wait instead of waiting; bounded by the writes that may wait.</summary>
    private readonly ConcurrentDictionary<string, bool> _running = new(StringComparer.Ordinal);

    /// <param name="http">The call; <see cref="Caller.Of"/> must be known.</param>
    /// <param name="rawBody">Its body as it came: the same key with another body is refused.</param>
    /// <param name="work">The change. Runs at most once per Idempotency-Key that succeeds; a failed outcome is not remembered.</param>
    /// <param name="answer">What to tell. Computed before the commit, so that it fails with the change or not at all.</param>
    public Task<IResult> Run<T>(
        HttpContext http, ReadOnlyMemory<byte> rawBody, Func<WriteScope, Task<Outcome<T>>> work, Func<T, MutationAnswer> answer) =>
        Run(http, rawBody, async scope => (await work(scope)).TryGet(out var value, out var problem) ? answer(value) : problem);

    /// <summary>For calls that take no members: no body or an empty object.</summary>
    public async Task<IResult> RunWithoutBody(HttpContext http, Func<WriteScope, Task<Outcome<MutationAnswer>>> work) =>
        (await RequestBody.ReadNothing(http)).TryGet(out var raw, out var problem)
            ? await Run(http, raw, work)
            : new ProblemResult(problem);

    public async Task<IResult> Run(
        HttpContext http, ReadOnlyMemory<byte> rawBody, Func<WriteScope, Task<Outcome<MutationAnswer>>> work)
    {
        if (!ReadKey(http).TryGet(out var key, out var problem))
        {
            return new ProblemResult(problem);
        }

        if (key.Length == 0)
        {
            return Tell(await database.Write(
                scope => InItsTurn(http, scope, () => Once(scope, work)), ContextOf(http), http.RequestAborted));
        }

        var request = Identify(http, key, rawBody.Span);
        if (!_running.TryAdd(request.Id, true))
        {
            return new ProblemResult(Problem.Of(ProblemCode.IdempotencyInFlight));
        }

        try
        {
            return Tell(await database.Write(
                scope => InItsTurn(http, scope, () => OnceFor(scope, request, work)), ContextOf(http), http.RequestAborted));
        }
        finally
        {
            _running.TryRemove(request.Id, out _);
        }
    }

    /// <summary>
    /// The answer that was kept for this very call, which takes no body, where it holds no secret; null for none. For who may make the call
    /// no longer, perhaps because of it: whoever left may hear once more that they did.
    /// </summary>
    public async Task<IResult?> Kept(HttpContext http)
    {
        if (!ReadKey(http).TryGet(out var key, out _) || key.Length == 0
            || !(await RequestBody.ReadNothing(http)).TryGet(out var raw, out _))
        {
            return null;
        }

        var request = Identify(http, key, raw.Span);
        var found = await database.Write<Told>(
            async scope => await KeptAnswerSql.Find(scope, request.Id) is { HoldsSecret: 0 } kept
                ? Replay(scope, request, kept)
                : Problem.Of(ProblemCode.NotFound),
            ContextOf(http), http.RequestAborted);
        return found.TryGet(out var told, out _) ? new ToldResult(told) : null;
    }

    /// <summary>
    /// A key or a person is judged again inside the write, where no other change can come between: a key that was revoked, held or narrowed
    /// while its body arrived, or while it waited for its turn, changes nothing and is told nothing; nor does a person who was put out.
    /// </summary>
    private static async Task<Outcome<Told>> InItsTurn(HttpContext http, WriteScope scope, Func<Task<Outcome<Told>>> change)
    {
        var outcome = scope.Context.Caller.Kind switch
        {
            CallerKind.Root => scope.Context.Caller,
            CallerKind.Key => await Known(http.Features.Get<CallerAgain>())(http),
            CallerKind.Person => await Known(http.Features.Get<PersonAgain>())(scope),
            _ => throw new InvalidOperationException("Who has not said who they are changes nothing by a call."),
        };
        if (!outcome.TryGet(out var caller, out var problem))
        {
            return problem;
        }

        scope.Become(caller);
        return await change();
    }

    private static TAgain Known<TAgain>(TAgain? again)
        where TAgain : Delegate => again ?? throw new InvalidOperationException("Nobody can say how the caller stands.");

    private static async Task<Outcome<Told>> Once(WriteScope scope, Func<WriteScope, Task<Outcome<MutationAnswer>>> work)
    {
        if (!(await work(scope)).TryGet(out var answer, out var problem))
        {
            return problem;
        }

        await KeptAnswerSql.Purge(scope);
        return new Told(answer, IsReplay: false);
    }

    /// <summary>Writes run one after another, so what is found here is final: no duplicate can be between looking and keeping.</summary>
    private async Task<Outcome<Told>> OnceFor(
        WriteScope scope, IdempotentRequest request, Func<WriteScope, Task<Outcome<MutationAnswer>>> work)
    {
        if (await KeptAnswerSql.Find(scope, request.Id) is { } kept)
        {
            return Replay(scope, request, kept);
        }

        if (!(await Once(scope, work)).TryGet(out var told, out var problem))
        {
            return problem;
        }

        await KeptAnswerSql.Keep(scope, new KeptAnswer
        {
            Id = request.Id,
            RequestHash = request.Hash,
            Status = told.Answer.Status,
            HoldsSecret = told.Answer.HoldsSecret ? 1 : 0,
            Answer = sealer.Seal(request.SealPurpose, told.Answer.Json, Encoding.ASCII.GetBytes(request.Id)),
            CreatedAtMs = scope.NowMs,
        });
        Failpoint.Pass("idempotency.row");
        return told;
    }

    private Outcome<Told> Replay(WriteScope scope, IdempotentRequest request, KeptAnswer kept)
    {
        if (kept.RequestHash != request.Hash)
        {
            return Problem.Of(ProblemCode.IdempotencyMismatch);
        }

        if (kept.IsReadableAt(scope.NowMs)
            && sealer.TryOpen(request.SealPurpose, kept.Answer, Encoding.ASCII.GetBytes(request.Id), out var json))
        {
            return new Told(new MutationAnswer((int)kept.Status, json, kept.HoldsSecret == 1), IsReplay: true);
        }

        return new Problem(
            ProblemCode.IdempotencyExpired,
            "This request was carried out before; its answer held a secret, which is kept for 10 minutes only. "
            + "Rotate the key for a new one.");
    }

    private static IResult Tell(Outcome<Told> outcome)
    {
        Failpoint.Pass("mutation.unanswered");
        return outcome.TryGet(out var told, out var problem) ? new ToldResult(told) : new ProblemResult(problem);
    }

    /// <summary>Empty when there is none.</summary>
    private static Outcome<string> ReadKey(HttpContext http)
    {
        var given = http.Request.Headers[Header];
        if (given.Count == 0)
        {
            return "";
        }

        var key = given[0] ?? "";
        return given.Count == 1 && key.Length is > 0 and <= HeaderCharsMax && key.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0
            ? key
            : new Problem(ProblemCode.InvalidRequest, $"{Header} must be one value of 1 to {HeaderCharsMax} visible ASCII characters.");
    }

    private IdempotentRequest Identify(HttpContext http, string key, ReadOnlySpan<byte> body)
    {
        var (request, caller) = (http.Request, Caller.Of(http));
        // A control character cannot occur in any of the parts, so it keeps them apart.
        var scope = $"{caller.Kind}\n{caller.Id}\n{request.Method}\n{request.PathBase}{request.Path}\n{key}";
        var id = Convert.ToHexStringLower(HMACSHA256.HashData(_idKey, Encoding.UTF8.GetBytes(scope)));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.QueryString}\n"));
        hash.AppendData(body);
        return new IdempotentRequest(id, Convert.ToHexStringLower(hash.GetHashAndReset()), $"idempotent answer {key}");
    }

    private static MutationContext ContextOf(HttpContext http) => ContextOf(http, Caller.Of(http));

    /// <summary>Who asks, from where and by which request, for a write that is no call of the management API.</summary>
    public static MutationContext ContextOf(HttpContext http, Caller caller) => new()
    {
        Caller = caller,
        Address = http.Connection.RemoteIpAddress is { } address
            ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString()
            : null,
        RequestId = http.TraceIdentifier,
        UserAgent = UserAgent(http),
    };

    /// <summary>
    /// Bounded, plain ASCII, and without any word long enough to be a key: it is a stranger's text that lives as long as the audit log.
    /// </summary>
    private static string? UserAgent(HttpContext http)
    {
        var text = http.Request.Headers.UserAgent.ToString();
        if (text.Length == 0)
        {
            return null;
        }

        var plain = string.Concat(text.Take(UserAgentCharsMax).Select(character => character is >= ' ' and <= '~' ? character : '?'));
        return LongWord().Replace(plain, "(redacted)");
    }

    [GeneratedRegex("[A-Za-z0-9_-]{20,}")]
    private static partial Regex LongWord();

    private sealed record Told(MutationAnswer Answer, bool IsReplay);

    /// <summary>The scope and key as a keyed hash, the request as a hash, and the name of the key that seals its answer.</summary>
    private sealed record IdempotentRequest(string Id, string Hash, string SealPurpose);

    private sealed class ToldResult(Told told) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            if (told.IsReplay)
            {
                httpContext.Response.Headers[ReplayedHeader] = "true";
            }

            return Answers.Json(told.Answer.Json, told.Answer.Status).ExecuteAsync(httpContext);
        }
    }
}

/// <summary>
/// Establishes a person's session and role once more, inside the write and on its transaction, set beside the <see cref="Caller"/>.
/// </summary>
internal delegate Task<Outcome<Caller>> PersonAgain(WriteScope scope);

/// <summary>What a mutation answers. One that holds a secret can be replayed for 10 minutes, any other for 24 hours.</summary>
internal sealed record MutationAnswer(int Status, byte[] Json, bool HoldsSecret)
{
    public static MutationAnswer Of<T>(int status, T value, JsonTypeInfo<T> type, bool holdsSecret = false) =>
        new(status, Answers.Bytes(value, type), holdsSecret);

    public override string ToString() => $"{Status}, {Json.Length} bytes";
}
