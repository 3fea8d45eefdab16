using System.Buffers;
using System.Text;
using Tollgate.Gateway.Metering;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Metering;

/// <summary>What holds for every answer, good or garbage, however it is cut into pieces.</summary>
public sealed class MeterPropertyTests
{
    private const int Cases = 5_000;

    [Fact]
    public void A_JSON_answer_passes_as_it_is_and_counts_the_same_in_any_pieces() => ForAll(AnswerTexts.Json, (body, random) =>
    {
        var whole = MeteredAnswer.Of(new JsonMeter(Calls.Chat()), [body]);
        var split = MeteredAnswer.Of(new JsonMeter(Calls.Chat()), MeteredAnswer.Split(body, random));

        Assert.Equal(Encoding.Latin1.GetString(body), whole.All);
        Assert.Equal(whole, split);
        return whole.IsComplete;
    });

    [Fact]
    public void A_stream_passes_and_counts_the_same_in_any_pieces() => ForAll(AnswerTexts.Stream, (body, random) =>
    {
        var asksUsage = random.Next(2) == 0;
        var most = random.Next(3) == 0 ? (uint)random.Next(20) : uint.MaxValue;

        var whole = MeteredAnswer.Of(Meter(), [body]);
        var split = MeteredAnswer.Of(Meter(), MeteredAnswer.Split(body, random));

        Assert.Equal(whole, split);
        return whole.IsComplete;

        EventMeter Meter() => new(Calls.Chat(asksUsage), total => total <= most);
    });

    [Fact]
    public void Who_asked_for_usage_gets_every_event_but_its_ids() => ForAll(AnswerTexts.Stream, (body, random) =>
    {
        var answer = MeteredAnswer.Of(new EventMeter(Calls.Chat(asksUsage: true), null), MeteredAnswer.Split(body, random));

        Assert.Equal(AnswerTexts.WithoutIds(Encoding.Latin1.GetString(body), answer.IsComplete), answer.All);
        return answer.IsComplete;
    });

    [Fact]
    public void No_body_of_a_call_is_too_odd_to_be_read_or_refused() => ForAll(CallTexts.Garbage, (body, random) =>
    {
        var kind = random.Pick<ModelCallKind>([ModelCallKind.Chat, ModelCallKind.Completion, ModelCallKind.Embedding]);
        if (!ModelCall.TryRead(kind, body, out var call, out var fault))
        {
            Assert.NotEmpty(fault.Text);
            return false;
        }

        var forwarded = call.Forwarded(7);
        Assert.True(ModelCall.TryRead(kind, forwarded, out var again, out fault), fault.ToString());
        Assert.Equal((call.Model, call.Streams, call.FanOut), (again.Model, again.Streams, again.FanOut));
        return true;
    });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_hundred_megabytes_of_garbage_take_little_memory(int kind)
    {
        const int Piece = 32 * 1024;
        var random = new Random(FuzzSeed.Take(1));
        byte[][] pieces = [.. Enumerable.Range(0, 8).Select(_ => AnswerTexts.Noise(random, Piece, kind))];
        foreach (var meter in new IResponseMeter[]
            {
                new JsonMeter(Calls.Chat()), new EventMeter(Calls.Chat(), _ => true), new OpaqueMeter(Calls.Chat()),
            })
        {
            var sink = new Sink(Piece);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100 * 1024 * 1024 / Piece; i++)
            {
                meter.Take(pieces[i % pieces.Length], sink);
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < 8 * 1024 * 1024, $"{meter} allocated {allocated} bytes");
        }
    }

    [Fact]
    public void Once_a_stream_runs_its_events_allocate_nothing()
    {
        var events = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(AnswerTexts.Chunk("Hello", "null", ",\"usage\":null"), 100)));
        var meter = new EventMeter(Calls.Chat(), _ => true);
        var sink = new Sink(events.Length);
        Take(events, meter, sink);

        var taken = 1u;
        var least = Allocation.LeastOf(() =>
        {
            for (var i = 0; i < 10; i++, taken++)
            {
                Take(events, meter, sink);
            }
        });

        Assert.Equal(0, least);
        Assert.Equal(taken * 100 * 2, meter.Use.OutputTokens);

        static void Take(byte[] events, EventMeter meter, Sink sink)
        {
            for (var at = 0; at < events.Length; at += 333)
            {
                Assert.True(meter.Take(events.AsSpan(at, Math.Min(333, events.Length - at)), sink));
            }
        }
    }

    private static void ForAll(Func<Random, byte[]> draw, Func<byte[], Random, bool> holds)
    {
        var seed = FuzzSeed.Take(Cases);
        var random = new Random(seed);
        var (good, bad) = (0, 0);
        for (var i = 0; i < Cases; i++)
        {
            var body = draw(random);
            try
            {
                _ = holds(body, random) ? good++ : bad++;
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"FUZZ_SEED={seed}, case {i}: {Encoding.Latin1.GetString(body)}", error);
            }
        }

        Assert.True(good > Cases / 20 && bad > Cases / 20, $"FUZZ_SEED={seed}: {good} good and {bad} bad");
    }

    /// <summary>Forgets what is written.</summary>
    private sealed class Sink(int bytes) : IBufferWriter<byte>
    {
        private readonly byte[] _buffer = new byte[bytes];

        public void Advance(int count)
        {
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => _buffer;

        public Span<byte> GetSpan(int sizeHint = 0) => _buffer;
    }
}
