using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;

namespace Tollgate.Server.Tests.Operating;

/// <summary>What a gate in a process of its own does when its disk fails it: full, refusing to sync, or having lost what it had.</summary>
public sealed class DiskFaultTests(PostgresFixture postgres) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http = new();

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task On_a_full_disk_changes_are_refused_in_words_checks_go_on_and_with_room_again_all_goes_on_by_itself()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);
        await Shell($"mount -t tmpfs -o size=3m,mode=700 tmpfs {place.Folder}");
        try
        {
            await using var gate = await place.Serve(RunningGate.RootKey);
            var project = await FirstProject(gate);
            var kept = new List<string> { await NewSecret(gate, project) };
            Assert.Equal("allowed", await Verify(gate, kept[0]));

            await Shell($"dd if=/dev/zero of={place.PathOf("filler")} bs=4096 2>/dev/null; true");
            var refused = await Until(() => Send(gate, $"/api/v1/projects/{project}/keys", "{\"name\":\"x\"}"), answer =>
            {
                if (answer.Status == HttpStatusCode.Created)
                {
                    kept.Add(SecretOf(answer.Text));
                }

                return answer.Status != HttpStatusCode.Created;
            });
            Assert.True(refused.Status == HttpStatusCode.ServiceUnavailable, refused.Text + gate.Said);
            Assert.Equal("unavailable", JsonElement.Parse(refused.Text).GetProperty("code").GetString());
            Assert.All(await Task.WhenAll(kept.Select(secret => Verify(gate, secret))), code => Assert.Equal("allowed", code));
            Assert.Equal(HttpStatusCode.OK, (await Send(gate, "/readyz", null)).Status);

            File.Delete(place.PathOf("filler"));
            await Until(
                () => Send(gate, $"/api/v1/projects/{project}/keys", "{\"name\":\"y\"}"),
                answer => answer.Status == HttpStatusCode.Created);
            Assert.Contains("ok       integrity", (await place.Run("doctor")).Output, StringComparison.Ordinal);
        }
        finally
        {
            await Shell($"umount {place.Folder}");
        }
    }

    [Fact]
    public async Task What_could_not_be_synced_is_not_acknowledged_and_the_gate_is_not_ready_until_a_commit_has_been_made_again()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);
        string durable, refusedName = "never acknowledged";
        await using (var gate = await place.Serve(RunningGate.RootKey))
        {
            var project = await FirstProject(gate);
            durable = await NewSecret(gate, project);
            Assert.Equal(HttpStatusCode.OK, (await Send(gate, "/readyz", null)).Status);

            using (var fault = await Strace(gate.ProcessId, "fsync,fdatasync:error=EIO"))
            {
                var refused = await Send(gate, $"/api/v1/projects/{project}/keys", $"{{\"name\":\"{refusedName}\"}}");
                Assert.True(refused.Status == HttpStatusCode.ServiceUnavailable, refused.Text + gate.Said);
                var ready = await Send(gate, "/readyz", null);
                Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.Status);
                Assert.Equal("the database cannot make a change durable\n", ready.Text);
                Assert.Equal("allowed", await Verify(gate, durable));
                await Detach(fault);
            }

            await Until(() => Send(gate, "/readyz", null), answer => answer.Status == HttpStatusCode.OK);
            Assert.Equal("allowed", await Verify(gate, await NewSecret(gate, project)));
        }

        // Killed and started again: what was acknowledged is there, what was not is not.
        await using var again = await place.Serve(RunningGate.RootKey);
        Assert.Equal("allowed", await Verify(again, durable));
        var keys = await Send(again, $"/api/v1/projects/{await FirstProject(again)}/keys", null);
        Assert.DoesNotContain(refusedName, keys.Text, StringComparison.Ordinal);
        Assert.Contains("ok       audit chain", (await place.Run("doctor")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_ahead_log_that_was_cut_is_found_before_a_revoked_key_works_again()
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);
        string secret;
        await using (var gate = await place.Serve(RunningGate.RootKey))
        {
            var made = await Send(gate, $"/api/v1/projects/{await FirstProject(gate)}/keys", "{\"name\":\"x\"}");
            secret = SecretOf(made.Text);
            var id = JsonElement.Parse(made.Text).GetProperty("id").GetString();
            Assert.Equal(HttpStatusCode.OK, (await Send(gate, $"/api/v1/keys/{id}/revoke", "")).Status);
            Assert.Equal("key_revoked", await Verify(gate, secret));
            // The process is killed here, so that the log is left as a crash leaves it.
        }

        var log = place.PathOf("tollgate.db-wal");
        using (var file = File.OpenWrite(log))
        {
            // Only the last commit is lost: the key is there, and its revocation is not.
            file.SetLength(file.Length - 4_096);
        }

        await using (var refused = await place.Serve(RunningGate.RootKey))
        {
            Assert.Equal(3, await refused.WaitForExit());
            Assert.Contains("is behind what was acknowledged", refused.Said, StringComparison.Ordinal);
        }

        var doctor = await place.Run("doctor");
        Assert.True(doctor.ExitCode == 2, doctor.ToString());
        Assert.Contains("FAILED   last change", doctor.Output, StringComparison.Ordinal);

        // Who accepts the loss says so by deleting the mark; nothing else starts such a database.
        File.Delete(place.PathOf(ChangeMark.FileName));
        await using var accepted = await place.Serve(RunningGate.RootKey);
        Assert.Equal("allowed", await Verify(accepted, secret));
    }

    [Theory]
    [InlineData("one.backup.part")]
    [InlineData("")]
    public async Task A_backup_that_the_disk_refuses_to_keep_is_not_told_to_be_made_and_leaves_no_file(string refused)
    {
        await using var place = await Place.New(DatabaseKind.Sqlite, postgres);
        await (await place.Start()).DisposeAsync();
        var program = Path.Combine(AppContext.BaseDirectory, "Tollgate.Server.dll");

        var (code, said) = await Run(
            $"TOLLGATE_DATABASE= strace -f -qq -o /dev/null -P '{place.PathOf(refused)}' -e trace=fsync -e inject=fsync:error=EIO "
            + $"dotnet '{program}' backup --to '{place.PathOf("one.backup")}' --data '{place.Folder}'");

        Assert.True(code == 3, said);
        Assert.Contains("cannot be brought onto the disk", said, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(place.Folder, "one.backup*"));
    }

    private async Task<string> FirstProject(ServedGate gate) =>
        JsonElement.Parse((await Send(gate, "/api/v1/projects", null)).Text).GetProperty("data")[0].GetProperty("id").GetString()!;

    private async Task<string> NewSecret(ServedGate gate, string project)
    {
        var made = await Send(gate, $"/api/v1/projects/{project}/keys", "{\"name\":\"A test key\"}");
        Assert.True(made.Status == HttpStatusCode.Created, made.Text);
        return SecretOf(made.Text);
    }

    private static string SecretOf(string made) => JsonElement.Parse(made).GetProperty("secret").GetString()!;

    private async Task<string> Verify(ServedGate gate, string secret)
    {
        var answer = await Send(gate, "/api/v1/verify", $"{{\"key\":\"{secret}\"}}");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return JsonElement.Parse(answer.Text).GetProperty("code").GetString()!;
    }

    private async Task<(HttpStatusCode Status, string Text)> Send(ServedGate gate, string path, string? body)
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, gate.Address + path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", RunningGate.RootKey);
        request.Content = string.IsNullOrEmpty(body) ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task<(HttpStatusCode Status, string Text)> Until(
        Func<Task<(HttpStatusCode Status, string Text)>> ask, Func<(HttpStatusCode Status, string Text), bool> wanted)
    {
        var since = Stopwatch.StartNew();
        while (true)
        {
            var answer = await ask();
            if (wanted(answer))
            {
                return answer;
            }

            Assert.True(since.Elapsed < Patience, answer.Text);
        }
    }

    /// <summary>Lets system calls of a running process fail for as long as the tracer is attached.</summary>
    private static async Task<Process> Strace(int process, string fault)
    {
        var tracer = Process.Start(new ProcessStartInfo(
            "strace", ["-f", "-p", $"{process}", "-e", $"trace={fault.Split(':')[0]}", "-e", $"inject={fault}", "-o", "/dev/null"])
        {
            RedirectStandardError = true,
        })!;
        var line = await tracer.StandardError.ReadLineAsync().WaitAsync(Patience);
        Assert.True(line?.Contains("attached", StringComparison.Ordinal) == true, line ?? "strace ended at once");
        // Nobody reads the rest; the pipe must not fill up.
        _ = tracer.StandardError.BaseStream.CopyToAsync(Stream.Null);
        return tracer;
    }

    /// <summary>An interrupted tracer lets its process go on unharmed; killed, it would take it along.</summary>
    private static async Task Detach(Process tracer)
    {
        await Shell($"kill -INT {tracer.Id}");
        await tracer.WaitForExitAsync().WaitAsync(Patience);
    }

    private static async Task Shell(string command)
    {
        var (code, said) = await Run(command);
        Assert.True(code == 0, $"{command}: {said}");
    }

    private static async Task<(int Code, string Said)> Run(string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardError = true })!;
        var said = await shell.StandardError.ReadToEndAsync();
        await shell.WaitForExitAsync().WaitAsync(Patience);
        return (shell.ExitCode, said);
    }
}
