using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Changes;

/// <summary>The change feed on the management API, by long poll.</summary>
internal static class ChangeEndpoints
{
    public static void MapChanges(this IEndpointRouteBuilder api) => api.MapGet("/changes", Poll)
        .WithName("pollChanges")
        .WithSummary("Wait for changes to keys, projects and organizations")
        .WithTags("Verification")
        .Gives(typeof(ChangePageAnswer))
        .Needs(Rights.Verify)
        .KeysOnly();

    private static async Task<IResult> Poll(HttpContext http, ChangeFeed feed, [AsParameters] ChangeQuery query)
    {
        if (!query.Checked().TryGet(out var wait, out var problem)
            || !(await feed.Read(Caller.Of(http), query.After, query.Epoch, wait, http.RequestAborted)).TryGet(out var page, out problem))
        {
            return new ProblemResult(problem);
        }

        return Answers.Json(ChangePageAnswer.Of(page), ChangeWire.Default.ChangePageAnswer);
    }
}

/// <summary>The query of <c>GET /changes</c>.</summary>
internal sealed record ChangeQuery
{
    [FromQuery(Name = "after")]
    public long? After { get; init; }

    [FromQuery(Name = "wait")]
    public int? Wait { get; init; }

    [FromQuery(Name = "epoch")]
    public string? Epoch { get; init; }

    private const int EpochCharsMax = 100;

    /// <summary>How long to wait, when all three can be.</summary>
    public Outcome<TimeSpan> Checked()
    {
        var seconds = Wait ?? ChangeFeed.WaitSecondsDefault;
        FieldError[] errors =
        [
            .. After is < 0 ? [new FieldError("/after", "must not be negative.")] : Array.Empty<FieldError>(),
            .. seconds is < 0 or > ChangeFeed.WaitSecondsMax
                ? [new FieldError("/wait", $"must be between 0 and {ChangeFeed.WaitSecondsMax} seconds.")]
                : Array.Empty<FieldError>(),
            .. Epoch is { Length: > EpochCharsMax }
                ? [new FieldError("/epoch", $"must have at most {EpochCharsMax} characters.")]
                : Array.Empty<FieldError>(),
        ];
        return errors.Length > 0 ? Problem.Invalid(errors) : TimeSpan.FromSeconds(seconds);
    }
}

/// <summary>One change as the management API tells it.</summary>
internal sealed record ChangeAnswer
{
    public required long Seq { get; init; }

    public required string Kind { get; init; }

    public required string Id { get; init; }

    public required long Version { get; init; }

    public required DateTimeOffset At { get; init; }
}

internal sealed record ChangePageAnswer
{
    public required IReadOnlyList<ChangeAnswer> Data { get; init; }

    public required long NextAfter { get; init; }

    public required bool HasMore { get; init; }

    public required string Epoch { get; init; }

    public required bool Reset { get; init; }

    public static ChangePageAnswer Of(ChangePage page) => new()
    {
        Data = [.. page.Changes.Select(change => new ChangeAnswer
        {
            Seq = change.Seq,
            Kind = change.Kind,
            Id = change.Id,
            Version = change.Version,
            At = DateTimeOffset.FromUnixTimeMilliseconds(change.AtMs),
        })],
        NextAfter = page.NextAfter,
        HasMore = page.HasMore,
        Epoch = page.Epoch,
        Reset = page.IsReset,
    };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(ChangePageAnswer))]
internal sealed partial class ChangeWire : JsonSerializerContext;
