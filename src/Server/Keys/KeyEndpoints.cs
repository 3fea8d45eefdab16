using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Mutations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Keys;

/// <summary>Keys on the management API. Each handler binds, calls the ring and answers.</summary>
internal static class KeyEndpoints
{
    private static readonly string[] Statuses = ["active", "disabled", "expired", "revoked", "deleted"];

    public static void MapKeys(this IEndpointRouteBuilder api)
    {
        var keys = api.MapGroup("").WithTags("Keys").Needs(Rights.None);
        keys.MapPost("/projects/{id}/keys", Create).WithName("createKey").WithSummary("Create a key, or import one by its hash")
            .Takes(typeof(CreateKey)).Gives(typeof(KeyAnswer), 201).Idempotent().For(Act.MakeKeys);
        keys.MapGet("/projects/{id}/keys", List).WithName("listKeys").WithSummary("List the keys of a project")
            .Gives(typeof(KeyList)).Needs(Rights.KeysRead | Rights.KeysManage).For(Act.SeeKeys);
        keys.MapGet("/keys/{id}", Get).WithName("getKey").WithSummary("Read a key").Gives(typeof(KeyAnswer)).For(Act.SeeKeys);
        keys.MapPatch("/keys/{id}", Change).WithName("updateKey").WithSummary("Rename or narrow a key")
            .Takes(typeof(ChangeKey)).Gives(typeof(KeyAnswer)).Idempotent().For(Act.ManageKeys);
        keys.MapDelete("/keys/{id}", Delete).WithName("deleteKey").WithSummary("Delete a key, for good")
            .Gives(typeof(KeyAnswer)).Idempotent().For(Act.ManageKeys);
        keys.MapPost("/keys/{id}/disable", Disable).WithName("disableKey").WithSummary("Disable a key until it is enabled again")
            .Gives(typeof(KeyAnswer)).Idempotent().For(Act.ManageKeys);
        keys.MapPost("/keys/{id}/enable", Enable).WithName("enableKey").WithSummary("Enable a disabled key")
            .Gives(typeof(KeyAnswer)).Idempotent().For(Act.ManageKeys);
        keys.MapPost("/keys/{id}/revoke", Revoke).WithName("revokeKey").WithSummary("Revoke a key, for good")
            .MayTake(typeof(RevokeKey)).Gives(typeof(KeyAnswer)).Idempotent().For(Act.ManageKeys);
        keys.MapPost("/keys/{id}/regenerate", Regenerate).WithName("regenerateKey")
            .WithSummary("Give a key a new secret; the old one stops at once").Gives(typeof(KeyAnswer)).Idempotent()
            .For(Act.ManageKeys);
        keys.MapPost("/keys/{id}/rotate", Rotate).WithName("rotateKey")
            .WithSummary("Give a key a new secret; the old one lives on for a grace")
            .MayTake(typeof(RotateKey)).Gives(typeof(KeyAnswer)).Idempotent().For(Act.ManageKeys);
        keys.MapPost("/keys/{id}/reveal", Reveal).WithName("revealKey")
            .WithSummary("Show a key's secret again, where the provider keeps it")
            .Gives(typeof(RevealedSecret)).Idempotent().For(Act.ManageKeys);
    }

    private static async Task<IResult> Create(HttpContext http, string id, KeyRing ring, MutationRunner mutations) =>
        (await RequestBody.Read(http, KeyWire.Default.CreateKey)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, scope => Issued(scope, ring.Issue(scope, id, body.Value), 201))
            : new ProblemResult(problem);

    private static async Task<IResult> List(
        HttpContext http, string id, KeyRing ring, Pages pages, TimeProvider time, string? status, int? limit, string? cursor)
    {
        var caller = Caller.Of(http);
        var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (status is not null && !Statuses.Contains(status))
        {
            return new ProblemResult(Problem.Invalid("/status", $"must be among {string.Join(", ", Statuses)}."));
        }

        if (!pages.Read(http, $"keys {id} {status}", limit, cursor).TryGet(out var page, out var problem)
            || !(await ring.List(caller, id, status, page.Before, page.Limit + 1, nowMs, http.RequestAborted))
                .TryGet(out var keys, out problem))
        {
            return new ProblemResult(problem);
        }

        var (data, next) = page.Cut(keys, key => key.KeyNo);
        return Answers.Json(new KeyList([.. data.Select(key => KeyAnswer.Of(key, nowMs))], next), KeyWire.Default.KeyList);
    }

    private static async Task<IResult> Get(HttpContext http, string id, KeyRing ring, TimeProvider time) =>
        (await ring.Find(Caller.Of(http), id, http.RequestAborted)).TryGet(out var key, out var problem)
            ? Answers.Json(KeyAnswer.Of(key, time.GetUtcNow().ToUnixTimeMilliseconds()), KeyWire.Default.KeyAnswer)
            : new ProblemResult(problem);

    private static async Task<IResult> Change(HttpContext http, string id, KeyRing ring, MutationRunner mutations) =>
        (await RequestBody.Read(http, KeyWire.Default.ChangeKey)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, scope => Shown(scope, ring.Change(scope, id, body.Value)))
            : new ProblemResult(problem);

    private static Task<IResult> Delete(HttpContext http, string id, KeyRing ring, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, scope => Shown(scope, ring.Delete(scope, id)));

    private static Task<IResult> Disable(HttpContext http, string id, KeyRing ring, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, scope => Shown(scope, ring.Disable(scope, id)));

    private static Task<IResult> Enable(HttpContext http, string id, KeyRing ring, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, scope => Shown(scope, ring.Enable(scope, id)));

    private static async Task<IResult> Revoke(HttpContext http, string id, KeyRing ring, MutationRunner mutations) =>
        (await RequestBody.ReadOptional(http, KeyWire.Default.RevokeKey)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, scope => Shown(scope, ring.Revoke(scope, id, body.Value?.Reason)))
            : new ProblemResult(problem);

    private static Task<IResult> Regenerate(HttpContext http, string id, KeyRing ring, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, scope => Issued(scope, ring.Regenerate(scope, id), 200));

    private static async Task<IResult> Rotate(HttpContext http, string id, KeyRing ring, MutationRunner mutations) =>
        (await RequestBody.ReadOptional(http, KeyWire.Default.RotateKey)).TryGet(out var body, out var problem)
            ? await mutations.Run(
                http, body.Raw, scope => Issued(scope, ring.Rotate(scope, id, body.Value ?? new RotateKey(null, null, null)), 200))
            : new ProblemResult(problem);

    private static Task<IResult> Reveal(HttpContext http, string id, KeyRing ring, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope => (await ring.Reveal(scope, id)).TryGet(out var issued, out var problem)
            ? MutationAnswer.Of(
                200, new RevealedSecret(issued.Key.Id.ToString(), issued.Secret!), KeyWire.Default.RevealedSecret, holdsSecret: true)
            : problem);

    private static async Task<Outcome<MutationAnswer>> Shown(WriteScope scope, Task<Outcome<Key>> change) =>
        (await change).TryGet(out var key, out var problem)
            ? MutationAnswer.Of(200, KeyAnswer.Of(key, scope.NowMs), KeyWire.Default.KeyAnswer)
            : problem;

    private static async Task<Outcome<MutationAnswer>> Issued(WriteScope scope, Task<Outcome<IssuedKey>> change, int status) =>
        (await change).TryGet(out var issued, out var problem)
            ? MutationAnswer.Of(
                status, KeyAnswer.Of(issued.Key, scope.NowMs, issued.Secret), KeyWire.Default.KeyAnswer, holdsSecret: true)
            : problem;
}
