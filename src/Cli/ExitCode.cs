namespace Tollgate.Cli;

/// <summary>What a script reads from the exit code. Listed in <c>docs/guides/cli.md</c>; the numbers never change.</summary>
internal enum ExitCode
{
    Ok = 0,

    /// <summary>The checked key is not valid, a person did not confirm, or rows of an import were refused.</summary>
    Refused = 1,

    /// <summary>The command line is wrong.</summary>
    Usage = 2,

    /// <summary>The caller's key is missing a right, or is no key at all.</summary>
    NotAuthorised = 3,

    NotFound = 4,

    /// <summary>The gate understood and will not: a conflict, a value not allowed, an operation not offered.</summary>
    Conflict = 5,

    Unreachable = 6,

    /// <summary>The gate failed or is busy, or something else is at its address.</summary>
    ServerError = 7,

    /// <summary>Somebody stopped it, by Ctrl-C: 128 and the number of the signal, as shells have it.</summary>
    Interrupted = 130,
}
