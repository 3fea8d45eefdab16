using Microsoft.AspNetCore.Http.Metadata;

namespace Tollgate.Server.Wire;

/// <summary>
/// What an endpoint takes and gives, in the words of the map: the OpenAPI document is made from it, and routing refuses other media types.
/// </summary>
internal static class EndpointShape
{
    private static readonly string[] Json = ["application/json"];

    public static TBuilder Takes<TBuilder>(this TBuilder builder, Type body)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AcceptsMetadata(Json, body));

    /// <summary>The body is any number of lines, each an object of this shape.</summary>
    public static TBuilder TakesLines<TBuilder>(this TBuilder builder, Type line)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AcceptsMetadata([RequestBody.LinesType], line));

    /// <summary>The call can do without a body.</summary>
    public static TBuilder MayTake<TBuilder>(this TBuilder builder, Type body)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AcceptsMetadata(Json, body, isOptional: true));

    public static TBuilder Gives<TBuilder>(this TBuilder builder, Type body, int status = StatusCodes.Status200OK)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ProducesResponseTypeMetadata(status, body, Json));

    /// <summary>The answer is a file of this type, of any length.</summary>
    public static TBuilder GivesText<TBuilder>(this TBuilder builder, string mediaType)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(string), [mediaType.Split(';')[0]]));

    /// <summary>The call takes an <c>Idempotency-Key</c>.</summary>
    public static TBuilder Idempotent<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(IdempotentCall.Instance);
}

/// <summary>Marks an endpoint whose answer is kept for its <c>Idempotency-Key</c>.</summary>
internal sealed class IdempotentCall
{
    public static IdempotentCall Instance { get; } = new();
}
