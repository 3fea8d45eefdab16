using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Tollgate.Server.Providers.Reading;

/// <summary>
/// Reads the YAML that a provider file needs, and no more: one document of maps, lists and text. Anchors, aliases and tags are
/// refused, depth and size are bounded, and a name written twice is an error. It stands on YamlDotNet's events rather than its
/// object tree because that stops at the first duplicate and builds the tree before a bound can be asked.
/// </summary>
internal sealed class YamlTree
{
    public const int BytesMax = 256 * 1024;
    public const int DepthMax = 24;
    public const int NodesMax = 20_000;

    private readonly string _file;
    private readonly ErrorList _errors;
    private readonly IParser _parser;
    private int _nodes;

    private YamlTree(string file, string text, ErrorList errors) =>
        (_file, _errors, _parser) = (file, errors, new Parser(new StringReader(text)));

    /// <summary>Null when the text is no such YAML; what is wrong is then in <paramref name="errors"/>.</summary>
    public static YamlNode? Read(string file, ReadOnlySpan<byte> bytes, ErrorList errors)
    {
        var start = new Place(file, 1, 1);
        if (bytes.Length > BytesMax)
        {
            errors.Report(start, $"the file is larger than {BytesMax / 1024} KiB");
            return null;
        }

        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            errors.Report(start, "the file is not UTF-8");
            return null;
        }

        var tree = new YamlTree(file, text, errors);
        try
        {
            return tree.Document();
        }
        catch (TooMuch)
        {
            return null;
        }
        catch (YamlException e)
        {
            errors.Report(tree.At(e.Start), $"not valid YAML: {Sentence(e)}");
            return null;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or IndexOutOfRangeException or OverflowException)
        {
            // The scanner trips over some broken escapes and directives in ways of its own.
            errors.Report(tree._parser.Current is { } current ? tree.At(current.Start) : start, "not valid YAML");
            return null;
        }
    }

    private static string Sentence(YamlException e) =>
        e.Message[(e.Message.LastIndexOf("): ", StringComparison.Ordinal) is var at and >= 0 ? at + 3 : 0)..];

    private YamlNode? Document()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
        {
            _errors.Report(new Place(_file, 1, 1), "the file is empty");
            return null;
        }

        _parser.Consume<DocumentStart>();
        var root = Node(1);
        _parser.Consume<DocumentEnd>();
        if (_parser.Accept<DocumentStart>(out var second))
        {
            _errors.Report(At(second.Start), "a provider file is one document");
        }

        return root;
    }

    private YamlNode Node(int depth)
    {
        var at = At(_parser.Current?.Start ?? Mark.Empty);
        if (_parser.Accept<ParsingEvent>(out var next))
        {
            at = At(next.Start);
        }

        if (depth > DepthMax || ++_nodes > NodesMax)
        {
            _errors.Report(at, depth > DepthMax ? $"nested more than {DepthMax} deep" : $"the file holds more than {NodesMax} values");
            throw new TooMuch();
        }

        if (next is AnchorAlias || (next is NodeEvent node && (!node.Anchor.IsEmpty || !node.Tag.IsEmpty)))
        {
            _errors.Report(at, "anchors, aliases and tags are not used in provider files");
        }

        if (_parser.TryConsume<Scalar>(out var scalar))
        {
            return new YamlNode { At = at, Kind = YamlKind.Text, Text = scalar.Value, IsPlain = scalar.Style == ScalarStyle.Plain };
        }

        if (_parser.TryConsume<AnchorAlias>(out _))
        {
            return new YamlNode { At = at, Kind = YamlKind.Text };
        }

        if (_parser.TryConsume<SequenceStart>(out _))
        {
            var items = new List<YamlNode>();
            while (!_parser.TryConsume<SequenceEnd>(out _))
            {
                items.Add(Node(depth + 1));
            }

            return new YamlNode { At = at, Kind = YamlKind.List, Items = items };
        }

        _parser.Consume<MappingStart>();
        return new YamlNode { At = at, Kind = YamlKind.Map, Fields = FieldsOf(depth) };
    }

    private List<YamlField> FieldsOf(int depth)
    {
        var fields = new List<YamlField>();
        var first = new Dictionary<string, Place>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var name = Node(depth + 1);
            var value = Node(depth + 1);
            if (name.Kind != YamlKind.Text)
            {
                _errors.Report(name, $"a name is text, not {name.Describe()}");
            }
            else if (!first.TryAdd(name.Text, name.At))
            {
                _errors.Report(name, $"\"{name.Text}\" is written twice; first in line {first[name.Text].Line}");
            }
            else
            {
                fields.Add(new YamlField(name, value));
            }
        }

        return fields;
    }

    private Place At(Mark mark) => new(_file, (int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));

    /// <summary>A bound was passed; the error is reported already.</summary>
    private sealed class TooMuch : Exception;
}
