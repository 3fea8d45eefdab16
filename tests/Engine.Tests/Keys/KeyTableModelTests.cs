using Tollgate.Engine.Keys;

namespace Tollgate.Engine.Tests.Keys;

/// <summary>The table against a database of dictionaries, through random operations. A failure names its seed and step.</summary>
public sealed class KeyTableModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void With_room_for_all_the_table_answers_exactly_as_the_model(int seed)
        => new Simulation(seed, new KeyTableOptions { KeysAtStart = 0, ChunkBytes = FactsArena.ChunkBytesMin }, exact: true).Run(3_000);

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    public void Crowded_the_table_may_forget_but_never_answers_anything_old(int seed)
        => new Simulation(
            seed,
            new KeyTableOptions
            {
                KeysMax = 40,
                KeysAtStart = 0,
                ChangesKept = 16,
                UnknownMax = 16,
                ChunkBytes = FactsArena.ChunkBytesMin,
                FactsBytesMax = 4 * FactsArena.ChunkBytesMin,
            },
            exact: false).Run(3_000);

    private sealed class Simulation(int seed, KeyTableOptions options, bool exact)
    {
        private const int KeysMax = 150;

        private readonly Random _random = new(seed);
        private readonly KeyTable _table = new(options);
        private readonly Dictionary<uint, Row> _database = [];
        private readonly HashSet<KeyHash> _loaded = [];
        private readonly List<Flight> _flights = [];
        private readonly List<KeyHash> _hashes = [];
        private long _nextHash;
        private int _step;

        public void Run(int steps)
        {
            for (int i = 0; i < 20; i++)
            {
                _hashes.Add(Make.Hash(--_nextHash));
            }

            _nextHash = 0;
            for (_step = 0; _step < steps; _step++)
            {
                Act(_random.Next(100));
                if (_step % 11 == 0)
                {
                    Compare();
                }
            }
        }

        private void Act(int lot)
        {
            switch (lot)
            {
                case < 15: Create(); break;
                case < 40: BeginLoad(); break;
                case < 65: EndLoad(); break;
                case < 90: Change(); break;
                case < 99: Erase(); break;
                default: Clear(lot); break;
            }
        }

        private void Create()
        {
            uint keyNo = (uint)_random.Next(1, KeysMax);
            if (_database.ContainsKey(keyNo))
            {
                return;
            }

            Row row = NewRow(keyNo, 1, [NewHash()]);
            _database.Add(keyNo, row);
            _table.Forget(row.Hashes[0]);
            Touch(row);
        }

        // The row changes, and the table is told only that it did.
        private void Change()
        {
            if (AnyRow() is not { } row)
            {
                return;
            }

            List<KeyHash> hashes = [.. row.Hashes];
            if (_random.Next(3) == 0)
            {
                hashes.Add(NewHash());
                _table.Forget(hashes[^1]);
            }

            if (hashes.Count > 1 && _random.Next(2) == 0)
            {
                hashes.RemoveAt(_random.Next(hashes.Count));
            }

            Row next = NewRow(row.KeyNo, row.Version + 1, hashes.Count > 4 ? hashes[^2..] : hashes);
            _database[row.KeyNo] = next;
            Drop(row);
            Touch(next);
        }

        private void Erase()
        {
            if (AnyRow() is { } row)
            {
                _database.Remove(row.KeyNo);
                Drop(row);
                Touch(row);
            }
        }

        private void Drop(Row row)
        {
            bool wasLoaded = _table.Drop(row.KeyNo);
            Assert.True(!exact || wasLoaded == row.Hashes.Any(_loaded.Contains), Where());
            _loaded.ExceptWith(row.Hashes);
        }

        private void BeginLoad()
        {
            KeyHash hash = AnyHash();
            _flights.Add(new Flight(_table.BeginLoad(), hash, _database.Values.FirstOrDefault(row => row.Hashes.Contains(hash))));
        }

        private void EndLoad()
        {
            if (_flights.Count == 0)
            {
                return;
            }

            int index = _random.Next(_flights.Count);
            Flight flight = _flights[index];
            _flights.RemoveAt(index);
            bool taken = flight.Row is { } row
                ? _table.EndLoad(flight.Epoch, row.Entry(flight.Hash))
                : _table.EndLoadUnknown(flight.Epoch, flight.Hash);
            Assert.True(taken ? !flight.IsOld : flight.IsOld || !exact, $"{Where()}: taken {taken}, old {flight.IsOld}");
            if (taken && flight.Row is not null)
            {
                _loaded.Add(flight.Hash);
            }
        }

        private void Clear(int lot)
        {
            Assert.Equal(99, lot);
            if (_random.Next(20) == 0)
            {
                _table.Clear();
                _loaded.Clear();
                _flights.ForEach(flight => flight.IsOld = true);
            }
        }

        private void Compare()
        {
            int found = 0;
            var rows = _database.Values.SelectMany(row => row.Hashes.Select(hash => (hash, row)))
                .ToDictionary(pair => pair.hash, pair => pair.row);
            foreach (KeyHash hash in _hashes)
            {
                bool isThere = _table.Find(in hash, out KeyEntryView view);
                found += isThere ? 1 : 0;
                Row? row = rows.GetValueOrDefault(hash);
                Assert.True(!isThere || row is not null, $"{Where()}: an ended secret is answered");
                Assert.True(!exact || isThere == _loaded.Contains(hash), $"{Where()}: found {isThere}");
                Assert.True(row is null || !_table.IsUnknown(in hash), $"{Where()}: a key is taken for unknown");
                if (isThere)
                {
                    Assert.Equal((row!.KeyNo, row.Version, row.State), (view.KeyNo, view.Version, view.State));
                    Assert.True(view.Facts.Span.SequenceEqual(row.Facts), Where());
                }
            }

            Assert.Equal(found, _table.Count);
            Assert.True(_table.Count <= options.KeysMax, Where());
        }

        // Whatever was read of this key, or of its hashes as unknown, is old now.
        private void Touch(Row row)
        {
            foreach (Flight flight in _flights)
            {
                flight.IsOld |= flight.Row is { } read ? read.KeyNo == row.KeyNo : row.Hashes.Contains(flight.Hash);
            }
        }

        private Row NewRow(uint keyNo, long version, IReadOnlyList<KeyHash> hashes)
        {
            var facts = new byte[_random.Next(4_000)];
            _random.NextBytes(facts);
            return new Row(keyNo, version, [.. hashes], (KeyState)_random.Next(128), facts);
        }

        private Row? AnyRow() => _database.Count == 0 ? null : _database.Values.ElementAt(_random.Next(_database.Count));

        private KeyHash AnyHash() => _hashes[_random.Next(_hashes.Count)];

        // Often one that somebody asked for before it was a key's, as with imports.
        private KeyHash NewHash()
        {
            KeyHash hash = Make.Hash(++_nextHash);
            if (_random.Next(2) == 0)
            {
                _table.EndLoadUnknown(_table.BeginLoad(), in hash);
            }

            _hashes.Add(hash);
            return hash;
        }

        private string Where() => $"seed {seed}, step {_step}";
    }

    /// <summary>A key as the database has it, with all its secrets.</summary>
    private sealed record Row(uint KeyNo, long Version, IReadOnlyList<KeyHash> Hashes, KeyState State, byte[] Facts)
    {
        public KeyEntry Entry(KeyHash hash) => Make.Entry(KeyNo, Version, hash) with { State = State, Facts = Facts };
    }

    private sealed class Flight(long epoch, KeyHash hash, Row? row)
    {
        public long Epoch { get; } = epoch;

        public KeyHash Hash { get; } = hash;

        public Row? Row { get; } = row;

        public bool IsOld { get; set; }
    }
}
