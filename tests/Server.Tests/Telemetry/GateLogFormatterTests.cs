using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Server.Providers;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Telemetry;

public sealed class GateLogFormatterTests
{
    private static readonly ProviderModel Provider = ProviderFiles.Shipped.Load("default").Model!;

    [Fact]
    public void A_line_for_people_is_one_line_without_the_key()
    {
        var key = Provider.Keys.Format.Mint(0);
        var line = Written(asJson: false, $"first\nsecond\u2028third\u001b[31m {key}", new InvalidOperationException($"no {key}"));
        Assert.Equal(
            $"2026-01-02T03:04:05Z warn: Room[7] first second third [31m {Provider.Keys.Format.Mask(key)} "
            + $"System.InvalidOperationException: no {Provider.Keys.Format.Mask(key)}\n",
            line);
    }

    [Fact]
    public void A_line_for_machines_is_one_object_with_the_values_of_its_message()
    {
        var key = Provider.Keys.Format.Mint(0);
        var line = Written(
            asJson: true, $"\"{key}\"\n", new InvalidOperationException($"no {key}"),
            new("Secret", key), new("Count", 3), new("Nothing", null), new("{OriginalFormat}", "x"));
        Assert.EndsWith("}\n", line, StringComparison.Ordinal);
        Assert.Equal(1, line.Count(character => character == '\n'));
        var json = JsonElement.Parse(line);
        var mask = Provider.Keys.Format.Mask(key);
        Assert.Equal("2026-01-02T03:04:05.000Z", json.GetProperty("time").GetString());
        Assert.Equal("warning", json.GetProperty("level").GetString());
        Assert.Equal("Room", json.GetProperty("category").GetString());
        Assert.Equal("Happened", json.GetProperty("event").GetString());
        Assert.Equal($"\"{mask}\"\n", json.GetProperty("message").GetString());
        Assert.Equal($"{{\"Secret\":\"{mask}\",\"Count\":\"3\",\"Nothing\":\"\"}}", json.GetProperty("values").GetRawText());
        Assert.Contains($"no {mask}", json.GetProperty("exception").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(key[10..20], line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_has_a_bound_and_a_key_across_it_is_not_cut_into_one_that_is_overlooked()
    {
        var key = Provider.Keys.Format.Mint(0);
        var start = new string('x', GateLogFormatter.TextCharsMax - 12);
        Assert.DoesNotContain(key[4..12], Written(asJson: false, start + " " + key), StringComparison.Ordinal);
        var atBound = new string('x', GateLogFormatter.TextCharsMax);
        Assert.EndsWith($"] {atBound}\n", Written(asJson: false, atBound), StringComparison.Ordinal);
        Assert.EndsWith($"] {atBound}...\n", Written(asJson: false, atBound + "x"), StringComparison.Ordinal);
    }

    private static string Written(
        bool asJson, string message, Exception? fault = null, params KeyValuePair<string, object?>[] values)
    {
        var texts = new KeyTexts(Provider.Keys.Format, Provider.Keys.Accepts, Provider.Keys.Length, "tollgate_root_");
        var formatter = new GateLogFormatter(new KeyRedaction(texts, []), new ManualClock(), asJson);
        using var output = new StringWriter();
        formatter.Write(
            new LogEntry<KeyValuePair<string, object?>[]>(
                LogLevel.Warning, "Room", new EventId(7, "Happened"), values, fault, (_, _) => message),
            null,
            output);
        return output.ToString();
    }
}
