using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Tollgate.Client.AspNetCore;

/// <summary>
/// A bounded number of verdicts; the one that was put in first goes first. Reads side by side; what ends in Locked is called under the
/// lock of <see cref="VerdictCache"/>.
/// </summary>
internal sealed class VerdictTable(int max)
{
    private readonly ConcurrentDictionary<QuestionHash, LinkedListNode<KeptVerdict>> _kept = new();
    private readonly LinkedList<KeptVerdict> _byAge = new();

    public int Count => _kept.Count;

    public bool TryFind(in QuestionHash hash, [NotNullWhen(true)] out KeptVerdict? verdict)
    {
        verdict = _kept.TryGetValue(hash, out var node) ? node.Value : null;
        return verdict is not null;
    }

    public void PutLocked(KeptVerdict verdict)
    {
        RemoveLocked(verdict.Hash);
        if (_byAge.Count >= max)
        {
            RemoveLocked(_byAge.First!.Value.Hash);
        }

        _kept[verdict.Hash] = _byAge.AddLast(verdict);
    }

    public void RemoveLocked(in QuestionHash hash)
    {
        if (_kept.TryRemove(hash, out var node))
        {
            _byAge.Remove(node);
        }
    }

    public void RemoveLocked(Func<KeptVerdict, bool> isMeant)
    {
        for (var node = _byAge.First; node is not null;)
        {
            var next = node.Next;
            if (isMeant(node.Value))
            {
                RemoveLocked(node.Value.Hash);
            }

            node = next;
        }
    }

    public void ClearLocked()
    {
        _kept.Clear();
        _byAge.Clear();
    }
}

/// <summary>A verdict, until when it is kept on the monotonic clock, and when its key or secret ends on the wall's.</summary>
internal sealed record KeptVerdict(QuestionHash Hash, Verdict Verdict, long Until, DateTimeOffset EndsAt);
