using System.Text;
using System.Text.RegularExpressions;

namespace Tollgate.Server.Tests.House;

/// <summary>
/// C# as the rules read it: <see cref="Blank"/> puts spaces in the place of comments, strings and directives, so that every
/// character keeps its position, and <see cref="Members"/> finds where the members of types begin and end.
/// </summary>
internal static partial class CSharpCode
{
    /// <summary>A member of a type from its modifiers to its last brace. Fields, which hold data, are not among them.</summary>
    internal sealed record Member(string Header, int Start, int End);

    public static string Blank(string text) => new Blanker(text).Run();

    /// <summary>Methods, properties, constructors, operators of every type in blanked code; a file of statements is one member.</summary>
    public static IReadOnlyList<Member> Members(string code)
    {
        if (!TypeOrNamespace().IsMatch(code))
        {
            var start = code.TakeWhile(char.IsWhiteSpace).Count();
            return start < code.Length ? [new Member("top-level statements", start, code.TrimEnd().Length - 1)] : [];
        }

        var found = new List<Member>();
        Body(code, 0, found);
        return found;
    }

    /// <summary>Reads members from <paramref name="at"/> to the brace that closes their type; returns the place of that brace.</summary>
    private static int Body(string code, int at, List<Member> found)
    {
        while (true)
        {
            at = SkipAttributes(code, at);
            if (at >= code.Length || code[at] == '}')
            {
                return at;
            }

            var header = Declaration().Match(code, at);
            if (header.Success && OpensBlock(code, at, out var open))
            {
                at = header.Groups["kind"].Value == "enum" ? Close(code, open) + 1 : Body(code, open + 1, found) + 1;
                continue;
            }

            var end = End(code, at, out var isField, out var headerEnd);
            if (!isField && code.AsSpan(at, end - at).ContainsAny('(', '{'))
            {
                found.Add(new Member(code[at..headerEnd].Trim(), at, Math.Min(end, code.Length - 1)));
            }

            at = end + 1;
        }
    }

    /// <summary>Whether the declaration at <paramref name="at"/> has a block, and does not end in a semicolon as a record may.</summary>
    private static bool OpensBlock(string code, int at, out int open)
    {
        var depth = 0;
        for (open = at; open < code.Length; open++)
        {
            switch (code[open])
            {
                case '(' or '[':
                    depth++;
                    break;
                case ')' or ']':
                    depth--;
                    break;
                case '{' when depth == 0:
                    return true;
                case ';' when depth == 0:
                    return false;
            }
        }

        return false;
    }

    /// <summary>The last character of the member that begins at <paramref name="at"/>.</summary>
    private static int End(string code, int at, out bool isField, out int headerEnd)
    {
        (isField, headerEnd) = (false, -1);
        var (depth, untilSemicolon) = (0, false);
        for (var i = at; i < code.Length; i++)
        {
            var c = code[i];
            if (c is '(' or '[')
            {
                depth++;
            }
            else if (c is ')' or ']')
            {
                depth--;
            }
            else if (depth == 0 && c == '=' && headerEnd < 0 && !NamesOperator(code[at..i]))
            {
                (headerEnd, untilSemicolon) = (i, true);
                isField = code[i + 1] != '>';
            }
            else if (depth == 0 && c == ';')
            {
                headerEnd = headerEnd < 0 ? i : headerEnd;
                return i;
            }
            else if (c == '{')
            {
                headerEnd = headerEnd < 0 ? i : headerEnd;
                i = Close(code, i);
                var next = i + 1 + code[Math.Min(i + 1, code.Length)..].TakeWhile(char.IsWhiteSpace).Count();
                if (depth == 0 && !untilSemicolon && (next >= code.Length || code[next] != '='))
                {
                    return i;
                }

                untilSemicolon = true;
            }
        }

        headerEnd = headerEnd < 0 ? code.Length : headerEnd;
        return code.Length;
    }

    /// <summary>Whether an equals sign after this text belongs to the name of an operator.</summary>
    private static bool NamesOperator(string header) =>
        header.Contains("operator", StringComparison.Ordinal) && !header.Contains('(', StringComparison.Ordinal);

