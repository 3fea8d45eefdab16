using System.CommandLine;
using Tollgate.Client;

namespace Tollgate.Cli.Keys;

/// <summary>One run of a command: what was typed, the gate it goes to, and how it speaks.</summary>
internal sealed class Ask(ParseResult parsed, Shell shell, CancellationToken cancel, int retriesMax = 1) : IDisposable
{
    /// <summary>The most projects among which the first is looked for.</summary>
    private const int ProjectsMax = 100;

    public ParseResult Parsed => parsed;

    public Shell Shell => shell;

    public CancellationToken Cancel => cancel;

    public Voice Voice { get; } = new(shell, parsed.GetValue(CommonOptions.Json));

    public TollgateClient Client { get; } = CommonOptions.Connect(parsed, shell, retriesMax);

    public void Dispose() => Client.Dispose();

    public string KeyId(Argument<string> id) => Segment(parsed.GetValue(id)!, "a key's id such as key_…");

    public string OrganizationId(Argument<string> id) => Segment(parsed.GetValue(id)!, "an organization's id such as org_…");

    /// <summary>The project that was named, else the gate's first: the oldest, where the root key acts by itself.</summary>
    public async Task<string> ProjectId(Option<string?> project)
    {
        if ((parsed.GetValue(project) ?? shell.Variable("TOLLGATE_PROJECT")) is { } named)
        {
            return Segment(named, "a project's id such as prj_…");
        }

        try
        {
            // The list is newest first. Who has more than a few has to say which.
            var projects = await Client.Projects.PageAsync(limit: ProjectsMax, cancellationToken: cancel);
            return projects is { Data: [.., var oldest], NextCursor: null }
                ? oldest.Id
                : throw new UsageException(
                    $"Which project? There is none yet, or more than {ProjectsMax}: name one by --project or TOLLGATE_PROJECT.");
        }
        catch (TollgateException e) when (e.Problem.Status == 403)
        {
            throw new UsageException(
                "Which project? Only the root key can look for one: name the key's own by --project or TOLLGATE_PROJECT.");
        }
    }

    /// <summary>The text, when it can stand in a path.</summary>
    public static string Segment(string text, string expected) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? text
            : throw new UsageException($"\"{text}\" is not {expected}.");
}
