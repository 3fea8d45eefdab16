using System.Buffers;
using System.Text.Json;
using Tollgate.Engine.Verification;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Usage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// <c>GET /v1/models</c> and <c>/v1/models/{model}</c>: the upstream's own answer, save where the gate knows better. Where requests
/// are paid for, those with a price are on offer and no others; and a key that is bound to models is shown none but these.
/// </summary>
internal sealed class ModelList(ProviderModel provider, ModelNames names, RelayDoor relay)
{
    private readonly bool _isPaid = provider.Wallet is not null;

    /// <summary>Answers, or lets the request pass to where it is answered.</summary>
    public Task Pass(HttpContext http, in RouteCall call, in KnownBody body, in Verdict verdict, long nowMs)
    {
        var own = names.NamesOf(verdict.Key.Profile);
        if (!_isPaid && own is null)
        {
            return relay.Pass(http, call, body, verdict, nowMs);
        }

        var isList = ModelPaths.IsList(http.Request.Method, call.Path);
        if (isList)
        {
            return relay.Answer(http, verdict, nowMs, List(Offered(own)));
        }

        if (ModelPaths.IdOf(http.Request.Method, call) is not { } id)
        {
            return relay.Pass(http, call, body, verdict, nowMs);
        }

        return Offered(own).Contains(id, StringComparer.Ordinal)
            ? relay.Answer(http, verdict, nowMs, One(id))
            : relay.Answer(http, verdict, nowMs, new Problem(ProblemCode.NotFound, "There is no such model on offer."));
    }

    private IEnumerable<string> Offered(IReadOnlyList<string>? own) => !_isPaid ? own!
        : provider.Models.Where(model => model.Price is not null && own?.Contains(model.Id) != false).Select(model => model.Id);

    private ReadOnlyMemory<byte> List(IEnumerable<string> ids) => Written(json =>
    {
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        foreach (var id in ids)
        {
            Write(json, id);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    private ReadOnlyMemory<byte> One(string id) => Written(json => Write(json, id));

    private void Write(Utf8JsonWriter json, string id)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("object"u8, "model"u8);
        json.WriteNumber("created"u8, 0);
        json.WriteString("owned_by"u8, provider.Name);
        json.WriteEndObject();
    }

    private static ReadOnlyMemory<byte> Written(Action<Utf8JsonWriter> write)
    {
        var output = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = Json.Encoder }))
        {
            write(json);
        }

        return output.WrittenMemory;
    }
}
