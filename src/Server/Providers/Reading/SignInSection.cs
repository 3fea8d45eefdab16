namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads <c>sign_in</c>: what the provider says of the people who use its console.</summary>
internal static class SignInSection
{
    private static readonly Dictionary<string, bool> PersonalKeys = Choices("kept", "archived");
    private static readonly Dictionary<string, bool> LeaverKeys = Choices("kept", "deleted");
    private static readonly Dictionary<string, bool> Balance = Choices("kept", "moved");

    /// <summary>Null where there are no teams; the usual ones where the file says nothing.</summary>
    public static TeamRules? ReadTeams(YamlNode? node, ErrorList errors)
    {
        var fields = FieldReader.Of(node, Vocabulary.SignIn, errors);
        return fields["teams"] switch
        {
            null => new TeamRules(),
            { Kind: YamlKind.Text } => fields.Flag("teams", fallback: true) ? new TeamRules() : null,
            { } map => Read(FieldReader.Of(map, Vocabulary.Teams, errors), errors),
        };
    }

    private static TeamRules Read(FieldReader fields, ErrorList errors) => new()
    {
        NameMax = fields.Number("name_max", 1, TeamRules.NameMaxMost, TeamRules.NameMaxUsual),
        OwnedMax = fields.Number("owned_max", 1, TeamRules.OwnedMaxMost, TeamRules.OwnedMaxUsual),
        ArchivesPersonalKeys = fields.Choice("personal_keys", PersonalKeys, fallback: false),
        DeletesLeaverKeys = fields.Choice("leaver_keys", LeaverKeys, fallback: false),
        MovesBalance = fields.Choice("balance", Balance, fallback: false),
        MembersSeeProjects = fields.Flag("members_see_projects", fallback: false),
        MembersMakeKeys = fields.Flag("members_make_keys", fallback: false),
        RoleNames = ReadNames(FieldReader.Of(fields["roles"], Vocabulary.TeamRoles, errors)),
    };

    private static TeamRoleNames ReadNames(FieldReader fields)
    {
        return new TeamRoleNames
        {
            Owner = Named("owner"), Admin = Named("admin"), Billing = Named("billing"), Member = Named("member"),
            ProjectAdmin = Named("project_admin"), ProjectMember = Named("project_member"), Viewer = Named("viewer"),
        };

        string? Named(string role) => fields.Text(role, TeamRoleNames.LengthMax) is { Length: > 0 } name ? name : null;
    }

    private static Dictionary<string, bool> Choices(string no, string yes) =>
        new(StringComparer.Ordinal) { [no] = false, [yes] = true };
}
