using Tollgate.Server.Hosting;

namespace Tollgate.Server.Operating;

/// <summary>What an operator wrote behind a verb: the verb's own words, and options of the gate, read as the gate reads them.</summary>
internal sealed record VerbLine
{
    public required GateOptions Options { get; init; }

    /// <summary>The words that stand alone, such as <c>--yes</c>.</summary>
    public required IReadOnlySet<string> Flags { get; init; }

    /// <summary>What the one word with a value was given; null without it.</summary>
    public string? Value { get; init; }

    /// <summary>The one word without dashes; null without it.</summary>
    public string? Operand { get; init; }

    /// <summary>The line, or all that is wrong with it.</summary>
    public static (VerbLine? Line, IReadOnlyList<string> Faults) Read(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, VerbForm form)
    {
        var (flags, rest, faults) = (new HashSet<string>(StringComparer.Ordinal), new List<string>(), new List<string>());
        string? value = null, operand = null;
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            var (name, inline) = argument.Split('=', 2) is [var left, var right] ? (left, right) : (argument, null);
            if (form.Flags.Contains(argument))
            {
                flags.Add(argument);
            }
            else if (name == form.Named)
            {
                value = inline ?? (i + 1 < arguments.Count ? arguments[++i] : "");
                faults.AddRange(value.Length > 0 ? [] : [$"{name}: needs a value."]);
            }
            else if (name.StartsWith("--", StringComparison.Ordinal))
            {
                rest.AddRange(inline is null && i + 1 < arguments.Count ? [argument, arguments[++i]] : [argument]);
            }
            else if (form.Operand is null || operand is not null)
            {
                faults.Add($"{argument}: is one word too many.");
            }
            else
            {
                operand = argument;
            }
        }

        faults.AddRange(form.Operand is not null && operand is null ? [$"{form.Operand} is missing."] : []);
        faults.AddRange(form.Named is not null && value is null ? [$"{form.Named} is missing."] : []);
        var (options, wrong) = OptionsReader.Read(rest, environment);
        faults.AddRange(wrong);
        return options is null || faults.Count > 0
            ? (null, faults)
            : (new VerbLine { Options = options, Flags = flags, Value = value, Operand = operand }, []);
    }
}

/// <summary>The words of a verb: those that stand alone, the one with a value, the one without dashes. What is named is needed.</summary>
internal sealed record VerbForm(IReadOnlyList<string> Flags, string? Named = null, string? Operand = null);
