namespace Tollgate.Gateway.Metering;

/// <summary>Which choices of a stream have begun, and which have told their finish reason: a byte for each, up to a call's bound.</summary>
internal sealed class OpenChoices
{
    private const byte IsOpen = 1;
    private const byte IsFinished = 2;

    private byte[] _states = new byte[8];
    private int _begun;
    private int _finished;

    /// <summary>One has begun, and all that have are finished.</summary>
    public bool AreFinished => _begun > 0 && _begun == _finished;

    /// <summary>Those that have begun and are not finished; the first one where none has begun.</summary>
    public IEnumerable<int> Open => _begun == 0 ? [0] : Enumerable.Range(0, _states.Length).Where(index => _states[index] == IsOpen);

    public void Note(int index, bool isFinished)
    {
        if (index is < 0 or >= CallReader.FanOutMax)
        {
            return;
        }

        if (index >= _states.Length)
        {
            Array.Resize(ref _states, Math.Min(CallReader.FanOutMax, Math.Max(index + 1, 2 * _states.Length)));
        }

        _begun += _states[index] == 0 ? 1 : 0;
        _finished += isFinished && _states[index] != IsFinished ? 1 : 0;
        _states[index] = isFinished ? IsFinished : Math.Max(_states[index], IsOpen);
    }
}
