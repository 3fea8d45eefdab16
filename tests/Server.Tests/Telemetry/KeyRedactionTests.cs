using System.Text;
using System.Text.Json;
using Tollgate.Engine.Keys;
using Tollgate.Server.Providers;
using Tollgate.Server.Telemetry;

namespace Tollgate.Server.Tests.Telemetry;

/// <summary>Whatever form a key takes on its way into a text, nothing of it is left that its mask does not show.</summary>
public sealed class KeyRedactionTests
{
    private const string Root = "tollgate_root_";
    private const string Chosen = "our-own/choice+of=root%key&with<odd>marks,0123456789";

    public static TheoryData<string> Providers => [.. ProviderFiles.Shipped.Names().Where(name => name != "template")];

    [Theory]
    [MemberData(nameof(Providers))]
    public void A_key_of_each_provider_is_taken_out_in_every_form_that_text_gives_it(string name)
    {
        var (format, redaction) = Of(name);
        foreach (var environment in Enumerable.Range(0, format.Environments.Count))
        {
            var key = format.Mint(environment);
            var secret = key[format.Environments[environment].Prefix.Length..];
            foreach (var text in Forms(key))
            {
                var left = redaction.Of(text);
                Assert.False(left.Contains(secret[4..14], StringComparison.OrdinalIgnoreCase), $"{text}\nleaves\n{left}");
                Assert.False(Decoded(left).Contains(secret[4..14], StringComparison.OrdinalIgnoreCase), $"{text}\nleaves\n{left}");
                Assert.DoesNotContain(secret[^14..^4], left, StringComparison.OrdinalIgnoreCase);
            }
        }
    }

    [Fact]
    public void A_well_formed_key_leaves_its_mask_and_a_malformed_one_its_prefix()
    {
        var (format, redaction) = Of("default");
        var prefix = format.Environments[0].Prefix;
        var key = format.Mint(0);
        Assert.Equal($"key {format.Mask(key)}, sent", redaction.Of($"key {key}, sent"));
        Assert.Equal($"{prefix}[redacted]", redaction.Of(key[..^1]));
        Assert.Equal($"({prefix}[redacted])", redaction.Of($"({key}x)"));
        Assert.Equal(3, redaction.Count);
    }

    [Fact]
    public void A_text_without_keys_is_left_as_it_is()
    {
        var (format, redaction) = Of("tensorpool");
        foreach (var text in new[]
        {
            "", "x", "Request req_0123456789 failed", format.Mask(format.Mint(0)), "http_requests_received_in_all, tp_short, tp_",
            "System.InvalidOperationException: Nobody has established who makes this call.\n   at Tollgate.Server.Access.Caller.Of()",
            "key_0123456789abcdefghijkl prj_0123456789abcdefghijkl 100% sure \\ and %zz \\u12",
        })
        {
            Assert.Same(text, redaction.Of(text));
        }

        Assert.Equal(0, redaction.Count);
    }

