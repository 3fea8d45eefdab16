namespace Tollgate.Server.Identity;

/// <summary>What is wrong with what somebody typed: the field by its name, empty for all of it, and a sentence.</summary>
internal sealed record FormFault(string Field, string Sentence);
