namespace Tollgate.Gateway.Echo;

/// <summary>
/// What the built-in model counts: a token is a run of characters that are not white space, with the white space before it; what follows
/// the last run belongs to the last token, so that all tokens together are the text. White space alone is one token.
/// </summary>
internal static class EchoTokens
{
    public static int Count(string text) => Cut(text, int.MaxValue).Tokens;

    /// <summary>Where the token that begins here ends.</summary>
    public static int End(string text, int start)
    {
        var end = start;
        while (end < text.Length && char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        while (end < text.Length && !char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        return text.AsSpan(end).IsWhiteSpace() ? text.Length : end;
    }

    /// <summary>At most so many tokens of the text, how many they are, and whether there were more.</summary>
    public static (string Text, int Tokens, bool IsCut) Cut(string text, int most)
    {
        var (tokens, end) = (0, 0);
        while (tokens < most && end < text.Length)
        {
            end = End(text, end);
            tokens++;
        }

        return (text[..end], tokens, end < text.Length);
    }
}
