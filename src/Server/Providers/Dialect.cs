using System.Buffers;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Providers;

/// <summary>
/// How the provider words its errors. A code the file does not word is worded as its nearest relative, last of all as
/// <c>default</c>; so every 401 reads alike unless the file tells a missing key from a bad one.
/// </summary>
internal sealed class Dialect
{
    public const string Default = "default";

    private static readonly Dictionary<string, ProblemCode> Relatives = new(StringComparer.Ordinal)
    {
        [ProblemCode.KeyMissing.Code] = ProblemCode.InvalidKey,
        [ProblemCode.ScopeMissing.Code] = ProblemCode.PermissionMissing,
        [ProblemCode.BodyCondition.Code] = ProblemCode.PermissionMissing,
        [ProblemCode.ModelRefused.Code] = ProblemCode.PermissionMissing,
        [ProblemCode.RightMissing.Code] = ProblemCode.PermissionMissing,
        [ProblemCode.OperatorOnly.Code] = ProblemCode.PermissionMissing,
        [ProblemCode.WiderThanCaller.Code] = ProblemCode.PermissionMissing,
        [ProblemCode.InvalidJson.Code] = ProblemCode.InvalidRequest,
        [ProblemCode.ValidationFailed.Code] = ProblemCode.InvalidRequest,
        [ProblemCode.PathRefused.Code] = ProblemCode.InvalidRequest,
        [ProblemCode.OriginalRequestMissing.Code] = ProblemCode.InvalidRequest,
        [ProblemCode.OriginalRequestAmbiguous.Code] = ProblemCode.InvalidRequest,
        [ProblemCode.RouteUnknown.Code] = ProblemCode.NotFound,
        [ProblemCode.Unavailable.Code] = ProblemCode.Internal,
        [ProblemCode.UpstreamMissing.Code] = ProblemCode.NotFound,
        [ProblemCode.UpstreamBusy.Code] = ProblemCode.Internal,
        [ProblemCode.UpstreamUnreachable.Code] = ProblemCode.Internal,
        [ProblemCode.UpstreamTimeout.Code] = ProblemCode.Internal,
        [ProblemCode.UpstreamUnauthorized.Code] = ProblemCode.Internal,
        [ProblemCode.UpstreamBroken.Code] = ProblemCode.Internal,
        [ProblemCode.ExceedsLimit.Code] = ProblemCode.InvalidRequest,
        [ProblemCode.ModelUnknown.Code] = ProblemCode.InvalidRequest,
        [ProblemCode.InFlightHolds.Code] = ProblemCode.WalletEmpty,
        [ProblemCode.BalanceNeeded.Code] = ProblemCode.WalletEmpty,
        [ProblemCode.KeyOperationsExceeded.Code] = ProblemCode.RateLimited,
        [ProblemCode.QuotaExceeded.Code] = ProblemCode.PermissionMissing,
    };

    private readonly IReadOnlyDictionary<string, ErrorTemplate> _templates;
    private readonly string? _topUpUrl;

    /// <summary><paramref name="templates"/> by code; <see cref="Default"/> must be among them.</summary>
    public Dialect(IReadOnlyDictionary<string, ErrorTemplate> templates, string? topUpUrl)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(templates.ContainsKey(Default), false);
        (_templates, _topUpUrl) = (templates, topUpUrl);
    }

    /// <summary>The file's status for this code, or the catalogue's own when the file names none.</summary>
    public int StatusOf(ProblemCode code) => TemplateOf(code).Status ?? code.Status;

    /// <summary>What this error's answer carries besides.</summary>
    public void WriteHeaders(IHeaderDictionary headers, ProblemCode code)
    {
        foreach (var (name, text) in TemplateOf(code).Headers)
        {
            headers[name] = text;
        }
    }

    /// <summary>Writes the body, which is JSON, and returns the status to send with it.</summary>
    public int Write(IBufferWriter<byte> output, Problem problem, string? requestId, DateTimeOffset now)
    {
        var status = StatusOf(problem.Code);
        TemplateOf(problem.Code).Body.Write(output, new TemplateValues
        {
            Status = status,
            Code = problem.Code.Code,
            Message = problem.Detail,
            RequiredPermission = problem.RequiredPermission,
            RequestId = requestId,
            TimestampMs = now.ToUnixTimeMilliseconds(),
            Errors = problem.Errors,
            RetryAfter = problem.Limit is { RetrySeconds: > 0 } limit ? limit.RetrySeconds : problem.RetryAfterSeconds,
            Limit = problem.Limit?.Amount,
            Remaining = problem.Limit?.Remaining,
            LimitName = problem.Limit?.Name,
            PlanLimit = problem.PlanLimit,
            TopUpUrl = _topUpUrl,
        });
        return status;
    }

    private ErrorTemplate TemplateOf(ProblemCode code)
    {
        for (var at = code; at is not null; at = Relatives.GetValueOrDefault(at.Code))
        {
            if (_templates.TryGetValue(at.Code, out var template))
            {
                return template;
            }
        }

        return _templates[Default];
    }
}

/// <summary>The wording of one error; without a status the catalogue's holds.</summary>
internal sealed record ErrorTemplate(int? Status, BodyTemplate Body, IReadOnlyList<KeyValuePair<string, string>> Headers);
