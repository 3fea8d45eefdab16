using System.Globalization;
using System.Net.Http.Headers;

namespace Tollgate.Bench;

/// <summary>Waits until a gate has booked what it noted.</summary>
internal static class Booking
{
    private const string Waiting = "tollgate_usage_events_waiting ";

    /// <summary>Asks for the usage, which has it booked, until nothing waits; tells what the server took for that.</summary>
    public static async Task<TimeSpan> End(ServerProcess gate)
    {
        TimeSpan began = gate.Cpu;
        using var http = new HttpClient { BaseAddress = new Uri(gate.Address) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", SeededKeys.RootKey);
        while (await Left(http) > 0)
        {
            (await http.GetAsync(new Uri("/api/v1/usage/log?limit=1", UriKind.Relative))).Dispose();
        }

        return gate.Cpu - began;
    }

    private static async Task<double> Left(HttpClient http)
    {
        string metrics = await http.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        string line = metrics.Split('\n').Single(line => line.StartsWith(Waiting, StringComparison.Ordinal));
        return double.Parse(line[Waiting.Length..], CultureInfo.InvariantCulture);
    }
}