    [Fact]
    public void The_root_key_is_taken_out_by_its_prefix_by_its_text_and_by_its_hash()
    {
        var (_, byText) = Of("default", Chosen);
        Assert.Equal("<[redacted]>", byText.Of($"<{Chosen}>"));
        Assert.Equal($"{Root}[redacted]", byText.Of(Root + new string('A', 43)));
        Assert.DoesNotContain("0123456789", byText.Of($"/x?key={Uri.EscapeDataString(Chosen)} tail"), StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789", byText.Of(JsonSerializer.Serialize(Chosen)), StringComparison.Ordinal);

        const string plain = "a-root-key-that-nobody-told-us-0123456789";
        var byHash = new KeyRedaction(Texts(Model("default")), [], word => word == plain);
        foreach (var text in new[] { plain, $"\"{plain}\"", $"Bearer {plain}", $"?key={plain}&x=1", $"It was {plain}.", $"%22{plain}%22" })
        {
            Assert.DoesNotContain("nobody", byHash.Of(text), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_short_text_is_nobodys_secret_and_a_long_text_of_escapes_is_read_once()
    {
        var (_, redaction) = Of("default", "short");
        Assert.Equal("a short text of ours", redaction.Of("a short text of ours"));
        var long1 = string.Concat(Enumerable.Repeat("%41\\u0042", 100_000));
        Assert.Equal(long1, redaction.Of(long1));
    }

    [Fact]
    public void A_foreign_key_is_taken_out_to_its_last_character()
    {
        var format = new KeyFormat(new KeyFormatOptions
        {
            Environments = [new KeyEnvironment("live", "own_")], Length = 40, Accepts = [new ForeignFormat("old-", 44)], MaskHead = 6,
        });
        var texts = new KeyTexts(format, [new ForeignFormat("old-", 44)], 40, Root);
        var redaction = new KeyRedaction(texts, []);
        var foreign = "old-" + "Ab3.x-y_z~+/Ab3.x-y_z~+/Ab3.x-y_z~+/Ab3.x-y=";
        Assert.Equal(48, foreign.Length);
        Assert.Equal("from old-Ab... on", redaction.Of($"from {foreign} on"));
        Assert.Equal("from old-[redacted] on", redaction.Of($"from {foreign[..30]} on"));
    }

    [Fact]
    public void Where_keys_have_no_prefix_their_length_gives_them_away()
    {
        var format = new KeyFormat(new KeyFormatOptions { Environments = [new KeyEnvironment("live", "")], Length = 36 });
        var redaction = new KeyRedaction(new KeyTexts(format, [], 36, Root), []);
        var key = format.Mint(0);
        Assert.Equal("a [redacted] b", redaction.Of($"a {key} b"));
        Assert.Equal("?k=[redacted]&c", redaction.Of($"?k={key}&c"));
        Assert.Equal("id key_0123456789abcdefghijkl", redaction.Of("id key_0123456789abcdefghijkl"));
    }

    private static IEnumerable<string> Forms(string key)
    {
        var json = string.Concat(key.Select(character => $"\\u{(int)character:x4}"));
        var percent = string.Concat(key.Select(character => $"%{(int)character:X2}"));
        yield return key;
        yield return $"Authorization: Bearer {key}\r\nHost: x";
        yield return $"GET /v1/models/{key}?key={key}&b=c HTTP/1.1";
        yield return $"{{\"key\":\"{key}\"}}";
        yield return new string('q', 300) + key;
        yield return key + key;
        yield return key.ToUpperInvariant();
        yield return key[..^1];
        yield return key + "=";
        yield return percent;
        yield return $"/x?a=1&k={percent.ToLowerInvariant()}";
        yield return Uri.EscapeDataString(percent);
        yield return Uri.EscapeDataString($"{{\"key\":\"{key}\"}}");
        yield return $"{{\"key\":\"{json}\"}}";
        yield return $"{{\"key\":\"{json.ToUpperInvariant().Replace("\\U", "\\u", StringComparison.Ordinal)}\"}}";
        yield return JsonSerializer.Serialize($"{{\"key\":\"{key}\"}}");
        yield return key[..2] + $"\\u{(int)key[2]:x4}" + key[3..];
        yield return key[..2] + $"%{(int)key[2]:x2}" + key[3..];
    }

    private static string Decoded(string text)
    {
        for (var i = 0; i < 3; i++)
        {
            text = Uri.UnescapeDataString(text);
        }

        var plain = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 5 < text.Length && text[i + 1] == 'u')
            {
                plain.Append((char)Convert.ToInt32(text.Substring(i + 2, 4), 16));
                i += 5;
            }
            else
            {
                plain.Append(text[i]);
            }
        }

        return plain.ToString();
    }

    private static (KeyFormat Format, KeyRedaction Redaction) Of(string provider, params string?[] secrets)
    {
        var model = Model(provider);
        return (model.Keys.Format, new KeyRedaction(Texts(model), secrets));
    }

    private static KeyTexts Texts(ProviderModel model) => new(model.Keys.Format, model.Keys.Accepts, model.Keys.Length, Root);

    private static ProviderModel Model(string provider) => ProviderFiles.Shipped.Load(provider).Model!;
}
