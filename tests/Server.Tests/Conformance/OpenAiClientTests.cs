using System.ClientModel;
using System.ClientModel.Primitives;
using OpenAI;
using OpenAI.Chat;
using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Hosting;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Relay;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>
/// TX13, TS14: the NuGet package OpenAI with only its base URL and key changed, against the built-in model behind <c>tensorx.yaml</c> and
/// <c>tensoras.yaml</c>.
/// </summary>
public sealed class OpenAiClientTests
{
    private const string Model = "llama-3.3-70b";
    private const string Words = "one two three four";

    [Theory]
    [InlineData("tensorx")]
    [InlineData("tensoras")]
    public async Task TX13_TS14_it_chats_and_knows_what_it_used(string provider)
    {
        await using var gate = await RunningGate.Start(provider);
        var answer = await Client(gate, await gate.NewSecret()).GetChatClient(Model).CompleteChatAsync(new UserChatMessage(Words));
        Assert.Equal(Words, Assert.Single(answer.Value.Content).Text);
        Assert.Equal((ChatFinishReason.Stop, 4), (answer.Value.FinishReason, answer.Value.Usage.OutputTokenCount));
    }

    [Theory]
    [InlineData("tensorx")]
    [InlineData("tensoras")]
    public async Task TX13_TS14_it_streams_and_gets_the_usage_that_it_always_asks_for(string provider)
    {
        await using var gate = await RunningGate.Start(provider);
        var (text, usage) = ("", (ChatTokenUsage?)null);
        await foreach (var update in Client(gate, await gate.NewSecret()).GetChatClient(Model)
            .CompleteChatStreamingAsync(new UserChatMessage(Words)))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            usage = update.Usage ?? usage;
        }

        Assert.Equal((Words, 4), (text, usage!.OutputTokenCount));
    }

    [Fact]
    public async Task TX13_it_has_embeddings_and_models()
    {
        await using var gate = await RunningGate.Start("tensorx");
        var client = Client(gate, await gate.NewSecret());
        var embeddings = await client.GetEmbeddingClient(Model).GenerateEmbeddingsAsync(["one", "two"]);
        Assert.Equal([0, 1], embeddings.Value.Select(embedding => embedding.Index));
        Assert.All(embeddings.Value, embedding => Assert.True(embedding.ToFloats().Length > 0));
        var models = await client.GetOpenAIModelClient().GetModelsAsync();
        Assert.Contains(Model, models.Value.Select(model => model.Id));
        Assert.Equal(Model, (await client.GetOpenAIModelClient().GetModelAsync(Model)).Value.Id);
    }

    [Fact]
    public async Task TX13_it_reads_the_code_of_a_refusal()
    {
        await using var gate = await RunningGate.Start("tensoras");
        var stranger = await Assert.ThrowsAsync<ClientResultException>(
            () => Client(gate, "tns_nobody").GetChatClient(Model).CompleteChatAsync(new UserChatMessage(Words)));
        Assert.Equal(401, stranger.Status);
        Assert.Contains("HTTP 401 (authentication_error: invalid_api_key)", stranger.Message, StringComparison.Ordinal);
        var secret = await gate.NewSecret("\"name\":\"Retrieval\",\"scopes\":[\"rag\"]");
        var refused = await Assert.ThrowsAsync<ClientResultException>(
            () => Client(gate, secret).GetChatClient(Model).CompleteChatAsync(new UserChatMessage(Words)));
        Assert.Equal(403, refused.Status);
        Assert.Contains("permission_error: insufficient_scope", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TX13_a_model_that_is_not_there_is_404()
    {
        await using var gate = await RunningGate.Start("tensorx");
        var models = Client(gate, await gate.NewSecret()).GetOpenAIModelClient();
        Assert.Equal(404, (await Assert.ThrowsAsync<ClientResultException>(() => models.GetModelAsync("nobody/knows:it"))).Status);
    }

    [Fact]
    public async Task TX13_a_stream_that_is_given_up_ends_at_the_server_behind_the_gate()
    {
        var left = new TaskCompletionSource();
        await using var server = await ModelServer.Start();
        server.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("One"));
            await using var gone = http.RequestAborted.Register(left.SetResult);
            await left.Task;
        };
        var upstream = new UpstreamConfig { Name = "model", Url = new Uri(server.Address + "/v1") };
        await using var gate = await RunningGate.Start("tensorx", new GateOptions { LogLevel = "none", Upstreams = [upstream] });
        var chat = Client(gate, await gate.NewSecret()).GetChatClient(Model);
        using var given = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage(Words)], cancellationToken: given.Token))
            {
                Assert.Equal("One", Assert.Single(update.ContentUpdate).Text);
                await given.CancelAsync();
            }
        });
        await left.Task;
    }

    [Fact]
    public async Task TS14_it_waits_for_Retry_After_by_itself_and_then_passes()
    {
        await using var gate = await RunningGate.Start("tensoras");
        var secret = await gate.NewSecret();
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(200, (int)(await gate.Send("GET", "/v1/models", secret)).Status);
        }

        // The minute of the gate's clock is nearly over, so that the client, which waits by its own, is told of a second or two.
        gate.Clock.Advance(TimeSpan.FromSeconds(60));
        var tries = new CountedTries(() => gate.Clock.Advance(TimeSpan.FromSeconds(5)));
        var options = new OpenAIClientOptions { Endpoint = new Uri(gate.Address + "/v1") };
        options.AddPolicy(tries, PipelinePosition.PerTry);
        var client = new OpenAIClient(new ApiKeyCredential(secret), options);
        var answer = await client.GetChatClient(Model).CompleteChatAsync(new UserChatMessage(Words));
        Assert.Equal(Words, Assert.Single(answer.Value.Content).Text);
        Assert.Equal([429, 200], tries.Statuses);
        Assert.InRange(tries.RetryAfter, 1, 4);
    }

    private static OpenAIClient Client(RunningGate gate, string secret) =>
        new(new ApiKeyCredential(secret), new OpenAIClientOptions { Endpoint = new Uri(gate.Address + "/v1") });

    /// <summary>Sees each try of a call, and lets time pass after one that was refused.</summary>
    private sealed class CountedTries(Action afterRefusal) : PipelinePolicy
    {
        public List<int> Statuses { get; } = [];

        public int RetryAfter { get; private set; }

        public override void Process(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex) =>
            throw new NotSupportedException("The tests wait.");

        public override async ValueTask ProcessAsync(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex)
        {
            await ProcessNextAsync(message, pipeline, currentIndex);
            Statuses.Add(message.Response!.Status);
            if (message.Response.Headers.TryGetValue("Retry-After", out var seconds))
            {
                RetryAfter = int.Parse(seconds!, System.Globalization.CultureInfo.InvariantCulture);
                afterRefusal();
            }
        }
    }
}
