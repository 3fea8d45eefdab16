using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Journal;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Journal;

/// <summary>Who is refused for minutes on end hears of it once.</summary>
public sealed class LimitWatchTests
{
    [Fact]
    public async Task A_key_that_a_limit_refuses_for_five_minutes_is_told_of_once_and_again_after_a_quiet_minute()
    {
        await using var gate = await RunningGate.Start("tensoras");
        var hooks = $"/api/v1/organizations/{gate.OrganizationId}/webhooks";
        var webhook = (await gate.Send(
            "POST", hooks, RunningGate.RootKey, "{\"url\":\"https://webhooks.invalid/\",\"events\":[\"limit.sustained\"]}")).String("id");
        var key = await gate.NewKey();
        var (id, secret) = (key.GetProperty("id").GetString()!, key.GetProperty("secret").GetString()!);

        async Task<int> Told(int minutes)
        {
            for (var minute = 0; minute < minutes; minute++)
            {
                for (var sent = 0; sent < 31; sent++)
                {
                    await gate.Send("GET", "/v1/models", secret);
                }

                await gate.Services.GetRequiredService<Fold>().WaitAll();
                gate.Clock.Advance(TimeSpan.FromMinutes(1));
            }

            var deliveries = await gate.Send("GET", $"{hooks}/{webhook}/deliveries", RunningGate.RootKey);
            return deliveries.Json.GetProperty("data").GetArrayLength();
        }

        Assert.Equal(0, await Told(5));
        Assert.Equal(1, await Told(1));
        Assert.Equal(1, await Told(5));
        gate.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await Told(5));
        Assert.Equal(2, await Told(1));

        var body = await gate.Database.Read(async connection =>
        {
            await using var command = connection.CreateCommand();
            command.CommandText = "SELECT body FROM webhook_deliveries ORDER BY delivery_no LIMIT 1";
            return (byte[])(await command.ExecuteScalarAsync())!;
        });
        var data = JsonElement.Parse(body).GetProperty("data");
        Assert.Equal((id, "rpm"), (data.GetProperty("key_id").GetString(), data.GetProperty("limit").GetString()));
        Assert.True(data.GetProperty("refused").GetInt64() >= 6);
    }
}
