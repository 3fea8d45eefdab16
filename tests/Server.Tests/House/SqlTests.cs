namespace Tollgate.Server.Tests.House;

public sealed class SqlTests
{
    private static readonly SourceFile Migration = new(
        "src/Server/Storage/Migrations/0003_keys.sql", "CREATE TABLE keys (a TEXT);\nCREATE VIEW open_keys AS SELECT a FROM keys;");

    [Fact]
    public void A_room_names_only_its_own_tables_and_published_views()
    {
        var migrations = Repository.Files("src/Server/Storage/Migrations", ".sql");
        Assert.NotEmpty(migrations);
        Finding.None(SqlRules.Ownership(migrations, Repository.CSharp("src/Server")));
    }

    [Fact]
    public void Statements_stand_in_files_of_their_own() => Finding.None(Repository.CSharp("src").SelectMany(SqlRules.Statements));

    [Fact]
    public void Database_drivers_are_used_in_storage_only() => Finding.None(Repository.CSharp("src").SelectMany(SqlRules.Drivers));

    [Theory]
    [InlineData("SELECT a FROM keys")]
    [InlineData("SELECT b FROM other o\n  JOIN keys k ON true")]
    [InlineData("UPDATE keys SET a = 1")]
    [InlineData("INSERT INTO keys (a) VALUES (1)")]
    public void A_foreign_table_is_found(string statement)
    {
        SourceFile Text(string path) => new(path, $"const string S = \"\"\"\n{statement}\n\"\"\";");

        Assert.Single(SqlRules.Ownership([Migration], [Text("src/Server/Audit/AuditSql.cs")]));
        Assert.Empty(SqlRules.Ownership([Migration], [Text("src/Server/Keys/KeySql.cs")]));
    }

    [Fact]
    public void A_published_view_may_be_read() =>
        Assert.Empty(SqlRules.Ownership([Migration], [new("src/Server/Surfaces/SurfaceSql.cs", "\"SELECT a FROM open_keys\"")]));

    [Fact]
    public void A_migration_that_belongs_to_no_room_is_found() =>
        Assert.Single(SqlRules.Ownership([new("src/Server/Storage/Migrations/0009_attic.sql", "CREATE TABLE t (a TEXT);")], []));

    [Fact]
    public void A_statement_or_a_driver_in_the_wrong_place_is_found()
    {
        SourceFile door = new("src/Server/Keys/KeyRing.cs", "using Npgsql;\nvar s = \"SELECT a FROM keys\";");

        Assert.Equal("src/Server/Keys/KeyRing.cs:2", Assert.Single(SqlRules.Statements(door)).Place);
        Assert.Equal("src/Server/Keys/KeyRing.cs:1", Assert.Single(SqlRules.Drivers(door)).Place);
        Assert.Empty(SqlRules.Statements(door with { Path = "src/Server/Keys/KeySql.cs" }));
        Assert.Empty(SqlRules.Drivers(door with { Path = "src/Server/Storage/Database.cs" }));
    }
}