    private static int Close(string code, int open)
    {
        var depth = 0;
        for (var i = open; i < code.Length; i++)
        {
            depth += code[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (depth == 0)
            {
                return i;
            }
        }

        return code.Length - 1;
    }

    private static int SkipAttributes(string code, int at)
    {
        while (true)
        {
            while (at < code.Length && (char.IsWhiteSpace(code[at]) || code[at] == ';'))
            {
                at++;
            }

            if (at >= code.Length || code[at] != '[')
            {
                return at;
            }

            var depth = 0;
            do
            {
                depth += code[at] switch { '[' => 1, ']' => -1, _ => 0 };
                at++;
            }
            while (depth > 0 && at < code.Length);
        }
    }

    [GeneratedRegex(@"\G(?:(?:public|internal|private|protected|sealed|static|abstract|partial|readonly|ref|file|unsafe|new)\s+)*"
        + @"(?<kind>namespace|class|struct|interface|enum|record)\b")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\b(namespace|class|struct|interface|enum|record)\s+\w")]
    private static partial Regex TypeOrNamespace();

    /// <summary>Walks the text once; an interpolated string's holes are code again.</summary>
    private sealed partial class Blanker(string text)
    {
        private readonly StringBuilder _code = new(text);
        private int _at;

        public string Run()
        {
            Code(holeBraces: 0);
            return _code.ToString();
        }

        /// <summary>Code up to the end, or up to the braces that close a hole.</summary>
        private void Code(int holeBraces)
        {
            var depth = 0;
            while (_at < text.Length)
            {
                if (!"/# \t\"$@'}{".Contains(text[_at], StringComparison.Ordinal))
                {
                    _at++;
                }
                else if (Comment().Match(text, _at) is { Success: true } comment)
                {
                    Hide(comment.Length);
                }
                else if (StringStart().Match(text, _at) is { Success: true } start)
                {
                    String(start);
                }
                else if (Character().Match(text, _at) is { Success: true } character)
                {
                    Hide(character.Length);
                }
                else if (holeBraces > 0 && depth == 0 && text[_at] == '}')
                {
                    return;
                }
                else
                {
                    depth += text[_at++] switch { '{' => 1, '}' => -1, _ => 0 };
                }
            }
        }

        private void String(Match start)
        {
            var (dollars, quotes) = (start.Groups["dollars"].Length, start.Groups["quotes"].Length);
            var verbatim = start.Value.Contains('@', StringComparison.Ordinal);
            var raw = quotes >= 3;
            Hide(start.Length);
            if (quotes == 2)
            {
                return;
            }

            while (_at < text.Length)
            {
                var rest = text.AsSpan(_at);
                if (rest.StartsWith(new string('"', quotes)))
                {
                    if (verbatim && rest.StartsWith("\"\""))
                    {
                        Hide(2);
                        continue;
                    }

                    Hide(raw ? rest.IndexOfAnyExcept('"') is var run and > 0 ? run : rest.Length : 1);
                    return;
                }

                var braces = dollars == 0 ? 0 : rest.IndexOfAnyExcept('{') is var open and >= 0 ? open : rest.Length;
                if (braces >= dollars && dollars > 0 && (raw || braces % 2 == 1))
                {
                    Hide(braces);
                    Code(holeBraces: dollars);
                    Hide(Math.Min(raw ? dollars : 1, text.Length - _at));
                }
                else
                {
                    Hide(braces > 0 ? braces : !raw && !verbatim && text[_at] == '\\' ? Math.Min(2, rest.Length) : 1);
                }
            }
        }

        private void Hide(int length)
        {
            for (var end = _at + length; _at < end; _at++)
            {
                _code[_at] = text[_at] == '\n' ? '\n' : ' ';
            }
        }

        [GeneratedRegex(@"\G(?://[^\n]*|/\*.*?\*/|(?<=^|\n)[ \t]*#[^\n]*)", RegexOptions.Singleline)]
        private static partial Regex Comment();

        [GeneratedRegex(@"\G(?:(?<dollars>\$*)(?<quotes>""{3,})|(?:@(?<dollars>\$)|(?<dollars>\$?)@?)(?<quotes>""(?:""(?!""))?))")]
        private static partial Regex StringStart();

        [GeneratedRegex(@"\G'(?:\\[^\n]{1,9}?|[^\\'\n])'")]
        private static partial Regex Character();
    }
}
