namespace Tollgate.Cli;

/// <summary>The command line is wrong in a way that only running it showed. Its message is for the person who typed it.</summary>
internal sealed class UsageException(string message) : Exception(message);
